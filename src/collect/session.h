/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_SESSION_H
#define HR_COLLECT_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "collect/drain.h"
#include "collect/features.h"
#include "collect/levels.h"

/*
 * One recording: probes in the kernel, a run file, and the passes between them. The caller has the clock: it says when an
 * interval ends.
 */
struct hr_session;

struct hr_session_options {
	const pid_t *pids; /* processes to begin with */
	size_t pid_count;
	const char *target; /* for the run file */
	uint64_t interval_ns;
	const struct hr_features *features; /* what this system has, for the run file */
	bool waits; /* the run begins with hr_session_begin(), and not at once */
	uint32_t sample_hz; /* samples of stacks per second and CPU; 0: none */
	/* a function whose calls are requests, and BINARY:SYMBOL as it was asked for, in valid UTF-8; NULL: none */
	const char *request_binary, *request_symbol, *request_probe;
};

/*
 * Load, attach, take in the processes, and write the run's row. The writer and the text of the request probe stay the caller's,
 * and must outlive the session.
 * 0 and *ret_session (free with hr_session_close()); on failure nothing is left in the kernel.
 */
int hr_session_open(const struct hr_session_options *options, struct hr_writer *writer, struct hr_session **ret_session,
		    struct hr_err *err);

/*
 * The run begins now: its first moment is the first look at the accounts, and what they have from before is in no interval. For
 * sessions that wait; of these, until then only hr_session_add() may be called. asked_unix_ns: when it was to begin, by
 * CLOCK_REALTIME.
 */
int hr_session_begin(struct hr_session *session, uint64_t asked_unix_ns, struct hr_err *err);

/* What is recorded, as it was given. */
const char *hr_session_target(const struct hr_session *session);

/* When the run began, by CLOCK_REALTIME; 0: not yet. */
uint64_t hr_session_started_unix_ns(const struct hr_session *session);

/* Take in processes that were found later. */
int hr_session_add(struct hr_session *session, const pid_t *pids, size_t count, struct hr_err *err);

/* End the interval: write and commit what happened since the last one, unless the recording is off. */
int hr_session_interval(struct hr_session *session, struct hr_err *err);

/*
 * Carry out a mark of the load. Where a level or a warm-up begins or ends the interval does too, so that each interval lies in one
 * level or in none, and counts or does not. The mark is in the file when this returns.
 * 0; -EINVAL, -E2BIG: see hr_levels_check(), and nothing has changed; else the file could not be written.
 */
int hr_session_mark(struct hr_session *session, const struct hr_mark *mark, struct hr_err *err);

/* When the warm-up of the open level ends, of the monotonic clock; UINT64_MAX: none goes on. Then call hr_session_measure(). */
uint64_t hr_session_warmup_end_ns(const struct hr_session *session);
int hr_session_measure(struct hr_session *session, struct hr_err *err);

/* Add what came of the last level that was marked, and how long the target took to come to rest after it. */
int hr_session_level_result(struct hr_session *session, const struct hr_level_result *result, struct hr_err *err);
int hr_session_level_settled(struct hr_session *session, uint64_t settled_ns, struct hr_err *err);

/* Switch the recording off and on; between the two the accounts go on, but nothing of them is kept. */
int hr_session_enable(struct hr_session *session, bool enabled, struct hr_err *err);

/* Open and close a window in which the cost of the programs is measured; see collect/cost.h. */
void hr_session_cost_begin(struct hr_session *session);
void hr_session_cost_end(struct hr_session *session);

/* End the last interval, a level that is open, and the run: status is that of the command that was started, or HR_NULL. */
int hr_session_finish(struct hr_session *session, int64_t status, struct hr_err *err);

/* Take the probes out of the kernel and free. Takes NULL. */
void hr_session_close(struct hr_session *session);

/* Look after the probes: see hr_probes_mend(). */
void hr_session_mend(struct hr_session *session);

/* How many target processes are alive at this moment. */
uint32_t hr_session_alive(const struct hr_session *session);

/* What the last interval had, for people who watch. */
const struct hr_drain_totals *hr_session_totals(const struct hr_session *session, uint64_t *ret_interval_ns);

/* What was counted since the run's start, as of the end of the last interval. */
const struct hr_live *hr_session_live(const struct hr_session *session);

#endif
