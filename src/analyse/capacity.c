/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/capacity.h"

#include <math.h>
#include <stdint.h>

#include "analyse/student.h"

static bool is_usable(const struct hr_capacity_point *point, double load_most)
{
	return point->throughput_rps > 0 && isfinite(point->throughput_rps) && point->utilisation > 0 && isfinite(point->utilisation) &&
	       (load_most == INFINITY || point->load <= load_most);
}

static double weight(const struct hr_capacity_point *point)
{
	return point->seconds > 0 && isfinite(point->seconds) ? point->seconds : 1;
}

static double demand(const struct hr_capacity_point *point)
{
	return point->utilisation / point->throughput_rps;
}

/* Sums over the points that are usable. */
struct sums {
	double squares, products; /* of X, of X and U */
	const struct hr_capacity_point *first, *last; /* by throughput */
	size_t count;
};

static struct sums sum_up(const struct hr_capacity_resource *resource, double load_most)
{
	struct sums sums = { 0 };

	for (size_t i = 0; i < resource->point_count; i++) {
		const struct hr_capacity_point *point = &resource->points[i];

		if (!is_usable(point, load_most))
			continue;
		sums.squares += weight(point) * point->throughput_rps * point->throughput_rps;
		sums.products += weight(point) * point->throughput_rps * point->utilisation;
		if (!sums.first || point->throughput_rps < sums.first->throughput_rps)
			sums.first = point;
		if (!sums.last || point->throughput_rps >= sums.last->throughput_rps)
			sums.last = point;
		sums.count++;
	}
	return sums;
}

/* Standard error of the slope through the origin. */
static double slope_error(const struct hr_capacity_resource *resource, double load_most, const struct sums *sums, double slope)
{
	double squares = 0;

	for (size_t i = 0; i < resource->point_count; i++) {
		const struct hr_capacity_point *point = &resource->points[i];
		double left = point->utilisation - slope * point->throughput_rps;

		if (is_usable(point, load_most))
			squares += weight(point) * left * left;
	}
	return sqrt(squares / (double)(sums->count - 1) / sums->squares);
}

static struct hr_range limit_range(const struct sums *sums, double slope, double error, double full)
{
	double spread = hr_student_t(sums->count - 1) * error, least, most;

	least = fmin(slope - spread, fmin(demand(sums->first), demand(sums->last)));
	most = fmax(slope + spread, fmax(demand(sums->first), demand(sums->last)));
	/* no demand is 0: two points that differ widely say nothing of the upper end */
	return (struct hr_range){ full / most, least > 0 ? full / least : NAN };
}

void hr_capacity_of(const struct hr_capacity_resource *resource, double load_most, struct hr_capacity *ret_capacity)
{
	struct sums sums = sum_up(resource, load_most);
	double full = resource->full > 0 ? resource->full : 1;

	*ret_capacity = (struct hr_capacity){ SIZE_MAX, NAN, { NAN, NAN }, NAN, NAN, sums.count };
	if (!sums.count)
		return;
	ret_capacity->resource = 0;
	ret_capacity->demand_s = sums.products / sums.squares;
	ret_capacity->limit_rps = full / ret_capacity->demand_s;
	if (sums.count < 2)
		return;
	ret_capacity->demand_growth = demand(sums.last) / demand(sums.first);
	ret_capacity->range = limit_range(&sums, ret_capacity->demand_s,
					  slope_error(resource, load_most, &sums, ret_capacity->demand_s), full);
}

void hr_capacity_limit(const struct hr_capacity_resource *resources, size_t count, double load_most, struct hr_capacity *ret_capacity)
{
	*ret_capacity = (struct hr_capacity){ SIZE_MAX, NAN, { NAN, NAN }, NAN, NAN, 0 };
	for (size_t i = 0; i < count; i++) {
		struct hr_capacity capacity;

		hr_capacity_of(&resources[i], load_most, &capacity);
		if (capacity.resource == SIZE_MAX || (ret_capacity->resource != SIZE_MAX && capacity.limit_rps >= ret_capacity->limit_rps))
			continue;
		*ret_capacity = capacity;
		ret_capacity->resource = i;
	}
}

double hr_capacity_knee_load(const double *loads, const double *throughputs_rps, size_t count, double share)
{
	double highest = 0, knee = NAN;

	for (size_t i = 0; i < count; i++)
		if (!isnan(loads[i]) && throughputs_rps[i] > highest)
			highest = throughputs_rps[i];
	for (size_t i = 0; i < count; i++)
		if (highest > 0 && throughputs_rps[i] >= share * highest && (isnan(knee) || loads[i] < knee))
			knee = loads[i];
	return knee;
}
