/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "analyse/summary.h"
#include "cli/cli.h"
#include "cli/outfile.h"
#include "cli/verb.h"
#include "report/report.h"
#include "store/reader.h"

static const char verb[] = "report";

struct values {
	const char *format, *output;
	bool force, strict;
};

static int render_text(const struct hr_summary *summary, FILE *out, struct hr_err *err)
{
	return hr_report_text(summary, strcmp(nl_langinfo(CODESET), "UTF-8") == 0, out, err);
}

static const struct format {
	const char *name;
	int (*render)(const struct hr_summary *summary, FILE *out, struct hr_err *err);
} formats[] = {
	{ "text", render_text },
	{ "json", hr_report_json },
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

static int load(const char *path, struct hr_summary **ret_summary, struct hr_err *err)
{
	struct hr_reader *reader;
	int result;

	result = hr_reader_open(path, &reader, err);
	if (result)
		return result;
	result = hr_summary_load(reader, ret_summary, err);
	hr_reader_close(reader);
	return result;
}

/* --force is no reason to replace a run by its report. */
static bool is_same_file(const char *a, const char *b)
{
	struct stat left, right;

	return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
	       left.st_ino == right.st_ino;
}

static int write_to_file(const struct hr_summary *summary, const struct format *format, const struct values *values,
			 const char *run_path, struct hr_err *err)
{
	struct hr_outfile outfile = { 0 };
	int result;

	if (is_same_file(run_path, values->output))
		return hr_err_set(err, -EEXIST, "'%s' is the run itself; choose another name", values->output);
	result = hr_outfile_open(values->output, values->force, &outfile, err);
	if (result)
		return result;
	result = format->render(summary, outfile.stream, err);
	if (result)
		hr_outfile_discard(&outfile);
	else
		result = hr_outfile_commit(&outfile, err);
	return result;
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
	const struct format *format = find_format(values->format);
	struct hr_summary *summary;
	struct hr_err err;
	int result;

	if (!format)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "unknown format '%s'; it is text or json", values->format);
	if (arguments->count != 1)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which run? name its file: headroom report RUN.db");
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN); /* a reader that went away is a failed write, with a sentence and a status */
	if (load(arguments->given[0], &summary, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	result = values->output ? write_to_file(summary, format, values, arguments->given[0], &err) :
				  format->render(summary, stdout, &err);
	if (result)
		result = hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	else if (values->strict)
		result = check_strict(summary);
	hr_summary_free(summary);
	return result;
}

static const struct hr_option options[] = {
	HR_OPTION_TEXT(struct values, format, "format", 'f', "FORMAT",
		       "text (the default), or json: \"headroom.report/1\",\ndescribed by docs/report.schema.json"),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "FILE", "write there and not to the standard output"),
	HR_OPTION_FLAG(struct values, force, "force", 0, "replace FILE if it exists"),
	HR_OPTION_FLAG(struct values, strict, "strict", 0,
		       "end with status 3 if more was lost than the numbers can bear"),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_report = {
	.name = verb,
	.summary = "say where the time of a recorded run went",
	.usage = "RUN.db [--format text|json] [-o FILE]",
	.notes = "It needs no root, and reads the run files of recordings that were killed or still go on.\n",
	.examples = "  headroom report run.db\n"
		    "  headroom report run.db --format json | jq '.levels[0].states_s'\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.defaults = &(const struct values){ .format = "text" },
	.arguments_max = 1,
	.arguments = "one run file",
	.run = run,
};
