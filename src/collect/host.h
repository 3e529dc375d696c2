/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_HOST_H
#define HR_COLLECT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What took CPUs away from threads: the hypervisor and interrupts, as /proc/stat counts them since boot. */

struct hr_host_cpu {
	bool online;
	uint64_t steal_ns; /* in steps of one tick, 10 ms as a rule */
	uint64_t irq_ns;   /* hard and soft interrupts; likewise */
};

struct hr_host {
	struct hr_host_cpu *cpus; /* by CPU number */
	size_t cpu_count;
	bool steal_known; /* no hypervisor, or one that has been seen to tell */
	bool irq_known;	  /* the kernel accounts for interrupts, and does not just sample them by ticks */
	char root[256];
	long ticks_hz;
};

/* What a kernel's configuration says about an option. */
enum hr_config { HR_CONFIG_UNKNOWN = -1, HR_CONFIG_OFF = 0, HR_CONFIG_ON = 1 };

/* Look the option up ("CONFIG_PSI") in /proc/config.gz or /boot/config-RELEASE. */
enum hr_config hr_host_config(const char *root, const char *option);

/*
 * Find out what the host accounts for, and read it once. 0 (free with hr_host_fini()); -errno with err set.
 */
int hr_host_init(struct hr_host *host, const char *root, struct hr_err *err);

/* Read the counters again. They only grow; a CPU that went offline keeps its last. Steal may become known. */
int hr_host_read(struct hr_host *host, struct hr_err *err);

void hr_host_fini(struct hr_host *host);

#endif
