/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_COST_H
#define HR_COLLECT_COST_H

#include <stdbool.h>

#include "base/err.h"
#include "collect/probes.h"

/*
 * What the BPF programs cost, by the kernel's run-time statistics. Those cost more themselves than most of the programs, so they
 * are on for short windows only, and what they read for an empty program is taken off.
 */
struct hr_cost;

#define HR_COST_PROGRAMS_MAX 64

struct hr_cost_sample {
	struct hr_program_cost programs[HR_COST_PROGRAMS_MAX]; /* within the window; time less the empty program's */
	size_t count;
	uint64_t window_ns;
};

/* 0 and *ret_cost (free with hr_cost_close()). A kernel without the statistics is no error: there are no samples then. */
int hr_cost_open(struct hr_cost **ret_cost, struct hr_err *err);
void hr_cost_close(struct hr_cost *cost);

/* What all programs of a sample took, of one CPU. */
double hr_cost_share(const struct hr_cost_sample *sample);

/* Open a window. */
void hr_cost_begin(struct hr_cost *cost, struct hr_probes *probes);
bool hr_cost_is_open(const struct hr_cost *cost);

/* Close it. False: nothing was measured. */
bool hr_cost_end(struct hr_cost *cost, struct hr_probes *probes, struct hr_cost_sample *ret);

#endif
