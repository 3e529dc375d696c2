/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/resample.h"
#include "base/states.h"

#define LOAD_DIFFERS_SHARE 0.1
#define WORTH_NAMING_SHARE 0.02

const char *hr_measure_words(enum hr_measure measure)
{
	static const char *const words[] = {
#define HR_MEASURE_WORDS(id, words, key) words,
		HR_MEASURES(HR_MEASURE_WORDS)
#undef HR_MEASURE_WORDS
	};

	return words[measure];
}

const char *hr_measure_key(enum hr_measure measure)
{
	static const char *const keys[] = {
#define HR_MEASURE_KEY(id, words, key) key,
		HR_MEASURES(HR_MEASURE_KEY)
#undef HR_MEASURE_KEY
	};

	return keys[measure];
}

const char *hr_part_name(enum hr_part part)
{
	static const char *const names[] = {
		[HR_PART_QUEUE - HR_STATES] = "queue",
		[HR_PART_HANDOFF - HR_STATES] = "handoff",
		[HR_PART_STREAM - HR_STATES] = "stream",
		[HR_PART_REST - HR_STATES] = "rest",
	};

	return part < HR_PART_QUEUE ? hr_state_name((enum hr_state)part) : names[part - HR_PART_QUEUE];
}

/* ---- one side ---- */

static const struct hr_summary *summary_of(const struct hr_run *run, const struct hr_level *level)
{
	return level ? level->summary : run->analysis->summary;
}

/* What the requests of several runs together consist of. */
struct parts {
	struct hr_stage_summary stages[HR_STAGES];
	struct hr_budget budget;
};

static void add_parts(struct parts *parts, const struct hr_request_summary *requests)
{
	for (int stage = 0; stage < HR_STAGES; stage++) {
		parts->stages[stage].count += requests->stages[stage].count;
		parts->stages[stage].total_ns += requests->stages[stage].total_ns;
	}
	parts->budget.requests += requests->budget.requests;
	parts->budget.handoff_ns += requests->budget.handoff_ns;
	for (int state = 0; state < HR_STATES; state++)
		parts->budget.state_ns[state] += requests->budget.state_ns[state];
}

static double mean_or_0(const struct hr_stage_summary *stage)
{
	return stage->count ? hr_stage_mean_ns(stage) : 0;
}

/*
 * The parts of the mean add up to it. The budget is that of the requests for which it is known; it is taken for the service time of
 * all.
 */
static void split_mean(const struct parts *parts, double part_ns[HR_PARTS])
{
	const struct hr_budget *budget = &parts->budget;
	double total_ns = hr_stage_mean_ns(&parts->stages[HR_STAGE_TOTAL]), service_ns = mean_or_0(&parts->stages[HR_STAGE_SERVICE]);
	double budget_ns = (double)hr_budget_total_ns(budget), scale = budget_ns > 0 ? service_ns / budget_ns : 0, known_ns = 0;

	for (int state = 0; state < HR_STATES; state++)
		part_ns[state] = scale * (double)budget->state_ns[state];
	part_ns[HR_PART_HANDOFF] = scale * (double)budget->handoff_ns;
	part_ns[HR_PART_QUEUE] = mean_or_0(&parts->stages[HR_STAGE_QUEUE]);
	part_ns[HR_PART_STREAM] = mean_or_0(&parts->stages[HR_STAGE_STREAM]);
	for (int part = 0; part < HR_PART_REST; part++)
		known_ns += part_ns[part];
	part_ns[HR_PART_REST] = total_ns - known_ns;
	for (int part = 0; part < HR_PARTS && isnan(total_ns); part++)
		part_ns[part] = NAN;
}

static void note_busiest(struct hr_side *side, const struct hr_summary *summary)
{
	double share;
	size_t busiest;

	if (!hr_summary_busiest(summary, &busiest, 1))
		return;
	share = hr_summary_busy_share(summary, &summary->threads[busiest]);
	if (side->busiest_thread && share <= side->busiest_share)
		return;
	side->busiest_share = share;
	side->busiest_thread = summary->threads[busiest].name;
	side->busiest_process = summary->processes[summary->threads[busiest].process].name;
}

static void fill_side(struct hr_side *side, const struct hr_run *runs, size_t count, const char *label)
{
	double in_flight_s = 0, target_ns = 0, busy_ns = 0, all_ns = 0;
	struct parts parts = { 0 };

	*side = (struct hr_side){ .busiest_share = NAN };
	for (size_t i = 0; i < count; i++) {
		const struct hr_level *level = label ? hr_run_level(&runs[i], label) : NULL;
		const struct hr_summary *summary = summary_of(&runs[i], level);
		const struct hr_cpu_summary *cpus = &summary->cpu_total;
		double seconds = (double)summary->run.recorded_ns / 1e9;

		if (label && !level)
			continue;
		side->runs++;
		side->seconds += seconds;
		in_flight_s += summary->requests.in_flight * seconds;
		target_ns += (double)cpus->target_ns;
		busy_ns += (double)cpus->target_ns + (double)cpus->other_ns;
		all_ns += (double)cpus->target_ns + (double)cpus->other_ns + (double)cpus->idle_ns;
		add_parts(&parts, &summary->requests);
		note_busiest(side, summary);
	}
	side->in_flight = side->seconds > 0 ? in_flight_s / side->seconds : NAN;
	side->cpus_used = side->seconds > 0 && all_ns > 0 ? target_ns / 1e9 / side->seconds : NAN;
	side->cpu_share = all_ns > 0 ? busy_ns / all_ns : NAN;
	split_mean(&parts, side->part_ns);
}

/* ---- a level ---- */

static int compare_level(const struct hr_comparison *comparison, const char *label, struct hr_level_comparison *ret, struct hr_err *err)
{
	struct hr_level_comparison level = { .label = label };
	struct hr_resample *resample;
	int result = hr_resample_new(comparison->base, comparison->base_count, comparison->new, comparison->new_count, label, &resample,
				     err);

	if (result)
		return result;
	fill_side(&level.base, comparison->base, comparison->base_count, label);
	fill_side(&level.new, comparison->new, comparison->new_count, label);
	hr_resample_run(resample, level.measures);
	hr_resample_free(resample);
	level.between_runs = level.base.runs > 1 && level.new.runs > 1;
	level.load_differs = !label && fabs(level.new.in_flight / level.base.in_flight - 1) > LOAD_DIFFERS_SHARE;
	*ret = level;
	return 0;
}

/* Has any of the runs that level? */
static bool has_level(const struct hr_run *runs, size_t count, const char *label)
{
	for (size_t i = 0; i < count; i++)
		if (hr_run_level(&runs[i], label))
			return true;
	return false;
}

static bool is_among(const char *const *labels, size_t count, const char *label)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(labels[i], label) == 0)
			return true;
	return false;
}

static size_t count_levels(const struct hr_run *runs, size_t count)
{
	size_t levels = 0;

	for (size_t i = 0; i < count; i++)
		levels += runs[i].analysis->axis.level_count;
	return levels;
}

/* The labels of the runs, in the order of the axis of the first that has each. `labels` has room for all. */
static size_t list_labels(const struct hr_run *runs, size_t count, const char **labels)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		const struct hr_axis *axis = &runs[i].analysis->axis;

		for (size_t k = 0; k < axis->level_count && axis->kind == HR_AXIS_MARKED; k++)
			if (!is_among(labels, found, axis->levels[k].label))
				labels[found++] = axis->levels[k].label;
	}
	return found;
}

/* Those of `labels` that the runs lack go to `only`. */
static size_t list_missing(const char *const *labels, size_t count, const struct hr_run *runs, size_t run_count, const char **only)
{
	size_t missing = 0;

	for (size_t i = 0; i < count; i++)
		if (!has_level(runs, run_count, labels[i]))
			only[missing++] = labels[i];
	return missing;
}

int hr_compare(const struct hr_run *base, size_t base_count, const struct hr_run *new, size_t new_count,
	       struct hr_comparison *ret_comparison, struct hr_err *err)
{
	struct hr_comparison comparison = { .base = base, .new = new, .base_count = base_count, .new_count = new_count };
	size_t base_room = count_levels(base, base_count) + 1, new_room = count_levels(new, new_count) + 1, base_labels, new_labels;
	const char **labels = calloc(base_room, sizeof(*labels)), **others = calloc(new_room, sizeof(*others));
	int ret = 0;

	comparison.base_only = calloc(base_room, sizeof(*comparison.base_only));
	comparison.new_only = calloc(new_room, sizeof(*comparison.new_only));
	comparison.levels = calloc(base_room + 1, sizeof(*comparison.levels));
	if (!labels || !others || !comparison.base_only || !comparison.new_only || !comparison.levels) {
		ret = hr_err_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	base_labels = list_labels(base, base_count, labels);
	new_labels = list_labels(new, new_count, others);
	comparison.any_marked = base_labels || new_labels;
	comparison.base_only_count = list_missing(labels, base_labels, new, new_count, comparison.base_only);
	comparison.new_only_count = list_missing(others, new_labels, base, base_count, comparison.new_only);
	for (size_t i = 0; i < base_labels && !ret; i++)
		if (has_level(new, new_count, labels[i]))
			ret = compare_level(&comparison, labels[i], &comparison.levels[comparison.level_count++], err);
	if (!comparison.level_count && !ret)
		ret = compare_level(&comparison, NULL, &comparison.levels[comparison.level_count++], err);
out:
	free(labels);
	free(others);
	if (ret)
		hr_comparison_fini(&comparison);
	else
		*ret_comparison = comparison;
	return ret;
}

void hr_comparison_fini(struct hr_comparison *comparison)
{
	free(comparison->levels);
	free(comparison->base_only);
	free(comparison->new_only);
	*comparison = (struct hr_comparison){ 0 };
}

bool hr_comparison_fails(const struct hr_level_comparison *level, enum hr_measure measure, double share)
{
	const struct hr_difference *difference = &level->measures[measure];

	if (!difference->beyond_noise)
		return false;
	return measure == HR_MEASURE_THROUGHPUT ? difference->change < -share :
	       measure == HR_MEASURE_P99	? difference->change > share :
						  false;
}

size_t hr_comparison_parts(const struct hr_level_comparison *level, enum hr_part ret_parts[HR_PARTS])
{
	double mean_ns = level->measures[HR_MEASURE_MEAN].base;
	size_t count = 0;

	for (int part = 0; part < HR_PARTS; part++) {
		double change_ns = fabs(level->new.part_ns[part] - level->base.part_ns[part]);
		size_t at;

		if (!(change_ns >= WORTH_NAMING_SHARE * mean_ns))
			continue;
		for (at = count++; at > 0; at--) {
			enum hr_part before = ret_parts[at - 1];

			if (fabs(level->new.part_ns[before] - level->base.part_ns[before]) >= change_ns)
				break;
			ret_parts[at] = before;
		}
		ret_parts[at] = (enum hr_part)part;
	}
	return count;
}
