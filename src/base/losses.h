/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_LOSSES_H
#define HR_BASE_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

#include "headroom/loss.h"

/*
 * The reasons for which something is missing from a run or guessed in it: their names in the run file, what they mean,
 * and from which count on a run is lossy. The recorder and the report read the same table.
 */
enum hr_loss_kind {
	HR_LOSSY,	 /* something is missing from the accounts */
	HR_APPROXIMATED, /* everything is accounted, but some of it for the wrong state or at the wrong length */
	HR_HARMLESS	 /* worth knowing, changes no number */
};

/* What a count is compared with. */
enum hr_loss_base {
	HR_LOSS_OF_NOTHING, /* one is too many */
	HR_LOSS_OF_CALLS,   /* finished syscalls */
	HR_LOSS_OF_SWITCHES /* voluntary and involuntary switches of the target's threads */
};

struct hr_loss_info {
	const char *name;     /* in the run file */
	const char *sentence; /* what happened, for people: completes "37 times ..." */
	enum hr_loss_kind kind;
	enum hr_loss_base base;
	double limit_share;   /* of the base; more, by over one, makes the run lossy. Not used for what is harmless */
	bool is_beside;	      /* no verdict rests on it: a run that lost too much of it can still be judged */
};

/* The reason's row. reason: 0 to HR_LOSSES - 1. */
const struct hr_loss_info *hr_loss_info(enum hr_loss reason);

/* Its name in the run file, "call_records". */
const char *hr_loss_name(enum hr_loss reason);

/* The row of a name; NULL for one that only a later version knows. */
const struct hr_loss_info *hr_loss_by_name(const char *name);

/* "lossy", "approximation" or "harmless". */
const char *hr_loss_kind_name(enum hr_loss_kind kind);

/*
 * True if so many make the run lossy. base_count is how much there was of info->base (not used for HR_LOSS_OF_NOTHING);
 * info NULL, a reason of a later version: any count does.
 */
bool hr_loss_is_above_limit(const struct hr_loss_info *info, uint64_t count, uint64_t base_count);

#endif
