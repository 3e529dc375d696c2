/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_SAMPLES_H
#define HR_ANALYSE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/analysis.h"
#include "base/err.h"
#include "headroom/net.h"
#include "store/reader.h"

/*
 * What the front flows did in each single interval, so that it can be pooled: over the intervals of a level, over runs and over
 * hosts, and drawn again by a bootstrap. Histograms merge by adding slots.
 */
struct hr_sample {
	int64_t interval_id;
	double seconds;
	double requests;	/* NAN: cannot be told */
	uint64_t latencies, latency_ns; /* end to end: how many, and their sum */
	size_t first, slots;	/* in hr_samples.slots */
};

struct hr_samples {
	struct hr_sample *items; /* by interval_id */
	size_t count;
	struct hr_sample_slot {
		uint32_t slot; /* hr_hist_slot() with HR_STAGE_BITS */
		uint64_t count;
	} *slots;
	size_t slot_count;
};

/* requests_known: as the summary of the whole run says. 0, -EINVAL: a damaged file, -ENOMEM. */
int hr_samples_load(struct hr_reader *reader, bool requests_known, struct hr_samples *ret_samples, struct hr_err *err);
void hr_samples_fini(struct hr_samples *samples);

/* A run with all that is known of it. */
struct hr_run {
	const char *path;
	struct hr_analysis *analysis;
	struct hr_samples samples;
};

/* The path stays the caller's. Empty it with hr_run_fini(), which takes one that is all zero. */
int hr_run_load(const char *path, struct hr_run *ret_run, struct hr_err *err);
void hr_run_fini(struct hr_run *run);

/* The level of that label that somebody marked; NULL: there is none. */
const struct hr_level *hr_run_level(const struct hr_run *run, const char *label);

/* What a number of samples have in common. */
struct hr_pool {
	double seconds, requests; /* requests NAN: some cannot be told */
	uint64_t latencies, latency_ns;
	uint32_t low, high; /* slots from low on, below high, are all that are not 0; high 0: none */
	uint64_t slots[HR_STAGE_SLOTS];
};

/* Add a sample to a pool that began as zeros. */
void hr_pool_add(struct hr_pool *pool, const struct hr_samples *samples, const struct hr_sample *sample);
void hr_pool_add_pool(struct hr_pool *pool, const struct hr_pool *more);

/* The samples of a level's windows, or of the whole run where level is NULL. */
void hr_pool_add_level(struct hr_pool *pool, const struct hr_run *run, const struct hr_level *level);

/* Does a level have the sample? Level NULL: the whole run, which has all. */
bool hr_level_has_sample(const struct hr_level *level, const struct hr_sample *sample);

/* NAN where it cannot be told. The percentile is that of hr_slots_percentile(). */
double hr_pool_throughput_rps(const struct hr_pool *pool);
double hr_pool_mean_ns(const struct hr_pool *pool);
double hr_pool_percentile_ns(const struct hr_pool *pool, double share);

#endif
