/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_ACCOUNT_H
#define HR_ANALYSE_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "base/states.h"

/*
 * What one thread did, or several together: times in nanoseconds, summed over the threads. An account adds up to its
 * life, but for what was lost.
 */
struct hr_account {
	uint64_t life_ns;		      /* while it was recorded */
	uint64_t state_ns[HR_STATES];
	uint64_t runq_owner_ns[HR_OWNERS];    /* of HR_STATE_RUNQ, who had the CPU */
	uint64_t preempted_owner_ns[HR_OWNERS];
	uint64_t syscalls, voluntary, involuntary, migrations;
	uint64_t mmap_lock_ns;		      /* of HR_STATE_KLOCK */
	uint64_t estimated_ns;		      /* of user and kernel, what is split by an estimate */
	int64_t not_run_ns;		      /* of user and kernel, hypervisor and interrupts; HR_NULL: not known */
};

/* An account of nothing: all zero, not_run_ns not known. */
struct hr_account hr_account_none(void);

/* The sum of what may be HR_NULL, not known: known as soon as one of them is. */
int64_t hr_account_known_sum(int64_t a, int64_t b);

/* Member by member; of not_run_ns as hr_account_known_sum(). */
void hr_account_add(struct hr_account *to, const struct hr_account *more);

/* Over all states; over those of one group. */
uint64_t hr_account_total_ns(const struct hr_account *account);
uint64_t hr_account_group_ns(const struct hr_account *account, enum hr_state_group group);

/* The states in descending order of their time; as many as have any. Writes HR_STATES at most and returns how many. */
size_t hr_account_rank(const struct hr_account *account, enum hr_state ranked[HR_STATES]);

/*
 * The pattern of a thread's name: its last number as '*', so that the threads of a pool have one name. "worker-12"
 * gives "worker-*", "Thread-3 (serve" gives "Thread-* (serve"; a name without one stays. Always terminates dst.
 */
void hr_thread_pattern(char *dst, size_t size, const char *name);

#endif
