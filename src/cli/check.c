/* SPDX-License-Identifier: BSD-2-Clause */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "cli/verb.h"
#include "report/forecast.h"

static const char verb[] = "check";

struct values {
	const char *change, *format, *output;
	bool force, fail_on_miss;
};

static int render_text(const struct hr_grade *grade, FILE *out, struct hr_err *err)
{
	return hr_grade_text(grade, strcmp(nl_langinfo(CODESET), "UTF-8") == 0, out, err);
}

static const struct format {
	const char *name;
	int (*render)(const struct hr_grade *grade, FILE *out, struct hr_err *err);
} formats[] = {
	{ "text", render_text },
	{ "json", hr_grade_json },
};

struct rendering {
	const struct hr_grade *grade;
	const struct format *format;
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

static int render(const void *context, FILE *out, struct hr_err *err)
{
	const struct rendering *rendering = context;

	return rendering->format->render(rendering->grade, out, err);
}

/* The exit status. */
static int grade_run(const struct hr_forecast *forecast, const char *run_path, const struct format *format, const struct values *values)
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
	if (hr_cli_write(&(struct hr_cli_output){ values->output, values->force }, run_path, render,
			 &(struct rendering){ &grade, format }, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	return values->fail_on_miss && !grade.hit ? hr_cli_failf(verb, HR_EXIT_GATE, "the prediction missed") : HR_EXIT_DONE;
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	const struct values *values = options;
	const struct format *format = find_format(values->format);
	struct hr_forecast forecast;
	struct hr_err err;

	if (!format)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "unknown format '%s'; it is text or json", values->format);
	if (values->change && hr_change_find(values->change) == HR_CHANGE_COUNT)
		return hr_cli_failf(verb, HR_EXIT_USAGE,
				    "unknown change '%s'; it is twice_cpus, twice_workers, twice_replicas or cause_removed", values->change);
	if (arguments->count != 2)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "it takes the earlier report and the later run: headroom check REPORT.json RUN.db");
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN); /* a reader that went away is a failed write, with a sentence and a status */
	if (hr_forecast_read(arguments->given[0], values->change, &forecast, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	return grade_run(&forecast, arguments->given[1], format, values);
}

static const struct hr_option options[] = {
	HR_OPTION_TEXT(struct values, change, "change", 'c', "twice_cpus|twice_workers|twice_replicas|cause_removed",
		       "what was changed between the two; by default the only one that the\nreport predicts, or cause_removed"),
	HR_OPTION_TEXT(struct values, format, "format", 'f', "text|json",
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
	.defaults = &(const struct values){ .format = "text" },
	.arguments_max = 2,
	.arguments = "a report and a run file",
	.run = run,
};
