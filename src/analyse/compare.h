/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_COMPARE_H
#define HR_ANALYSE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "analyse/model.h"
#include "analyse/samples.h"
#include "base/err.h"
#include "headroom/states.h"

/*
 * Two runs, or two sets of runs, level by level: what changed, whether that is more than noise, and which part of a request made
 * it. Levels are aligned by their label; runs that have none in common, or whose levels nobody marked, are compared as a whole,
 * with all that was before, between and after loads.
 *
 * Noise: 1000 times both sides are drawn again with replacement, of several runs first the runs and then the windows in each
 * (Efron 1979; Davison and Hinkley 1997, section 3.8), neighbouring windows of long runs in blocks, as they resemble each other.
 * The 95 % of the changes in the middle, widened as Student's t is for so few, are the range; a change is beyond the noise if 0 is
 * not in it. Percentiles also have the error of their histogram. One run a side tells the noise within runs only; how much
 * two runs of the same differ takes several. The seed is fixed: the same runs give the same.
 */
#define HR_COMPARE_WINDOWS_MIN 3 /* on a side, of one run: with fewer the noise is not known */

#define HR_MEASURES(MEASURE) \
	MEASURE(THROUGHPUT, "throughput", "throughput_rps") \
	MEASURE(MEAN, "mean latency", "latency_mean_ms") \
	MEASURE(P50, "p50", "latency_p50_ms") \
	MEASURE(P90, "p90", "latency_p90_ms") \
	MEASURE(P99, "p99", "latency_p99_ms")

enum hr_measure {
#define HR_MEASURE_ID(id, words, key) HR_MEASURE_##id,
	HR_MEASURES(HR_MEASURE_ID)
#undef HR_MEASURE_ID
	HR_MEASURE_COUNT
};

const char *hr_measure_words(enum hr_measure measure); /* "p99" */
const char *hr_measure_key(enum hr_measure measure);   /* "latency_p99_ms" */

struct hr_difference {
	double base, new;	/* requests/s, or ns; NAN: not known */
	double change;		/* new / base - 1; NAN likewise */
	struct hr_range range;	/* 95 %; NAN: the noise is not known */
	bool beyond_noise;
};

/* What a mean request consists of, end to end. After the states come these. */
enum hr_part {
	HR_PART_QUEUE = HR_STATES, /* in the receive queue */
	HR_PART_HANDOFF,	   /* read, and not yet taken up by the thread that answers */
	HR_PART_STREAM,		   /* first to last write */
	HR_PART_REST,		   /* what is in none of these */
	HR_PARTS
};

const char *hr_part_name(enum hr_part part); /* a state's name, "queue", "handoff", "stream", "rest" */

/* One side of a level: its runs together. Times are of a mean request, in ns; NAN: not known. */
struct hr_side {
	size_t runs;
	double seconds, in_flight;
	double part_ns[HR_PARTS];
	double cpus_used, cpu_share, busiest_share; /* CPUs that the target had; of all CPUs; of the busiest thread */
	const char *busiest_process, *busiest_thread; /* its names; NULL: none ran */
};

struct hr_level_comparison {
	const char *label; /* NULL: the runs as a whole */
	struct hr_side base, new;
	struct hr_difference measures[HR_MEASURE_COUNT];
	bool between_runs; /* several runs on both sides: the noise is that between runs too; else that within runs only */
	bool load_differs; /* the means in flight are over a tenth apart, where no level says that the load is the same */
};

struct hr_comparison {
	const struct hr_run *base, *new; /* the caller's, who keeps them for as long as this */
	size_t base_count, new_count;
	struct hr_level_comparison *levels;
	size_t level_count;
	bool any_marked; /* a run has levels that somebody marked: where the runs are compared as a whole, both sides have none in common */
	const char **base_only, **new_only; /* labels */
	size_t base_only_count, new_only_count;
};

/* 0 and *ret_comparison (empty it with hr_comparison_fini()), -ENOMEM. */
int hr_compare(const struct hr_run *base, size_t base_count, const struct hr_run *new, size_t new_count,
	       struct hr_comparison *ret_comparison, struct hr_err *err);
void hr_comparison_fini(struct hr_comparison *comparison);

/* Is the new side worse by over this share, and by more than noise: throughput lower, or p99 higher? */
bool hr_comparison_fails(const struct hr_level_comparison *level, enum hr_measure measure, double share);

/* The parts whose change is largest, those of under 2 % of the base's mean left out: their number. */
size_t hr_comparison_parts(const struct hr_level_comparison *level, enum hr_part ret_parts[HR_PARTS]);

#endif
