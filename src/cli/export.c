/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/export_tables.h"
#include "cli/render.h"
#include "cli/verb.h"
#include "report/profile.h"

static const char verb[] = "export";

struct values {
	const char *format, *state, *output, *tables, *null_text, *ddl;
	bool force;
};

static const struct format {
	const char *name;
	int (*write)(const struct hr_summary *summary, enum hr_export_side side, FILE *out, struct hr_err *err);
} formats[] = {
	{ "folded", hr_export_folded },
	{ "speedscope", hr_export_speedscope },
};

static const struct side {
	const char *name;
	enum hr_export_side side;
	const char *samples; /* what there is none of, where there is none */
} sides[] = {
	{ "all", HR_EXPORT_ALL, "no sampled stacks" },
	{ "on-cpu", HR_EXPORT_ON_CPU, "no stacks that were sampled on CPU" },
	{ "off-cpu", HR_EXPORT_OFF_CPU, "no stacks that were sampled off CPU" },
};

struct choice {
	const struct hr_summary *summary;
	const struct format *format;
	const struct side *side;
};

static int render(const void *choice, FILE *out, struct hr_err *err)
{
	const struct choice *chosen = choice;

	return chosen->format->write(chosen->summary, chosen->side->side, out, err);
}

static bool has_any(const struct hr_summary *summary, enum hr_export_side side)
{
	for (size_t i = 0; i < summary->profile.sample_count; i++)
		if (hr_export_takes(side, &summary->profile.samples[i]))
			return true;
	return false;
}

/* HR_EXIT_DONE and *ret_choice, or what was said to be wrong. */
static int choose(const struct values *values, struct choice *ret_choice)
{
	struct choice choice = { NULL, NULL, NULL };

	if (!values->format)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which format? --format csv, --format folded or --format speedscope");
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, values->format) == 0)
			choice.format = &formats[i];
	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
		if (strcmp(sides[i].name, values->state) == 0)
			choice.side = &sides[i];
	if (!choice.format)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "unknown format '%s'; it is csv, folded or speedscope", values->format);
	if (!choice.side)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "unknown state '%s'; it is on-cpu, off-cpu or all", values->state);
	*ret_choice = choice;
	return HR_EXIT_DONE;
}

static int run_stacks(const struct values *values, const struct hr_arguments *arguments)
{
	struct hr_summary *summary;
	struct choice choice;
	struct hr_err err;
	const char *output = values->output && strcmp(values->output, "-") ? values->output : NULL;
	int result = choose(values, &choice);

	if (result)
		return result;
	if (values->tables)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "--table goes with --format csv");
	if (arguments->count > 1)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "one run at a time; only --format csv takes several");
	if (arguments->count != 1)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which run? name its file: headroom export RUN.db --format %s",
				    values->format);
	signal(SIGPIPE, SIG_IGN); /* a reader that went away is a failed write, with a sentence and a status */
	if (hr_cli_load(arguments->given[0], &summary, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	choice.summary = summary;
	result = has_any(summary, choice.side->side) ?
			 hr_cli_write(&(struct hr_cli_output){ output, values->force }, arguments->given[0], render, &choice,
				      &err) :
			 hr_err_set(&err, -ENOENT, "'%s' has %s", arguments->given[0], choice.side->samples);
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

	if (values->ddl && (values->format || arguments->count))
		return hr_cli_failf(verb, HR_EXIT_USAGE, "--ddl writes statements that are the same for every run; it takes no run and no "
				    "--format");
	if (values->ddl)
		return hr_export_ddl_run(&tables, values->ddl);
	if (values->format && strcmp(values->format, "csv") == 0)
		return hr_export_tables_run(&tables, arguments);
	return run_stacks(values, arguments);
}

static const struct hr_option options[] = {
	HR_OPTION_TEXT(struct values, format, "format", 'f', "csv|folded|speedscope",
		       "csv: every table and view, for data frames and databases;\nfolded: a line per stack with its number of samples, for "
		       "flame\ngraphs; speedscope: a file for https://www.speedscope.app"),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "PATH",
		       "write there: a folder for csv, else a file;\n-: to the standard output"),
	HR_OPTION_TEXT(struct values, tables, "table", 't', "NAME[,NAME]", "csv: only these tables or views"),
	HR_OPTION_TEXT(struct values, null_text, "null", 0, "TEXT", "csv: what stands for NULL; nothing by default"),
	HR_OPTION_TEXT(struct values, state, "state", 0, "on-cpu|off-cpu|all",
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
	.defaults = &(const struct values){ .state = "all", .null_text = "" },
	.arguments_max = INT_MAX,
	.arguments = "run files",
	.run = run,
};
