/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_REPORT_H
#define HR_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "analyse/analysis.h"

/*
 * Renderings of one run. They write to `out` and flush it: 0, or -EIO with err set if it did not take everything (errno
 * says why: full disk, closed pipe).
 */

/*
 * For people: plain text in HR_PAGE_COLUMNS columns, the first screen says where the time went. utf8: what the reader's
 * terminal takes.
 */
int hr_report_text(const struct hr_analysis *analysis, bool utf8, FILE *out, struct hr_err *err);

/* For programs: "headroom.report/1", see docs/report.schema.json. ASCII only. What was not measured is null. */
int hr_report_json(const struct hr_analysis *analysis, FILE *out, struct hr_err *err);

#endif
