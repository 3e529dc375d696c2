/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_GATE_H
#define HR_ANALYSE_GATE_H

#include <stdbool.h>

#include "analyse/levels.h"

/*
 * Where only one at a time can pass: a lock; or a wait for one of their kind, as for a token; or, where neither is seen, what the
 * program has for a lock, at which each waits in his own way: on a futex of his, asleep until he tries again, or in a poll that another
 * of his kind ends. All of them empty: there is none.
 */
struct hr_gate {
	const struct hr_lock_summary *lock;
	const struct hr_wait_summary *turn; /* of this summary */
	const struct hr_summary *summary;
	const struct hr_level *low; /* what a request waits longer than there */
	bool with_polls;
};

/*
 * The one that is waited for most in the levels that are not above that load, of those whose waits per request grow over them: threads
 * that have nothing to do wait on locks and for each other too, but the less the more there is to do.
 */
struct hr_gate hr_gate_find_lock(const struct hr_axis *axis, double load_most);
struct hr_gate hr_gate_find_turns(const struct hr_axis *axis, double load_most);

/* If a request waits notably longer in the program itself the more of them there are, and more than twice what it waits at those two. */
struct hr_gate hr_gate_find_own(const struct hr_axis *axis, double load_most, const struct hr_gate *lock, const struct hr_gate *turns);

/* The share of the time in which somebody has it, as where it is full (station.h); NAN: nobody waits, or there is none. */
double hr_gate_used(const struct hr_level *level, const struct hr_gate *gate);

#endif
