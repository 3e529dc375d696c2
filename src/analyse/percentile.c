/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/percentile.h"

#include <math.h>

static uint64_t slots_count(const struct hr_slot *slots, size_t n)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += slots[i].count;
	return count;
}

/* The middle of the whole numbers in the slot: a slot of one value is that value. */
static double middle(const struct hr_slot *slot)
{
	return slot->high > slot->low ? ((double)slot->low + (double)(slot->high - 1)) / 2 : (double)slot->low;
}

double hr_slots_percentile(const struct hr_slot *slots, size_t n, double share)
{
	double rank = ceil(share * (double)slots_count(slots, n)), below = 0;

	for (size_t i = 0; i < n; i++) {
		below += (double)slots[i].count;
		if (slots[i].count && below >= rank)
			return middle(&slots[i]);
	}
	return NAN;
}

struct hr_latency hr_slots_latency(const struct hr_slot *slots, size_t n)
{
	return (struct hr_latency){
		.count = slots_count(slots, n),
		.p50_ns = hr_slots_percentile(slots, n, 0.50),
		.p90_ns = hr_slots_percentile(slots, n, 0.90),
		.p99_ns = hr_slots_percentile(slots, n, 0.99),
	};
}
