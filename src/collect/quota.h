/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_QUOTA_H
#define HR_COLLECT_QUOTA_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The CPU quotas that bind a target: those of its cgroups and of all above them, v1 (cpu.cfs_quota_us) and v2
 * (cpu.max). The counters are cumulative, as the kernel keeps them; the caller takes differences.
 */
struct hr_quota {
	char cgroup[PATH_MAX]; /* its directory */
	bool v2;
	bool readable;	       /* false: the cgroup is gone; the rest is what was read last */
	uint64_t quota_ns;     /* CPU time per period; 0: no limit any more */
	uint64_t period_ns;
	uint64_t periods;      /* in which a thread was runnable */
	uint64_t throttled_periods;
	uint64_t throttled_ns; /* summed over CPUs */
};

struct hr_quotas {
	struct hr_quota *rows;
	size_t count;
};

/* Read cpu.max: "50000 100000", "max 100000". 0; -EINVAL. *ret_quota_ns is 0 for "max". */
int hr_quota_parse_max(const char *text, uint64_t *ret_quota_ns, uint64_t *ret_period_ns);

/*
 * Read cpu.stat of v1 (throttled_time, ns) or v2 (throttled_usec) into the counters. 0; -EINVAL: one of them is
 * missing.
 */
int hr_quota_parse_stat(const char *text, struct hr_quota *quota);

/*
 * Add the quotas that bind these processes and are not in the list yet, which starts as zeros. Processes that are gone
 * are skipped. 0; -errno with err set. Free with hr_quotas_fini().
 */
int hr_quotas_find(const char *root, const pid_t *pids, size_t count, struct hr_quotas *quotas, struct hr_err *err);

/* Read them all again. A quota may have been changed, or lifted, meanwhile. */
void hr_quotas_read(struct hr_quotas *quotas);

void hr_quotas_fini(struct hr_quotas *quotas);

#endif
