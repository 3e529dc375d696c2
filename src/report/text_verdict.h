/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_TEXT_VERDICT_H
#define HR_REPORT_TEXT_VERDICT_H

#include "analyse/analysis.h"
#include "report/page.h"

/* The sections of the text report about the load axis. Each writes nothing if the run has no interval. */

/* text_verdict.c */
void hr_text_verdict(const struct hr_page *page, const struct hr_analysis *analysis);

/* text_levels.c */
void hr_text_levels(const struct hr_page *page, const struct hr_analysis *analysis);
void hr_text_request_times(const struct hr_page *page, const struct hr_analysis *analysis);

#endif
