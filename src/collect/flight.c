/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/flight.h"

uint64_t hr_flight_count(const struct hr_flight *now)
{
	return (int64_t)(now->arrivals - now->departures) > 0 ? now->arrivals - now->departures : 0;
}

/* The integral of "requests in flight" up to a moment, modulo 2^64. */
static uint64_t integral(const struct hr_flight *flight, uint64_t at_ns)
{
	return at_ns * (flight->arrivals - flight->departures) - (flight->arrived_ns - flight->departed_ns);
}

uint64_t hr_flight_ns(const struct hr_flight *before, uint64_t start_ns, const struct hr_flight *now, uint64_t end_ns)
{
	int64_t sum_ns = (int64_t)(integral(now, end_ns) - integral(before, start_ns));

	return sum_ns > 0 ? sum_ns : 0;
}
