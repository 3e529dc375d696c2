/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_FLEET_H
#define HR_REPORT_FLEET_H

#include <stdbool.h>
#include <stdio.h>

#include "analyse/fleet.h"

/* As hr_report_text() and hr_report_json(). JSON: "headroom.fleet/1", see docs/fleet.schema.json. */
int hr_fleet_text(const struct hr_fleet *fleet, bool utf8, FILE *out, struct hr_err *err);
int hr_fleet_json(const struct hr_fleet *fleet, FILE *out, struct hr_err *err);

/* For people, with charts: as hr_report_html(). Of very many hosts, those that are unlike the others are on the page, and some more. */
int hr_fleet_html(const struct hr_fleet *fleet, FILE *out, struct hr_err *err);

#endif
