/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/export_tables.h"
#include "cli/render.h"
#include "cli/verb.h"
#include "report/profile.h"

static const char verb[] = "export";

struct values {
	int format, state; /* format: -1, not given */
	const char *output, *tables, *null_text, *ddl;
	bool force;
};

enum { CSV, FOLDED, SPEEDSCOPE }; /* the words of --format */

static const struct format {
	const char *name;
	int (*write)(const struct hr_summary *summary, enum hr_export_side side, FILE *out, struct hr_err *err);
} formats[] = {
	[FOLDED] = { "folded", hr_export_folded },
	[SPEEDSCOPE] = { "speedscope", hr_export_speedscope },
};

enum { ON_CPU, OFF_CPU, ALL }; /* the words of --state */

static const struct side {
	enum hr_export_side side;
	const char *samples; /* what there is none of, where there is none */
} sides[] = {
	[ON_CPU] = { HR_EXPORT_ON_CPU, "no stacks that were sampled on CPU" },
	[OFF_CPU] = { HR_EXPORT_OFF_CPU, "no stacks that were sampled off CPU" },
	[ALL] = { HR_EXPORT_ALL, "no sampled stacks" },
};

struct rendering {
	const struct hr_summary *summary;
	const struct format *format;
	enum hr_export_side side;
};

static int render(const void *context, FILE *out, struct hr_err *err)
{
	const struct rendering *rendering = context;

	return rendering->format->write(rendering->summary, rendering->side, out, err);
}

static bool has_any(const struct hr_summary *summary, enum hr_export_side side)
{
	for (size_t i = 0; i < summary->profile.sample_count; i++)
		if (hr_export_takes(side, &summary->profile.samples[i]))
			return true;
	return false;
}

static int run_stacks(const struct values *values, const struct hr_arguments *arguments)
{
	struct hr_summary *summary;
	const struct side *side = &sides[values->state];
	struct hr_err err;
	const char *output = values->output && strcmp(values->output, "-") ? values->output : NULL;
	int result;

	if (values->format < 0)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which format? --format csv, --format folded or --format speedscope");
	if (values->tables)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "--table goes with --format csv");
	if (arguments->count > 1)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "one run at a time; only --format csv takes several");
	if (arguments->count != 1)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which run? name its file: headroom export RUN.db --format %s",
				    formats[values->format].name);
	if (hr_cli_load(arguments->given[0], &summary, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	result = has_any(summary, side->side) ?
			 hr_cli_write(&(struct hr_cli_output){ output, values->force }, render,
				      &(struct rendering){ summary, &formats[values->format], side->side }, &err) :
			 hr_err_set(&err, -ENOENT, "'%s' has %s", arguments->given[0], side->samples);
	hr_summary_free(summary);
	return result ? hr_cli_fail(verb, HR_EXIT_FAILED, &err) : HR_EXIT_DONE;
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	const struct values *values = options;
	const struct hr_export_tables tables = {
		.verb = verb,
		.output = values->output,
		.tables = values->tables,
		.null_text = values->null_text,
		.replace = values->force,
	};

	if (values->ddl && (values->format >= 0 || arguments->count))
		return hr_cli_failf(verb, HR_EXIT_USAGE, "--ddl writes statements that are the same for every run; it takes no run and no "
				    "--format");
	if (values->ddl)
		return hr_export_ddl_run(&tables, values->ddl);
	if (values->format == CSV)
		return hr_export_tables_run(&tables, arguments);
	return run_stacks(values, arguments);
}

static const struct hr_option options[] = {
	HR_OPTION_CHOICE(struct values, format, "format", 'f', "csv|folded|speedscope",
		       "csv: every table and view, for data frames and databases;\nfolded: a line per stack with its number of samples, for "
		       "flame\ngraphs; speedscope: a file for https://www.speedscope.app"),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "PATH",
		       "write there: a folder for csv, else a file;\n-: to the standard output"),
	HR_OPTION_TEXT(struct values, tables, "table", 't', "NAME[,NAME]", "csv: only these tables or views"),
	HR_OPTION_TEXT(struct values, null_text, "null", 0, "TEXT", "csv: what stands for NULL; nothing by default"),
	HR_OPTION_CHOICE(struct values, state, "state", 0, "on-cpu|off-cpu|all",
		       "stacks on-cpu, off-cpu (blocked), or all (the default)"),
	HR_OPTION_TEXT(struct values, ddl, "ddl", 0, "clickhouse|duckdb",
		       "write the CREATE TABLE statements for what csv writes;\ntakes no run"),
	HR_OPTION_FLAG(struct values, force, "force", 0, "replace what is at PATH"),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_export = {
	.name = verb,
	.summary = "write a run as tables (CSV), or its stacks for a flame graph or a viewer",
	.usage = "RUN.db... --format csv [-o DIR] [--table NAME[,NAME]]\n"
		 "       headroom export RUN.db --format folded|speedscope [--state on-cpu|off-cpu|all] [-o FILE]\n"
		 "       headroom export --ddl clickhouse|duckdb [--table NAME[,NAME]] [-o FILE]",
	.notes = "As csv each run becomes the folder DIR/run=RUN_ID/host=HOST with a file per table and a manifest.json, and appears\n"
		 "there complete or not at all. The runs of many hosts are one data set: each row begins with run_id and host, and\n"
		 "'DIR/run=*/host=*/traffic.csv' is one table. docs/data.md shows how pandas, R, DuckDB and ClickHouse read it.\n"
		 "\n"
		 "Stacks begin with process and thread, whose last number is '*' so that a pool is one. Off CPU they end in the system\n"
		 "call and the [state]; functions of the kernel end in _[k] in folded stacks. On CPU and off CPU are samples of one\n"
		 "grid of time. It needs no root.\n",
	.examples = "  headroom export *.db --format csv -o fleet\n"
		    "  headroom export run.db --format csv --table v_levels\n"
		    "  headroom export run.db --format folded --state on-cpu | flamegraph.pl >cpu.svg\n"
		    "  headroom export run.db --format speedscope -o run.speedscope.json\n"
		    "  headroom export --ddl clickhouse | clickhouse-client --multiquery\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.defaults = &(const struct values){ .format = -1, .state = ALL, .null_text = "" },
	.arguments_max = INT_MAX,
	.arguments = "run files",
	.run = run,
};
