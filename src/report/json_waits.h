/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_JSON_WAITS_H
#define HR_REPORT_JSON_WAITS_H

#include <jansson.h>

#include "analyse/summary.h"

/* The parts of the JSON report about who waited for whom. NULL: no memory. */

json_t *hr_json_waits(const struct hr_summary *summary);
json_t *hr_json_blame(const struct hr_summary *summary);
json_t *hr_json_locks(const struct hr_summary *summary);

#endif
