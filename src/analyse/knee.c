/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/knee.h"

#include <math.h>
#include <stdlib.h>

#include "analyse/capacity.h"
#include "analyse/laws.h"
#include "analyse/lock_use.h"
#include "analyse/station.h"
#include "headroom/net.h"

#define KNEE_SHARE 0.95 /* of the highest throughput: the rest is noise */
#define USABLE_SHARE 0.01 /* of the server's CPU time: a CPU on which it has less is none of its own */

/* What can be full, and is used in proportion to the requests from the lowest load on. */
static const struct {
	const char *name;
	enum hr_law law;
} resources[] = {
	{ "busiest thread", HR_LAW_THREAD_BUSY },
	{ "worker pool", HR_LAW_POOL_BUSY },
	{ "CPU quota", HR_LAW_QUOTA_USED },
};

/* And those behind them, for which no law has what is used. */
enum { CPUS = sizeof(resources) / sizeof(resources[0]), LOCK, RESOURCES };

static const char *name_of(size_t resource)
{
	static const char *const names[] = { [CPUS] = "CPUs", [LOCK] = "lock" };

	return resource < CPUS ? resources[resource].name : names[resource];
}

/* Shares of the CPUs on which the server is at the highest load. */
struct cpu_shares {
	double target, other;
};

static struct cpu_shares cpu_shares_of(const struct hr_summary *summary, const struct hr_summary *top)
{
	double target_ns = 0, other_ns = 0, all_ns = 0;

	for (size_t i = 0; i < summary->cpu_count && i < top->cpu_count; i++) {
		const struct hr_cpu_summary *cpu = &summary->cpus[i];

		if ((double)top->cpus[i].target_ns < USABLE_SHARE * (double)top->cpu_total.target_ns)
			continue;
		target_ns += (double)cpu->target_ns;
		other_ns += (double)cpu->other_ns;
		all_ns += (double)(cpu->target_ns + cpu->other_ns + cpu->idle_ns);
	}
	return all_ns > 0 ? (struct cpu_shares){ target_ns / all_ns, other_ns / all_ns } : (struct cpu_shares){ NAN, NAN };
}

/*
 * What others take of them: with each request, as a load generator does, if that grows with the throughput; and at any load, which
 * no request can have unless they give way: half of it is reckoned with. By the levels up to that load.
 */
struct others {
	double always, per_request_s;
};

static struct others others_of(const struct hr_axis *axis, double load_most)
{
	const struct hr_summary *top = axis->levels[axis->level_count - 1].summary;
	double *columns = calloc(3 * axis->level_count, sizeof(*columns)), *shares, *weights, mean = 0;
	struct hr_line line;
	size_t count = 0;

	if (!columns)
		return (struct others){ 0, 0 };
	shares = columns + axis->level_count;
	weights = shares + axis->level_count;
	for (size_t i = 0; i < axis->level_count; i++) {
		const struct hr_summary *summary = axis->levels[i].summary;
		double other = cpu_shares_of(summary, top).other;

		if (!(axis->levels[i].load <= load_most) || !(summary->requests.throughput_rps > 0) || isnan(other))
			continue;
		columns[count] = summary->requests.throughput_rps;
		shares[count] = other;
		weights[count++] = 1;
		mean += (other - mean) / (double)count;
	}
	line = hr_line_fit(columns, shares, weights, count);
	free(columns);
	if (!hr_line_rises(&line))
		return (struct others){ mean, 0 };
	return (struct others){ fmax(0, line.start), line.slope };
}

/* Who may come to a lock: the clients, where it is known how many there are. */
static struct hr_station station_of(const struct hr_level *level, double waits, double contended_share)
{
	double seconds = (double)level->summary->run.recorded_ns / 1e9;

	return (struct hr_station){ level->is_rate ? NAN : level->offered, contended_share, waits / seconds,
				    level->summary->requests.throughput_rps };
}

/* The lock that is waited for most, of those levels that are not above that load; NULL: none is. */
static const struct hr_lock_summary *find_lock(const struct hr_axis *axis, double load_most)
{
	const struct hr_lock_summary *worst = NULL;

	for (size_t i = 0; i < axis->level_count; i++) {
		const struct hr_lock_summary *lock = axis->levels[i].load <= load_most ? hr_lock_worst(axis->levels[i].summary) : NULL;

		if (lock && (!worst || lock->time_ns > worst->time_ns))
			worst = lock;
	}
	return worst;
}

static double lock_used(const struct hr_level *level, const struct hr_lock_summary *lock)
{
	struct hr_lock_use use;
	struct hr_station station;

	if (!lock)
		return NAN;
	use = hr_lock_use_of(level->summary, lock);
	station = station_of(level, use.waits, use.contended_ns / (double)level->summary->run.recorded_ns);
	return hr_station_used(&station);
}

static void take_level(const struct hr_level *level, const struct hr_level *top, const struct hr_lock_summary *lock,
		       const struct others *others, struct hr_capacity_point point[RESOURCES])
{
	struct cpu_shares cpus = cpu_shares_of(level->summary, top->summary);
	struct hr_text *texts = NULL;
	double used[RESOURCES];
	struct hr_laws laws;

	hr_laws_of(level, &texts, &laws);
	hr_texts_free(&texts);
	for (size_t k = 0; k < CPUS; k++)
		used[k] = laws.value[resources[k].law];
	used[CPUS] = cpus.target + others->per_request_s * level->summary->requests.throughput_rps;
	used[LOCK] = lock_used(level, lock);
	for (size_t k = 0; k < RESOURCES; k++)
		point[k] = (struct hr_capacity_point){
			.load = level->load,
			.throughput_rps = level->summary->requests.throughput_rps,
			.utilisation = used[k],
			.seconds = (double)level->summary->run.recorded_ns / 1e9,
		};
}

static void predict(const struct hr_axis *axis, struct hr_capacity_point *points, struct hr_knee *knee)
{
	const struct hr_level *top = &axis->levels[axis->level_count - 1];
	const struct hr_lock_summary *lock = find_lock(axis, knee->load / 2);
	struct hr_capacity_resource told[RESOURCES];
	struct hr_capacity_point of_level[RESOURCES];
	struct others others = others_of(axis, knee->load / 2);
	struct hr_capacity capacity;

	for (size_t i = 0; i < axis->level_count; i++) {
		take_level(&axis->levels[i], top, lock, &others, of_level);
		for (size_t k = 0; k < RESOURCES; k++)
			points[k * axis->level_count + i] = of_level[k];
	}
	for (size_t k = 0; k < RESOURCES; k++)
		told[k] = (struct hr_capacity_resource){ name_of(k), &points[k * axis->level_count], axis->level_count,
							 k == CPUS ? 1 - others.always / 2 : 1 };
	hr_capacity_limit(told, RESOURCES, knee->load / 2, &capacity);
	if (capacity.resource == SIZE_MAX)
		return;
	knee->predicted_rps = capacity.limit_rps;
	knee->range = capacity.range;
	if (capacity.resource == CPUS) { /* others may give way, or keep all that they have */
		knee->range.low *= (1 - others.always) / (1 - others.always / 2);
		knee->range.high *= 1 / (1 - others.always / 2);
	}
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
