/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests: when data arrives at a socket, when the target reads and writes it. See request.bpf.h for what follows from that.
 *
 * Hooks sk_data_ready, sock_recv_length, sock_send_length (tp_btf, 6.3; before that net_fallback.bpf.c).
 * Cost per event: one socket-storage look-up when data arrives for anybody; one array look-up when anybody reads or writes. For
 * the target a clock, some 20 stores, and two or three atomic additions more, and per request its state times twice.
 * sk_data_ready runs in soft interrupts: no claim of a flow there, and one atomic addition.
 */
#define PEEK_BY_HELPER
#include "net.bpf.h"

SEC("tp_btf/sk_data_ready")
int BPF_PROG(sk_data_ready, struct sock *sk)
{
	return on_data_ready(sk);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(sock_recv, struct sock *sk, int result, int flags)
{
	return on_recv(sk, result, flags);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(sock_send, struct sock *sk, int result)
{
	return on_send(sk, result);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
