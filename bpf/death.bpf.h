/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_DEATH_BPF_H
#define HR_DEATH_BPF_H

/* A thread is a target no longer. */
#include "sched.bpf.h"

/* An entry that is shared stays so. */
static __always_inline void stack_close(const struct hr_thread *thread)
{
	__u32 entry = stack_entry(thread->registers), zero = 0, *slot = bpf_map_lookup_elem(&stack_slots, &entry);

	if (slot && *slot != HR_STACK_SHARED)
		bpf_map_update_elem(&stack_slots, &entry, &zero, BPF_ANY);
}

/* The current thread exits: its accounts end, and nobody finds it any more. */
VERIFIED_ONCE int thread_close(struct hr_thread *thread)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 pid = task->pid, zero = 0, process_slot;
	struct hr_process *process;
	__u64 now_ns;

	if (!thread)
		return 0;
	process_slot = thread->process;
	process = process_by_slot(process_slot);
	stack_close(thread);
	bpf_map_update_elem(&thread_slots, &pid, &zero, BPF_ANY); /* from here on no switch changes the accounts */
	now_ns = bpf_ktime_get_ns();
	if (thread->mode != HR_MODE_ON_CPU)
		thread_catch_up(thread, now_ns);
	if (thread->waiting)
		wait_close(thread);
	parallel_change(process_slot, -1, now_ns);
	thread_begin_change(thread);
	charge_on_cpu(thread, now_ns);
	thread->ran_ns = task->se.sum_exec_runtime;
	bpf_probe_read_kernel_str(thread->comm, sizeof(thread->comm), task->comm);
	thread->mode = HR_MODE_ENDED; /* last: user space takes the slot back when it sees this */
	thread_end_change(thread);
	if (process && process->pid == pid)
		bpf_probe_read_kernel_str(process->comm, sizeof(process->comm), task->comm);
	if (process && __sync_fetch_and_add(&process->threads, -1) == 1)
		process->ended_ns = now_ns;
	return 0;
}

#endif
