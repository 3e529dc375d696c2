/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BLOCKED_BPF_H
#define HR_BLOCKED_BPF_H

/* Samples of a wait: taken when its call returns, in the context of the thread, with the user stack that led to the call. */
#include "unwind.bpf.h"
#include "waits.bpf.h"

/* Off-CPU stacks that this CPU has taken in a period. */
struct stack_budget {
	__u64 period; /* number of the period on the grid */
	__u64 taken;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_budget);
} stack_budgets __weak SEC(".maps");

static __always_inline bool may_take_stack(__u64 now_ns)
{
	__u32 zero = 0;
	struct stack_budget *budget = bpf_map_lookup_elem(&stack_budgets, &zero);
	__u64 period = now_ns / config.sample_period_ns;

	if (!budget)
		return false;
	if (budget->period != period) {
		budget->period = period;
		budget->taken = 0;
	}
	return budget->taken++ < STACKS_PER_PERIOD;
}

/* Of the current thread: its key. */
static __always_inline __u64 take_user_stack(struct hr_thread *thread, struct hr_stack *stack)
{
	long bytes = unwind_user(thread, SCRATCH_OFF_CPU);

	if (!bytes)
		bytes = bpf_get_task_stack(bpf_get_current_task_btf(), stack->addresses, sizeof(stack->addresses), BPF_F_USER_STACK);
	return stack_keep(SCRATCH_OFF_CPU, thread->process, bytes);
}

VERIFIED_ONCE int sample_wait(__u32 slot)
{
	struct hr_thread *thread = thread_by_slot(slot);
	struct hr_stack *stack = scratch(SCRATCH_OFF_CPU);
	struct hr_sample_key key = {};
	struct wait *wait;
	__u64 hits;

	if (!thread || !stack || !config.sample_period_ns)
		return 0;
	wait = wait_of(thread);
	if (!wait || !wait->hits)
		return 0;
	hits = wait->hits;
	wait->hits = 0;
	key.thread = thread->slot;
	key.call_row = thread->call_row;
	key.in_call = 1;
	key.state = wait->key.state;
	key.futex = wait->key.subject == HR_SUBJECT_FUTEX ? wait->key.value : 0;
	if (may_take_stack(wait->in_ns))
		key.user_stack = take_user_stack(thread, stack);
	else
		lost(HR_LOSS_STACKS);
	sample_add(&key, thread->born_ns, hits, 0);
	return 0;
}

#endif
