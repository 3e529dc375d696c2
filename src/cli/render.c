/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/render.h"

#include <errno.h>
#include <langinfo.h>
#include <string.h>
#include <sys/stat.h>

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

/* --force is no reason to replace a run by what is made of it. */
static bool is_same_file(const char *a, const char *b)
{
	struct stat left, right;

	return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
	       left.st_ino == right.st_ino;
}

int hr_cli_check_output(const struct hr_cli_output *output, const char *run_path, struct hr_err *err)
{
	if (output->path && is_same_file(run_path, output->path))
		return hr_err_set(err, -EEXIST, "'%s' is the run itself; choose another name", output->path);
	return 0;
}

int hr_cli_write(const struct hr_cli_output *output, const char *run_path, hr_cli_render *render, const void *context,
		 struct hr_err *err)
{
	struct hr_outfile outfile = { 0 };
	int result;

	if (!output->path)
		return render(context, stdout, err);
	result = hr_cli_check_output(output, run_path, err);
	if (result)
		return result;
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
