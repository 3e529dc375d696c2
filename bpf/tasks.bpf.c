/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task iterators: take in threads that exist before the recording, also those that are blocked already; and list what every task
 * of the host has run, for the neighbours, steal and names.
 *
 * Hooks iter/task, run by user space. Cost: about 0.3 us per task of the host, at the start and once per interval.
 */
#define PEEK_BY_HELPER
#include "birth.bpf.h"
#include "block.bpf.h"
#include "parallel.bpf.h"

static __always_inline int on_seed(struct task_struct *task)
{
	__u32 tgid, pid, *process, *known;
	struct hr_thread *thread;
	enum hr_state state;
	__u32 task_state;
	__u64 now_ns;
	bool on_cpu;

	if (!task || (task->flags & PF_KTHREAD))
		return 0;
	tgid = task->tgid;
	pid = task->pid;
	process = bpf_map_lookup_elem(&seed_processes, &tgid);
	known = bpf_map_lookup_elem(&thread_slots, &pid);
	if (!process || (known && *known))
		return 0;
	if (task->__state & TASK_DEAD)
		return 0;
	now_ns = bpf_ktime_get_ns();
	thread = thread_open(pid, *process, now_ns, task);
	if (!thread)
		return 0;
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
	return on_seed(ctx->task);
}

SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct hr_task_row row = {};

	if (!task)
		return 0;
	row.pid = task->tgid;
	row.tid = task->pid;
	row.ran_ns = task->se.sum_exec_runtime;
	if (row.pid == row.tid)
		row.ended_ran_ns = task->signal->sum_sched_runtime;
	bpf_probe_read_kernel_str(row.comm, sizeof(row.comm), task->comm);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}
