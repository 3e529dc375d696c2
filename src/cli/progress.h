/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_PROGRESS_H
#define HR_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collect/drain.h"

/* The line that a recording shows on a terminal: what it does, elapsed and left, requests, threads, syscalls/s, what the threads do, losses. */
struct hr_progress {
	FILE *out;
	bool shown; /* a line stands there and is to be overwritten */
	bool on;    /* out is a terminal */
	bool is_warmup;    /* what it shows does not count */
	const char *doing; /* said first: "level 2 of 6: 8"; NULL: nothing */
	uint64_t end_ns;   /* of the monotonic clock: when everything ends, as far as one can tell; 0: cannot be told */
	uint64_t losses;
};

void hr_progress_init(struct hr_progress *progress, FILE *out);

/* Show an interval. */
void hr_progress_show(struct hr_progress *progress, uint64_t elapsed_ns, const struct hr_drain_totals *totals,
		      uint64_t interval_ns);

/* Take the line away, so that other text can follow. */
void hr_progress_clear(struct hr_progress *progress);

#endif
