/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/check.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum hr_change hr_change_find(const char *name)
{
	enum hr_change change = 0;

	while (change < HR_CHANGE_COUNT && strcmp(hr_change_name(change), name))
		change++;
	return change;
}

static double throughput_of(const struct hr_level *level)
{
	double throughput_rps = level->summary->requests.throughput_rps;

	return throughput_rps > 0 ? throughput_rps : level->client.throughput_rps;
}

int hr_check(const struct hr_forecast *forecast, const struct hr_analysis *later, struct hr_grade *ret_grade, struct hr_err *err)
{
	struct hr_grade grade = { .forecast = *forecast, .throughput_rps = NAN, .load = NAN, .highest_load = NAN };

	for (size_t i = 0; i < later->axis.level_count; i++) {
		const struct hr_level *level = &later->axis.levels[i];
		double throughput_rps = throughput_of(level);

		grade.highest_load = fmax(grade.highest_load, level->load);
		if (!isfinite(throughput_rps) || throughput_rps <= 0 || throughput_rps <= grade.throughput_rps)
			continue;
		grade.throughput_rps = throughput_rps;
		grade.load = level->load;
	}
	if (isnan(grade.throughput_rps))
		return hr_err_set(err, -ENODATA, "no requests were seen in the later run: there is nothing to compare with");
	grade.error_share = (forecast->throughput_rps - grade.throughput_rps) / grade.throughput_rps;
	grade.hit = grade.throughput_rps >= forecast->range.low && grade.throughput_rps <= forecast->range.high;
	grade.less_load = grade.highest_load < forecast->base_load;
	grade.lossy = later->summary->lossy;
	*ret_grade = grade;
	return 0;
}
