/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_NET_BPF_H
#define HR_NET_BPF_H

/*
 * What happens to a socket: data arrives, a thread of the target reads or writes. The same whatever hook tells it.
 *
 * Cost per event of the target: a clock, some 20 stores, two or three atomic additions; per request its state times twice.
 */
#include "request.bpf.h"

__u32 attached_twice __weak = 0; /* user space has attached the programs of net.bpf.c that end in _again */

/* Data for a socket that nobody of the target has used so far: worth following if it came in on one of the target's paths. */
static __noinline struct socket_state *first_arrival(struct sock *sk, __u64 now_ns)
{
	struct socket_state *state;

	if (!sk || !is_unix_stream(sk) || !is_listening_path(unix_name(sk)))
		return NULL;
	if (sk->__sk_common.skc_state == TCP_LISTEN)
		return NULL; /* it listens itself: taken in when its process is looked at */
	state = socket_open(sk, now_ns);
	if (state && state->role == HR_ROLE_NONE) {
		state->role = HR_ROLE_SERVER;
		state->decided = 1;
	}
	return state;
}

/* The queue of a listening socket has grown. */
static __always_inline void note_backlog(struct socket_state *state, const struct sock *sk)
{
	__u32 backlog = sk->sk_ack_backlog;

	if (sk->__sk_common.skc_family == AF_UNIX) {
		backlog = sk->sk_receive_queue.qlen;
		unix_arrive((__u64)sk, bpf_ktime_get_ns());
	}
	if (backlog > state->backlog_highest)
		state->backlog_highest = backlog;
}

/* In the context of whoever sent it, or of a soft interrupt. again: maybe for the second time. */
static __always_inline int on_data_ready(struct sock *sk, bool again)
{
	struct socket_state *state = socket_known(sk);
	struct hr_flow *flow;
	__u64 now_ns;

	if (!state) {
		if (!has_listening_paths || sk->__sk_common.skc_family != AF_UNIX)
			return 0;
		now_ns = bpf_ktime_get_ns();
		state = first_arrival(sk, now_ns);
		if (!state)
			return 0;
	} else if (state->role == HR_ROLE_LISTENER) {
		if (!again)
			note_backlog(state, sk);
		return 0;
	} else {
		/* nothing but the end of the stream; or of a unix socket, whose reader was faster than this */
		if ((sk->sk_shutdown & RCV_SHUTDOWN || sk->__sk_common.skc_family == AF_UNIX) && !has_unread(sk))
			return 0;
		now_ns = bpf_ktime_get_ns();
	}
	state->last_ready_ns = now_ns;
	if (state->ready_ns)
		return 0;
	state->ready_ns = now_ns;
	if (state->role != HR_ROLE_SERVER || state->multiplexed || state->phase == HR_PHASE_SERVING)
		return 0;
	flow = socket_flow(state);
	if (flow)
		count_arrival(state, flow, now_ns);
	return 0;
}

/*
 * The first use of the socket, or the first since the process whose flow it was in is gone: then the request at hand goes on in
 * the new flow, for its end is counted there. False: there is no flow for it.
 */
static __noinline bool join_flow(struct socket_state *state, struct sock *sk, __u32 process, __u64 now_ns)
{
	struct hr_flow *flow;

	if (!state || !sk)
		return false;
	socket_join(state, sk, process);
	flow = socket_flow(state);
	if (!flow)
		return false;
	take_arrival(state);
	state->begin.slot = 0; /* its thread is gone too */
	if (state->phase == HR_PHASE_SERVING)
		flow_arrive(flow, now_ns);
	return true;
}

/* The current thread uses the socket. False: neither is of interest. */
static __always_inline bool begin_visit(struct sock *sk, struct visit *visit, struct socket_state **ret_state)
{
	__u32 pid = (__u32)bpf_get_current_pid_tgid(), *slot = bpf_map_lookup_elem(&thread_slots, &pid);
	struct socket_state *state;

	if (!slot || !*slot)
		return false;
	visit->slot = *slot;
	visit->thread = thread_by_slot(*slot);
	if (!visit->thread)
		return false;
	visit->now_ns = bpf_ktime_get_ns();
	state = socket_known(sk);
	if (!state) {
		if (!is_tcp(sk) && !is_unix_stream(sk))
			return false;
		state = socket_open(sk, visit->now_ns);
		if (!state)
			return false;
	}
	if (!state->decided)
		socket_decide(state, sk);
	if (state->role != HR_ROLE_SERVER && state->role != HR_ROLE_DOWNSTREAM)
		return false;
	visit->flow = socket_flow(state);
	if (!visit->flow) {
		if (!join_flow(state, sk, visit->thread->process, visit->now_ns))
			return false;
		visit->flow = socket_flow(state);
		if (!visit->flow)
			return false;
	}
	state->told = attached_twice;
	*ret_state = state;
	return true;
}

/* The first of two programs on this hook has told of the event. */
static __always_inline bool is_told(struct sock *sk)
{
	struct socket_state *state = socket_known(sk);

	if (!state || !state->told)
		return false;
	state->told = 0;
	return true;
}

/* recv() and its kind returned `result`. */
static __always_inline int on_recv(struct sock *sk, int result, int flags)
{
	struct socket_state *state = NULL;
	struct visit visit = {};
	__u64 ready_ns;

	if (result < 0 || flags & (MSG_PEEK | MSG_ERRQUEUE) || !begin_visit(sk, &visit, &state))
		return 0;
	if (result == 0) { /* the peer has nothing more to say: what was answered is complete */
		if (!has_unread(sk)) {
			request_finish(state);
			note_request(state, sk);
		}
		return 0;
	}
	/* first take the time, then look whether data is left: what arrives in between leaves its own */
	ready_ns = state->ready_ns;
	state->ready_ns = 0;
	if (has_unread(sk))
		state->ready_ns = state->last_ready_ns;
	if (!ready_ns) {
		lost(HR_LOSS_UNSEEN_ARRIVALS);
		ready_ns = visit.now_ns;
	}
	state->reads++;
	state->bytes_in += result;
	flow_add(&visit.flow->reads, 1);
	flow_add(&visit.flow->bytes_in, result);
	if (state->role == HR_ROLE_SERVER)
		server_read(state, sk, &visit, ready_ns, result);
	else
		downstream_read(state, &visit, ready_ns);
	return 0;
}

/* The socket takes data again, or the write waited until it did: for how long. */
static __always_inline __u64 send_full_ends(struct socket_state *state, struct visit *visit)
{
	__u64 time_ns = blocked_in_send_ns(visit->slot, visit->thread);

	if (state->full_since_ns) {
		time_ns += elapsed_ns(state->full_since_ns, visit->now_ns);
		state->full_since_ns = 0;
	} else if (time_ns) {
		flow_add(&visit->flow->send_full, 1);
	}
	if (time_ns) {
		state->send_full_ns += time_ns;
		flow_add(&visit->flow->send_full_ns, time_ns);
	}
	return time_ns;
}

static __always_inline void send_full_begins(struct socket_state *state, struct visit *visit)
{
	if (state->full_since_ns)
		return;
	state->full_since_ns = visit->now_ns;
	flow_add(&visit->flow->send_full, 1);
}

/*
 * A write that did not wait has left the send buffer full: it took a part of what it was given, and its thread will be told of
 * room before it writes again. Room is a third of the buffer, as in sk_stream_is_writeable(). Only TCP takes the flag back.
 */
static __always_inline bool has_filled(const struct sock *sk)
{
	struct socket *socket = sk->sk_socket;

	return sk->__sk_common.skc_family != AF_UNIX && socket && socket->flags & SOCK_NOSPACE &&
	       sk->sk_sndbuf - sk->sk_wmem_queued < sk->sk_wmem_queued >> 1;
}

/* send() and its kind returned `result`. */
static __always_inline int on_send(struct sock *sk, int result)
{
	struct socket_state *state = NULL;
	struct visit visit = {};

	if ((result <= 0 && result != -EAGAIN) || !begin_visit(sk, &visit, &state))
		return 0;
	if (result == -EAGAIN) {
		send_full_begins(state, &visit);
		return 0;
	}
	if (!send_full_ends(state, &visit) && has_filled(sk))
		send_full_begins(state, &visit);
	state->writes++;
	state->bytes_out += result;
	flow_add(&visit.flow->writes, 1);
	flow_add(&visit.flow->bytes_out, result);
	if (state->role == HR_ROLE_SERVER)
		server_write(state, sk, &visit, result);
	else
		downstream_write(state, &visit, result);
	return 0;
}

#endif
