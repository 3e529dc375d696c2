/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_HTML_SERIES_H
#define HR_REPORT_HTML_SERIES_H

#include <jansson.h>

#include "analyse/flame.h"
#include "analyse/series.h"
#include "analyse/summary.h"

/*
 * What the HTML report draws and the JSON report does not have: an object each, with parallel arrays. Times are microseconds
 * since the run's start. NULL: no memory.
 */
json_t *hr_html_series(const struct hr_summary *summary, const struct hr_series *series);
json_t *hr_html_heatmap(const struct hr_series *series);		/* null: no latency is known */
json_t *hr_html_marks(const struct hr_series *series);
json_t *hr_html_states(const struct hr_summary *summary);		/* what the states mean, in their order */
json_t *hr_html_flame(const struct hr_summary *summary, const struct hr_flame *flame); /* null: no sample */

#endif
