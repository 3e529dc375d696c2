/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_SOCKET_ROW_BPF_H
#define HR_SOCKET_ROW_BPF_H

/* A socket as user space gets it. Rare: once per interval, and at its end. */
#include "socket.bpf.h"

/* Time in which the sender was in that, in jiffies: like tcp_get_info_chrono_stats(). */
static __always_inline __u64 sender_jiffies(struct tcp_sock *tcp, __u32 kind, __u64 jiffies)
{
	__u64 total = BPF_CORE_READ(tcp, chrono_stat[kind - 1]);

	if (BPF_CORE_READ_BITFIELD_PROBED(tcp, chrono_type) == kind)
		total += (__u32)jiffies - BPF_CORE_READ(tcp, chrono_start);
	return total;
}

static __always_inline void fill_tcp(struct hr_socket_row *row, struct tcp_sock *tcp)
{
	row->has_tcp = 1;
	row->srtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3;
	row->min_rtt_us = BPF_CORE_READ(tcp, rtt_min.s[0].v);
	row->retransmits = BPF_CORE_READ(tcp, total_retrans);
	row->lost = BPF_CORE_READ(tcp, lost_out);
	row->reordered = BPF_CORE_READ(tcp, reord_seen);
	row->segments_in = BPF_CORE_READ(tcp, segs_in);
	row->segments_out = BPF_CORE_READ(tcp, segs_out);
	row->zero_window_jiffies = sender_jiffies(tcp, TCP_CHRONO_RWND_LIMITED, row->jiffies);
	row->send_limited_jiffies = sender_jiffies(tcp, TCP_CHRONO_SNDBUF_LIMITED, row->jiffies);
	row->sending_jiffies = sender_jiffies(tcp, TCP_CHRONO_BUSY, row->jiffies) + row->zero_window_jiffies + row->send_limited_jiffies;
}

static __always_inline void fill_unix(struct hr_socket_row *row, struct sock *sk)
{
	struct unix_address *name = row->role == HR_ROLE_DOWNSTREAM ? unix_peer_name(sk) : unix_name(sk);

	if (name)
		read_unix_path(name, row->path, &row->path_bytes);
}

static __noinline void fill_row(struct hr_socket_row *row, struct socket_state *state, struct sock *sk, __u64 now_ns)
{
	if (!row || !state || !sk)
		return;
	__builtin_memset(row, 0, sizeof(*row));
	row->id = state->id;
	row->at_ns = now_ns;
	row->first_ns = state->first_ns;
	row->process = state->process;
	row->flow = socket_flow(state) ? state->flow : 0;
	row->role = state->role;
	row->family = sk->__sk_common.skc_family;
	row->tcp_state = sk->__sk_common.skc_state;
	row->ending = state->ending;
	row->multiplexed = state->multiplexed;
	row->phase = state->phase;
	row->reads = state->reads;
	row->writes = state->writes;
	row->requests = state->requests;
	row->bytes_in = state->bytes_in;
	row->bytes_out = state->bytes_out;
	row->send_full_ns = state->send_full_ns;
	if (state->full_since_ns && now_ns > state->full_since_ns)
		row->send_full_ns += now_ns - state->full_since_ns;
	row->state_changes = state->state_changes;
	row->jiffies = bpf_jiffies64();
	row->backlog = sk->sk_ack_backlog;
	row->backlog_max = sk->sk_max_ack_backlog;
	row->backlog_highest = state->backlog_highest;
	row->drops = sk->sk_drops.counter;
	if (row->family == AF_UNIX) {
		if (row->role == HR_ROLE_LISTENER)
			row->backlog = sk->sk_receive_queue.qlen;
		fill_unix(row, sk);
		return;
	}
	row->local_port = state->local_port;
	row->peer_port = state->peer_port;
	socket_local(sk, row->local);
	socket_peer(sk, row->peer);
	if (row->role != HR_ROLE_LISTENER)
		fill_tcp(row, (struct tcp_sock *)sk);
}

#endif
