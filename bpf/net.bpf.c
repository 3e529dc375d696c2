/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests: when data arrives at a socket, when the target reads and writes it. See request.bpf.h for what follows from that.
 *
 * Hooks sk_data_ready, sock_recv_length, sock_send_length (tp_btf, 6.3; before that net_fallback.bpf.c).
 * Cost per event: one socket-storage look-up when data arrives for anybody; one array look-up when anybody reads or writes. For
 * the target a clock, some 20 stores, and two or three atomic additions more, and per request its state times twice.
 *
 * A kernel skips a program that comes while the same one is interrupted, and 7.x also while it is preempted. Where that is seen,
 * the programs on the same hooks that end in _again are attached too: what one missed the other tells (hr_probes_mend()).
 */
#define PEEK_BY_HELPER
#include "net.bpf.h"

SEC("tp_btf/sk_data_ready")
int BPF_PROG(sk_data_ready, struct sock *sk)
{
	return on_data_ready(sk, false);
}

SEC("tp_btf/sk_data_ready")
int BPF_PROG(ready_again, struct sock *sk)
{
	return on_data_ready(sk, true);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(sock_recv, struct sock *sk, int result, int flags)
{
	return on_recv(sk, result, flags);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(recv_again, struct sock *sk, int result, int flags)
{
	return is_told(sk) ? 0 : on_recv(sk, result, flags);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(sock_send, struct sock *sk, int result)
{
	return on_send(sk, result);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(send_again, struct sock *sk, int result)
{
	return is_told(sk) ? 0 : on_send(sk, result);
}
