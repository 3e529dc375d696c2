/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/knee.h"

#include <math.h>
#include <stdlib.h>

#include "analyse/capacity.h"
#include "analyse/fair.h"
#include "analyse/gate.h"
#include "analyse/laws.h"

#define BOUND_ERROR 0.15 /* of a limit, apart from noise: as in predict.c, near it the parts of a system hinder each other */
#define ONE_LEVEL_ERROR 0.2 /* of a demand that was seen at one load: it is not known how it changes up to the limit */
#define KNEE_SHARE 0.95 /* of the highest throughput: the rest is noise */
#define OWN_ERROR 0.2 /* of what only longer waits tell: whether holds are all as long is not known, and who spins is not seen */
#define SAME_LINKS 0.1 /* of the number of connections: levels that differ by less have the same pool of them */
#define KEPT_MOST 0.99 /* of the CPUs: where nothing is left there is no limit to tell */
#define USABLE_SHARE 0.01 /* of the server's CPU time: a CPU on which it has less is none of its own */

/* What can be full, and is used in proportion to the requests from the lowest load on. */
static const struct {
	const char *name;
	enum hr_law law;
} resources[] = {
	{ "busiest thread", HR_LAW_THREAD_BUSY },
	{ "worker pool", HR_LAW_POOL_BUSY },
	{ "CPU quota", HR_LAW_QUOTA_USED },
	{ "connections to a peer", HR_LAW_LINKS_BUSY },
};

/* And those behind them, for which no law has what is used. */
enum { CPUS = sizeof(resources) / sizeof(resources[0]), LOCK, TURNS, OWN, RESOURCES };

static const char *name_of(size_t resource)
{
	static const char *const names[] = {
		[CPUS] = "CPUs",
		[LOCK] = "lock",
		[TURNS] = "what threads take turns at",
		[OWN] = "what the program has for a lock",
	};

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
 * no request can have unless they give way: a fair share of it is reckoned with. By the levels up to that load.
 */
struct others {
	double always, kept, per_request_s;
};

/* Of what others take at any load, what they keep where the server wants all. */
static double kept_share(const struct hr_level *top, double always)
{
	struct hr_text *texts = NULL;
	struct hr_laws laws;

	hr_laws_of(top, &texts, &laws);
	hr_texts_free(&texts);
	return hr_fair_kept_share(always * laws.value[HR_LAW_CPUS_USABLE], laws.value[HR_LAW_CPUS_USABLE], laws.value[HR_LAW_POOL_SLOTS]);
}

static struct others others_of(const struct hr_axis *axis, double load_most)
{
	const struct hr_summary *top = axis->levels[axis->level_count - 1].summary;
	double *columns = calloc(3 * axis->level_count, sizeof(*columns)), *shares, *weights, mean = 0;
	struct others others;
	struct hr_line line;
	size_t count = 0;

	if (!columns)
		return (struct others){ 0, 0, 0 };
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
	if (hr_line_rises(&line))
		others = (struct others){ fmax(0, line.start), 0, line.slope };
	else
		others = (struct others){ mean, 0, 0 };
	others.kept = fmin(KEPT_MOST, others.always * kept_share(&axis->levels[axis->level_count - 1], others.always));
	return others;
}

/* Connections to a peer, or NAN. */
static double links_of(const struct hr_level *level)
{
	struct hr_text *texts = NULL;
	struct hr_laws laws;

	hr_laws_of(level, &texts, &laws);
	hr_texts_free(&texts);
	return laws.value[HR_LAW_LINKS];
}

/* Connections that are opened when they are needed are never all busy; those that there are at any load are a pool. */
static bool has_links(const struct hr_axis *axis, double load_most)
{
	double least = INFINITY, most = 0;
	size_t count = 0;

	for (size_t i = 0; i < axis->level_count && axis->levels[i].load <= load_most; i++) {
		double links = links_of(&axis->levels[i]);

		if (isnan(links))
			return false;
		least = fmin(least, links);
		most = fmax(most, links);
		count++;
	}
	return count > 1 && most - least < SAME_LINKS * most;
}

/* What is known of all levels up to half the knee. */
struct below {
	struct others others;
	struct hr_gate lock, turns, own;
	bool has_links; /* all that there will be, as it seems */
};

static void take_level(const struct hr_level *level, const struct hr_level *top, const struct below *below,
		       struct hr_capacity_point point[RESOURCES])
{
	struct cpu_shares cpus = cpu_shares_of(level->summary, top->summary);
	struct hr_text *texts = NULL;
	double used[RESOURCES];
	struct hr_laws laws;

	hr_laws_of(level, &texts, &laws);
	hr_texts_free(&texts);
	for (size_t k = 0; k < CPUS; k++)
		used[k] = resources[k].law == HR_LAW_LINKS_BUSY && !below->has_links ? NAN : laws.value[resources[k].law];
	used[CPUS] = cpus.target + below->others.per_request_s * level->summary->requests.throughput_rps;
	used[LOCK] = hr_gate_used(level, &below->lock);
	used[TURNS] = hr_gate_used(level, &below->turns);
	used[OWN] = hr_gate_used(level, &below->own);
	for (size_t k = 0; k < RESOURCES; k++)
		point[k] = (struct hr_capacity_point){
			.load = level->load,
			.throughput_rps = level->summary->requests.throughput_rps,
			.utilisation = used[k],
			.seconds = (double)level->summary->run.recorded_ns / 1e9,
		};
}

/* What was served where one client at the most was there, who waits for nobody; 0: more than one were. */
static double served_alone_rps(const struct hr_axis *axis, double load_most)
{
	double served_rps = 0;

	for (size_t i = 0; i < axis->level_count && axis->levels[i].load <= load_most; i++) {
		if (axis->levels[i].load >= 2)
			return 0;
		served_rps = fmax(served_rps, axis->levels[i].summary->requests.throughput_rps);
	}
	return served_rps;
}

/* Of one client it was not seen whether two hinder each other, or have a thread or a worker each: all that is sure is what it got. */
static void widen_alone(const struct hr_capacity_resource *cpus, double alone_rps, double load_most, struct hr_range *range)
{
	struct hr_capacity capacity;

	hr_capacity_of(cpus, load_most, &capacity);
	range->low = fmin(range->low, alone_rps);
	range->high = fmax(range->high, (1 + hypot(ONE_LEVEL_ERROR, BOUND_ERROR)) * capacity.limit_rps); /* not NAN, if that is */
}

static void predict(const struct hr_axis *axis, struct hr_capacity_point *points, struct hr_knee *knee)
{
	const struct hr_level *top = &axis->levels[axis->level_count - 1];
	struct hr_capacity_resource told[RESOURCES];
	struct hr_capacity_point of_level[RESOURCES];
	double load_most = knee->load / 2;
	struct below below = { others_of(axis, load_most), hr_gate_find_lock(axis, load_most), hr_gate_find_turns(axis, load_most), { 0 },
			       has_links(axis, load_most) };
	struct hr_capacity capacity;
	double alone_rps = served_alone_rps(axis, load_most);

	below.own = hr_gate_find_own(axis, load_most, &below.lock, &below.turns);
	for (size_t i = 0; i < axis->level_count; i++) {
		take_level(&axis->levels[i], top, &below, of_level);
		for (size_t k = 0; k < RESOURCES; k++)
			points[k * axis->level_count + i] = of_level[k];
	}
	for (size_t k = 0; k < RESOURCES; k++)
		told[k] = (struct hr_capacity_resource){ name_of(k), &points[k * axis->level_count], axis->level_count,
							 k == CPUS ? 1 - below.others.kept : 1 };
	hr_capacity_limit(told, RESOURCES, load_most, &capacity);
	if (capacity.resource == SIZE_MAX)
		return;
	knee->predicted_rps = capacity.limit_rps;
	if (capacity.point_count == 1)
		capacity.range = (struct hr_range){ (1 - ONE_LEVEL_ERROR) * capacity.limit_rps, (1 + ONE_LEVEL_ERROR) * capacity.limit_rps };
	if (capacity.resource == OWN) {
		capacity.range.low *= 1 - OWN_ERROR;
		capacity.range.high *= 1 + OWN_ERROR;
	}
	knee->range.low = capacity.limit_rps - hypot(capacity.limit_rps - capacity.range.low, BOUND_ERROR * capacity.limit_rps);
	knee->range.high = capacity.limit_rps + hypot(capacity.range.high - capacity.limit_rps, BOUND_ERROR * capacity.limit_rps);
	if (capacity.resource == CPUS) { /* others may give way, or keep all that they have */
		knee->range.low *= (1 - below.others.always) / (1 - below.others.kept);
		knee->range.high *= 1 / (1 - below.others.kept);
	}
	if (alone_rps > 0)
		widen_alone(&told[CPUS], alone_rps, load_most, &knee->range);
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
