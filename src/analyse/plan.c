/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/plan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/student.h"
#include "base/parse.h"

#define MATERIAL 0.02 /* throughput that is higher by less is the same: the lower load has it with less latency */

const char *hr_slo_name(enum hr_slo_key key)
{
	static const char *const names[] = {
#define HR_SLO_NAME(id, name) name,
		HR_SLOS(HR_SLO_NAME)
#undef HR_SLO_NAME
	};

	return names[key];
}

static const struct warning {
	const char *name, *sentence;
} warnings[] = {
#define HR_WARNING_TEXTS(id, name, sentence) { name, sentence },
	HR_PLAN_WARNINGS(HR_WARNING_TEXTS)
#undef HR_WARNING_TEXTS
};

const char *hr_plan_warning_name(enum hr_plan_warning warning)
{
	return warnings[warning].name;
}

const char *hr_plan_warning_sentence(enum hr_plan_warning warning)
{
	return warnings[warning].sentence;
}

static int parse_limit(char *word, struct hr_slo *slo, struct hr_err *err)
{
	char *value = strchr(word, '=');
	uint64_t limit_ns;

	if (!value)
		return hr_err_set(err, -EINVAL, "'%s' is no limit of a latency; write p99=200ms", word);
	*value++ = '\0';
	for (int key = 0; key < HR_SLO_KEYS; key++) {
		if (strcmp(word, hr_slo_name(key)))
			continue;
		if (!isnan(slo->limit_ns[key]))
			return hr_err_set(err, -EINVAL, "%s is limited twice", word);
		if (hr_parse_duration_ns(value, &limit_ns, err))
			return -EINVAL;
		slo->limit_ns[key] = (double)limit_ns;
		return 0;
	}
	return hr_err_set(err, -EINVAL, "'%s' cannot be limited; mean, p50, p90 and p99 can", word);
}

int hr_slo_parse(const char *text, struct hr_slo *ret_slo, struct hr_err *err)
{
	struct hr_slo slo = { { NAN, NAN, NAN, NAN } };
	char *copy = strdup(text ? text : ""), *rest = copy, *word;
	int ret = 0;

	if (!copy)
		return hr_err_set(err, -ENOMEM, "out of memory");
	while (!ret && text && *text && (word = strsep(&rest, ",")))
		ret = parse_limit(word, &slo, err);
	free(copy);
	if (!ret)
		*ret_slo = slo;
	return ret;
}

/* What the load generator saw, by key; it does not tell means. */
static double client_latency_ns(const struct hr_client_result *client, enum hr_slo_key key)
{
	const double by_key[HR_SLO_KEYS] = { NAN, client->p50_ns, client->p90_ns, client->p99_ns };

	return by_key[key];
}

static double server_latency_ns(const struct hr_stage_summary *total, enum hr_slo_key key)
{
	const double by_key[HR_SLO_KEYS] = { hr_stage_mean_ns(total), total->latency.p50_ns, total->latency.p90_ns,
					     total->latency.p99_ns };

	return total->count ? by_key[key] : NAN;
}

/* 95 % of the mean over the windows, around the throughput. */
static struct hr_range range_of(const struct hr_level *level, double throughput_rps)
{
	double mean = 0, squares = 0, spread;
	size_t n = 0;

	for (size_t i = 0; i < level->window_count; i++)
		if (isfinite(level->windows[i].throughput_rps)) {
			double off = level->windows[i].throughput_rps - mean;

			mean += off / (double)++n;
			squares += off * (level->windows[i].throughput_rps - mean);
		}
	if (n < 2)
		return (struct hr_range){ NAN, NAN };
	spread = hr_student_t(n - 1) * sqrt(squares / (double)(n - 1) / (double)n);
	return (struct hr_range){ fmax(throughput_rps - spread, 0), throughput_rps + spread };
}

static double throughput_of(const struct hr_level *level)
{
	double throughput_rps = level->summary->requests.throughput_rps;

	return throughput_rps > 0 ? throughput_rps : level->client.throughput_rps;
}

static bool passes(const struct hr_plan_level *level, const struct hr_slo *slo)
{
	for (int key = 0; key < HR_SLO_KEYS; key++)
		if (!isnan(slo->limit_ns[key]) && !(level->latency_ns[key] <= slo->limit_ns[key]))
			return false;
	return true;
}

static int by_load(const void *a, const void *b)
{
	const struct hr_plan_level *left = a, *right = b;

	return (left->load > right->load) - (left->load < right->load);
}

static int take_levels(const struct hr_axis *axis, struct hr_plan *plan, struct hr_err *err)
{
	plan->levels = calloc(axis->level_count + 1, sizeof(*plan->levels));
	if (!plan->levels)
		return hr_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < axis->level_count; i++) {
		const struct hr_level *level = &axis->levels[i];
		double throughput_rps = throughput_of(level);

		if (!(throughput_rps > 0) || !isfinite(throughput_rps) || (isnan(level->load) && axis->level_count > 1))
			continue;
		plan->levels[plan->level_count++] = (struct hr_plan_level){
			.level = level, .load = level->load, .throughput_rps = throughput_rps, .range = range_of(level, throughput_rps),
		};
	}
	if (!plan->level_count)
		return hr_err_set(err, -ENODATA, "no requests were seen at any level of load: there is nothing to plan with");
	qsort(plan->levels, plan->level_count, sizeof(*plan->levels), by_load);
	return 0;
}

/* The client's latencies where they are known of all levels, so that one plan has one kind. */
static void take_latencies(struct hr_plan *plan)
{
	for (int key = 0; key < HR_SLO_KEYS; key++) {
		plan->by_client[key] = true;
		for (size_t i = 0; i < plan->level_count; i++)
			plan->by_client[key] &= !isnan(client_latency_ns(&plan->levels[i].level->client, key));
		for (size_t i = 0; i < plan->level_count; i++) {
			const struct hr_level *level = plan->levels[i].level;

			plan->levels[i].latency_ns[key] =
				plan->by_client[key] ? client_latency_ns(&level->client, key) :
						       server_latency_ns(&level->summary->requests.stages[HR_STAGE_TOTAL], key);
		}
	}
	for (size_t i = 0; i < plan->level_count; i++)
		plan->levels[i].passes = passes(&plan->levels[i], &plan->slo);
}

/* The first loads that pass, without a gap: a level that passes after one that did not was lucky. */
static void find_bracket(struct hr_plan *plan)
{
	size_t first = 0, end, chosen;

	while (first < plan->level_count && !plan->levels[first].passes)
		first++;
	for (end = first; end < plan->level_count && plan->levels[end].passes; end++)
		;
	for (size_t i = 0; i < plan->level_count; i++)
		plan->warned[HR_PLAN_NOT_MONOTONE] |= first < plan->level_count && (i < first || (i > end && plan->levels[i].passes));
	plan->passes = plan->fails = plan->chosen = HR_PLAN_NONE;
	if (first == plan->level_count) {
		plan->fails = 0;
		return;
	}
	plan->passes = end - 1;
	if (end < plan->level_count)
		plan->fails = end;
	chosen = first;
	for (size_t i = first; i < end; i++)
		if (plan->levels[i].throughput_rps > plan->levels[chosen].throughput_rps * (1 + MATERIAL))
			chosen = i;
	plan->chosen = chosen;
}

/* The load at a throughput, on straight lines between the measured levels up to the chosen one, from the origin. */
static double load_at(const struct hr_plan *plan, double throughput_rps)
{
	double load = 0, rate = 0;

	for (size_t i = 0; i <= plan->chosen; i++) {
		const struct hr_plan_level *level = &plan->levels[i];

		if (level->throughput_rps >= throughput_rps && level->throughput_rps > rate)
			return load + (level->load - load) * (throughput_rps - rate) / (level->throughput_rps - rate);
		load = level->load;
		rate = level->throughput_rps;
	}
	return NAN;
}

/* A whole number of replicas is not one more for a rounding error. */
static double replicas_for(double rate_rps, double replica_rps)
{
	return fmax(ceil(rate_rps / replica_rps * (1 - 1e-12)), 1);
}

static void count_replicas(struct hr_plan *plan)
{
	const struct hr_plan_level *level;

	plan->replica_rps = plan->replica_load = plan->replicas = plan->replicas_low = plan->replicas_high = NAN;
	if (plan->chosen == HR_PLAN_NONE)
		return;
	level = &plan->levels[plan->chosen];
	plan->replica_rps = level->throughput_rps * plan->utilisation;
	plan->replica_load = load_at(plan, plan->replica_rps);
	plan->replicas = replicas_for(plan->rate_rps, plan->replica_rps);
	if (!isnan(level->range.low))
		plan->replicas_low = replicas_for(plan->rate_rps, level->range.high * plan->utilisation);
	if (level->range.low > 0)
		plan->replicas_high = replicas_for(plan->rate_rps, level->range.low * plan->utilisation);
}

static size_t distinct_loads(const struct hr_plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->level_count; i++)
		count += i == 0 || plan->levels[i].load > plan->levels[i - 1].load;
	return count;
}

static void warn(const struct hr_analysis *analysis, struct hr_plan *plan)
{
	const struct hr_model *model = &analysis->model;
	enum hr_verdict_class class = analysis->verdict.finding.class;
	bool *warned = plan->warned;
	const struct hr_plan_level *level;

	warned[HR_PLAN_FEW_LEVELS] = distinct_loads(plan) < HR_MODEL_LEVELS_MIN;
	warned[HR_PLAN_PEAK_OUTSIDE] = model->kind != HR_MODEL_NONE && model->peak_identified && !model->peak_measured;
	warned[HR_PLAN_GENERATOR_LIMITED] = class == HR_VERDICT_CLIENT_LIMITED;
	warned[HR_PLAN_INCONCLUSIVE] = class == HR_VERDICT_INCONCLUSIVE;
	warned[HR_PLAN_DATA_LOST] = analysis->summary->lossy;
	if (plan->chosen == HR_PLAN_NONE)
		return;
	level = &plan->levels[plan->chosen];
	warned[HR_PLAN_LOADS_TOO_LOW] = plan->chosen == plan->level_count - 1;
	warned[HR_PLAN_ERRORS] = level->level->client.errors > 0;
	warned[HR_PLAN_COMMAND_FAILED] = level->level->status != HR_NULL && level->level->status != 0;
	warned[HR_PLAN_FEW_WINDOWS] = isnan(level->range.low);
}

int hr_plan_make(const struct hr_analysis *analysis, double rate_rps, double utilisation, const struct hr_slo *slo,
		 struct hr_plan *ret_plan, struct hr_err *err)
{
	struct hr_plan plan = { .rate_rps = rate_rps, .utilisation = utilisation, .slo = *slo };
	int ret = take_levels(&analysis->axis, &plan, err);

	if (ret) {
		hr_plan_fini(&plan);
		return ret;
	}
	take_latencies(&plan);
	find_bracket(&plan);
	count_replicas(&plan);
	warn(analysis, &plan);
	*ret_plan = plan;
	return 0;
}

void hr_plan_fini(struct hr_plan *plan)
{
	free(plan->levels);
	plan->levels = NULL;
	plan->level_count = 0;
}
