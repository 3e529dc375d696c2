/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "cli/verb.h"
#include "report/forecast.h"

static const char verb[] = "check";

struct values {
	const char *output;
	int change, format; /* change: an enum hr_change, -1: not given */
	bool force, fail_on_miss;
};

static int render_text(const void *grade, FILE *out, struct hr_err *err)
{
	return hr_grade_text(grade, hr_cli_is_utf8(), out, err);
}

static int render_json(const void *grade, FILE *out, struct hr_err *err)
{
	return hr_grade_json(grade, out, err);
}

/* In the order of the words of --format. */
static hr_cli_render *const renders[] = { render_text, render_json };

/* The exit status. */
static int grade_run(const struct hr_forecast *forecast, const char *run_path, const struct values *values)
{
	struct hr_analysis *later;
	struct hr_grade grade;
	struct hr_err err;
	int result;

	if (hr_cli_analyse(run_path, &later, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	result = hr_check(forecast, later, &grade, &err);
	hr_analysis_free(later);
	if (result)
		return hr_cli_failf(verb, HR_EXIT_FAILED, "'%s': %s", run_path, err.text);
	if (hr_cli_write(&(struct hr_cli_output){ values->output, values->force }, renders[values->format], &grade, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	return values->fail_on_miss && !grade.hit ? hr_cli_failf(verb, HR_EXIT_GATE, "the prediction missed") : HR_EXIT_DONE;
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	const struct values *values = options;
	const char *change = values->change < 0 ? NULL : hr_change_name(values->change);
	struct hr_forecast forecast;
	struct hr_err err;

	if (arguments->count != 2)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "it takes the earlier report and the later run: headroom check REPORT.json RUN.db");
	if (hr_forecast_read(arguments->given[0], change, &forecast, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	return grade_run(&forecast, arguments->given[1], values);
}

static const struct hr_option options[] = {
	/* in the order of enum hr_change */
	HR_OPTION_CHOICE(struct values, change, "change", 'c', "twice_cpus|twice_workers|twice_replicas|cause_removed",
		       "what was changed between the two; by default the only one that the\nreport predicts, or cause_removed"),
	HR_OPTION_CHOICE(struct values, format, "format", 'f', "text|json",
		       "text (the default), or json: \"headroom.check/1\",\ndescribed by docs/check.schema.json"),
	HR_OPTION_FLAG(struct values, fail_on_miss, "fail-on-miss", 0, "end with status 99 on a miss"),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "FILE", "write there and not to the standard output"),
	HR_OPTION_FLAG(struct values, force, "force", 0, "replace FILE if it exists"),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_check = {
	.name = verb,
	.summary = "grade the prediction of an earlier report by a later run",
	.usage = "REPORT.json RUN.db [--change CHANGE] [--format text|json] [--fail-on-miss]",
	.notes = "REPORT.json is what `headroom report --format json` wrote of a run before a change; RUN.db was recorded after it. The\n"
		 "highest throughput of the later run is compared with the prediction: hit or miss of its interval, and the error of\n"
		 "the point. It needs no root.\n",
	.examples = "  headroom report before.db --format json -o before.json\n"
		    "  headroom check before.json after.db --change twice_workers\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.defaults = &(const struct values){ .change = -1 },
	.arguments_max = 2,
	.arguments = "a report and a run file",
	.run = run,
};
