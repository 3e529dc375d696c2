/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_THREAD_TOTALS_H
#define HR_COLLECT_THREAD_TOTALS_H

#include <stdint.h>

#include "headroom/accounts.h"

/*
 * Pure: a thread's totals as they stand at a moment, with the state that it is still in charged up to then. All of it grows
 * from one moment to the next.
 */
struct hr_thread_totals {
	uint64_t state_ns[HR_STATES]; /* mixed time is in none of them */
	uint64_t mixed_ns, mixed_kernel_ns;
	uint64_t owner_ns[2][HR_OWNERS_KERNEL];
	uint64_t mmap_lock_ns, calls, voluntary, involuntary, migrations;
};

/*
 * thread: a consistent copy. now_ns: not before its last change. cpu_owner_ns: who had the CPU that it waits for, up to now
 * (only read if it waits for one).
 */
void hr_thread_totals_at(const struct hr_thread *thread, uint64_t now_ns, const uint64_t cpu_owner_ns[HR_OWNERS_KERNEL],
			 struct hr_thread_totals *ret);

/* What was written of a thread so far: zeros at first. */
struct hr_thread_written {
	struct hr_thread_totals totals; /* as they were then */
	uint64_t state_ns[HR_STATES];	/* all time on CPU stands under user */
	uint64_t mixed_carry_ns;	/* of the kernel's, for which there was no mixed time yet */
};

/*
 * What is to be written now: the growth up to `now`, mixed time split in user and kernel. What was written is never taken back, so that
 * the states add up to the thread's life whatever turns out later.
 */
void hr_thread_totals_advance(struct hr_thread_written *written, const struct hr_thread_totals *now, struct hr_thread_totals *ret);

#endif
