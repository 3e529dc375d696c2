/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_FLIGHT_H
#define HR_COLLECT_FLIGHT_H

#include <stdint.h>

/*
 * Requests in flight, from sums that only grow: how many arrived and left so far, and the sums of when they did. All modulo
 * 2^64, so that the sums may wrap as often as they like.
 */
struct hr_flight {
	uint64_t arrivals, arrived_ns;
	uint64_t departures, departed_ns;
};

/* How many are in flight; never below 0. */
uint64_t hr_flight_count(const struct hr_flight *now);

/*
 * Requests in flight, summed over the time from start_ns to end_ns: over its length it is their mean number. before and now are
 * the sums as read at these moments, never in the middle of a change. What came or left just after end_ns and is in `now`
 * already is made up for by the next span; a span that would be below 0 for that is 0. A request that went on after it had
 * been taken for departed is made up for in the span in which that shows.
 */
uint64_t hr_flight_ns(const struct hr_flight *before, uint64_t start_ns, const struct hr_flight *now, uint64_t end_ns);

#endif
