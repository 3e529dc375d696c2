/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_REQUESTS_H
#define HR_BASE_REQUESTS_H

#include "headroom/net.h"

/* Names and meanings of what stands in the tables about requests, as in the run file, the reports and the manual. */

/* "server", "downstream", "probe"; "unknown" for a number that is no role of a flow. */
const char *hr_role_name(enum hr_role role);

/* "tcp", "unix", "function"; "unknown" likewise. */
const char *hr_transport_name(enum hr_transport transport);

/* "accept", "queue", ...; "unknown" likewise. */
const char *hr_stage_name(enum hr_stage stage);

/* One line: from what to what. */
const char *hr_stage_meaning(enum hr_stage stage);

/* "open", "local", "peer", ...; "unknown" likewise. */
const char *hr_ending_name(enum hr_ending ending);

/* Why requests cannot be told apart, the surest reason of those bits: "http2", "upgraded", "batch", "overlap"; NULL: they can. */
const char *hr_multiplexed_name(unsigned int bits);

/* The numbers of those names, or -ENOENT. */
int hr_role_from_name(const char *name);
int hr_stage_from_name(const char *name);

/*
 * Where more than one in so many reads is of a connection whose requests cannot be told apart, there is no number of requests.
 * Below that, those that can be told apart stand for all: one odd client is not to take away the numbers of all others.
 */
#define HR_READS_PER_MULTIPLEXED 100

/* The row of request_states for time between the first read and the thread that answered taking it up. */
#define HR_HANDOFF_NAME "handoff"

#endif
