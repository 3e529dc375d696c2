/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_LOCK_STACKS_H
#define HR_COLLECT_LOCK_STACKS_H

#include "collect/drain.h"

/*
 * The code that waits for each lock: samples of blocked threads by lock and stack, whichever thread it was. It is how locks get
 * a name that lie where no symbol is, as on the heap.
 */
struct hr_lock_stacks {
	struct hr_lock_stack *at; /* those of one interval, lock and stack are one row of the file */
	size_t count, room;
};

/* The lock at that address in the process with that slot; 0: none that is in the file. */
int64_t hr_lock_stacks_find(const struct hr_drain *drain, uint32_t process_slot, uint64_t address);

/* So many samples of the lock, until the next drain; what finds no memory counts as stacks that were lost. */
void hr_lock_stacks_add(struct hr_lock_stacks *stacks, struct hr_drain *drain, int64_t interval_id, int64_t lock_id, int64_t stack_id,
			uint64_t count);

/* Write them. */
void hr_lock_stacks_drain(struct hr_lock_stacks *stacks, struct hr_drain *drain);

/* Takes one that is all zero. */
void hr_lock_stacks_fini(struct hr_lock_stacks *stacks);

#endif
