/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_JSON_DOCUMENT_H
#define HR_REPORT_JSON_DOCUMENT_H

#include <jansson.h>

#include "analyse/analysis.h"

/* The JSON report as a value: "headroom.report/1". NULL: no memory. */
json_t *hr_json_document(const struct hr_analysis *analysis);

#endif
