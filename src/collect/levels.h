/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_LEVELS_H
#define HR_COLLECT_LEVELS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "collect/mark.h"
#include "store/writer.h"

/*
 * The rows of the table `levels`, of one recording. A row is in the file from the level's begin on, so that a recorder that is
 * killed leaves the level as far as it came. Times are those of the file; whoever calls has cut the intervals there.
 */
struct hr_levels {
	int64_t level_id;     /* of the last one; 0: there was none */
	int64_t start_ns;     /* of that */
	int64_t measured_ns;  /* of that: when its warm-up ends or ended */
	bool is_open;
	bool is_warming;      /* measured_ns is in the future */
	bool follows_load;
	bool is_idle;	      /* the last interval was; only where the level follows the load */
	int64_t warmup_ns;
	int64_t busy_start_ns, busy_end_ns; /* of the last interval that was not; 0: there was none yet */
	char notes[HR_NOTES_BYTES];
};

/* What came of a level. */
struct hr_level_result {
	int64_t status;	     /* of its command, as shells show it; HR_NULL: it was ended */
	const char *output;  /* valid UTF-8; NULL: none */
	const char *notes;   /* key=value to be added to its notes; NULL: none */
};

/* What hr_levels_mark() would refuse. 0; -EINVAL: nothing is open that could end or be said something of; -E2BIG: too long. */
int hr_levels_check(const struct hr_levels *levels, const struct hr_mark *mark, struct hr_err *err);

/* Does it begin or end a level or a warm-up, so that the interval must end too? */
bool hr_levels_cuts(const struct hr_mark *mark);

/* Write what a checked mark says, at now_ns. The caller commits. */
int hr_levels_mark(struct hr_levels *levels, struct hr_writer *writer, const struct hr_mark *mark, int64_t now_ns,
		   struct hr_err *err);

/*
 * An interval is over. idle: no request was answered or in flight in it, and that is known.
 *
 * Load generators take a while to begin, and some to end, and a level that has that in it would have too low a throughput. So where
 * the level follows the load, its warm-up counts from the first interval that is not idle, and it ends with the last one; that is
 * left out too if it is followed by idle ones, as the load will have ended in its midst. Target without visible requests: nothing
 * is idle, or all is; then the level is as marked.
 */
int hr_levels_interval(struct hr_levels *levels, struct hr_writer *writer, int64_t start_ns, int64_t end_ns, bool idle,
		       struct hr_err *err);

/* The warm-up of the open level ends at now_ns. */
int hr_levels_measure(struct hr_levels *levels, struct hr_writer *writer, int64_t now_ns, struct hr_err *err);

/* The run ends at now_ns, and with it a level that is open. */
int hr_levels_end(struct hr_levels *levels, struct hr_writer *writer, int64_t now_ns, struct hr_err *err);

/* Add what came of the last level. */
int hr_levels_result(struct hr_levels *levels, struct hr_writer *writer, const struct hr_level_result *result, struct hr_err *err);

/* The target was at rest so long after the last level. */
int hr_levels_settled(struct hr_levels *levels, struct hr_writer *writer, int64_t settled_ns, struct hr_err *err);

#endif
