/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_VIEWS_H
#define HR_STORE_VIEWS_H

#include "store/tables.h"

/* A question that people ask of a run, answered by a view in the run file. Its columns are in the dictionary too. */
struct hr_view {
	const char *name, *meaning;
	const struct hr_column *columns;
	int column_count;
	const char *select;
};

extern const struct hr_view hr_views[];
extern const int hr_view_count;

#endif
