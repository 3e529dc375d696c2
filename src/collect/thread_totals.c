/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/thread_totals.h"

#include <string.h>

#include "collect/drain.h"

void hr_thread_totals_at(const struct hr_thread *thread, uint64_t now_ns, const uint64_t cpu_owner_ns[HR_OWNERS_KERNEL],
			 struct hr_thread_totals *ret)
{
	uint64_t open_ns = now_ns > thread->since_ns ? now_ns - thread->since_ns : 0;
	int queue = -1; /* 0: runq, 1: preempted */

	memcpy(ret->state_ns, thread->state_ns, sizeof(ret->state_ns));
	memcpy(ret->owner_ns[0], thread->runq_owner_ns, sizeof(ret->owner_ns[0]));
	memcpy(ret->owner_ns[1], thread->preempted_owner_ns, sizeof(ret->owner_ns[1]));
	ret->mixed_ns = thread->mixed_ns;
	ret->mixed_kernel_ns = thread->mixed_kernel_ns;
	ret->mmap_lock_ns = thread->mmap_lock_ns;
	ret->calls = thread->calls;
	ret->voluntary = thread->voluntary;
	ret->involuntary = thread->involuntary;
	ret->migrations = thread->migrations;
	switch (thread->mode) {
	case HR_MODE_ON_CPU:
		if (thread->mixed)
			ret->mixed_ns += open_ns;
		else
			ret->state_ns[thread->state] += open_ns;
		break;
	case HR_MODE_BLOCKED: {
		uint64_t blocked_ns = open_ns;

		if (thread->wake_ns) {
			blocked_ns = thread->wake_ns > thread->since_ns ? thread->wake_ns - thread->since_ns : 0;
			if (blocked_ns > open_ns)
				blocked_ns = open_ns;
			queue = 0;
		}
		ret->state_ns[thread->state] += blocked_ns;
		ret->state_ns[HR_STATE_RUNQ] += open_ns - blocked_ns;
		break;
	}
	case HR_MODE_UNSEEN:
	case HR_MODE_QUEUED:
		queue = thread->state == HR_STATE_PREEMPTED;
		ret->state_ns[queue ? HR_STATE_PREEMPTED : HR_STATE_RUNQ] += open_ns;
		break;
	}
	for (int owner = 0; queue >= 0 && owner < HR_OWNERS_KERNEL; owner++)
		if (cpu_owner_ns[owner] > thread->queue_owner_ns[owner])
			ret->owner_ns[queue][thread->throttled ? HR_OWNER_QUOTA : owner] +=
				cpu_owner_ns[owner] - thread->queue_owner_ns[owner];
}

/*
 * Split time that is known only to be on CPU: the part in the kernel is what the timed calls say, but not more than there is;
 * what is more than that is kept in *carry_ns for the next interval. Returns the kernel's part.
 */
static uint64_t split_mixed_ns(uint64_t mixed_ns, uint64_t estimated_kernel_ns, uint64_t *carry_ns)
{
	uint64_t wanted_ns = estimated_kernel_ns + *carry_ns, kernel_ns = wanted_ns < mixed_ns ? wanted_ns : mixed_ns;

	*carry_ns = wanted_ns - kernel_ns;
	return kernel_ns;
}

static void subtract(const struct hr_thread_totals *now, const struct hr_thread_totals *before, struct hr_thread_totals *ret)
{
	const uint64_t *a = (const uint64_t *)now, *b = (const uint64_t *)before;
	uint64_t *difference = (uint64_t *)ret;

	_Static_assert(sizeof(*ret) % sizeof(uint64_t) == 0, "totals are all uint64_t");
	for (size_t i = 0; i < sizeof(*ret) / sizeof(uint64_t); i++)
		difference[i] = hr_drain_growth(a[i], b[i]);
	/* counted in 32 bits */
	ret->voluntary = (uint32_t)(now->voluntary - before->voluntary);
	ret->involuntary = (uint32_t)(now->involuntary - before->involuntary);
}

static uint64_t on_cpu_ns(const struct hr_thread_totals *totals)
{
	return totals->state_ns[HR_STATE_USER] + totals->state_ns[HR_STATE_KERNEL] + totals->mixed_ns;
}

/*
 * The states' growth since the last pass. What was written is never taken back: time that turns out to have gone to another
 * state, because a switch went unseen or a wake-up was taken for another, is made up for by writing less of what grew. So the
 * states always add up to the thread's life.
 */
static void grow_states(struct hr_thread_written *written, const struct hr_thread_totals *now, uint64_t growth_ns[HR_STATES])
{
	uint64_t excess_ns = 0;

	for (int state = 0; state < HR_STATES; state++) {
		uint64_t total_ns = state == HR_STATE_USER ? on_cpu_ns(now) : state == HR_STATE_KERNEL ? 0 : now->state_ns[state];

		growth_ns[state] = hr_drain_growth(total_ns, written->state_ns[state]);
		excess_ns += hr_drain_growth(written->state_ns[state], total_ns);
	}
	for (int state = HR_STATES - 1; state >= 0; state--) {
		uint64_t cut_ns = growth_ns[state] < excess_ns ? growth_ns[state] : excess_ns;

		growth_ns[state] -= cut_ns;
		excess_ns -= cut_ns;
		written->state_ns[state] += growth_ns[state];
	}
}

/*
 * A stretch in user mode becomes mixed as a whole when a call comes that is not timed, also the part of it that an earlier pass
 * took for user mode. So only the sum over user, kernel and mixed grows steadily, and what is not the kernel's is the user's.
 */
static void split_on_cpu(struct hr_thread_written *written, uint64_t all_ns, struct hr_thread_totals *delta)
{
	uint64_t kernel_ns = delta->state_ns[HR_STATE_KERNEL] < all_ns ? delta->state_ns[HR_STATE_KERNEL] : all_ns;

	kernel_ns += split_mixed_ns(all_ns - kernel_ns, delta->mixed_kernel_ns, &written->mixed_carry_ns);
	delta->state_ns[HR_STATE_KERNEL] = kernel_ns;
	delta->state_ns[HR_STATE_USER] = all_ns - kernel_ns;
	if (delta->mixed_ns > all_ns)
		delta->mixed_ns = all_ns;
}

void hr_thread_totals_advance(struct hr_thread_written *written, const struct hr_thread_totals *now, struct hr_thread_totals *ret)
{
	uint64_t growth_ns[HR_STATES];

	subtract(now, &written->totals, ret);
	grow_states(written, now, growth_ns);
	for (int state = HR_STATE_RUNQ; state < HR_STATES; state++)
		ret->state_ns[state] = growth_ns[state];
	split_on_cpu(written, growth_ns[HR_STATE_USER], ret);
	written->totals = *now;
}
