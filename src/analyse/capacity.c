/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/capacity.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

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

	least = fmin(demand(sums->first), demand(sums->last));
	if (slope > spread) /* no demand is 0: where points differ too widely for a slope, the upper end is that of the one with the least */
		least = fmin(least, slope - spread);
	most = fmax(slope + spread, fmax(demand(sums->first), demand(sums->last)));
	return (struct hr_range){ full / most, full / least };
}

struct hr_line hr_line_fit(const double *x, const double *y, const double *weights, size_t count)
{
	double sum = 0, x_mean = 0, y_mean = 0, squares = 0, products = 0, left = 0, variance;
	struct hr_line line = { NAN, NAN, NAN, NAN, count };

	for (size_t i = 0; i < count; i++)
		sum += weights[i];
	for (size_t i = 0; i < count; i++) {
		x_mean += weights[i] * x[i] / sum;
		y_mean += weights[i] * y[i] / sum;
	}
	for (size_t i = 0; i < count; i++) {
		squares += weights[i] * pow(x[i] - x_mean, 2);
		products += weights[i] * (x[i] - x_mean) * (y[i] - y_mean);
	}
	if (!(squares > 0))
		return line;
	line.slope = products / squares;
	line.start = y_mean - line.slope * x_mean;
	for (size_t i = 0; i < count; i++)
		left += weights[i] * pow(y[i] - line.start - line.slope * x[i], 2);
	if (count < 3)
		return line;
	variance = left / (double)(count - 2);
	line.slope_error = sqrt(variance / squares);
	line.start_error = sqrt(variance * (1 / sum + x_mean * x_mean / squares));
	return line;
}

/* The two-sided quantile is the stricter one: 97.5 % of one side. */
bool hr_line_rises(const struct hr_line *line)
{
	return line->slope > 0 && (line->count < 3 || line->slope > hr_student_t(line->count - 2) * line->slope_error);
}

bool hr_line_starts_above(const struct hr_line *line)
{
	return line->count > 2 && line->start > 0 && line->start > hr_student_t(line->count - 2) * line->start_error;
}

/* The line with a start of its own, of the usable points. */
static struct hr_line line_of(const struct hr_capacity_resource *resource, double load_most)
{
	double *columns = calloc(3 * resource->point_count, sizeof(*columns)), *used, *weights;
	struct hr_line line = { NAN, NAN, NAN, NAN, 0 };
	size_t count = 0;

	if (!columns)
		return line;
	used = columns + resource->point_count;
	weights = used + resource->point_count;
	for (size_t i = 0; i < resource->point_count; i++) {
		const struct hr_capacity_point *point = &resource->points[i];

		if (!is_usable(point, load_most))
			continue;
		columns[count] = point->throughput_rps;
		used[count] = point->utilisation;
		weights[count++] = weight(point);
	}
	line = hr_line_fit(columns, used, weights, count);
	free(columns);
	return line;
}

void hr_capacity_of(const struct hr_capacity_resource *resource, double load_most, struct hr_capacity *ret_capacity)
{
	struct sums sums = sum_up(resource, load_most);
	double full = resource->full > 0 ? resource->full : 1;
	struct hr_line line;

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
	line = line_of(resource, load_most);
	if (hr_line_starts_above(&line) && hr_line_rises(&line) && line.start < full) {
		double slope_least = line.slope - hr_student_t(line.count - 2) * line.slope_error;

		ret_capacity->demand_s = line.slope;
		ret_capacity->limit_rps = (full - line.start) / line.slope;
		ret_capacity->range.high = (full - line.start) / slope_least;
	}
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
