/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_RENDER_H
#define HR_CLI_RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include "analyse/analysis.h"
#include "analyse/series.h"

/* What verbs that render a run have in common. */

/* Reads the run: 0 and *ret_summary, which the caller frees; else as hr_reader_open() and hr_summary_load(). */
int hr_cli_load(const char *run_path, struct hr_summary **ret_summary, struct hr_err *err);

/* The same with its levels, model and verdict. */
int hr_cli_analyse(const char *run_path, struct hr_analysis **ret_analysis, struct hr_err *err);

/* The same with its course, which the caller empties. */
int hr_cli_analyse_course(const char *run_path, struct hr_analysis **ret_analysis, struct hr_series *ret_series, struct hr_err *err);

/* Writes to a stream: 0, or a negative errno with err set. */
typedef int hr_cli_render(const void *context, FILE *out, struct hr_err *err);

/* Does the terminal take UTF-8? By the locale that main() set. */
bool hr_cli_is_utf8(void);

/* Where to; path NULL: to the standard output. */
struct hr_cli_output {
	const char *path;
	bool replace; /* a file that is there */
};

/* Render it there: a file appears complete or not at all. As hr_outfile_open() and hr_outfile_commit(). */
int hr_cli_write(const struct hr_cli_output *output, hr_cli_render *render, const void *context, struct hr_err *err);

#endif
