/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_PAINT_H
#define HR_CLI_PAINT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Colour on a terminal. It is put on the finished text: what renders reports knows nothing of it, and what is written to a file
 * or a pipe has none.
 */

/* True if the standard output is a terminal that takes colour and nobody asked for none (NO_COLOR, https://no-color.org). */
bool hr_paint_wanted(void);

/* Write a text report: its titles bold, its bars in colour. */
void hr_paint_report(const char *text, FILE *out);

#endif
