/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BIRTH_BPF_H
#define HR_BIRTH_BPF_H

/* A thread becomes a target: a free slot, fresh accounts, and only then the entry by which the other programs find it. */
#include "thread.bpf.h"

/* A process becomes a target: its slot, or 0, which is counted. */
static __always_inline __u32 process_open(struct task_struct *task, __u64 now_ns)
{
	struct hr_process *process;
	__u32 pid = task->tgid, slot = 0;

	if (bpf_map_pop_elem(&free_processes, &slot)) {
		lost(HR_LOSS_PROCESS_SLOTS);
		return 0;
	}
	process = process_by_slot(slot);
	if (!process)
		return 0; /* a slot that user space did not put there */
	process->parent = BPF_CORE_READ(task, real_parent, tgid);
	process->born_ns = now_ns;
	bpf_probe_read_kernel_str(process->comm, sizeof(process->comm), task->comm);
	compiler_barrier();
	process->pid = pid; /* last: user space takes a record without a pid for a free one */
	if (bpf_map_update_elem(&target_processes, &pid, &slot, BPF_ANY))
		lost(HR_LOSS_PROCESS_SLOTS);
	return slot;
}

/* A process for none of whose threads there was room: nobody else would end it. */
static __always_inline void process_end_empty(__u32 slot, __u64 now_ns)
{
	struct hr_process *process = process_by_slot(slot);

	if (process && !process->threads)
		process->ended_ns = now_ns;
}

static __always_inline void stack_open(__u64 registers, __u32 slot)
{
	__u32 entry = stack_entry(registers), shared = HR_STACK_SHARED, *old = bpf_map_lookup_elem(&stack_slots, &entry);

	bpf_map_update_elem(&stack_slots, &entry, old && *old ? &shared : &slot, BPF_ANY);
}

/*
 * NULL: no room, which is counted; or it is a target already: its birth and the seeding look at all tasks may meet, and who is
 * first takes it in.
 */
static __always_inline struct hr_thread *thread_open(__u32 pid, __u32 process_slot, __u64 now_ns, struct task_struct *task)
{
	struct hr_process *process = process_by_slot(process_slot);
	__u32 slot = 0, *entry = bpf_map_lookup_elem(&thread_slots, &pid);
	struct hr_thread *thread;

	if (entry && *entry)
		return NULL;
	if (!entry || !process || bpf_map_pop_elem(&free_threads, &slot)) {
		lost(HR_LOSS_THREAD_SLOTS);
		return NULL;
	}
	thread = thread_by_slot(slot);
	if (!thread)
		return NULL; /* a slot that user space did not put there */
	/* user space hands out zeroed slots */
	thread->task = (__u64)task;
	thread->process = process_slot;
	thread->slot = slot;
	thread->born_ns = thread->since_ns = now_ns;
	thread->registers = bpf_task_pt_regs(task);
	__sync_fetch_and_add(&process->threads, 1);
	if (__sync_val_compare_and_swap(entry, 0, slot)) {
		__sync_fetch_and_add(&process->threads, -1);
		thread->process = 0;
		bpf_map_push_elem(&free_threads, &slot, BPF_ANY);
		return NULL;
	}
	stack_open(thread->registers, slot);
	compiler_barrier();
	thread->tid = pid; /* last: user space takes a record without a tid for a free one */
	return thread;
}

#endif
