/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_JIFFY_H
#define HR_COLLECT_JIFFY_H

#include <stdint.h>

/*
 * The length of a jiffy, in which the kernel counts some of TCP's times. It is CONFIG_HZ, which no interface tells
 * (sysconf(_SC_CLK_TCK) is another clock), so it is measured from two moments at which the kernel gave both clocks.
 */
struct hr_jiffy {
	uint64_t first_ns, first_jiffies, last_ns, last_jiffies; /* 0: not seen */
};

/* Both clocks at one moment, in any order. Jiffies of 0 are not known. */
void hr_jiffy_see(struct hr_jiffy *jiffy, uint64_t at_ns, uint64_t jiffies);

/* A time in nanoseconds; HR_NULL until two moments have been seen that are 100 ms apart. */
int64_t hr_jiffy_ns(const struct hr_jiffy *jiffy, uint64_t jiffies);

#endif
