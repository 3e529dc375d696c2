/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_NETSTAT_H
#define HR_COLLECT_NETSTAT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The kernel's own counters of TCP, of one network namespace: those in /proc/net/snmp and /proc/net/netstat that say what went
 * wrong, in the order in which they are written.
 */
#define HR_NETSTAT_COUNTERS 23

struct hr_netstat {
	uint64_t counts[HR_NETSTAT_COUNTERS];
	bool known[HR_NETSTAT_COUNTERS]; /* false: not in what was read */
};

/* The counter's name, as the kernel writes it. counter: 0 to HR_NETSTAT_COUNTERS - 1. */
const char *hr_netstat_name(int counter);

/*
 * Take the counters that are in the text of one of these files: a line of names, then a line of numbers, for each protocol.
 * 0: all lines of the protocols that are looked at were whole; -EINVAL: one was not, and nothing of it was taken.
 */
int hr_netstat_parse(const char *text, struct hr_netstat *netstat);

/* Read both files of a process ("self", "812"), as it sees them. What cannot be read is not known. */
void hr_netstat_read(const char *root, const char *who, struct hr_netstat *ret);

#endif
