/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_MEMLIMIT_H
#define HR_COLLECT_MEMLIMIT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Memory limits that bind a target: those of its cgroups and of all above them, v1 (memory.limit_in_bytes) and v2 (memory.max,
 * memory.high), and the host's memory. The counters are cumulative, as the kernel keeps them; the caller takes differences.
 */
struct hr_memory_limit {
	char cgroup[PATH_MAX]; /* its directory; "": the host */
	bool v2;
	bool readable;	       /* false: the cgroup is gone, or has no such files (the top one of v2); the rest means nothing */
	uint64_t limit_bytes;  /* 0: none */
	uint64_t used_bytes;
	int64_t cache_bytes;   /* of it; HR_NULL: not known, as all that follow */
	int64_t hits;	       /* of the limit; the host: direct reclaims */
	int64_t oom_kills;
	int64_t refaults;      /* pages read again that had been dropped a short while ago */
};

#define HR_MEMORY_LIMITS_MAX 32 /* beyond them a cgroup is not looked at */

struct hr_memory_limits {
	struct hr_memory_limit *rows; /* also of cgroups without a limit: it may get one */
	size_t count;
};

/*
 * Add the cgroups of these processes that are not in the list yet, which starts as zeros, and read them. Processes that are
 * gone are skipped. 0; -errno with err set. Free with hr_memory_limits_fini().
 */
int hr_memory_limits_find(const char *root, const pid_t *pids, size_t count, struct hr_memory_limits *limits, struct hr_err *err);

/* Read it again. A limit may have been changed, or lifted, meanwhile. */
void hr_memory_limit_read(struct hr_memory_limit *limit);

void hr_memory_limits_fini(struct hr_memory_limits *limits);

/* What the host has. readable: false if /proc/meminfo is not. */
void hr_memory_host_read(const char *root, struct hr_memory_limit *ret);

#endif
