/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/compare.h"

#include "report/json_values.h"
#include "report/json_write.h"

static json_t *runs(const struct hr_run *list, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct hr_run_facts *run = &list[i].analysis->summary->run;
		const struct hr_finding *finding = &list[i].analysis->verdict.finding;
		json_t *verdict = json_pack("{s:s, s:o, s:f, s:o}",
					    "class", hr_verdict_class_name(finding->class),
					    "subject", text(finding->subject),
					    "confidence", finding->confidence,
					    "limit_rps", real(finding->limit_rps));

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
					    "path", text(list[i].path),
					    "run_id", text(run->run_id),
					    "host", text(run->host),
					    "target", text(run->target),
					    "seconds", seconds(run->recorded_ns),
					    "verdict", verdict));
	}
	return all;
}

static json_t *range(const struct hr_range *of)
{
	return isfinite(of->low) && isfinite(of->high) ? json_pack("[f, f]", of->low, of->high) : json_null();
}

static json_t *measures(const struct hr_level_comparison *level)
{
	json_t *all = json_object();

	for (int i = 0; i < HR_MEASURE_COUNT; i++) {
		const struct hr_difference *difference = &level->measures[i];
		double unit = i == HR_MEASURE_THROUGHPUT ? 1 : 1e6;
		bool known = isfinite(difference->range.low);

		all = with(all, hr_measure_key(i), json_pack("{s:o, s:o, s:o, s:o, s:o}",
							     "base", real(difference->base / unit),
							     "new", real(difference->new / unit),
							     "change_share", real(difference->change),
							     "range_share", range(&difference->range),
							     "beyond_noise", known ? json_boolean(difference->beyond_noise) :
										     json_null()));
	}
	return all;
}

static json_t *parts(const struct hr_side *side)
{
	json_t *all = json_object();

	if (isnan(side->part_ns[HR_PART_REST])) {
		json_decref(all);
		return json_null();
	}
	for (int part = 0; part < HR_PARTS; part++)
		all = with(all, hr_part_name(part), micros(side->part_ns[part]));
	return all;
}

static json_t *side(const struct hr_side *of)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "runs", count(of->runs),
			 "seconds", real(of->seconds),
			 "in_flight", real(of->in_flight),
			 "request_us", parts(of),
			 "cpus_used", real(of->cpus_used),
			 "cpu_utilisation", real(of->cpu_share),
			 "busiest_thread_utilisation", real(of->busiest_share),
			 "busiest_thread", of->busiest_thread ? json_sprintf("%s/%s", of->busiest_process, of->busiest_thread) : json_null());
}

/* The largest change first. */
static json_t *explained_by(const struct hr_level_comparison *level)
{
	enum hr_part ranked[HR_PARTS];
	size_t n = hr_comparison_parts(level, ranked);
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		all = append(all, json_pack("{s:s, s:o}",
					    "part", hr_part_name(ranked[i]),
					    "change_us", micros(level->new.part_ns[ranked[i]] - level->base.part_ns[ranked[i]])));
	return all;
}

static json_t *levels(const struct hr_comparison *comparison)
{
	json_t *all = json_array();

	for (size_t i = 0; i < comparison->level_count; i++) {
		const struct hr_level_comparison *level = &comparison->levels[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:b}",
					    "level", text(level->label),
					    "base", side(&level->base),
					    "new", side(&level->new),
					    "measures", measures(level),
					    "noise", level->between_runs ? "between_runs" : "within_runs",
					    "explained_by", explained_by(level),
					    "load_differs", level->load_differs));
	}
	return all;
}

static json_t *labels(const char *const *list, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		all = append(all, text(list[i]));
	return all;
}

int hr_compare_json(const struct hr_comparison *comparison, const struct hr_compare_gate *gate, FILE *out, struct hr_err *err)
{
	json_t *root = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
				 "schema", "headroom.compare/1",
				 "base", runs(comparison->base, comparison->base_count),
				 "new", runs(comparison->new, comparison->new_count),
				 "levels", levels(comparison),
				 "base_only", labels(comparison->base_only, comparison->base_only_count),
				 "new_only", labels(comparison->new_only, comparison->new_only_count),
				 "gate", isnan(gate->share) ? json_null() :
							      json_pack("{s:f, s:b}", "share", gate->share, "failed", gate->failed));

	return hr_json_write(root, "the comparison", out, err);
}
