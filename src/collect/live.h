/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_LIVE_H
#define HR_COLLECT_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "headroom/accounts.h"
#include "headroom/loss.h"
#include "headroom/net.h"
#include "headroom/states.h"

/*
 * What a recording has counted so far, for who watches it live: sums since the run's start, but for what is said to be of the last
 * interval. The families fill it in the pass that writes the run file, from the same differences.
 */
struct hr_live {
	uint64_t intervals;
	uint64_t interval_ns;	 /* length of the last one; 0: none has ended */
	uint64_t ended_ns;	 /* when it ended, by CLOCK_MONOTONIC */

	/* requests, as in struct hr_drain_totals: of servers in front, or of the request probe */
	bool requests_known;	 /* they could be told apart in the last interval */
	uint64_t requests;	 /* answered */
	uint64_t latencies, latency_ns; /* end to end: how many of those, and their sum */
	uint64_t latency_slots[HR_STAGE_SLOTS];
	double in_flight;	 /* mean of the last interval; NAN: cannot be told */

	/* threads */
	uint64_t state_ns[HR_STATES];
	uint64_t calls;
	uint32_t threads;	 /* alive at the end of the last interval */
	uint64_t busiest_ns;	 /* on CPU in the last interval, of the thread that was so most */

	/* CPUs: those that were online all along an interval */
	uint32_t cpus;		 /* in the last interval */
	uint64_t owner_ns[HR_OWNERS_KERNEL];
	uint64_t interval_owner_ns[HR_OWNERS_KERNEL]; /* of the last interval */
	double quota_cpus;	 /* what the tightest CPU quota allows; 0: there is none */

	/* the recording itself */
	uint64_t losses[HR_LOSSES];
	uint64_t collector_cpu_ns;
	int64_t collector_rss_bytes; /* HR_NULL: not known */
	double probes_share;	 /* of one CPU, of all probes, as last sampled; NAN: not measured */
};

#endif
