/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_TARGET_H
#define HR_COLLECT_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Which processes are recorded: what the user asked for, resolved to process ids. */

/* What was asked for: exactly one of the four. */
struct hr_target_spec {
	const char *pids;   /* "812,813" */
	int port;	    /* TCP port on which it listens; 0: not asked for */
	const char *comm;   /* name of the process; beyond 15 bytes the kernel knows no more of it */
	const char *cgroup; /* directory of a cgroup, or its path within the tree */
	const char *root;   /* put before /proc and /sys, for tests; NULL: the running system. Kept by the target */
};

struct hr_target {
	pid_t *pids;	       /* ascending */
	uint64_t *start_ticks; /* of each: tells a reused pid */
	size_t count;
	char cgroup[PATH_MAX]; /* its directory; "": the target is processes and their descendants */
	char about[320];       /* see hr_target_describe() */
	const char *root;
};

/*
 * Find the processes at this moment: those asked for and all their descendants, or all of a cgroup and the cgroups
 * below. headroom itself, what it started, kernel threads and zombies are never among them.
 *
 * Several processes that listen on the port, or have the name, are one target if they are one tree: then it is that of
 * the topmost. Workers that share a port (SO_REUSEPORT) are one too if they are siblings that run the same executable:
 * then it is that of their parent, if that runs it as well, or theirs.
 *
 * 0 (free with hr_target_fini()). With err set: -EINVAL: the spec is malformed, or is none or several of the four;
 * -ESRCH, -ENOENT: there is no such process or cgroup, or nothing in it; -EEXIST: several that have nothing to do with
 * each other; -EOPNOTSUPP: a kernel thread, or headroom itself; -EACCES: it takes root to see; -ENOMEM, ...
 */
int hr_target_resolve(const struct hr_target_spec *spec, struct hr_target *ret, struct hr_err *err);

/*
 * Look again: which processes belong to the target now and did not at the last look? They joined its cgroup, or were
 * born before someone watched for births. Those that are gone are dropped from `pids`. Of a cgroup it reads the members
 * only, so that it can be asked often; of processes, all of /proc.
 *
 * 0 and the new ones in *ret_pids (free it), -errno with err set and the target as it was. A cgroup that was removed
 * has no processes.
 */
int hr_target_more(struct hr_target *target, pid_t **ret_pids, size_t *ret_count, struct hr_err *err);

/*
 * "pid 812 (nginx) and 2 descendants", "port 8000: pid 812 (nginx)", "cgroup '/web': 3 processes", as first resolved.
 */
const char *hr_target_describe(const struct hr_target *target);

/* Takes a target of zeros as well. */
void hr_target_fini(struct hr_target *target);

#endif
