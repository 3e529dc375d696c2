/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_CAPACITY_H
#define HR_ANALYSE_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>

#include "analyse/model.h"

/*
 * The throughput at which a resource is full, from levels at which it is not: what one request takes of it is its demand
 * D = U / X (utilisation law; Denning and Buzen 1978), flat while nothing contends, and X_max = 1 / D. Of several resources the one
 * with the most demand is the limit: X_max = 1 / max D.
 *
 * It says when a resource is full. It does not know of resources that it was not told of, nor of demand that grows with the load
 * beyond the levels that it was given: the growth that they show is in the range, the rest is for a measurement to say.
 */
struct hr_capacity_point {
	double load;		/* for the choice of the levels; NAN: none */
	double throughput_rps;	/* X; a point where it or the next is NAN or not above 0 is left out */
	double utilisation;	/* U: share of the resource that is in use, 1: all of it (not CPUs, not slots, but their share) */
	double seconds;		/* how long that was measured: its weight. NAN or 0: 1 */
};

struct hr_capacity_resource {
	const char *name; /* "CPUs", "thread server/loop", "lock pool_mutex" */
	const struct hr_capacity_point *points;
	size_t point_count;
	double full;	  /* the utilisation at which it is full in practice; 0: 1 */
};

struct hr_capacity {
	size_t resource;	  /* index of the limiting one; SIZE_MAX: none could be told */
	double limit_rps;	  /* NAN likewise */
	struct hr_range range;	  /* 95 %; of a single point NAN */
	double demand_s;	  /* of the limiting resource: its share times seconds per request, 1 / limit at full = 1 */
	double demand_growth;	  /* of it from the lowest load to the highest, as a factor; NAN: one point */
	size_t point_count;	  /* points that it was told from */
};

/*
 * A straight line through points (x, y), by least squares with these weights. NAN: there are fewer than two x, and for errors, which
 * are standard errors, fewer than three points.
 */
struct hr_line {
	double slope, slope_error;
	double start, start_error; /* y at x = 0 */
	size_t count;
};

struct hr_line hr_line_fit(const double *x, const double *y, const double *weights, size_t count);

/* Is it above 0, by Student's t at 95 % (one side)? Of two points it is not known: then what they show is taken. */
bool hr_line_rises(const struct hr_line *line);
bool hr_line_starts_above(const struct hr_line *line); /* false of two points */

/*
 * Demand of a resource by regression of U on X through the origin, weighted by seconds, and its limit; the range is that of the
 * regression's slope (Student's t), widened to hold the limits by the first and the last point alone where demand drifts. Where the
 * line significantly starts above 0, what is used without a request is none of a request's demand: with an idle CPU a request costs
 * more than among others. Then the limit is where that line is full, and the range goes on to the one through the origin. Points
 * with a load above load_most are left out; INFINITY: all are taken; NAN of load is taken then only. ret->resource is 0, or
 * SIZE_MAX where no point is usable.
 */
void hr_capacity_of(const struct hr_capacity_resource *resource, double load_most, struct hr_capacity *ret_capacity);

/* The same for the resource with the lowest limit. */
void hr_capacity_limit(const struct hr_capacity_resource *resources, size_t count, double load_most, struct hr_capacity *ret_capacity);

/*
 * Where the knee is, in measured levels: the lowest load whose throughput is at least `share` (0.95, say) of the highest. Levels in
 * any order; those with a load or throughput that is NAN are left out. NAN: there are none.
 */
double hr_capacity_knee_load(const double *loads, const double *throughputs_rps, size_t count, double share);

#endif
