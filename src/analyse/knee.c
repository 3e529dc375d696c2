/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/knee.h"

#include <math.h>
#include <stdlib.h>

#include "analyse/capacity.h"
#include "analyse/fair.h"
#include "analyse/laws.h"
#include "analyse/lock_use.h"
#include "analyse/station.h"
#include "headroom/net.h"

#define BOUND_ERROR 0.15 /* of a limit, apart from noise: as in predict.c, near it the parts of a system hinder each other */
#define ONE_LEVEL_ERROR 0.2 /* of a demand that was seen at one load: it is not known how it changes up to the limit */
#define KNEE_SHARE 0.95 /* of the highest throughput: the rest is noise */
#define TURNS_GROWTH 1.5 /* of the waits per request; where nothing is waited for they do not grow, but for noise */
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
};

/* And those behind them, for which no law has what is used. */
enum { CPUS = sizeof(resources) / sizeof(resources[0]), LOCK, TURNS, RESOURCES };

static const char *name_of(size_t resource)
{
	static const char *const names[] = { [CPUS] = "CPUs", [LOCK] = "lock", [TURNS] = "what threads take turns at" };

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

/* Who may come to a lock or take a turn: the clients, where it is known how many there are. */
static double customers_of(const struct hr_level *level)
{
	return level->is_rate ? NAN : level->offered;
}

/* What passes at a level where only one at a time can, as those see it who wait for it. */
struct passage {
	double waits, waited_ns, handover_ns;
	double contended_ns; /* NAN: not known */
};

/* A lock; NULL: nothing is. */
static struct passage passage_of_lock(const struct hr_level *level, const struct hr_lock_summary *lock)
{
	struct hr_lock_use use = { 0 };

	if (lock)
		use = hr_lock_use_of(level->summary, lock);
	return (struct passage){ use.waits, use.waited_ns, use.handover_ns, use.contended_ns };
}

/* Threads that wait for one of their kind, and for no mutex: for a token, or a lock that is the program's own. */
static struct passage passage_of_turns(const struct hr_level *level, const struct hr_lock_summary *lock)
{
	const struct hr_waits_summary *waits = &level->summary->waits;
	struct passage passage = { .contended_ns = NAN };

	(void)lock;
	for (size_t i = 0; i < waits->wait_count; i++) {
		const struct hr_wait_summary *wait = &waits->waits[i];

		if (!hr_wait_is_turn(level->summary, wait) && !hr_wait_is_turn_in_futex(level->summary, wait))
			continue;
		passage.waits += (double)wait->count;
		passage.waited_ns += (double)wait->time_ns;
		passage.handover_ns += wait->handover_ns == HR_NULL ? 0 : (double)wait->handover_ns;
	}
	return passage;
}

typedef struct passage passage_at(const struct hr_level *level, const struct hr_lock_summary *lock);

static double used_at(const struct hr_level *level, const struct passage *passage)
{
	double recorded_ns = (double)level->summary->run.recorded_ns;
	const struct hr_station station = {
		.customers = customers_of(level),
		.contended_share = passage->contended_ns / recorded_ns,
		.waiting = passage->waited_ns / recorded_ns,
		.waits_per_s = passage->waits / recorded_ns * 1e9,
		.requests_per_s = level->summary->requests.throughput_rps,
		.handover_s = passage->handover_ns / passage->waits / 1e9,
	};

	return passage->waits > 0 ? hr_station_used_full(&station) : NAN;
}

/*
 * Threads that have nothing to do wait on a lock or for each other too, as for one that hands out work. But those waits are shorter the
 * more there is to do, and those for a turn longer: so they must grow per request, over the levels up to that load.
 */
static bool grows(const struct hr_axis *axis, double load_most, passage_at *at, const struct hr_lock_summary *lock)
{
	const struct hr_level *first = NULL, *last = NULL;
	double grown;

	for (size_t i = 0; i < axis->level_count; i++) {
		const struct hr_level *level = &axis->levels[i];

		if (!(level->load <= load_most) || !(level->summary->requests.throughput_rps > 0) || !(at(level, lock).waited_ns > 0))
			continue;
		first = first ? first : level;
		last = level;
	}
	if (!first || first == last)
		return false;
	grown = at(last, lock).waited_ns / (double)last->summary->run.recorded_ns / last->summary->requests.throughput_rps /
		(at(first, lock).waited_ns / (double)first->summary->run.recorded_ns / first->summary->requests.throughput_rps);
	return grown > TURNS_GROWTH;
}

/* The lock for which the waits grow that is waited for most, of those levels that are not above that load; NULL: none is. */
static const struct hr_lock_summary *find_lock(const struct hr_axis *axis, double load_most)
{
	const struct hr_lock_summary *worst = NULL;

	for (size_t i = 0; i < axis->level_count && axis->levels[i].load <= load_most; i++) {
		const struct hr_waits_summary *waits = &axis->levels[i].summary->waits;

		for (size_t k = 0; k < waits->lock_count; k++)
			if (hr_lock_is_of_user(&waits->locks[k]) && (!worst || waits->locks[k].time_ns > worst->time_ns) &&
			    grows(axis, load_most, passage_of_lock, &waits->locks[k]))
				worst = &waits->locks[k];
	}
	return worst;
}

/* What is known of all levels up to half the knee. */
struct below {
	const struct hr_lock_summary *lock;
	struct others others;
	bool are_turns;
};

static void take_level(const struct hr_level *level, const struct hr_level *top, const struct below *below,
		       struct hr_capacity_point point[RESOURCES])
{
	struct cpu_shares cpus = cpu_shares_of(level->summary, top->summary);
	struct passage lock, turns;
	struct hr_text *texts = NULL;
	double used[RESOURCES];
	struct hr_laws laws;

	hr_laws_of(level, &texts, &laws);
	hr_texts_free(&texts);
	for (size_t k = 0; k < CPUS; k++)
		used[k] = laws.value[resources[k].law];
	used[CPUS] = cpus.target + below->others.per_request_s * level->summary->requests.throughput_rps;
	lock = passage_of_lock(level, below->lock);
	turns = passage_of_turns(level, NULL);
	used[LOCK] = used_at(level, &lock);
	used[TURNS] = below->are_turns ? used_at(level, &turns) : NAN;
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

static void predict(const struct hr_axis *axis, struct hr_capacity_point *points, struct hr_knee *knee)
{
	const struct hr_level *top = &axis->levels[axis->level_count - 1];
	struct hr_capacity_resource told[RESOURCES];
	struct hr_capacity_point of_level[RESOURCES];
	double load_most = knee->load / 2;
	struct below below = { find_lock(axis, load_most), others_of(axis, load_most),
			       grows(axis, load_most, passage_of_turns, NULL) };
	struct hr_capacity capacity;
	double alone_rps = served_alone_rps(axis, load_most);

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
	knee->range.low = capacity.limit_rps - hypot(capacity.limit_rps - capacity.range.low, BOUND_ERROR * capacity.limit_rps);
	knee->range.high = capacity.limit_rps + hypot(capacity.range.high - capacity.limit_rps, BOUND_ERROR * capacity.limit_rps);
	if (capacity.resource == CPUS) { /* others may give way, or keep all that they have */
		knee->range.low *= (1 - below.others.always) / (1 - below.others.kept);
		knee->range.high *= 1 / (1 - below.others.kept);
	}
	if (alone_rps > 0) /* whether clients hinder each other was not seen */
		knee->range.low = fmin(knee->range.low, alone_rps);
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
