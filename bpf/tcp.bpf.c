/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections of TCP: when they begin and how they end, segments that are sent again, resets.
 *
 * Hooks inet_sock_set_state, tcp_destroy_sock, tcp_retransmit_skb, tcp_receive_reset, tcp_send_reset (tp_btf).
 * Cost per event: one socket-storage look-up for everybody's connections; a connection of the target costs two hash updates
 * and a row of the ring. Nothing per request.
 */
#define PEEK_BY_HELPER
#include "incoming.bpf.h"
#include "request.bpf.h"
#include "socket_row.bpf.h"

/* Rows of sockets that ended; user space reads them at the end of an interval. Full: the row is lost, and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, HR_ENDED_SOCKETS_BYTES);
} ended_sockets SEC(".maps");

/* A handshake on one of our ports is complete; soft interrupt. */
static __always_inline void on_incoming(struct sock *sk, __u64 now_ns)
{
	struct socket_state *state = socket_open(sk, now_ns);
	struct incoming incoming = { .established_ns = now_ns };
	__u64 key = (__u64)sk;

	if (!state)
		return;
	state->role = HR_ROLE_SERVER;
	state->decided = 1;
	state->tcp_born = 1;
	state->first_ns = now_ns;
	bpf_map_update_elem(&incoming_sockets, &key, &incoming, BPF_ANY);
}

static __always_inline void on_listen(struct sock *sk, struct hr_thread *thread, __u64 now_ns)
{
	struct socket_state *state = socket_open(sk, now_ns);

	if (!state)
		return;
	state->role = HR_ROLE_LISTENER;
	state->decided = 1;
	state->process = thread->process;
	state->state_changes++; /* what it drops is all of this recording */
	port_listens(sk->__sk_common.skc_num);
}

/* In connect(). */
static __always_inline void on_connecting(struct sock *sk, struct hr_thread *thread, __u64 now_ns)
{
	struct socket_state *state = socket_open(sk, now_ns);

	if (!state)
		return;
	state->role = HR_ROLE_DOWNSTREAM;
	state->decided = 1;
	state->tcp_born = 1;
	state->peer_port = __builtin_bswap16(sk->__sk_common.skc_dport); /* a socket may ask one peer after another */
	state->connect_ns = now_ns;
	state->ending = HR_ENDING_OPEN;
	socket_join(state, sk, thread->process);
}

static __always_inline void on_connected(struct socket_state *state, struct sock *sk, struct hr_flow *flow, int to, __u64 now_ns)
{
	if (to == TCP_ESTABLISHED) {
		state->first_ns = now_ns;
		state->local_port = sk->__sk_common.skc_num; /* chosen since it asked for the connection */
		flow_add(&flow->opened, 1);
		stage_add(state->flow, HR_STAGE_CONNECT, elapsed_ns(state->connect_ns, now_ns));
	} else {
		state->ending = HR_ENDING_FAILED;
		flow_add(&flow->connect_failures, 1);
	}
}

static __always_inline __u8 ending_of(int from, int to)
{
	switch (to) {
	case TCP_FIN_WAIT1: return HR_ENDING_LOCAL;
	case TCP_CLOSE_WAIT: return HR_ENDING_PEER;
	case TCP_CLOSE: return from == TCP_ESTABLISHED ? HR_ENDING_FAILED : HR_ENDING_OPEN; /* a reset is noted by itself */
	}
	return HR_ENDING_OPEN;
}

static __always_inline int on_set_state(struct sock *sk, int from, int to)
{
	struct socket_state *state;
	struct hr_thread *thread;
	struct hr_flow *flow;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (from == TCP_SYN_RECV && to == TCP_ESTABLISHED) {
		if (is_listening_port(sk->__sk_common.skc_num))
			on_incoming(sk, bpf_ktime_get_ns());
		return 0;
	}
	if (to == TCP_LISTEN || to == TCP_SYN_SENT) {
		thread = current_thread();
		if (!thread)
			return 0;
		if (to == TCP_LISTEN)
			on_listen(sk, thread, bpf_ktime_get_ns());
		else
			on_connecting(sk, thread, bpf_ktime_get_ns());
		return 0;
	}
	state = socket_known(sk);
	if (!state)
		return 0;
	state->state_changes++;
	if (from == TCP_SYN_SENT) {
		flow = socket_flow(state);
		if (flow)
			on_connected(state, sk, flow, to, bpf_ktime_get_ns());
	} else if (state->ending == HR_ENDING_OPEN) {
		state->ending = ending_of(from, to);
	}
	return 0;
}

/* A connection that was accepted belongs to the flow of the process that did, also if nothing ever went through it. */
static __always_inline void close_incoming(struct sock *sk, struct socket_state *state)
{
	__u64 key = (__u64)sk;
	struct incoming *incoming = bpf_map_lookup_elem(&incoming_sockets, &key);

	if (!incoming)
		return;
	if (!state->flow) {
		state->flow = incoming->flow;
		state->generation = incoming->generation;
	}
	bpf_map_delete_elem(&incoming_sockets, &key);
}

static __always_inline int on_destroy(struct sock *sk)
{
	struct socket_state *state = socket_known(sk);
	struct hr_socket_row *row;
	struct hr_flow *flow;
	__u64 now_ns;

	if (!state || state->role == HR_ROLE_LISTENER)
		return 0;
	now_ns = bpf_ktime_get_ns();
	if (state->tcp_born && state->role == HR_ROLE_SERVER)
		close_incoming(sk, state);
	flow = socket_flow(state);
	if (flow) {
		request_abandon(state, flow, now_ns);
		if (state->ending != HR_ENDING_FAILED || state->role == HR_ROLE_SERVER)
			flow_add(&flow->closed, 1);
	}
	if (!state->flow && state->role == HR_ROLE_SERVER)
		return 0; /* nobody of the target accepted it: it may be a stranger's, on the same port */
	row = bpf_ringbuf_reserve(&ended_sockets, sizeof(*row), 0);
	if (!row) {
		lost(HR_LOSS_UNLISTED_SOCKETS);
		return 0;
	}
	fill_row(row, state, sk, now_ns);
	row->ended = state->ended = 1;
	bpf_ringbuf_submit(row, BPF_RB_NO_WAKEUP);
	return 0;
}

/* One event may be many segments: the kernel has counted them. */
static __always_inline int on_retransmit(struct sock *sk)
{
	struct socket_state *state = socket_known(sk);
	struct hr_flow *flow = state ? socket_flow(state) : NULL;
	struct tcp_sock *tcp = flow ? bpf_skc_to_tcp_sock(sk) : NULL;
	__u32 segments;

	if (!tcp)
		return 0;
	segments = tcp->total_retrans - state->retransmits;
	state->retransmits += segments;
	flow_add(&flow->retransmits, segments);
	return 0;
}

static __always_inline int on_reset(struct sock *sk, __u8 ending)
{
	struct socket_state *state = sk ? socket_known(sk) : NULL;
	struct hr_flow *flow = state ? socket_flow(state) : NULL;

	if (!state || state->role == HR_ROLE_LISTENER)
		return 0;
	if (state->ending != HR_ENDING_RESET_IN)
		state->ending = ending;
	if (flow)
		flow_add(ending == HR_ENDING_RESET_IN ? &flow->resets_in : &flow->resets_out, 1);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, struct sock *sk, int from, int to)
{
	return on_set_state(sk, from, to);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(tcp_destroy, struct sock *sk)
{
	return on_destroy(sk);
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(tcp_retransmit, struct sock *sk)
{
	return on_retransmit(sk);
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(tcp_reset_in, struct sock *sk)
{
	return on_reset(sk, HR_ENDING_RESET_IN);
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(tcp_reset_out, struct sock *sk)
{
	return on_reset(sk, HR_ENDING_RESET_OUT);
}
