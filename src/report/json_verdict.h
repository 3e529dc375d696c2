/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_JSON_VERDICT_H
#define HR_REPORT_JSON_VERDICT_H

#include <jansson.h>

#include "analyse/analysis.h"

/* The parts of the JSON report about the scaling model and the verdict; see docs/report.schema.json. NULL: no memory. */

json_t *hr_json_model(const struct hr_model *model);
json_t *hr_json_verdict(const struct hr_verdict *verdict);
json_t *hr_json_runner_up(const struct hr_verdict *verdict); /* null: there is none */

#endif
