/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks of threads on CPU, on a timer of each CPU.
 *
 * Hooks perf_event (cpu-clock). Cost per event: two stacks and three hash look-ups, 5 to 7 us, 99 times a second and CPU, only
 * while a thread of the target runs there.
 */
#include "unwind.bpf.h"

static __always_inline __u64 on_cpu_now(__u32 process_slot)
{
	struct hr_process *process = process_by_slot(process_slot);
	__u64 count = process ? process->on_cpu & 4095 : 0;

	return count ? count : 1;
}

SEC("perf_event")
int on_cpu_sample(void *ctx)
{
	struct hr_thread *thread = current_thread();
	struct hr_stack *stack = scratch(SCRATCH_ON_CPU);
	struct hr_sample_key key = {};
	long bytes;

	if (!thread || !stack)
		return 0;
	key.thread = thread->slot;
	key.state = thread->in_call ? HR_STATE_KERNEL : HR_STATE_USER;
	key.kernel_stack = stack_keep(SCRATCH_ON_CPU, 0, bpf_get_stack(ctx, stack->addresses, sizeof(stack->addresses), 0));
	bytes = unwind_user(thread, SCRATCH_ON_CPU);
	if (!bytes)
		bytes = bpf_get_stack(ctx, stack->addresses, sizeof(stack->addresses), BPF_F_USER_STACK);
	key.user_stack = stack_keep(SCRATCH_ON_CPU, thread->process, bytes);
	sample_add(&key, thread->born_ns, 1, config.sample_period_ns / on_cpu_now(thread->process));
	return 0;
}

