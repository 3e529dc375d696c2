/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_SCHED_BPF_H
#define HR_SCHED_BPF_H

/* A thread gets a CPU: what every family needs that may find one on a CPU that the accounts held for waiting. */
#include "calls.bpf.h"
#include "parallel.bpf.h"
#include "waits.bpf.h"

static __always_inline void count_runq(struct hr_thread *thread, __u64 queued_ns)
{
	if (!thread->runq_record)
		thread->runq_record = calls_find(thread->process, HR_CALL_RUNQ);
	calls_wait(thread->runq_record, queued_ns);
}

static __always_inline void end_block(struct hr_thread *thread, __u64 now_ns)
{
	__u64 wake_ns = thread->wake_ns, blocked_ns, queued_ns;

	if (!wake_ns) { /* never woken, or not seen: also a signal that came as it went to sleep */
		lost(HR_LOSS_UNSEEN_WAKES);
		wake_ns = now_ns;
	} else if (wake_ns < thread->since_ns) { /* woken on its way off the CPU */
		wake_ns = thread->since_ns;
	}
	blocked_ns = elapsed_ns(thread->since_ns, wake_ns);
	queued_ns = elapsed_ns(wake_ns, now_ns);
	if (thread->state < HR_STATES)
		thread->state_ns[thread->state] += blocked_ns;
	if (thread->state == HR_STATE_KLOCK && thread->kernel_lock == HR_KERNEL_LOCK_MMAP)
		thread->mmap_lock_ns += blocked_ns;
	thread->state_ns[HR_STATE_RUNQ] += queued_ns;
	wait_end(thread, thread->since_ns, blocked_ns, queued_ns, now_ns);
	if (thread->wake_ns) {
		queue_settle(thread, 0, now_ns);
		count_runq(thread, queued_ns);
	}
}

static __always_inline void end_queue(struct hr_thread *thread, __u64 now_ns)
{
	__u32 preempted = thread->state == HR_STATE_PREEMPTED;
	__u64 queued_ns = elapsed_ns(thread->since_ns, now_ns);

	thread->state_ns[preempted ? HR_STATE_PREEMPTED : HR_STATE_RUNQ] += queued_ns;
	queue_settle(thread, preempted, now_ns);
	wait_preempted(thread, thread->since_ns, now_ns);
	if (preempted)
		calls_wait(calls_find(thread->process, HR_CALL_PREEMPTED), queued_ns);
	else
		count_runq(thread, queued_ns);
}

/* The thread has the CPU from now on: charge its wait. Returns its process; 0: the accounts held it for on CPU already. */
static __always_inline __u32 enter_cpu(struct hr_thread *thread, __u64 now_ns)
{
	__u32 process = thread->process;
	thread_begin_change(thread);
	switch (thread->mode) {
	case HR_MODE_BLOCKED:
		end_block(thread, now_ns);
		break;
	case HR_MODE_QUEUED:
	case HR_MODE_UNSEEN:
		end_queue(thread, now_ns);
		break;
	default:
		lost(HR_LOSS_MISSED_SWITCH_OUT);
		charge_on_cpu(thread, now_ns);
		process = 0;
	}
	thread->wake_ns = 0;
	thread->throttled = 0;
	thread->mixed = 0;
	thread->mode = HR_MODE_ON_CPU;
	thread->state = thread->in_call ? HR_STATE_KERNEL : HR_STATE_USER;
	thread->since_ns = now_ns;
	thread_end_change(thread);
	return process;
}

/* It acts, but the accounts hold it for off CPU: the switch that gave it the CPU was missed. */
VERIFIED_ONCE int thread_catch_up(struct hr_thread *thread, __u64 now_ns)
{
	__u32 process;

	if (!thread)
		return 0;
	lost(HR_LOSS_MISSED_SWITCH_IN);
	process = enter_cpu(thread, now_ns);
	if (process)
		parallel_change(process, 1, now_ns);
	return 0;
}

#endif
