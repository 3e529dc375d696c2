/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_CGROUP_H
#define HR_COLLECT_CGROUP_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "collect/procs.h"

/*
 * Where the cgroups of a controller ("cpu", "memory") are: its hierarchy of v1, and the unified tree of v2. A system may have
 * both, or none.
 */

struct hr_cgroup_mount {
	bool mounted;
	char at[PATH_MAX];   /* directory, with the `root` of the caller in front */
	char shows[PATH_MAX]; /* which part of the tree it shows: "/", or below in a container */
};

struct hr_cgroup_mounts {
	const char *controller;	   /* the caller's */
	struct hr_cgroup_mount v1; /* the hierarchy with that controller */
	struct hr_cgroup_mount v2;
};

/*
 * Read a line of /proc/self/mountinfo. 1 or 2 and *ret set (at without a root): it mounts that controller of v1, or v2; 0:
 * anything else.
 */
int hr_cgroup_parse_mount(const char *line, const char *controller, struct hr_cgroup_mount *ret);

/* 0, also where nothing is mounted; -errno with err set. */
int hr_cgroup_mounts(const char *root, const char *controller, struct hr_cgroup_mounts *ret, struct hr_err *err);

/*
 * The directory that a user means by path: below a mount, or relative to that of v1 or v2, also as /proc/PID/cgroup
 * shows it. 0; -ENOENT: no such cgroup; -EINVAL: a directory that is no cgroup.
 */
int hr_cgroup_find(const char *root, const char *path, char ret_dir[PATH_MAX], struct hr_err *err);

/* The processes of the cgroup and of all below it. Those below that vanish are left out. 0, or -errno with err set. */
int hr_cgroup_processes(const char *dir, struct hr_pids *pids, struct hr_err *err);

/*
 * The directories of a process's cgroups of the controller; "" where there is none. 0; -ESRCH: the process is gone.
 */
int hr_cgroup_of(const char *root, const struct hr_cgroup_mounts *mounts, pid_t pid, char ret_v1[PATH_MAX],
		 char ret_v2[PATH_MAX]);

#endif
