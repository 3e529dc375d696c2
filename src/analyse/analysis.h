/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_ANALYSIS_H
#define HR_ANALYSE_ANALYSIS_H

#include "analyse/levels.h"
#include "analyse/model.h"
#include "analyse/summary.h"
#include "analyse/verdict.h"
#include "store/reader.h"

/* All that is known of one run: what every report is rendered from. */
struct hr_analysis {
	struct hr_summary *summary; /* of the whole run */
	struct hr_axis axis;
	struct hr_model model;
	struct hr_verdict verdict;
};

/* 0 and *ret_analysis (free with hr_analysis_free()), else as hr_summary_load(). */
int hr_analysis_load(struct hr_reader *reader, struct hr_analysis **ret_analysis, struct hr_err *err);
void hr_analysis_free(struct hr_analysis *analysis); /* takes NULL */

#endif
