/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task iterators: take in threads that exist before the recording, also those that are blocked already, and those whose birth was
 * missed; and list what every task of the host has run, for the neighbours, steal and names.
 *
 * Hooks iter/task, run by user space. Cost: about 0.3 us per task of the host, at the start and once per interval.
 */
#define PEEK_BY_HELPER
#define WALK PEEK
#include "birth.bpf.h"
#include "block.bpf.h"
#include "parallel.bpf.h"

/* The slot of the process that a task belongs to; 0: it is not of the target. */
static __always_inline __u32 target_of(struct task_struct *task, __u64 now_ns, bool late)
{
	__u32 pid = task->tgid, parent, *slot = bpf_map_lookup_elem(&target_processes, &pid);

	if (slot)
		return *slot;
	if (!late || !config.follow_children || pid == config.self_pid)
		return 0;
	parent = BPF_CORE_READ(task, real_parent, tgid); /* a child whose birth was not seen */
	if (parent == config.self_pid || !bpf_map_lookup_elem(&target_processes, &parent))
		return 0;
	return process_open(task, now_ns);
}

/* late: after the start, when births are watched for. Kernels since 7.0 let that watch be preempted, and then skip some. */
static __always_inline int on_task(struct task_struct *task, bool late)
{
	struct hr_thread *thread;
	__u32 process, task_state;
	enum hr_state state;
	__u64 now_ns;
	bool on_cpu;

	if (!task || (task->flags & (PF_KTHREAD | PF_EXITING)) || thread_by_pid(task->pid))
		return 0;
	if (late && task->__state & TASK_NEW) /* its birth is yet to come */
		return 0;
	now_ns = bpf_ktime_get_ns();
	process = target_of(task, now_ns, late);
	if (!process)
		return 0;
	thread = thread_open(task->pid, process, now_ns, task);
	if (!thread) {
		if (late)
			process_end_empty(process, now_ns);
		return 0;
	}
	if (late)
		lost(HR_LOSS_MISSED_BIRTHS);
	thread->seeded = 1;
	/* from here on the other programs see it: look after that, and where one of them was faster, its word counts */
	on_cpu = BPF_CORE_READ_BITFIELD_PROBED(task, on_cpu);
	task_state = task->__state;
	if (on_cpu || task_state == 0 || task_state & TASK_NEW) {
		if (thread->version)
			return 0;
		thread->state = on_cpu ? HR_STATE_USER : HR_STATE_RUNQ;
		thread->mode = on_cpu ? HR_MODE_ON_CPU : HR_MODE_QUEUED;
		if (on_cpu)
			parallel_change(thread->process, 1, now_ns);
		else
			queue_begin(thread, task->thread_info.cpu, now_ns);
		return 0;
	}
	call_by_registers(thread, task, now_ns);
	state = blocked_state(task, thread, task_state, false);
	if (thread->version)
		return 0;
	thread->state = state;
	thread->mode = HR_MODE_BLOCKED;
	return 0;
}

SEC("iter/task")
int seed_tasks(struct bpf_iter__task *ctx)
{
	return on_task(ctx->task, false);
}

SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct hr_task_row row = {};

	if (!task)
		return 0;
	on_task(task, true);
	row.pid = task->tgid;
	row.tid = task->pid;
	row.ran_ns = task->se.sum_exec_runtime;
	if (row.pid == row.tid)
		row.ended_ran_ns = BPF_CORE_READ(task, signal, sum_sched_runtime);
	bpf_probe_read_kernel_str(row.comm, sizeof(row.comm), task->comm);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}
