/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_TERMINAL_H
#define HR_CLI_TERMINAL_H

#include <stdio.h>

/* How many columns the terminal has that `out` writes to; `otherwise` where it is none. */
int hr_terminal_columns(FILE *out, int otherwise);

/* Where standard output is a terminal that is narrower than a report: say how to read it. */
void hr_terminal_hint(const char *verb, int page_columns);

#endif
