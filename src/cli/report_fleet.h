/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_REPORT_FLEET_H
#define HR_CLI_REPORT_FLEET_H

#include <stdbool.h>

#include "analyse/fleet.h"
#include "cli/render.h"

typedef int hr_fleet_render(const struct hr_fleet *fleet, FILE *out, struct hr_err *err);

/*
 * `report` of several runs: see analyse/fleet.h; format: as what. Returns the exit status; says what fails. strict: HR_EXIT_LOSSY if
 * any is lossy.
 */
int hr_report_fleet(const char *verb, char *const *paths, int count, hr_fleet_render *format, bool strict,
		    const struct hr_cli_output *output);

#endif
