/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_FLEET_DOCUMENT_H
#define HR_REPORT_FLEET_DOCUMENT_H

#include <jansson.h>

#include "analyse/fleet.h"

/* The report of several runs as a value: "headroom.fleet/1". NULL: no memory. */
json_t *hr_fleet_document(const struct hr_fleet *fleet);

#endif
