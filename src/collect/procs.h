/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_PROCS_H
#define HR_COLLECT_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* The processes of the system, as /proc shows them at one moment. */

#define HR_PROC_NAME_BYTES 48	  /* 15 bytes of others' text as valid UTF-8 */
#define HR_PROC_COMMAND_BYTES 257

struct hr_proc {
	pid_t pid;
	pid_t parent;
	uint64_t start_ticks; /* since boot: tells a reused pid */
	char name[16];	      /* as it is: not necessarily UTF-8 */
	bool kernel_thread;
	bool ended;	      /* a zombie without a living thread */
};

struct hr_procs {
	struct hr_proc *rows; /* by pid, ascending */
	size_t count;
};

/* One process, for the run file: all text is valid UTF-8. */
struct hr_process_info {
	pid_t parent;
	char name[HR_PROC_NAME_BYTES];
	char command[HR_PROC_COMMAND_BYTES]; /* arguments with spaces between them, cut off; "" for one that has none */
};

/* A list of pids that grows. Starts as zeros; free with hr_pids_fini(). */
struct hr_pids {
	pid_t *at;
	size_t count, room;
};

int hr_pids_add(struct hr_pids *pids, pid_t pid); /* -ENOMEM */
void hr_pids_sort(struct hr_pids *pids);	  /* ascending, each once */
bool hr_pids_hold(const struct hr_pids *pids, pid_t pid); /* of a sorted list */
void hr_pids_fini(struct hr_pids *pids);

/* Read the text of /proc/PID/stat. The name may hold spaces and parentheses. 0; -EINVAL. */
int hr_proc_parse_stat(const char *text, struct hr_proc *ret);

/*
 * All of them, or those of a list. What vanishes on the way is left out. 0 (free with hr_procs_fini()), or -errno with
 * err set.
 */
int hr_procs_read(const char *root, struct hr_procs *ret, struct hr_err *err);
int hr_procs_read_some(const char *root, const struct hr_pids *pids, struct hr_procs *ret, struct hr_err *err);
void hr_procs_fini(struct hr_procs *procs);

/* The row of a pid, or NULL. */
const struct hr_proc *hr_procs_find(const struct hr_procs *procs, pid_t pid);

/* True if the process is one of the (sorted) list, or a child, grandchild, ... of one. */
bool hr_procs_descend(const struct hr_procs *procs, pid_t pid, const struct hr_pids *ancestors);

/* 0; -ESRCH: gone. A process that ends between the reads has its name, and command "". */
int hr_process_info(const char *root, pid_t pid, struct hr_process_info *ret);

#endif
