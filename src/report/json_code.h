/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_JSON_CODE_H
#define HR_REPORT_JSON_CODE_H

#include <jansson.h>

#include "analyse/summary.h"

/* The part of the JSON report about sampled stacks; null if none were sampled. NULL: no memory. */
json_t *hr_json_code(const struct hr_summary *summary);

#endif
