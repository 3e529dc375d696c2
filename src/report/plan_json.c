/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/plan.h"

#include "report/json_values.h"
#include "report/json_write.h"

static json_t *limits(const struct hr_slo *slo)
{
	json_t *all = json_object();

	for (int key = 0; key < HR_SLO_KEYS; key++)
		all = with(all, hr_slo_name(key), real(slo->limit_ns[key] / 1e6));
	return all;
}

static json_t *latencies(const struct hr_plan_level *level)
{
	json_t *all = json_object();

	for (int key = 0; key < HR_SLO_KEYS; key++)
		all = with(all, hr_slo_name(key), real(level->latency_ns[key] / 1e6));
	return all;
}

static json_t *measured_by(const struct hr_plan *plan)
{
	json_t *all = json_object();

	for (int key = 0; key < HR_SLO_KEYS; key++)
		all = with(all, hr_slo_name(key), json_string(plan->by_client[key] ? "load generator" : "server"));
	return all;
}

static json_t *interval(const struct hr_range *range)
{
	return isfinite(range->low) && isfinite(range->high) ? json_pack("[f, f]", range->low, range->high) : json_null();
}

static json_t *level(const struct hr_plan_level *level)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
			 "level", text(level->level->label),
			 "load", real(level->load),
			 "throughput_rps", real(level->throughput_rps),
			 "throughput_interval_rps", interval(&level->range),
			 "latency_ms", latencies(level),
			 "meets_limits", json_boolean(level->passes));
}

static json_t *levels(const struct hr_plan *plan)
{
	json_t *all = json_array();

	for (size_t i = 0; i < plan->level_count; i++)
		all = append(all, level(&plan->levels[i]));
	return all;
}

static json_t *load_of(const struct hr_plan *plan, size_t index)
{
	return index == HR_PLAN_NONE ? json_null() : real(plan->levels[index].load);
}

static json_t *per_replica(const struct hr_plan *plan)
{
	const struct hr_plan_level *chosen = plan->chosen == HR_PLAN_NONE ? NULL : &plan->levels[plan->chosen];

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "meets_limits_at_load", load_of(plan, plan->passes),
			 "fails_limits_at_load", load_of(plan, plan->fails),
			 "load", load_of(plan, plan->chosen),
			 "throughput_rps", real(chosen ? chosen->throughput_rps : NAN),
			 "throughput_interval_rps", chosen ? interval(&chosen->range) : json_null(),
			 "target_rps", real(plan->replica_rps),
			 "target_load", real(plan->replica_load));
}

static json_t *whole_number(double value)
{
	return isfinite(value) && value < 0x1p53 ? json_integer((json_int_t)value) : json_null();
}

static json_t *fleet(const struct hr_plan *plan)
{
	bool bounded = isfinite(plan->replicas_low) && isfinite(plan->replicas_high);

	return json_pack("{s:f, s:f, s:o, s:o, s:s}",
			 "rate_rps", plan->rate_rps,
			 "utilisation", plan->utilisation,
			 "replicas", whole_number(plan->replicas),
			 "replicas_interval", bounded ? json_pack("[o, o]", whole_number(plan->replicas_low),
								  whole_number(plan->replicas_high)) : json_null(),
			 "formula", "ceil(rate_rps / (throughput_rps * utilisation))");
}

static json_t *limited_by(const struct hr_finding *finding)
{
	return json_pack("{s:s, s:o, s:f, s:o, s:s}",
			 "class", hr_verdict_class_name(finding->class),
			 "subject", text(finding->subject),
			 "confidence", finding->confidence,
			 "advice", text(finding->advice),
			 "action", hr_action_name(finding->action));
}

static json_t *warnings(const struct hr_plan *plan)
{
	json_t *all = json_array();

	for (int warning = 0; warning < HR_PLAN_WARNING_COUNT; warning++)
		if (plan->warned[warning])
			all = append(all, json_pack("{s:s, s:s}", "name", hr_plan_warning_name(warning),
						    "sentence", hr_plan_warning_sentence(warning)));
	return all;
}

int hr_plan_json(const struct hr_plan_report *report, FILE *out, struct hr_err *err)
{
	const struct hr_plan *plan = report->plan;
	json_t *root;

	root = json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "schema", "headroom.plan/1",
			 "met", plan->chosen != HR_PLAN_NONE,
			 "limits_ms", limits(&plan->slo),
			 "latency_measured_by", measured_by(plan),
			 "per_replica", per_replica(plan),
			 "fleet", fleet(plan),
			 "limited_by", limited_by(&report->analysis->verdict.finding),
			 "warnings", warnings(plan),
			 "levels", levels(plan));
	return hr_json_write(root, "the plan", out, err);
}
