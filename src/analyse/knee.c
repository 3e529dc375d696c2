/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/knee.h"

#include <math.h>
#include <stdlib.h>

#include "analyse/capacity.h"
#include "analyse/laws.h"
#include "headroom/net.h"

#define KNEE_SHARE 0.95 /* of the highest throughput: the rest is noise */
#define USABLE_SHARE 0.01 /* of the server's CPU time: a CPU on which it has less is none of its own */

/* What can be full, and is used in proportion to the requests from the lowest load on. A lock is not: alone, nobody waits for it. */
static const struct {
	const char *name;
	enum hr_law law;
} resources[] = {
	{ "busiest thread", HR_LAW_THREAD_BUSY },
	{ "worker pool", HR_LAW_POOL_BUSY },
	{ "CPU quota", HR_LAW_QUOTA_USED },
};

#define LAWS (sizeof(resources) / sizeof(resources[0]))
#define RESOURCES (LAWS + 1) /* and the CPUs, last */

/* The share of the CPUs that is used, of those on which the server is at the highest load. */
static double cpus_used(const struct hr_summary *summary, const struct hr_summary *top)
{
	double used_ns = 0, all_ns = 0;

	for (size_t i = 0; i < summary->cpu_count && i < top->cpu_count; i++) {
		const struct hr_cpu_summary *cpu = &summary->cpus[i];

		if ((double)top->cpus[i].target_ns < USABLE_SHARE * (double)top->cpu_total.target_ns)
			continue;
		used_ns += (double)(cpu->target_ns + cpu->other_ns);
		all_ns += (double)(cpu->target_ns + cpu->other_ns + cpu->idle_ns);
	}
	return all_ns > 0 ? used_ns / all_ns : NAN;
}

static void take_level(const struct hr_level *level, const struct hr_level *top, struct hr_capacity_point point[RESOURCES])
{
	struct hr_text *texts = NULL;
	struct hr_laws laws;

	hr_laws_of(level, &texts, &laws);
	hr_texts_free(&texts);
	for (size_t k = 0; k < RESOURCES; k++)
		point[k] = (struct hr_capacity_point){
			.load = level->load,
			.throughput_rps = level->summary->requests.throughput_rps,
			.utilisation = k < LAWS ? laws.value[resources[k].law] : cpus_used(level->summary, top->summary),
			.seconds = (double)level->summary->run.recorded_ns / 1e9,
		};
}

static void predict(const struct hr_axis *axis, struct hr_capacity_point *points, struct hr_knee *knee)
{
	const struct hr_level *top = &axis->levels[axis->level_count - 1];
	struct hr_capacity_resource told[RESOURCES];
	struct hr_capacity_point of_level[RESOURCES];
	struct hr_capacity capacity;

	for (size_t i = 0; i < axis->level_count; i++) {
		take_level(&axis->levels[i], top, of_level);
		for (size_t k = 0; k < RESOURCES; k++)
			points[k * axis->level_count + i] = of_level[k];
	}
	for (size_t k = 0; k < RESOURCES; k++)
		told[k] = (struct hr_capacity_resource){ k < LAWS ? resources[k].name : "CPUs", &points[k * axis->level_count],
							 axis->level_count, 0 };
	hr_capacity_limit(told, RESOURCES, knee->load / 2, &capacity);
	if (capacity.resource == SIZE_MAX)
		return;
	knee->predicted_rps = capacity.limit_rps;
	knee->range = capacity.range;
	knee->resource = told[capacity.resource].name;
	knee->level_count = capacity.point_count;
}

void hr_knee_find(const struct hr_axis *axis, struct hr_knee *ret_knee)
{
	double *columns = calloc(2 * axis->level_count + 1, sizeof(*columns)), *rates = columns ? columns + axis->level_count : NULL;
	struct hr_capacity_point *points = calloc(RESOURCES * axis->level_count + 1, sizeof(*points));

	*ret_knee = (struct hr_knee){ NAN, NAN, NAN, { NAN, NAN }, NULL, 0 };
	for (size_t i = 0; columns && points && i < axis->level_count; i++) {
		columns[i] = axis->levels[i].load;
		rates[i] = axis->levels[i].summary->requests.throughput_rps;
	}
	if (columns && points)
		ret_knee->load = hr_capacity_knee_load(columns, rates, axis->level_count, KNEE_SHARE);
	for (size_t i = 0; !isnan(ret_knee->load) && i < axis->level_count; i++)
		if (axis->levels[i].load == ret_knee->load)
			ret_knee->throughput_rps = rates[i];
	if (!isnan(ret_knee->load))
		predict(axis, points, ret_knee);
	free(columns);
	free(points);
}
