/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/fleet.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/tables.h"

#define OFF_SHARE 0.1
#define OFF_DEVIATIONS 3
#define NORMAL_MAD 1.4826 /* standard deviations per median absolute deviation of a normal distribution */

/* ---- levels ---- */

static void add_host(struct hr_fleet_level *level, struct hr_fleet_share *share, struct hr_pool *pool, const struct hr_run *run,
		     const struct hr_level *of)
{
	const struct hr_summary *summary = of ? of->summary : run->analysis->summary;
	struct hr_pool *own = calloc(1, sizeof(*own));

	if (own) {
		hr_pool_add_level(own, run, of);
		hr_pool_add_pool(pool, own);
	}
	*share = (struct hr_fleet_share){
		.has = true,
		.throughput_rps = own ? hr_pool_throughput_rps(own) : NAN,
		.in_flight = summary->requests.in_flight,
		.mean_ns = own ? hr_pool_mean_ns(own) : NAN,
		.p99_ns = own ? hr_pool_percentile_ns(own, 0.99) : NAN,
		.throughput_off = NAN,
		.p99_off = NAN,
	};
	level->hosts++;
	level->throughput_rps += share->throughput_rps;
	level->in_flight += share->in_flight;
	free(own);
}

static int compare_real(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Sorts them. */
static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_real);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* One of the numbers of a share. */
static double *member(struct hr_fleet_share *share, size_t offset)
{
	return (double *)((char *)share + offset);
}

/* Note with each share how far it is off, of the number at `from` in the one at `to`. scratch has room for one of each run. */
static void find_off(struct hr_fleet_share *shares, size_t count, size_t from, size_t to, double *scratch)
{
	double middle, deviation;
	size_t known = 0;

	for (size_t i = 0; i < count; i++)
		if (!isnan(*member(&shares[i], from)))
			scratch[known++] = *member(&shares[i], from);
	if (known < HR_FLEET_HOSTS_MIN)
		return;
	middle = median(scratch, known);
	for (size_t i = 0; i < known; i++)
		scratch[i] = fabs(scratch[i] - middle);
	deviation = NORMAL_MAD * median(scratch, known);
	for (size_t i = 0; i < count; i++) {
		double away = *member(&shares[i], from) - middle;

		if (fabs(away) > OFF_SHARE * middle && fabs(away) > OFF_DEVIATIONS * deviation)
			*member(&shares[i], to) = away / middle;
	}
}

static int fill_level(const struct hr_fleet *fleet, const char *label, struct hr_fleet_level *ret)
{
	struct hr_fleet_level level = { .label = label };
	struct hr_pool *pool = calloc(1, sizeof(*pool));
	double *scratch = calloc(fleet->run_count, sizeof(*scratch));
	int result = 0;

	level.shares = calloc(fleet->run_count, sizeof(*level.shares));
	if (!pool || !scratch || !level.shares) {
		free(level.shares);
		result = -ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < fleet->run_count; i++) {
		const struct hr_level *of = label ? hr_run_level(&fleet->runs[i], label) : NULL;

		if (label && !of)
			level.shares[i] = (struct hr_fleet_share){ false, NAN, NAN, NAN, NAN, NAN, NAN };
		else
			add_host(&level, &level.shares[i], pool, &fleet->runs[i], of);
	}
	level.mean_ns = hr_pool_mean_ns(pool);
	level.p50_ns = hr_pool_percentile_ns(pool, 0.50);
	level.p90_ns = hr_pool_percentile_ns(pool, 0.90);
	level.p99_ns = hr_pool_percentile_ns(pool, 0.99);
	find_off(level.shares, fleet->run_count, offsetof(struct hr_fleet_share, throughput_rps),
		 offsetof(struct hr_fleet_share, throughput_off), scratch);
	find_off(level.shares, fleet->run_count, offsetof(struct hr_fleet_share, p99_ns), offsetof(struct hr_fleet_share, p99_off),
		 scratch);
	*ret = level;
out:
	free(pool);
	free(scratch);
	return result;
}

static bool has_label(const struct hr_fleet *fleet, const char *label)
{
	for (size_t i = 0; i < fleet->level_count; i++)
		if (strcmp(fleet->levels[i].label, label) == 0)
			return true;
	return false;
}

static int add_level(struct hr_fleet *fleet, const char *label)
{
	struct hr_fleet_level *levels = reallocarray(fleet->levels, fleet->level_count + 1, sizeof(*levels));
	int ret;

	if (!levels)
		return -ENOMEM;
	fleet->levels = levels;
	ret = fill_level(fleet, label, &levels[fleet->level_count]);
	fleet->level_count += !ret;
	return ret;
}

static int fill_levels(struct hr_fleet *fleet)
{
	int ret = fill_level(fleet, NULL, &fleet->whole);

	for (size_t i = 0; i < fleet->run_count && !ret; i++) {
		const struct hr_axis *axis = &fleet->runs[i].analysis->axis;

		for (size_t k = 0; k < axis->level_count && axis->kind == HR_AXIS_MARKED && !ret; k++)
			if (!has_label(fleet, axis->levels[k].label))
				ret = add_level(fleet, axis->levels[k].label);
	}
	return ret;
}

/* ---- time and verdicts ---- */

static void fill_times(struct hr_fleet *fleet)
{
	double first_s = INFINITY, last_s = -INFINITY, end_s = INFINITY, shortest_s = INFINITY;

	for (size_t i = 0; i < fleet->run_count; i++) {
		const struct hr_run_facts *run = &fleet->runs[i].analysis->summary->run;
		double start_s = (double)run->started_unix_ns / 1e9;
		double length_s = (double)(run->ended_ns == HR_NULL ? (int64_t)run->recorded_ns : run->ended_ns) / 1e9;

		first_s = fmin(first_s, start_s);
		last_s = fmax(last_s, start_s);
		end_s = fmin(end_s, start_s + length_s);
		shortest_s = fmin(shortest_s, length_s);
	}
	fleet->spread_s = last_s - first_s;
	fleet->overlap_s = fmax(0, end_s - last_s);
	fleet->at_once = fleet->overlap_s > shortest_s / 2;
}

static void fill_verdicts(struct hr_fleet *fleet)
{
	size_t counts[HR_VERDICT_COUNT] = { 0 };

	fleet->limit_rps = 0;
	for (size_t i = 0; i < fleet->run_count; i++) {
		const struct hr_finding *finding = &fleet->runs[i].analysis->verdict.finding;

		fleet->limit_rps += finding->limit_rps;
		if (++counts[finding->class] > fleet->common_count) {
			fleet->common_count = counts[finding->class];
			fleet->common_verdict = finding->class;
		}
	}
}

static int check_once(const struct hr_run *runs, size_t count, struct hr_err *err)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++) {
			const char *id = runs[i].analysis->summary->run.run_id, *other = runs[k].analysis->summary->run.run_id;

			if (id && other && strcmp(id, other) == 0)
				return hr_err_set(err, -EEXIST, "'%s' and '%s' are the same run", runs[k].path, runs[i].path);
		}
	return 0;
}

int hr_fleet_load(const struct hr_run *runs, size_t count, struct hr_fleet *ret_fleet, struct hr_err *err)
{
	struct hr_fleet fleet = { .runs = runs, .run_count = count };
	int ret = check_once(runs, count, err);

	if (ret)
		return ret;
	if (fill_levels(&fleet)) {
		hr_fleet_fini(&fleet);
		return hr_err_set(err, -ENOMEM, "out of memory");
	}
	fill_times(&fleet);
	fill_verdicts(&fleet);
	*ret_fleet = fleet;
	return 0;
}

void hr_fleet_fini(struct hr_fleet *fleet)
{
	for (size_t i = 0; i < fleet->level_count; i++)
		free(fleet->levels[i].shares);
	free(fleet->levels);
	free(fleet->whole.shares);
	*fleet = (struct hr_fleet){ 0 };
}

bool hr_fleet_verdict_is_off(const struct hr_fleet *fleet, size_t run)
{
	return 2 * fleet->common_count > fleet->run_count && fleet->run_count >= HR_FLEET_HOSTS_MIN &&
	       fleet->runs[run].analysis->verdict.finding.class != fleet->common_verdict;
}

static bool share_is_off(const struct hr_fleet_share *share)
{
	return !isnan(share->throughput_off) || !isnan(share->p99_off);
}

bool hr_fleet_is_off(const struct hr_fleet *fleet, size_t run)
{
	bool off = hr_fleet_verdict_is_off(fleet, run) || share_is_off(&fleet->whole.shares[run]);

	for (size_t i = 0; i < fleet->level_count; i++)
		off |= share_is_off(&fleet->levels[i].shares[run]);
	return off;
}
