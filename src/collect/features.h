/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_FEATURES_H
#define HR_COLLECT_FEATURES_H

#include <stdbool.h>

#include "base/err.h"

/*
 * What the kernel and the system have that a recording uses: asked of the kernel's types (BTF) and of the system, never
 * of a version. A new feature also needs a row in features.c. Append only.
 */
enum hr_feature {
	HR_FEATURE_BTF = 0,
	HR_FEATURE_PRIVILEGE = 1,
	HR_FEATURE_HOST_PIDS = 2,
	HR_FEATURE_SCHED_SWITCH = 3,
	HR_FEATURE_PREV_STATE = 4,
	HR_FEATURE_SCHED_WAKING = 5,
	HR_FEATURE_SCHED_WAKEUP_NEW = 6,
	HR_FEATURE_SCHED_MIGRATE_TASK = 7,
	HR_FEATURE_SCHED_PROCESS_EXEC = 8,
	HR_FEATURE_SCHED_PROCESS_EXIT = 9,
	HR_FEATURE_SYS_ENTER = 10,
	HR_FEATURE_SYS_EXIT = 11,
	HR_FEATURE_TASK_ITERATOR = 12,
	HR_FEATURE_CURRENT_TASK_BTF = 13,
	HR_FEATURE_ATOMIC_FETCH = 14,
	HR_FEATURE_MAP_MMAP = 15,
	HR_FEATURE_TASK_PT_REGS = 16,
	HR_FEATURE_CONTENTION = 17,
	HR_FEATURE_DIRECT_RECLAIM = 18,
	HR_FEATURE_MEMCG_RECLAIM = 19,
	HR_FEATURE_COMPACTION = 20,
	HR_FEATURE_RDONLY_CAST = 21,
	HR_FEATURE_RUN_STATISTICS = 22,
	HR_FEATURE_CPU_CGROUP = 23,
	HR_FEATURE_CPU_THROTTLING = 24,
	HR_FEATURE_STEAL_TIME = 25,
	HR_FEATURE_IRQ_TIME = 26,
	HR_FEATURE_PRESSURE = 27,
	HR_FEATURE_TRACEFS = 28,
	HR_FEATURE_REQUEST_HOOKS = 29,
	HR_FEATURE_REQUEST_FENTRY = 30,
	HR_FEATURE_SOCKET_STORAGE = 31,
	HR_FEATURE_INET_SOCK_SET_STATE = 32,
	HR_FEATURE_TCP_RETRANSMIT_SKB = 33,
	HR_FEATURE_TCP_DESTROY_SOCK = 34,
	HR_FEATURE_TCP_RECEIVE_RESET = 35,
	HR_FEATURE_TCP_SEND_RESET = 36,
	HR_FEATURE_BLOCK_IO = 37,
	HR_FEATURE_MEMORY_CGROUP = 38,
	HR_FEATURE_PERF_EVENTS = 39,
	HR_FEATURE_KERNEL_SYMBOLS = 40,
	HR_FEATURE_PRIORITY = 41,
	HR_FEATURES = 42
};

struct hr_feature_row {
	const char *name;	  /* in the run file and in JSON; append only, as the numbers */
	const char *what;	  /* for people */
	const char *lost_without; /* what a recording lacks then; for a required one: what cannot be done */
	const char *remedy;	  /* what to do */
	bool required;		  /* no recording without it */
};

struct hr_features {
	bool has[HR_FEATURES];
	bool known[HR_FEATURES]; /* false: it could not be found out, as without BTF; then has is false too */
};

/* The feature's row. feature: 0 to HR_FEATURES - 1. */
const struct hr_feature_row *hr_feature_row(enum hr_feature feature);

/*
 * Ask for all of them; needs no privilege. root is put before /sys, /proc and /boot, for tests; "" is the running
 * system. 0, whatever is missing; -ENOMEM, ... with err set. Loads nothing into the kernel.
 */
int hr_features_probe(const char *root, struct hr_features *ret, struct hr_err *err);

/*
 * Can a recording be made? 0; -EPERM: privilege is missing; -ENOENT: the kernel or the system lacks something: err
 * names the first such feature and the way out, in one sentence.
 */
int hr_features_check(const struct hr_features *features, struct hr_err *err);

#endif
