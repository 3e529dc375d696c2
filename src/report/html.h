/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_HTML_H
#define HR_REPORT_HTML_H

#include <stdio.h>

#include "analyse/analysis.h"
#include "analyse/series.h"

/*
 * For people, with charts: one HTML file that needs no network, ASCII but for what the licences in it hold. The page is a view of
 * the JSON report and of the run's course. Writes to out and flushes it: 0; -EIO and other errnos: out did not take everything;
 * -ENOMEM; -ENOSYS: this headroom was built without the charts, and err says how to get them.
 */
int hr_report_html(const struct hr_analysis *analysis, const struct hr_series *series, FILE *out, struct hr_err *err);

#endif
