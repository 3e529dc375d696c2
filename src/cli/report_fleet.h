/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_REPORT_FLEET_H
#define HR_CLI_REPORT_FLEET_H

#include <stdbool.h>

#include "cli/render.h"

/* `report` of several runs: see analyse/fleet.h. Returns the exit status; says what fails. strict: HR_EXIT_LOSSY if any is lossy. */
int hr_report_fleet(const char *verb, char *const *paths, int count, bool json, bool strict, const struct hr_cli_output *output);

#endif
