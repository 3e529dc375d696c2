/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_JSON_RESOURCES_H
#define HR_REPORT_JSON_RESOURCES_H

#include <jansson.h>

#include "analyse/summary.h"

/* The parts of the JSON report about disks and memory. NULL: no memory. */

json_t *hr_json_disks(const struct hr_summary *summary);
json_t *hr_json_memory(const struct hr_summary *summary);
json_t *hr_json_pressure(const struct hr_summary *summary);

#endif
