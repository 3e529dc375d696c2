/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_FLEET_H
#define HR_ANALYSE_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/samples.h"
#include "base/err.h"

/*
 * Runs of several hosts that were recorded at the same time, as one: throughput and what is in flight add up, histograms are merged,
 * levels are aligned by their label. And who of them is unlike the others.
 *
 * A host is off at a level if its throughput or 99th percentile is over a tenth and over three robust standard deviations
 * (1.4826 times the median absolute deviation; Rousseeuw and Croux 1993) from the median of all hosts. That takes three hosts.
 */
#define HR_FLEET_HOSTS_MIN 3

/* What one host did at a level. NAN: not known. */
struct hr_fleet_share {
	bool has; /* false: its run lacks the level, and all that follows is NAN */
	double throughput_rps, in_flight, mean_ns, p99_ns;
	double throughput_off, p99_off; /* from the median, as a share, if it is off by that; NAN: it is not */
};

struct hr_fleet_level {
	const char *label; /* NULL: the whole runs */
	size_t hosts;	   /* that have it */
	double throughput_rps, in_flight; /* of all together */
	double mean_ns, p50_ns, p90_ns, p99_ns; /* of all requests */
	struct hr_fleet_share *shares; /* by run */
};

struct hr_fleet {
	const struct hr_run *runs; /* the caller's, who keeps them for as long as this */
	size_t run_count;
	struct hr_fleet_level whole, *levels;
	size_t level_count;
	double limit_rps;	/* the sum of the hosts' limits; NAN: one has none */
	double spread_s;	/* from the first start to the last */
	double overlap_s;	/* for how long all of them were recorded */
	bool at_once;		/* they overlap for over half of the shortest */
	enum hr_verdict_class common_verdict; /* that most hosts have */
	size_t common_count;	/* how many */
};

/* 0 and *ret_fleet (empty it with hr_fleet_fini()); -EEXIST: a run is there twice; -ENOMEM. */
int hr_fleet_load(const struct hr_run *runs, size_t count, struct hr_fleet *ret_fleet, struct hr_err *err);
void hr_fleet_fini(struct hr_fleet *fleet);

/* Is the run unlike the others at any level, or in its verdict where over half of the hosts have another in common? */
bool hr_fleet_is_off(const struct hr_fleet *fleet, size_t run);
bool hr_fleet_verdict_is_off(const struct hr_fleet *fleet, size_t run);

#endif
