/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_EXPORT_TABLES_H
#define HR_CLI_EXPORT_TABLES_H

#include <stdbool.h>

#include "cli/options.h"

/*
 * `headroom export --format csv` and `--ddl`: the tables and views of runs, and what a database is to be told of them. Both print what
 * fails and return the exit status.
 */
struct hr_export_tables {
	const char *verb;
	const char *output;    /* folder of the tree; NULL or "-": one table to the standard output */
	const char *tables;    /* "traffic,v_levels"; NULL: all */
	const char *null_text; /* what stands for NULL */
	bool replace;
};

int hr_export_tables_run(const struct hr_export_tables *wanted, const struct hr_arguments *runs);

/* dialect: "clickhouse", "duckdb". output is a file here. */
int hr_export_ddl_run(const struct hr_export_tables *wanted, const char *dialect);

#endif
