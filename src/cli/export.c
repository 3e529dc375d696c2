/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "cli/verb.h"
#include "report/profile.h"

static const char verb[] = "export";

struct values {
	const char *format, *state, *output;
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
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which format? --format folded or --format speedscope");
	if (strcmp(values->format, "csv") == 0)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "csv is not there yet; sqlite3 -csv -header RUN.db 'SELECT * FROM ...' "
				    "writes any table");
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, values->format) == 0)
			choice.format = &formats[i];
	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
		if (strcmp(sides[i].name, values->state) == 0)
			choice.side = &sides[i];
	if (!choice.format)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "unknown format '%s'; it is folded or speedscope", values->format);
	if (!choice.side)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "unknown state '%s'; it is on-cpu, off-cpu or all", values->state);
	*ret_choice = choice;
	return HR_EXIT_DONE;
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	const struct values *values = options;
	struct hr_summary *summary;
	struct choice choice;
	struct hr_err err;
	int result = choose(values, &choice);

	if (result)
		return result;
	if (arguments->count != 1)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which run? name its file: headroom export RUN.db --format %s",
				    values->format);
	signal(SIGPIPE, SIG_IGN); /* a reader that went away is a failed write, with a sentence and a status */
	if (hr_cli_load(arguments->given[0], &summary, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	choice.summary = summary;
	result = has_any(summary, choice.side->side) ?
			 hr_cli_write(&(struct hr_cli_output){ values->output, values->force }, arguments->given[0], render, &choice,
				      &err) :
			 hr_err_set(&err, -ENOENT, "'%s' has %s", arguments->given[0], choice.side->samples);
	hr_summary_free(summary);
	return result ? hr_cli_fail(verb, HR_EXIT_FAILED, &err) : HR_EXIT_DONE;
}

static const struct hr_option options[] = {
	HR_OPTION_TEXT(struct values, format, "format", 'f', "folded|speedscope",
		       "folded: a line per stack with its number of samples, for flame\ngraphs; speedscope: a file for "
		       "https://www.speedscope.app"),
	HR_OPTION_TEXT(struct values, state, "state", 0, "on-cpu|off-cpu|all", "stacks on-cpu, off-cpu (blocked), or all (the default)"),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "FILE", "write there and not to the standard output"),
	HR_OPTION_FLAG(struct values, force, "force", 0, "replace FILE if it exists"),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_export = {
	.name = verb,
	.summary = "write the sampled stacks of a run for a flame graph or a viewer",
	.usage = "RUN.db --format folded|speedscope [--state on-cpu|off-cpu|all] [-o FILE]",
	.notes = "Stacks begin with process and thread, whose last number is '*' so that a pool is one. Off CPU they end in the system\n"
		 "call and the [state]; functions of the kernel end in _[k] in folded stacks. On CPU and off CPU are samples of one\n"
		 "grid of time. It needs no root.\n",
	.examples = "  headroom export run.db --format folded --state on-cpu | flamegraph.pl >cpu.svg\n"
		    "  headroom export run.db --format speedscope -o run.speedscope.json\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.defaults = &(const struct values){ .state = "all" },
	.arguments_max = 1,
	.arguments = "one run file",
	.run = run,
};
