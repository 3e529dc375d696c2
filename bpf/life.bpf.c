/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Births, execs and deaths: threads and processes that the target makes belong to it, and leave their slots when they exit.
 *
 * Hooks sched_wakeup_new, sched_process_exec, sched_process_exit (tp_btf). Births are taken at the first and not at task_newtask,
 * which newer kernels (7.x) may preempt and then skip.
 * Cost per event: one array look-up for a stranger; a stack pop and a few stores for a birth.
 */
#include "birth.bpf.h"
#include "death.bpf.h"
#include "unwind_tables.bpf.h"

/* The process of a newborn: its parent's, or a new one; 0: it is not followed, or there is no room, which is counted. */
static __always_inline __u32 process_of_newborn(struct task_struct *task, struct hr_thread *parent, __u64 now_ns)
{
	__u32 process;

	if (task->tgid == (__s32)(bpf_get_current_pid_tgid() >> 32))
		return parent->process;
	process = config.follow_children ? process_open(task, now_ns) : 0;
	if (process)
		unwind_inherit(parent->process, process);
	return process;
}

/* Runs in the parent, under the run-queue lock: the child cannot run before, and nobody can preempt this. */
static __always_inline int on_birth(struct task_struct *task)
{
	struct hr_thread *thread = thread_by_pid(task->pid), *parent;
	__u64 now_ns = 0;
	__u32 process;

	if (thread) /* the iterator was here first */
		goto queue;
	parent = current_thread();
	if (!parent)
		return 0;
	now_ns = bpf_ktime_get_ns();
	process = process_of_newborn(task, parent, now_ns);
	if (!process)
		return 0;
	thread = thread_open(task->pid, process, now_ns, task);
	if (!thread) {
		process_end_empty(process, now_ns);
		return 0;
	}
	thread->state = HR_STATE_RUNQ;
	thread->mode = HR_MODE_QUEUED;
queue:
	queue_begin(thread, task->thread_info.cpu, now_ns ?: bpf_ktime_get_ns());
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
	struct hr_thread *thread = thread_by_pid(task->pid);

	if (thread)
		thread_close(thread);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *task)
{
	return on_birth(task);
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
