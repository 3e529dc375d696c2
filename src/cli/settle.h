/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_SETTLE_H
#define HR_CLI_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/recorder.h"

/*
 * Is the target at rest? Requests in flight and CPUs in use are compared with what they were before any load: a server may never
 * be quite idle.
 */
struct hr_rest {
	double in_flight; /* NAN: cannot be told */
	double cpus;	  /* in use, or wanted */
};

/* Look at the target for a moment. Like hr_recorder_run(); *ret is written on HR_END_DURATION only. */
enum hr_end hr_rest_measure(struct hr_recorder *recorder, struct hr_rest *ret, struct hr_err *err);

/*
 * Record until it is at rest, for limit_ns at most. On HR_END_DURATION *ret_settled says whether it came to rest, and
 * *ret_settled_ns after how long; otherwise as hr_recorder_run().
 */
enum hr_end hr_rest_wait(struct hr_recorder *recorder, const struct hr_rest *rest, uint64_t limit_ns, bool *ret_settled,
			 uint64_t *ret_settled_ns, struct hr_err *err);

/* The comparison itself. */
bool hr_rest_is(const struct hr_rest *now, const struct hr_rest *rest);

#endif
