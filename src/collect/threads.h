/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_THREADS_H
#define HR_COLLECT_THREADS_H

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

/*
 * Split time that is known only to be on CPU: the part in the kernel is what the timed calls say, but not more than there is;
 * what is more than that is kept in *carry_ns for the next interval. Returns the kernel's part.
 */
uint64_t hr_split_mixed_ns(uint64_t mixed_ns, uint64_t estimated_kernel_ns, uint64_t *carry_ns);

#endif
