/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_MADE_RUN_H
#define TESTS_MADE_RUN_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/samples.h"
#include "headroom/hist.h"

/* Runs that are made in memory: levels of some windows each, whose requests all take about as long. */

#define MADE_LEVELS_MAX 4

struct made_run {
	struct hr_run run;
	struct hr_analysis analysis;
	struct hr_summary whole, summaries[MADE_LEVELS_MAX];
	struct hr_level levels[MADE_LEVELS_MAX];
	uint64_t random;
};

static inline double made_uniform(struct made_run *made)
{
	made->random = made->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (double)(made->random >> 11) / 9007199254740992.0;
}

static inline void made_begin(struct made_run *made, const char *host, uint64_t seed)
{
	*made = (struct made_run){ .random = seed };
	made->whole.run = (struct hr_run_facts){ .run_id = host, .host = host, .target = "port 80", .ended_ns = 1 };
	made->analysis = (struct hr_analysis){ .summary = &made->whole, .axis = { .kind = HR_AXIS_MARKED, .levels = made->levels } };
	made->analysis.verdict.throughput_rps = made->analysis.verdict.load = NAN;
	made->run = (struct hr_run){ .path = host, .analysis = &made->analysis };
}

/*
 * A level of windows of a second each, with so many requests a window and so long a latency; both vary by up to `noise` in each
 * window. service_share of the latency is service, all of it in `state`; the rest is in the queue.
 */
static inline void made_level(struct made_run *made, const char *label, size_t windows, double rps, double latency_ns, double noise,
			      enum hr_state state, double service_share)
{
	struct hr_samples *samples = &made->run.samples;
	struct hr_axis *axis = &made->analysis.axis;
	struct hr_summary *summary = &made->summaries[axis->level_count];
	struct hr_level *level = &made->levels[axis->level_count++];
	uint64_t count = 0, total_ns = 0;

	samples->items = reallocarray(samples->items, samples->count + windows + 1, sizeof(*samples->items));
	samples->slots = reallocarray(samples->slots, samples->slot_count + windows + 1, sizeof(*samples->slots));
	level->label = label;
	level->summary = summary;
	level->windows = calloc(windows + 1, sizeof(*level->windows));
	for (size_t i = 0; i < windows; i++) {
		const uint64_t requests = (uint64_t)(rps * (1 + noise * (2 * made_uniform(made) - 1)));
		const uint64_t each_ns = (uint64_t)(latency_ns * (1 + noise * (2 * made_uniform(made) - 1)));

		samples->items[samples->count] = (struct hr_sample){
			(int64_t)samples->count + 1, 1, (double)requests, requests, requests * each_ns, samples->slot_count, 1,
		};
		samples->slots[samples->slot_count++] =
			(struct hr_sample_slot){ hr_hist_slot(each_ns, HR_STAGE_BITS, HR_STAGE_SLOTS), requests };
		level->windows[level->window_count++] = (struct hr_window){ (int64_t)++samples->count, 1, (double)requests, NAN };
		count += requests;
		total_ns += requests * each_ns;
	}
	summary->run.recorded_ns = windows * 1000000000ULL;
	made->whole.run.recorded_ns += summary->run.recorded_ns;
	summary->requests.requests = (int64_t)count;
	summary->requests.throughput_rps = windows ? (double)count / (double)windows : NAN;
	summary->requests.in_flight = windows ? (double)total_ns / 1e9 / (double)windows : NAN;
	summary->requests.stages[HR_STAGE_TOTAL] = (struct hr_stage_summary){ .count = count, .total_ns = total_ns };
	summary->requests.stages[HR_STAGE_SERVICE] =
		(struct hr_stage_summary){ .count = count, .total_ns = (uint64_t)(service_share * (double)total_ns) };
	summary->requests.stages[HR_STAGE_QUEUE] =
		(struct hr_stage_summary){ .count = count, .total_ns = (uint64_t)((1 - service_share) * (double)total_ns) };
	summary->requests.budget.requests = count;
	summary->requests.budget.state_ns[state] = (uint64_t)(service_share * (double)total_ns);
}

static inline void made_end(struct made_run *made)
{
	for (size_t i = 0; i < made->analysis.axis.level_count; i++)
		free(made->levels[i].windows);
	hr_samples_fini(&made->run.samples);
}

#endif
