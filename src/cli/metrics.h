/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_METRICS_H
#define HR_CLI_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collect/live.h"

/*
 * What a recording counts live, in the text format of Prometheus (exposition format 0.0.4): names of headroom_*, base units, a HELP
 * and a TYPE for each. Counters count since the run's start, so rate() is what one wants of them.
 */

struct hr_metrics {
	const char *target;	  /* a label of every metric: several recordings on one host are told apart */
	bool recording;		  /* false: the run is over. What is of a moment is left out then, what was counted stays */
	uint64_t started_unix_ns; /* CLOCK_REALTIME, when the run began */
	uint64_t started_ns;	  /* the same by CLOCK_MONOTONIC */
	const struct hr_live *live;
};

/* Bucket bounds of the latency, in seconds: 100 us to 100 s, as 1, 2, 5. */
#define HR_METRICS_BUCKETS 19

/* Whether all was written is for the caller to ask the stream. */
void hr_metrics_write(const struct hr_metrics *metrics, FILE *out);

#endif
