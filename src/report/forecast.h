/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_FORECAST_H
#define HR_REPORT_FORECAST_H

#include <stdbool.h>
#include <stdio.h>

#include "analyse/check.h"

/*
 * The prediction of a report that was written before, "headroom.report/1", and its grade.
 *
 * The file is anybody's: what is not such a report is refused with one sentence. change_name NULL: the only one that it predicts, or
 * "cause_removed" of several. 0 and *ret_forecast; -EINVAL: not a report, or not of this version; -ENOENT: it does not predict that,
 * or there is no such file; -EFBIG: over 256 MiB; else -errno.
 */
int hr_forecast_read(const char *path, const char *change_name, struct hr_forecast *ret_forecast, struct hr_err *err);

/* Renderings; the JSON is "headroom.check/1", see docs/check.schema.json. 0, or a negative errno with err set. */
int hr_grade_text(const struct hr_grade *grade, bool utf8, FILE *out, struct hr_err *err);
int hr_grade_json(const struct hr_grade *grade, FILE *out, struct hr_err *err);

#endif
