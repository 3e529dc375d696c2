/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/analysis.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* The windows of a level into columns; where the server's own are not known, what the load generator measured is one. */
static size_t take_columns(const struct hr_level *level, double *rates, double *seconds)
{
	bool any = false;

	for (size_t i = 0; i < level->window_count; i++) {
		rates[i] = level->windows[i].throughput_rps;
		seconds[i] = level->windows[i].seconds;
		any |= !isnan(rates[i]);
	}
	if (any || isnan(level->client.throughput_rps))
		return level->window_count;
	rates[0] = level->client.throughput_rps;
	seconds[0] = 1;
	return 1;
}

static int fit_model(const struct hr_axis *axis, struct hr_model *model, struct hr_err *err)
{
	struct hr_model_level *levels = calloc(axis->level_count + 1, sizeof(*levels));
	size_t windows = 0;
	double *columns;
	int ret;

	for (size_t i = 0; i < axis->level_count; i++)
		windows += axis->levels[i].window_count + 1;
	columns = calloc(2 * windows + 1, sizeof(*columns));
	if (levels && columns) {
		double *next = columns;

		for (size_t i = 0; i < axis->level_count; i++) {
			double *seconds = next + axis->levels[i].window_count + 1;

			levels[i] = (struct hr_model_level){ axis->levels[i].load, next, seconds, take_columns(&axis->levels[i], next, seconds) };
			next = seconds + axis->levels[i].window_count + 1;
		}
		ret = hr_model_fit(levels, axis->level_count, model, err);
	} else {
		ret = hr_err_set(err, -ENOMEM, "no memory for the model");
	}
	free(levels);
	free(columns);
	return ret;
}

int hr_analysis_load(struct hr_reader *reader, struct hr_analysis **ret_analysis, struct hr_err *err)
{
	struct hr_analysis *analysis = calloc(1, sizeof(*analysis));
	int ret;

	if (!analysis)
		return hr_err_set(err, -ENOMEM, "no memory for the analysis of '%s'", hr_reader_path(reader));
	ret = hr_reader_select_sums(reader, err);
	if (!ret)
		ret = hr_summary_load(reader, &analysis->summary, err);
	hr_reader_select_all(reader);
	if (!ret)
		ret = hr_axis_load(reader, analysis->summary, &analysis->axis, err);
	if (!ret)
		ret = fit_model(&analysis->axis, &analysis->model, err);
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
