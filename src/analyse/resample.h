/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_RESAMPLE_H
#define HR_ANALYSE_RESAMPLE_H

#include "analyse/compare.h"

/* The bootstrap of a comparison; see compare.h. Inside src/analyse/ only. */
struct hr_resample;

/* The windows of a level (label NULL: of the whole runs) on both sides. 0 and *ret_resample, -ENOMEM. */
int hr_resample_new(const struct hr_run *base, size_t base_count, const struct hr_run *new, size_t new_count, const char *label,
		    struct hr_resample **ret_resample, struct hr_err *err);
void hr_resample_free(struct hr_resample *resample); /* takes NULL */

/* Fill in every measure. */
void hr_resample_run(struct hr_resample *resample, struct hr_difference ret[HR_MEASURE_COUNT]);

#endif
