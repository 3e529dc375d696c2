/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_KNEE_H
#define HR_ANALYSE_KNEE_H

#include <stddef.h>

#include "analyse/levels.h"
#include "analyse/model.h"

/*
 * Where throughput stops growing, and what would have been said of it from the lower levels alone: those up to half the load of
 * the knee, by the demand of each resource there (capacity.h). A run can so be graded against itself.
 */
struct hr_knee {
	double load;	       /* the lowest with 95 % of the highest throughput; NAN: no level has both, as all that follow */
	double throughput_rps; /* measured there */
	double predicted_rps;  /* NAN: no level at half of it or below, or no resource that is known there */
	/* 95 % of that, and 15 % for what the bound leaves out; of one level 20 % for the others; of one client up to full CPUs */
	struct hr_range range;
	const char *resource;  /* that would be full first: "CPUs", "busiest thread", "lock", ... (the table in knee.c); NULL: none */
	size_t level_count;    /* it was told from so many levels */
};

void hr_knee_find(const struct hr_axis *axis, struct hr_knee *ret_knee);

#endif
