/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/render.h"

#include <errno.h>
#include <langinfo.h>
#include <string.h>

#include "cli/outfile.h"
#include "store/reader.h"

int hr_cli_load(const char *run_path, struct hr_summary **ret_summary, struct hr_err *err)
{
	struct hr_reader *reader;
	int result;

	result = hr_reader_open(run_path, &reader, err);
	if (result)
		return result;
	result = hr_summary_load(reader, ret_summary, err);
	hr_reader_close(reader);
	return result;
}

int hr_cli_analyse(const char *run_path, struct hr_analysis **ret_analysis, struct hr_err *err)
{
	struct hr_reader *reader;
	int result;

	result = hr_reader_open(run_path, &reader, err);
	if (result)
		return result;
	result = hr_analysis_load(reader, ret_analysis, err);
	hr_reader_close(reader);
	return result;
}

int hr_cli_analyse_course(const char *run_path, struct hr_analysis **ret_analysis, struct hr_series *ret_series, struct hr_err *err)
{
	struct hr_analysis *analysis;
	struct hr_reader *reader;
	int result;

	result = hr_reader_open(run_path, &reader, err);
	if (result)
		return result;
	result = hr_analysis_load(reader, &analysis, err);
	if (!result) {
		result = hr_series_load(reader, analysis->summary, ret_series, err);
		if (result)
			hr_analysis_free(analysis);
		else
			*ret_analysis = analysis;
	}
	hr_reader_close(reader);
	return result;
}

bool hr_cli_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int hr_cli_write(const struct hr_cli_output *output, hr_cli_render *render, const void *context, struct hr_err *err)
{
	struct hr_outfile outfile = { 0 };
	int result;

	if (!output->path)
		return render(context, stdout, err);
	result = hr_outfile_open(output->path, output->replace, &outfile, err);
	if (result)
		return result;
	result = render(context, outfile.stream, err);
	if (result)
		hr_outfile_discard(&outfile);
	else
		result = hr_outfile_commit(&outfile, err);
	return result;
}
