/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_TARGET_FIND_H
#define HR_COLLECT_TARGET_FIND_H

#include "base/err.h"
#include "collect/procs.h"

/*
 * From what was asked for to the processes at the top of the target: the rules of hr_target_resolve(), whose errors
 * these return. Each adds to roots.
 */
int hr_target_find_pids(const char *root, const struct hr_procs *procs, const char *list, struct hr_pids *roots,
			struct hr_err *err);
int hr_target_find_comm(const struct hr_procs *procs, const char *comm, struct hr_pids *roots, struct hr_err *err);
int hr_target_find_port(const char *root, const struct hr_procs *procs, int port, struct hr_pids *roots,
			struct hr_err *err);

#endif
