/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BUDGET_BPF_H
#define HR_BUDGET_BPF_H

/*
 * What a request's service time was spent on: the times that the serving thread spent in each state meanwhile. The accounts of
 * that thread are only read.
 */
#include "flow.bpf.h"

/* Where the time on a request begins: who read it, and what that thread had spent in each state then. */
struct begin {
	__u64 at_ns; /* 0: was not seen */
	__u32 slot;
	__u32 pad;
	__u64 spent_ns[HR_STATES];
};

/* The last answer of a thread: where the work on its next request may have begun. */
struct answer {
	__u64 born_ns; /* of the thread whose it is: slots are used again */
	__u64 at_ns;   /* 0: none yet */
	__u64 net_send_ns; /* of the thread's time blocked in sending, what is charged to sockets already */
	__u64 spent_ns[HR_STATES];
};

/* Thread slot -> its last answer. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HR_THREAD_SLOTS);
	__type(key, __u32);
	__type(value, struct answer);
} answers __weak SEC(".maps");

/* The thread's last answer; that of the slot's owner before is cleared. */
static __always_inline struct answer *answer_of(__u32 slot, const struct hr_thread *thread)
{
	struct answer *answer = bpf_map_lookup_elem(&answers, &slot);

	if (answer && answer->born_ns != thread->born_ns) {
		answer->born_ns = thread->born_ns;
		answer->at_ns = 0;
		answer->net_send_ns = 0;
	}
	return answer;
}

/* Time in each state up to now, of the current thread: it is on CPU in a call. Mixed time goes where the estimate puts it. */
static __always_inline void spent_until(const struct hr_thread *thread, __u64 now_ns, __u64 spent_ns[HR_STATES])
{
	__u64 running_ns = now_ns > thread->since_ns ? now_ns - thread->since_ns : 0;

#pragma unroll
	for (int state = 0; state < HR_STATES; state++)
		spent_ns[state] = thread->state_ns[state];
	spent_ns[HR_STATE_KERNEL] += thread->mixed_kernel_ns;
	spent_ns[HR_STATE_USER] += thread->mixed_ns - thread->mixed_kernel_ns;
	if (thread->mixed)
		spent_ns[HR_STATE_USER] += running_ns;
	else
		spent_ns[HR_STATE_KERNEL] += running_ns;
}

static __always_inline bool is_blocked_state(int state)
{
	return state != HR_STATE_USER && state != HR_STATE_KERNEL && state != HR_STATE_RUNQ && state != HR_STATE_PREEMPTED;
}

/*
 * Charge what was spent between two moments, less idle_ns before the request came, in which the thread waited for it: that is
 * the wait that grew most. False: no wait grew by so much, so what it did is not known, and nothing is charged. spent_ns is the
 * caller's no more.
 */
static __noinline __maybe_unused bool charge_request(struct hr_flow *flow, __u64 *spent_ns, const __u64 *from_ns, __u64 idle_ns)
{
	__s64 most_ns = 0;
	__u64 home = 0;

	if (!flow || !spent_ns || !from_ns)
		return false;
	if (idle_ns) {
#pragma unroll
		for (int state = 0; state < HR_STATES; state++) {
			__s64 time_ns = spent_ns[state] - from_ns[state];

			if (is_blocked_state(state) && time_ns > most_ns) {
				most_ns = time_ns;
				home = state;
			}
		}
		home = whole(home);
		if ((__s64)idle_ns > most_ns || home >= HR_STATES)
			return false;
		spent_ns[home] -= idle_ns;
	}
#pragma unroll
	for (int state = 0; state < HR_STATES; state++) {
		__s64 time_ns = spent_ns[state] - from_ns[state];

		if (time_ns) /* the estimate of mixed time may take back a little: the sum stays right */
			flow_add(&flow->state_ns[state], time_ns);
	}
	return true;
}

/*
 * The current thread answers a request. If another thread read it, this one took it up when it was done with its answer before,
 * or at once if it had been idle.
 */
VERIFIED_ONCE int budget_request(struct hr_flow *flow, __u32 slot, const struct begin *begin, __u64 now_ns)
{
	struct hr_thread *thread = thread_by_slot(slot);
	__u64 spent_ns[HR_STATES], handoff_ns = 0, idle_ns = 0;
	struct answer *answer;
	bool charged = false;

	if (!thread || !flow || !begin)
		return 0;
	answer = answer_of(slot, thread);
	if (!answer)
		return 0;
	spent_until(thread, now_ns, spent_ns);
	if (begin->slot == slot) {
		charged = charge_request(flow, spent_ns, begin->spent_ns, 0);
	} else if (answer->at_ns) {
		if (answer->at_ns >= begin->at_ns)
			handoff_ns = answer->at_ns - begin->at_ns;
		else
			idle_ns = begin->at_ns - answer->at_ns;
		charged = charge_request(flow, spent_ns, answer->spent_ns, idle_ns);
	}
	if (charged) {
		flow_add(&flow->budgeted, 1);
		flow_add(&flow->handoff_ns, handoff_ns);
	}
	return 0;
}

/* The current thread has written (a part of) an answer. */
static __always_inline void note_answer(__u32 slot, const struct hr_thread *thread, __u64 now_ns)
{
	struct answer *answer = answer_of(slot, thread);

	if (!answer)
		return;
	answer->at_ns = now_ns;
	spent_until(thread, now_ns, answer->spent_ns);
}

/* How long the current thread was blocked in sending since this was asked last: that was for the call that it is in. */
static __always_inline __u64 blocked_in_send_ns(__u32 slot, const struct hr_thread *thread)
{
	struct answer *answer = answer_of(slot, thread);
	__u64 total_ns = thread->state_ns[HR_STATE_NET_SEND], time_ns;

	if (!answer || total_ns <= answer->net_send_ns)
		return 0;
	time_ns = total_ns - answer->net_send_ns;
	answer->net_send_ns = total_ns;
	return time_ns;
}

#endif
