/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_JSON_LEVELS_H
#define HR_REPORT_JSON_LEVELS_H

#include <jansson.h>

#include "analyse/analysis.h"

/* The parts of the JSON report about the load axis; see docs/report.schema.json. NULL: no memory. */

/* All states, those without time included: 0 s was measured. null: one that this kernel cannot tell. */
json_t *hr_json_states(const struct hr_summary *summary, const struct hr_account *account);

/* A level, or with NULL the whole run in the same shape. */
json_t *hr_json_level(const struct hr_summary *summary, const struct hr_level *level);

json_t *hr_json_levels(const struct hr_analysis *analysis);

#endif
