/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_LEVELS_H
#define HR_ANALYSE_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/summary.h"
#include "base/err.h"

/*
 * The load axis: a run cut into levels of load, each with a summary of its own intervals alone, the warm-up left out. Where
 * nobody marked levels, the intervals are grouped by the requests that were in flight, so that production traffic has an axis
 * too.
 */

/* One interval, as a sample of its level. What could not be measured is NAN. */
struct hr_window {
	int64_t interval_id;
	double seconds, throughput_rps, in_flight;
};

/* What the load generator itself measured. NAN: not given. */
struct hr_client_result {
	double throughput_rps, errors, p50_ns, p90_ns, p99_ns;
};

struct hr_level {
	const char *label;	 /* as marked, or of the group: "4.0 to 6.0 in flight" */
	double offered;		 /* the label as a number; NAN: it is none, or a group */
	bool is_rate;		 /* offered is requests per second and not clients */
	double load;		 /* the place on the axis: clients if they are known, else the mean in flight; NAN: neither */
	struct hr_summary *summary;
	struct hr_window *windows; /* in order of time */
	size_t window_count;
	struct hr_client_result client;
	const char *command;	 /* that sweep ran; NULL: none */
	int64_t status;		 /* its exit status; HR_NULL: none, or it was ended */
	int64_t settled_ns;	 /* how long the target took to come to rest after it; HR_NULL: it did not, or nobody waited */
	bool is_open;		 /* it was never closed: the recording ended first */
};

enum hr_axis_kind {
	HR_AXIS_NONE,	 /* neither marks nor requests: the run is one level */
	HR_AXIS_MARKED,	 /* by sweep, mark or --control */
	HR_AXIS_GROUPED, /* by what was in flight */
};

struct hr_axis {
	enum hr_axis_kind kind;
	struct hr_level *levels; /* ascending load, those without one last; several of one label are one level */
	size_t level_count;	 /* 0: the run has no interval */
	struct hr_text *texts;	 /* the strings above that are not a summary's */
};

/*
 * Read the axis; whole is the summary of the whole run, and stays the caller's. 0 and *ret_axis (empty it with
 * hr_axis_fini()), else as hr_summary_load(). Levels that hold no interval after their warm-up are left out.
 */
int hr_axis_load(struct hr_reader *reader, const struct hr_summary *whole, struct hr_axis *ret_axis, struct hr_err *err);
void hr_axis_fini(struct hr_axis *axis);

#endif
