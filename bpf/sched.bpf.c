/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduling: when a target thread leaves a CPU and why, when it is woken, when it gets a CPU, and who had each CPU meanwhile.
 *
 * Hooks sched_switch, sched_waking, sched_migrate_task (tp_btf).
 * Cost per event: two array look-ups and a clock for everybody's switches; for a target's about 30 loads and stores more, and
 * the kind of the file if it blocks on one.
 * Runs under the run-queue lock: no stack walk, no ring buffer, no hash update.
 */
#include "death.bpf.h"
#include "sched.bpf.h"
#include "subject.bpf.h"
#include "waker.bpf.h"

static __always_inline bool is_throttled(struct task_struct *task)
{
	struct task_struct___throttled *newer = (void *)task;
	struct cfs_rq *cfs_rq;

	if (bpf_core_field_exists(newer->throttled) && newer->throttled)
		return true;
	if (!bpf_core_field_exists(task->se.cfs_rq))
		return false;
	cfs_rq = task->se.cfs_rq;
	return cfs_rq && cfs_rq->throttle_count > 0;
}

/*
 * Is the thread that leaves its CPU to wait being woken out of this very block? Its waker was faster then: it holds pi_lock from
 * before the event, until it has handed the thread over (TASK_WAKING) or put it into a queue, which it cannot do before this.
 */
static __always_inline bool is_being_woken(struct task_struct *task)
{
	__u32 held = 0;

	bpf_probe_read_kernel(&held, sizeof(held), &task->pi_lock);
	return held || task->__state & TASK_WAKING;
}

static __always_inline void open_wait(struct task_struct *task, struct hr_thread *thread, __u64 now_ns)
{
	struct subject subject = {};

	find_subject(task, thread, &subject);
	wait_begin(thread, &subject, now_ns);
}

static __always_inline void leave_cpu(struct hr_thread *thread, struct task_struct *task, bool blocked, __u32 task_state,
				      __u32 cpu, __u64 now_ns)
{
	if (thread->mode != HR_MODE_ON_CPU)
		thread_catch_up(thread, now_ns);
	thread_begin_change(thread);
	charge_on_cpu(thread, now_ns);
	thread->mixed = 0;
	if (blocked) {
		if (thread->wake_ns && !is_being_woken(task)) /* a wake-up that found it still running is over */
			thread->wake_ns = 0;
		if (!thread->in_call)
			call_by_registers(thread, task, now_ns);
		thread->state = blocked_state(task, thread, task_state, true);
		open_wait(task, thread, now_ns);
		thread->mode = HR_MODE_BLOCKED;
		thread->voluntary++;
	} else {
		thread->state = HR_STATE_PREEMPTED;
		thread->mode = HR_MODE_QUEUED;
		thread->involuntary++;
		thread->throttled = is_throttled(task);
		queue_begin(thread, cpu, now_ns);
	}
	if (thread->in_call && !thread->call_left_cpu) {
		thread->call_left_cpu = 1;
		if (!thread->call_ns) /* was not to be timed: now it is, from here on */
			thread->call_ns = now_ns;
	}
	thread_end_change(thread);
}

static __always_inline enum hr_cpu_owner owner_of(__u32 pid, bool is_target)
{
	return is_target ? HR_OWNER_TARGET : pid ? HR_OWNER_OTHER : HR_OWNER_IDLE;
}

/* Every switch hands the CPU over, the idle task's included. */
static __always_inline void cpu_turn(struct hr_cpu *record, enum hr_cpu_owner from, enum hr_cpu_owner to, __u64 now_ns)
{
	if (!record->since_ns) { /* the first one seen */
		record->since_ns = now_ns;
		record->owner = from;
	}
	record->owner_ns[record->owner & (HR_OWNERS_KERNEL - 1)] += elapsed_ns(record->since_ns, now_ns);
	record->since_ns = now_ns;
	record->owner = to;
}

static __always_inline int on_switch(bool preempt, struct task_struct *prev, struct task_struct *next, __u32 prev_state)
{
	__u32 prev_pid = prev->pid, next_pid = next->pid, cpu = bpf_get_smp_processor_id(), entered = 0;
	struct hr_thread *from = thread_by_pid(prev_pid), *to = thread_by_pid(next_pid);
	enum hr_cpu_owner owner = owner_of(next_pid, to);
	struct hr_cpu *record = cpu_by_id(cpu);
	__u64 now_ns;

	if (!record || (!from && !to && record->since_ns && record->owner == owner))
		return 0; /* from one stranger to another: nothing to charge to anybody, and no need for the clock */
	now_ns = bpf_ktime_get_ns();
	cpu_turn(record, owner_of(prev_pid, from), owner, now_ns);
	if (from && prev_state & TASK_DEAD) { /* its exit was not seen */
		thread_close(from);
		from = NULL;
	}
	if (from)
		leave_cpu(from, prev, !preempt && prev_state, prev_state, cpu, now_ns);
	if (to)
		entered = enter_cpu(to, now_ns);
	if (from) {
		if (entered == from->process)
			return 0; /* one for another: as many on CPU as before */
		parallel_change(from->process, -1, now_ns);
	}
	if (entered)
		parallel_change(entered, 1, now_ns);
	return 0;
}

/* The thread waits for a CPU from now on. Called by its waker, on any CPU: stores only. */
static __always_inline int on_waking(struct task_struct *task, __u32 stack_pointer)
{
	struct hr_thread *thread = thread_by_pid(task->pid);
	__u64 now_ns;

	if (!thread || thread->mode == HR_MODE_QUEUED) /* preempted on its way to sleep: it waits already */
		return 0;
	now_ns = bpf_ktime_get_ns();
	queue_begin(thread, task->thread_info.cpu, now_ns);
	thread->throttled = is_throttled(task);
	note_waker(thread, bpf_get_current_task_btf(), stack_pointer, now_ns);
	compiler_barrier();
	thread->wake_ns = now_ns; /* last: with it, a reader takes the rest for this wait's */
	return 0;
}

static __always_inline int on_migrate(struct task_struct *task, __u32 to_cpu)
{
	struct hr_thread *thread = thread_by_pid(task->pid);
	__u64 now_ns;

	if (!thread)
		return 0;
	thread->migrations++;
	if (thread->mode != HR_MODE_QUEUED && !(thread->mode == HR_MODE_BLOCKED && thread->wake_ns))
		return 0;
	now_ns = bpf_ktime_get_ns();
	thread_begin_change(thread); /* it is off CPU: nobody else changes it now */
	queue_settle(thread, thread->state == HR_STATE_PREEMPTED && thread->mode == HR_MODE_QUEUED, now_ns);
	queue_begin(thread, to_cpu, now_ns);
	thread_end_change(thread);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
{
	return on_switch(preempt, prev, next, prev_state);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(sched_waking, struct task_struct *task)
{
	return on_waking(task, (__u32)(unsigned long)ctx);
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(sched_migrate_task, struct task_struct *task, int to_cpu)
{
	return on_migrate(task, to_cpu);
}
