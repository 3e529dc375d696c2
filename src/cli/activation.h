/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_ACTIVATION_H
#define HR_CLI_ACTIVATION_H

#include <stdint.h>

#include "base/err.h"

/*
 * When a recording is to begin, by the clock on the wall, so that many hosts begin together:
 *
 *	/10s		at the next multiple of 10 s since 1970
 *	+5s		5 s from now
 *	@14:30[:15]	at the next time that it is so late here
 *
 * At the earliest HR_ACTIVATION_LEAD_NS from now in the first case, so that hosts on which the probes take longer to attach do
 * not miss the boundary that others meet.
 */
#define HR_ACTIVATION_LEAD_NS 2000000000ULL
#define HR_ACTIVATION_NEAR_NS 10000000000ULL /* before the moment the probes are put in */
#define HR_ACTIVATION_LATEST_NS (7 * 86400 * 1000000000ULL)

struct hr_activation {
	uint64_t every_ns; /* of a boundary; 0: another moment */
	uint64_t at_ns;	   /* CLOCK_REALTIME; 0: at once */
};

/* now_ns: CLOCK_REALTIME. 0; -EINVAL: none of these; -ERANGE: more than a week away. */
int hr_activation_parse(const char *text, uint64_t now_ns, struct hr_activation *ret_activation, struct hr_err *err);

/* The moment, or where that is over, of a boundary the next one. */
uint64_t hr_activation_at_ns(const struct hr_activation *activation, uint64_t now_ns);

/*
 * Sleep until CLOCK_REALTIME says so, also if somebody sets it meanwhile. 0, at once where it is so late; -EINTR: signal_fd was
 * readable before (nothing is read of it), or else the errno of what failed, with err set.
 */
int hr_activation_wait(uint64_t at_ns, int signal_fd, struct hr_err *err);

/* "14:30:15.000" here, in buf, which is returned. */
const char *hr_activation_clock(uint64_t at_ns, char buf[32]);

#endif
