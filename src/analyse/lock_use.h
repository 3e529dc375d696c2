/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_LOCK_USE_H
#define HR_ANALYSE_LOCK_USE_H

#include <stdbool.h>

#include "analyse/summary.h"

/* The waits for one lock of the program's own. */
struct hr_lock_use {
	double waits;	     /* how many */
	double waited_ns;    /* of all threads together */
	double contended_ns; /* in which somebody waited */
	double handover_ns;  /* from the wake-ups that ended waits until the threads had a CPU, of all threads together */
	double process_waited_ns; /* of all threads, for any lock of that process */
};

/* A lock of the program's own, and no queue or condition. */
bool hr_lock_is_of_user(const struct hr_lock_summary *lock);

/* The lock that is waited for most; one without a name must be waited for twice as much as one that has one. NULL: none is. */
const struct hr_lock_summary *hr_lock_worst(const struct hr_summary *summary);

/*
 * Waits for it, by the summary of any part of the run. A lock may be several words: a mutex with its condition, as Python's; they are one
 * if they lie that near to each other.
 */
struct hr_lock_use hr_lock_use_of(const struct hr_summary *summary, const struct hr_lock_summary *lock);

#endif
