/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/paint.h"
#include "cli/render.h"
#include "cli/report_fleet.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "report/fleet.h"
#include "report/html.h"
#include "report/page.h"
#include "report/report.h"

static const char verb[] = "report";

struct values {
	const char *output;
	int format;
	bool force, strict;
};

/* On a terminal: by way of memory, to be painted. */
static int render_painted(const struct hr_analysis *analysis, FILE *out, struct hr_err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	int result;

	if (!stream)
		return hr_err_set(err, -ENOMEM, "out of memory");
	result = hr_report_text(analysis, hr_cli_is_utf8(), stream, err);
	if (fclose(stream) && !result)
		result = hr_err_set(err, -ENOMEM, "out of memory");
	if (!result)
		hr_paint_report(text, out);
	free(text);
	return result;
}

static int render_text(const struct hr_analysis *analysis, const struct hr_series *series, FILE *out, struct hr_err *err)
{
	(void)series;
	if (out == stdout && hr_paint_wanted())
		return render_painted(analysis, out, err);
	return hr_report_text(analysis, hr_cli_is_utf8(), out, err);
}

static int render_json(const struct hr_analysis *analysis, const struct hr_series *series, FILE *out, struct hr_err *err)
{
	(void)series;
	return hr_report_json(analysis, out, err);
}

static int render_fleet_text(const struct hr_fleet *fleet, FILE *out, struct hr_err *err)
{
	return hr_fleet_text(fleet, hr_cli_is_utf8(), out, err);
}

enum { TEXT, JSON, HTML }; /* the words of --format */

static const struct format {
	bool needs_course; /* else its series is empty */
	int (*render)(const struct hr_analysis *analysis, const struct hr_series *series, FILE *out, struct hr_err *err);
	hr_fleet_render *render_fleet;
} formats[] = {
	[TEXT] = { false, render_text, render_fleet_text },
	[JSON] = { false, render_json, hr_fleet_json },
	[HTML] = { true, hr_report_html, hr_fleet_html },
};

struct rendering {
	const struct hr_analysis *analysis;
	const struct hr_series *series;
	const struct format *format;
};

static int render(const void *context, FILE *out, struct hr_err *err)
{
	const struct rendering *rendering = context;

	return rendering->format->render(rendering->analysis, rendering->series, out, err);
}

static int check_strict(const struct hr_summary *summary)
{
	for (size_t i = 0; i < summary->loss_count; i++)
		if (summary->losses[i].above_limit)
			return hr_cli_failf(verb, HR_EXIT_LOSSY, "data was lost: %llu times %s",
					    (unsigned long long)summary->losses[i].count,
					    summary->losses[i].info ? summary->losses[i].info->sentence :
								      summary->losses[i].name);
	return HR_EXIT_DONE;
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	const struct values *values = options;
	const struct format *format = &formats[values->format];
	struct hr_series series = { 0 };
	struct hr_analysis *analysis;
	struct hr_err err;
	int result;

	if (arguments->count < 1)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which run? name its file: headroom report RUN.db");
	if (arguments->count > 1)
		return hr_report_fleet(verb, arguments->given, arguments->count, format->render_fleet, values->strict,
				       &(struct hr_cli_output){ values->output, values->force });
	if (format->needs_course ? hr_cli_analyse_course(arguments->given[0], &analysis, &series, &err) :
				   hr_cli_analyse(arguments->given[0], &analysis, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	result = hr_cli_write(&(struct hr_cli_output){ values->output, values->force }, render,
			      &(struct rendering){ analysis, &series, format }, &err);
	if (!result && values->format == TEXT && !values->output)
		hr_terminal_hint(verb, HR_PAGE_COLUMNS);
	if (result)
		result = hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	else if (values->strict)
		result = check_strict(analysis->summary);
	hr_series_fini(&series);
	hr_analysis_free(analysis);
	return result;
}

static const struct hr_option options[] = {
	HR_OPTION_CHOICE(struct values, format, "format", 'f', "text|json|html",
		       "text (the default), json: \"headroom.report/1\", described by\ndocs/report.schema.json, or html: one file with charts"),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "FILE", "write there and not to the standard output"),
	HR_OPTION_FLAG(struct values, force, "force", 0, "replace FILE if it exists"),
	HR_OPTION_FLAG(struct values, strict, "strict", 0,
		       "end with status 3 if more was lost than the numbers can bear"),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_report = {
	.name = verb,
	.summary = "say where the time of a recorded run went",
	.usage = "RUN.db... [--format text|json|html] [-o FILE]",
	.notes = "It needs no root, and reads the run files of recordings that were killed or still go on. Runs of several hosts are one\n"
		 "report (as JSON \"headroom.fleet/1\"): throughput adds up, latencies are merged, and who is unlike the others is named.\n",
	.examples = "  headroom report run.db\n"
		    "  headroom report web-1.db web-2.db web-3.db\n"
		    "  headroom report run.db --format html -o run.html\n"
		    "  headroom report web-*.db --format html -o fleet.html\n"
		    "  headroom report run.db --format json | jq '.levels[0].states_s'\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.arguments_max = INT_MAX,
	.arguments = "run files",
	.run = run,
};
