/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Births, execs and deaths: threads and processes that the target makes belong to it, and leave their slots when they exit.
 *
 * Hooks task_newtask, sched_process_exec, sched_process_exit (tp_btf).
 * Cost per event: one array look-up for a stranger; a queue pop and a few stores for a birth.
 */
#include "birth.bpf.h"
#include "sched.bpf.h"

/* Runs in the parent, before the child can run. */
static __always_inline int on_birth(struct task_struct *task, __u64 clone_flags)
{
	struct hr_thread *parent = current_thread(), *thread;
	__u64 now_ns;
	__u32 process;

	if (!parent || thread_by_pid(task->pid)) /* or: the iterator was here first */
		return 0;
	now_ns = bpf_ktime_get_ns();
	if (clone_flags & CLONE_THREAD)
		process = parent->process;
	else if (config.follow_children)
		process = process_open(task, now_ns);
	else
		return 0;
	if (!process)
		return 0;
	thread = thread_open(task->pid, process, now_ns, task);
	if (!thread) {
		process_end_empty(process, now_ns);
		return 0;
	}
	thread->state = HR_STATE_RUNQ;
	thread->mode = HR_MODE_QUEUED;
	return 0;
}

/* A thread that execs takes over the pid of its process; the first thread has exited by then. */
static __always_inline int on_exec(struct task_struct *task, __u32 old_pid)
{
	__u32 pid = task->pid, zero = 0, *old_slot = bpf_map_lookup_elem(&thread_slots, &old_pid), slot;
	struct hr_thread *thread = thread_by_pid(old_pid);
	struct hr_process *process;

	if (!thread || !old_slot || thread->task != (__u64)task) /* not: the first thread is gone, and its pid may be somebody's */
		return 0;
	slot = *old_slot;
	if (old_pid != pid) {
		bpf_map_update_elem(&thread_slots, &old_pid, &zero, BPF_ANY);
		bpf_map_update_elem(&thread_slots, &pid, &slot, BPF_ANY);
		thread->tid = pid;
	}
	process = process_by_slot(thread->process);
	if (process) {
		bpf_probe_read_kernel_str(process->comm, sizeof(process->comm), task->comm);
		process->execs++;
	}
	return 0;
}

/* Runs in the thread that exits. What it does on CPU after this is not part of its life. */
static __always_inline int on_death(struct task_struct *task)
{
	__u32 pid = task->pid, zero = 0, process_slot;
	struct hr_thread *thread = thread_by_pid(pid);
	struct hr_process *process;
	__u64 now_ns;

	if (!thread)
		return 0;
	stack_close(thread);
	bpf_map_update_elem(&thread_slots, &pid, &zero, BPF_ANY); /* from here on no switch changes the accounts */
	now_ns = bpf_ktime_get_ns();
	if (thread->mode != HR_MODE_ON_CPU)
		thread_catch_up(thread, now_ns);
	process_slot = thread->process;
	parallel_change(process_slot, -1, now_ns);
	thread_begin_change(thread);
	charge_on_cpu(thread, now_ns);
	thread->ran_ns = task->se.sum_exec_runtime;
	bpf_probe_read_kernel_str(thread->comm, sizeof(thread->comm), task->comm);
	thread->mode = HR_MODE_ENDED; /* last: user space takes the slot back when it sees this */
	thread_end_change(thread);
	process = process_by_slot(process_slot);
	if (process && process->pid == pid)
		bpf_probe_read_kernel_str(process->comm, sizeof(process->comm), task->comm);
	if (process && __sync_fetch_and_add(&process->threads, -1) == 1)
		process->ended_ns = now_ns;
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(task_newtask, struct task_struct *task, __u64 clone_flags)
{
	return on_birth(task, clone_flags);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_pid)
{
	return on_exec(task, old_pid);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	return on_death(task);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
