/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "cli/run_list.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "report/compare.h"
#include "report/page.h"

static const char verb[] = "compare";

struct values {
	const char *output, *fail_above;
	int format;
	bool force;
};

struct rendering {
	struct hr_run_list base, new;
	struct hr_comparison comparison;
	struct hr_compare_gate gate;
};

static int render_text(const void *context, FILE *out, struct hr_err *err)
{
	const struct rendering *rendering = context;

	return hr_compare_text(&rendering->comparison, &rendering->gate, hr_cli_is_utf8(), out, err);
}

static int render_json(const void *context, FILE *out, struct hr_err *err)
{
	const struct rendering *rendering = context;

	return hr_compare_json(&rendering->comparison, &rendering->gate, out, err);
}

/* In the order of the words of --format. */
static hr_cli_render *const renders[] = { render_text, render_json };

/* "5%" or "5". */
static bool read_percent(const char *text, double *ret_share)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || (strcmp(end, "") && strcmp(end, "%")) || !(value >= 0 && value <= 1000))
		return false;
	*ret_share = value / 100;
	return true;
}

static int check(const struct values *values, const struct hr_arguments *arguments, struct rendering *rendering)
{
	if (values->fail_above && !read_percent(values->fail_above, &rendering->gate.share))
		return hr_cli_failf(verb, HR_EXIT_USAGE, "--fail-above: '%s' is no percentage, as 5%% is", values->fail_above);
	if (arguments->count != 2)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which runs? name two, or two lists: headroom compare BASE.db NEW.db");
	return HR_EXIT_DONE;
}

/* Say which levels fail the gate. True: one does. */
static bool close_gate(struct rendering *rendering)
{
	for (size_t i = 0; i < rendering->comparison.level_count; i++) {
		const struct hr_level_comparison *level = &rendering->comparison.levels[i];

		rendering->gate.failed |= hr_comparison_fails(level, HR_MEASURE_THROUGHPUT, rendering->gate.share) ||
					  hr_comparison_fails(level, HR_MEASURE_P99, rendering->gate.share);
	}
	return rendering->gate.failed;
}

static int compare(const struct values *values, const struct hr_arguments *arguments, struct rendering *rendering)
{
	struct hr_err err;
	int ret;

	if (hr_run_list_load(arguments->given[0], &rendering->base, &err) ||
	    hr_run_list_load(arguments->given[1], &rendering->new, &err) ||
	    hr_compare(rendering->base.runs, rendering->base.count, rendering->new.runs, rendering->new.count, &rendering->comparison,
		       &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	ret = close_gate(rendering) ? HR_EXIT_GATE : HR_EXIT_DONE;
	if (hr_cli_write(&(struct hr_cli_output){ values->output, values->force }, renders[values->format], rendering, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	if (renders[values->format] == render_text && !values->output)
		hr_terminal_hint(verb, HR_PAGE_COLUMNS);
	return ret;
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	struct rendering rendering = { .gate.share = NAN };
	int ret = check(options, arguments, &rendering);

	if (ret)
		return ret;
	ret = compare(options, arguments, &rendering);
	hr_comparison_fini(&rendering.comparison);
	hr_run_list_fini(&rendering.base);
	hr_run_list_fini(&rendering.new);
	return ret;
}

static const struct hr_option options[] = {
	HR_OPTION_CHOICE(struct values, format, "format", 'f', "text|json",
		       "text (the default), or json: \"headroom.compare/1\",\ndescribed by docs/compare.schema.json"),
	HR_OPTION_TEXT(struct values, fail_above, "fail-above", 0, "PCT",
		       "end with status 99 if throughput fell or p99 rose by more than\nthat, as 5%, and by more than noise"),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "FILE", "write there and not to the standard output"),
	HR_OPTION_FLAG(struct values, force, "force", 0, "replace FILE if it exists"),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_compare = {
	.name = verb,
	.summary = "say what changed between two runs, and whether that is noise",
	.usage = "BASE.db[,BASE.db...] NEW.db[,NEW.db...] [--format text|json] [--fail-above PCT]",
	.notes = "Levels are aligned by their label; runs whose levels nobody marked are compared as a whole. Several runs on a side, in a\n"
		 "list with commas, are taken together, and the spread between them counts as noise; of one run, only the noise within it\n"
		 "is known, and two runs of the same may differ by more. It needs no root.\n",
	.examples = "  headroom compare before.db after.db\n"
		    "  headroom compare a1.db,a2.db,a3.db b1.db,b2.db,b3.db --fail-above 5%\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.arguments_max = 2,
	.arguments = "two run files, or two lists of them",
	.run = run,
};
