/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_RUN_LIST_H
#define HR_CLI_RUN_LIST_H

#include <stddef.h>

#include "analyse/samples.h"
#include "base/err.h"

/* Several runs that are named on a command line. */
struct hr_run_list {
	struct hr_run *runs;
	size_t count;
	char *text; /* that the paths are in */
};

/*
 * Read "A.db,B.db"; a path that is there as it stands is one, commas and all. Empty it with hr_run_list_fini(), which takes one
 * that is all zero. 0, or as hr_run_load(); -EINVAL also for an empty name.
 */
int hr_run_list_load(const char *paths, struct hr_run_list *ret_list, struct hr_err *err);

/* One more run; the path is copied nowhere and must outlive the list. */
int hr_run_list_add(struct hr_run_list *list, const char *path, struct hr_err *err);

void hr_run_list_fini(struct hr_run_list *list);

#endif
