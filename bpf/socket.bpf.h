/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_SOCKET_BPF_H
#define HR_SOCKET_BPF_H

/*
 * What is kept of a socket that the target uses, for as long as the kernel has the socket: state is found by `struct sock *`,
 * never by fd, and goes with it.
 */
#include "budget.bpf.h"
#include "incoming.bpf.h"
#include "ports.bpf.h"
#include "unix.bpf.h"

struct socket_state {
	/* the request at hand */
	__u64 ready_ns;	      /* since when data waits to be read; 0: none does. Also stored by soft interrupts */
	__u64 last_ready_ns;  /* when data arrived last. Likewise */
	__u64 arrive_ns;      /* server: when its data arrived */
	__u64 write_ns;	      /* server: first write of the answer. downstream: first write of the question */
	__u64 last_write_ns;
	__u32 phase;	      /* enum hr_phase; left by compare-and-swap where it ends a request */
	__u32 flow;	      /* 0: nobody of the target has used it yet */
	__u32 generation;     /* of that flow */
	__u32 process;	      /* slot */
	__u32 counted;	      /* the unread data is in the flow's arrivals already; changed by atomic exchange */
	__u8 role;	      /* enum hr_role; NONE: not decided, or of no interest */
	__u8 decided;
	__u8 multiplexed;     /* enum hr_multiplexed */
	__u8 ending;	      /* enum hr_ending */
	__u8 batches, frames; /* reads that were looked at and looked like that; saturate */
	__u8 looks;	      /* reads that were looked at; saturates */
	__u8 tcp_born;	      /* its handshake was seen */
	__u8 ended;	      /* told by the ring; somebody may hold a reference to it still */
	__u8 told;	      /* of two programs on a hook, the first has handled the event */
	__u8 pad[6];
	__u16 local_port, peer_port; /* the kernel forgets them before the end */

	/* its whole life */
	__u64 id;
	__u64 first_ns;
	__u64 connect_ns;     /* downstream: SYN sent */
	__u64 reads, writes, requests, bytes_in, bytes_out;
	__u64 overlaps;	      /* answers that began while data of a later request was waiting */
	__u64 full_since_ns;  /* a write was refused because the send buffer is full; 0: not so */
	__u64 send_full_ns;
	__u64 state_changes;
	__u32 backlog_highest;/* listening: since it was listed last */
	__u32 retransmits;    /* segments that are in its flow already, or from before it was followed */

	struct begin begin;   /* server: the first read of the request at hand */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_state);
} sockets __weak SEC(".maps");

/* Address of the unix_address that a listening socket of the target and all that it accepts share -> 1. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u8);
} listening_paths __weak SEC(".maps");

__u64 socket_count __weak = 0;	    /* so many were followed */

static __always_inline bool is_tcp(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6) && sk->sk_protocol == IPPROTO_TCP;
}

static __always_inline bool is_unix_stream(const struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_UNIX && (sk->sk_type == SOCK_STREAM || sk->sk_type == SOCK_SEQPACKET);
}

static __always_inline struct socket_state *socket_known(struct sock *sk)
{
	return bpf_sk_storage_get(&sockets, sk, 0, 0);
}

/* Follow it from now on. */
static __noinline __maybe_unused struct socket_state *socket_open(struct sock *sk, __u64 now_ns)
{
	struct socket_state *state;
	struct tcp_sock *tcp;

	if (!sk)
		return NULL;
	state = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!state) {
		lost(HR_LOSS_SOCKETS);
		return NULL;
	}
	if (!state->id) {
		state->id = __sync_fetch_and_add(&socket_count, 1) + 1;
		state->local_port = sk->__sk_common.skc_num;
		state->peer_port = __builtin_bswap16(sk->__sk_common.skc_dport);
		state->first_ns = now_ns;
		tcp = bpf_skc_to_tcp_sock(sk);
		if (tcp)
			state->retransmits = tcp->total_retrans;
	}
	return state;
}

static __always_inline struct unix_address *unix_name(struct sock *sk)
{
	if (!bpf_core_type_exists(struct unix_sock))
		return NULL;
	return BPF_CORE_READ((struct unix_sock *)sk, addr);
}

static __always_inline struct unix_address *unix_peer_name(struct sock *sk)
{
	struct sock *peer;

	if (!bpf_core_type_exists(struct unix_sock))
		return NULL;
	peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	return peer ? BPF_CORE_READ((struct unix_sock *)peer, addr) : NULL;
}

static __noinline __maybe_unused void path_listens(struct unix_address *name)
{
	__u64 key = (__u64)name;
	__u8 one = 1;

	if (!name || bpf_map_lookup_elem(&listening_paths, &key))
		return;
	bpf_map_update_elem(&listening_paths, &key, &one, BPF_ANY);
	has_listening_paths = 1;
}

static __always_inline bool is_listening_path(struct unix_address *name)
{
	__u64 key = (__u64)name;

	return name && bpf_map_lookup_elem(&listening_paths, &key);
}

/* An accepted unix socket has the name of the one that listened; its client may have one of its own. A socketpair has none. */
static __always_inline __u8 unix_role(struct sock *sk)
{
	struct unix_address *name = unix_name(sk);

	if (is_listening_path(name))
		return HR_ROLE_SERVER;
	if (unix_peer_name(sk))
		return HR_ROLE_DOWNSTREAM;
	if (!name)
		return HR_ROLE_NONE;
	path_listens(name);
	return HR_ROLE_SERVER;
}

/* Which end of a connection it is. */
static __noinline __maybe_unused void socket_decide(struct socket_state *state, struct sock *sk)
{
	if (!state || !sk || state->decided)
		return;
	state->decided = 1;
	if (state->role != HR_ROLE_NONE)
		return;
	if (is_tcp(sk))
		state->role = is_listening_port(sk->__sk_common.skc_num) ? HR_ROLE_SERVER : HR_ROLE_DOWNSTREAM;
	else if (is_unix_stream(sk))
		state->role = unix_role(sk);
}

/* An address as IPv6; IPv4 is mapped into it. */
static __always_inline void map_ipv4(__be32 address, __u8 ret[16])
{
	__builtin_memset(ret, 0, 10);
	ret[10] = ret[11] = 0xff;
	__builtin_memcpy(ret + 12, &address, 4);
}

static __always_inline void socket_peer(struct sock *sk, __u8 ret[16])
{
	if (sk->__sk_common.skc_family == AF_INET)
		map_ipv4(sk->__sk_common.skc_daddr, ret);
	else
		bpf_probe_read_kernel(ret, 16, &sk->__sk_common.skc_v6_daddr);
}

static __always_inline void socket_local(struct sock *sk, __u8 ret[16])
{
	if (sk->__sk_common.skc_family == AF_INET)
		map_ipv4(sk->__sk_common.skc_rcv_saddr, ret);
	else
		bpf_probe_read_kernel(ret, 16, &sk->__sk_common.skc_v6_rcv_saddr);
}

/* Accepted without a call that returns it, by io_uring: it is opened when it is used first. */
static __always_inline void open_unaccepted(const struct socket_state *state, struct sock *sk, struct hr_flow *head)
{
	__u64 key = (__u64)sk;
	struct incoming *incoming;

	if (!state->tcp_born || state->role != HR_ROLE_SERVER)
		return;
	incoming = bpf_map_lookup_elem(&incoming_sockets, &key);
	if (!incoming || incoming->flow)
		return;
	incoming->flow = state->flow;
	incoming->generation = state->generation;
	flow_add(&head->opened, 1);
}

/* The flow that a process's use of the socket belongs to. */
static __noinline __maybe_unused __u32 socket_join(struct socket_state *state, struct sock *sk, __u32 process)
{
	struct hr_flow_key key = {};
	struct hr_flow *head;

	if (!state || !sk)
		return 0;
	key.process = process;
	key.role = state->role;
	if (is_tcp(sk)) {
		key.transport = HR_TRANSPORT_TCP;
		if (state->role == HR_ROLE_SERVER) {
			key.port = sk->__sk_common.skc_num;
		} else {
			key.port = __builtin_bswap16(sk->__sk_common.skc_dport);
			socket_peer(sk, key.address);
		}
	} else {
		key.transport = HR_TRANSPORT_UNIX;
		*(struct unix_address **)key.address = state->role == HR_ROLE_SERVER ? unix_name(sk) : unix_peer_name(sk);
	}
	state->flow = flow_find(&key);
	state->process = process;
	head = flow_head(state->flow);
	if (head) {
		state->generation = head->generation;
		open_unaccepted(state, sk, head);
	}
	return state->flow;
}

/* This CPU's shard of the socket's flow; NULL: it has none, or user space has taken it back since. */
static __always_inline struct hr_flow *socket_flow(const struct socket_state *state)
{
	struct hr_flow *head = flow_head(state->flow);

	return head && head->generation == state->generation ? flow_shard(state->flow) : NULL;
}

/* Data that has arrived and was not read. The end of a stream takes a number in TCP's sequence, but is no data. */
static __always_inline bool has_unread(struct sock *sk)
{
	struct tcp_sock *tcp;

	if (sk->__sk_common.skc_family == AF_UNIX)
		return sk->sk_receive_queue.qlen != 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	return tcp && (__s32)(tcp->rcv_nxt - tcp->copied_seq) > (sk->sk_shutdown & RCV_SHUTDOWN ? 1 : 0);
}

#endif
