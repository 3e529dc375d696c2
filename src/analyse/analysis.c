/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/analysis.h"

#include <errno.h>
#include <stdlib.h>

int hr_analysis_load(struct hr_reader *reader, struct hr_analysis **ret_analysis, struct hr_err *err)
{
	struct hr_analysis *analysis = calloc(1, sizeof(*analysis));
	int ret;

	if (!analysis)
		return hr_err_set(err, -ENOMEM, "no memory for the analysis of '%s'", hr_reader_path(reader));
	ret = hr_summary_load(reader, &analysis->summary, err);
	if (!ret)
		ret = hr_axis_load(reader, analysis->summary, &analysis->axis, err);
	if (!ret)
		hr_verdict_find(analysis->summary, &analysis->axis, &analysis->verdict);
	if (ret)
		hr_analysis_free(analysis);
	else
		*ret_analysis = analysis;
	return ret;
}

void hr_analysis_free(struct hr_analysis *analysis)
{
	if (!analysis)
		return;
	hr_verdict_fini(&analysis->verdict);
	hr_axis_fini(&analysis->axis);
	hr_summary_free(analysis->summary);
	free(analysis);
}
