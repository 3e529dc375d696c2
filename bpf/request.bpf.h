/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REQUEST_BPF_H
#define HR_REQUEST_BPF_H

/*
 * Where one request ends and the next begins, from reads and writes alone.
 *
 * A server's socket: data arrives, is read (SERVING), and the first write answers it (SENDING); all writes until the next read
 * are of that answer. A downstream socket: the first write asks (SERVING), the first read after it answers (SENDING).
 *
 * Only what a thread of the target does moves a socket on. On loopback the next request may arrive before the hook for the
 * write that it follows has run, so arriving data only leaves its time.
 */
#include "multiplexed.bpf.h"
#include "socket.bpf.h"

#define OVERLAP_SLACK_NS 50000 /* between a write and the run of its hook, unless the thread lost its CPU meanwhile */

/* A thread of the target at a socket. */
struct visit {
	struct hr_thread *thread;
	struct hr_flow *flow;
	__u64 now_ns;
	__u32 slot;
};

/* The answer is complete: the last write is known to be the last. Whoever leaves the phase counts it. */
VERIFIED_ONCE int request_finish(struct socket_state *state)
{
	if (!state || state->phase != HR_PHASE_SENDING ||
	    __sync_val_compare_and_swap(&state->phase, HR_PHASE_SENDING, HR_PHASE_IDLE) != HR_PHASE_SENDING)
		return 0;
	if (state->role != HR_ROLE_SERVER || !socket_flow(state))
		return 0;
	stage_add(state->flow, HR_STAGE_STREAM, elapsed_ns(state->write_ns, state->last_write_ns));
	stage_add(state->flow, HR_STAGE_TOTAL, elapsed_ns(state->arrive_ns, state->last_write_ns));
	return 0;
}

/*
 * Data that waits since ready_ns will be a request, and is one in flight already. A soft interrupt and a thread may both come to
 * that: one of them counts it.
 */
static __always_inline void count_arrival(struct socket_state *state, struct hr_flow *flow, __u64 ready_ns)
{
	if (!__sync_val_compare_and_swap(&state->counted, 0, 1))
		flow_arrive(flow, ready_ns);
}

/* True: there was such data, which is read now, or never will be. */
static __always_inline bool take_arrival(struct socket_state *state)
{
	return __sync_lock_test_and_set(&state->counted, 0);
}

/* The socket ends, or its requests are not followed any longer. */
VERIFIED_ONCE int request_abandon(struct socket_state *state, struct hr_flow *flow, __u64 now_ns)
{
	if (!state || !flow)
		return 0;
	request_finish(state);
	if (state->phase == HR_PHASE_SERVING) {
		state->phase = HR_PHASE_IDLE;
		flow_depart(flow, now_ns);
		flow_add(&flow->unanswered, 1);
	}
	if (take_arrival(state)) {
		flow_depart(flow, now_ns);
		flow_add(&flow->unread_requests, 1);
	}
	return 0;
}

/* Unix sockets end without an event: keep what is known of the request where the one who closes it finds it. */
VERIFIED_ONCE int unix_note(const struct socket_state *state, const __u64 *sk)
{
	struct unix_request request = {};
	__u64 key;

	if (!state || !sk)
		return 0;
	key = *sk;
	request.flow = state->flow;
	request.generation = state->generation;
	request.arrive_ns = state->arrive_ns;
	if (state->phase == HR_PHASE_SENDING) {
		request.write_ns = state->write_ns;
		request.last_write_ns = state->last_write_ns;
	}
	bpf_map_update_elem(&unix_requests, &key, &request, BPF_ANY);
	return 0;
}

/* After the socket's request has changed. */
static __always_inline void note_request(const struct socket_state *state, struct sock *sk)
{
	__u64 key = (__u64)sk;

	if (sk->__sk_common.skc_family != AF_UNIX)
		return;
	if (state->multiplexed || state->phase == HR_PHASE_IDLE)
		unix_forget(key);
	else
		unix_note(state, &key);
}

VERIFIED_ONCE int socket_multiplexed(struct socket_state *state, struct hr_flow *flow, __u32 why, __u64 now_ns)
{
	if (!state || !flow)
		return 0;
	if (!state->multiplexed) {
		request_finish(state);
		flow_add(&flow->multiplexed, 1);
		if (state->phase == HR_PHASE_SERVING) /* what was taken for one request leaves, and is neither answered nor not */
			flow_depart(flow, now_ns);
		state->phase = HR_PHASE_IDLE;
		if (take_arrival(state))
			flow_depart(flow, now_ns);
	}
	state->multiplexed |= why;
	return 0;
}

/* The data that was just read had waited since ready_ns: it begins a request. */
VERIFIED_ONCE int request_begin(struct socket_state *state, struct hr_flow *flow, __u32 slot, __u64 ready_ns, __u64 now_ns)
{
	struct hr_thread *thread = thread_by_slot(slot);

	if (!state || !flow || !thread)
		return 0;
	request_finish(state);
	if (!take_arrival(state))
		flow_arrive(flow, ready_ns);
	state->arrive_ns = ready_ns;
	state->begin.at_ns = now_ns;
	state->begin.slot = slot;
	spent_until(thread, now_ns, state->begin.spent_ns);
	state->phase = HR_PHASE_SERVING;
	return 0;
}

static __always_inline void server_read(struct socket_state *state, struct sock *sk, struct visit *visit, __u64 ready_ns,
					__u64 bytes)
{
	__u32 why = state->phase == HR_PHASE_SERVING ? 0 : look_at_read(state, visit->thread, bytes);

	if (why) {
		socket_multiplexed(state, visit->flow, why, visit->now_ns);
		note_request(state, sk);
	}
	if (state->multiplexed) {
		flow_add(&visit->flow->multiplexed_reads, 1);
		stage_add(state->flow, HR_STAGE_QUEUE, elapsed_ns(ready_ns, visit->now_ns));
		return;
	}
	if (state->phase == HR_PHASE_SERVING) /* more of the same request */
		return;
	stage_add(state->flow, HR_STAGE_QUEUE, elapsed_ns(ready_ns, visit->now_ns));
	request_begin(state, visit->flow, visit->slot, ready_ns, visit->now_ns);
	note_request(state, sk);
}

/* The first write after a read. */
VERIFIED_ONCE int request_answer(struct socket_state *state, struct hr_flow *flow, __u32 slot, __u64 now_ns)
{
	if (!state || !flow)
		return 0;
	state->write_ns = state->last_write_ns = now_ns;
	state->requests++;
	flow_add(&flow->requests, 1);
	flow_depart(flow, now_ns);
	if (state->begin.at_ns) {
		stage_add(state->flow, HR_STAGE_SERVICE, elapsed_ns(state->begin.at_ns, now_ns));
		budget_request(flow, slot, &state->begin, now_ns);
	}
	state->phase = HR_PHASE_SENDING;
	if (state->ready_ns) /* the next one is there already */
		count_arrival(state, flow, state->ready_ns);
	return 0;
}

/*
 * Data that waits while an answer begins belongs to a later request, unless it came after that write and before its hook ran.
 * One such request may be an accident of timing; every fourth is a habit.
 */
static __always_inline bool overlaps(struct socket_state *state, const struct visit *visit)
{
	__u64 ready_ns = state->ready_ns;

	if (!ready_ns || ready_ns + OVERLAP_SLACK_NS > visit->now_ns || visit->thread->call_left_cpu)
		return false;
	state->overlaps++;
	return state->overlaps >= 16 && state->overlaps * 4 > state->requests;
}

/* An answer to data that is gone, and nobody was seen to read it: by splice. */
VERIFIED_ONCE int answer_unseen(struct socket_state *state, struct hr_flow *flow, __u32 slot, __u64 now_ns)
{
	if (!state || !flow)
		return 0;
	lost(HR_LOSS_UNSEEN_READS);
	request_finish(state);
	state->arrive_ns = state->ready_ns;
	if (!take_arrival(state))
		flow_arrive(flow, state->ready_ns);
	state->ready_ns = 0;
	state->begin.at_ns = 0;
	request_answer(state, flow, slot, now_ns);
	return 0;
}

static __always_inline void server_write(struct socket_state *state, struct sock *sk, struct visit *visit, __u64 bytes)
{
	__u32 why = look_at_write(state, visit->thread);

	if (why) {
		socket_multiplexed(state, visit->flow, why, visit->now_ns);
		note_request(state, sk);
	}
	if (state->multiplexed || (state->phase == HR_PHASE_SERVING && is_continue(visit->thread, bytes)))
		return;
	if (state->phase == HR_PHASE_SERVING) {
		if (overlaps(state, visit))
			socket_multiplexed(state, visit->flow, HR_MULTIPLEXED_OVERLAP, visit->now_ns);
		else
			request_answer(state, visit->flow, visit->slot, visit->now_ns);
	} else if (state->ready_ns && !has_unread(sk)) {
		answer_unseen(state, visit->flow, visit->slot, visit->now_ns);
	} else if (state->phase == HR_PHASE_SENDING) {
		/* it had not left by the write before: it was in flight up to this one */
		flow_add(&visit->flow->departed_ns, elapsed_ns(state->last_write_ns, visit->now_ns));
		state->last_write_ns = visit->now_ns;
	}
	/* else it speaks unasked */
	note_request(state, sk);
	note_answer(visit->slot, visit->thread, visit->now_ns);
}

/* A question may be several: the same looks as at what a server reads. Another before the answer to the last was read is one too. */
static __always_inline void downstream_write(struct socket_state *state, struct visit *visit, __u64 bytes)
{
	__u32 why = 0;

	if (state->phase != HR_PHASE_SERVING)
		why = look_at_read(state, visit->thread, bytes);
	else if (overlaps(state, visit))
		why = HR_MULTIPLEXED_OVERLAP;
	if (why)
		socket_multiplexed(state, visit->flow, why, visit->now_ns);
	if (state->multiplexed)
		return;
	if (state->phase != HR_PHASE_SERVING) {
		state->phase = HR_PHASE_SERVING;
		state->write_ns = visit->now_ns;
		flow_arrive(visit->flow, visit->now_ns);
	}
	state->last_write_ns = visit->now_ns;
}

static __always_inline void downstream_read(struct socket_state *state, struct visit *visit, __u64 ready_ns)
{
	stage_add(state->flow, HR_STAGE_QUEUE, elapsed_ns(ready_ns, visit->now_ns));
	if (state->multiplexed)
		flow_add(&visit->flow->multiplexed_reads, 1);
	if (state->phase != HR_PHASE_SERVING)
		return;
	state->phase = HR_PHASE_SENDING;
	state->requests++;
	flow_add(&visit->flow->requests, 1);
	flow_depart(visit->flow, visit->now_ns);
	stage_add(state->flow, HR_STAGE_WAIT, elapsed_ns(state->last_write_ns, visit->now_ns));
}

#endif
