/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_PERCENTILE_H
#define HR_ANALYSE_PERCENTILE_H

#include <stddef.h>
#include <stdint.h>

/* One slot of a histogram: count values in [low, high). Histograms merge by adding the counts of equal slots. */
struct hr_slot {
	uint64_t low, high, count;
};

/*
 * The nearest-rank percentile (Hyndman and Fan 1996, definition 1) of slots in ascending order, share in (0, 1]: the
 * middle of the slot that holds the value of rank ceil(share * count). It is off by at most half the slot: 1/16 of the
 * value for the slots of hist.h. NAN if there is no value.
 */
double hr_slots_percentile(const struct hr_slot *slots, size_t n, double share);

/* A distribution in brief; the percentiles are NAN where count is 0. */
struct hr_latency {
	uint64_t count;
	double p50_ns, p90_ns, p99_ns;
};

struct hr_latency hr_slots_latency(const struct hr_slot *slots, size_t n);

#endif
