/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same as net.bpf.c on kernels before 6.3, which lack its tracepoints: the functions that they were put into later.
 *
 * Hooks sock_def_readable (fentry), and the sends and receives of TCP and unix streams (fexit). Needs a kernel with function
 * tracing, as those of the distributions are.
 */
#define PEEK_BY_HELPER
#include "net.bpf.h"

SEC("fentry/sock_def_readable")
int BPF_PROG(f_data_ready, struct sock *sk)
{
	return on_data_ready(sk, false);
}

SEC("fexit/tcp_recvmsg")
int BPF_PROG(f_tcp_recv, struct sock *sk, struct msghdr *message, unsigned long bytes, int flags, int *address_bytes, int result)
{
	return on_recv(sk, result, flags);
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(f_tcp_send, struct sock *sk, struct msghdr *message, unsigned long bytes, int result)
{
	return on_send(sk, result);
}

SEC("fexit/tcp_sendpage")
int BPF_PROG(f_tcp_sendpage, struct sock *sk, struct page *page, int offset, unsigned long bytes, int flags, int result)
{
	return on_send(sk, result);
}

SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(f_unix_recv, struct socket *socket, struct msghdr *message, unsigned long bytes, int flags, int result)
{
	return on_recv(socket->sk, result, flags);
}

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(f_unix_send, struct socket *socket, struct msghdr *message, unsigned long bytes, int result)
{
	return on_send(socket->sk, result);
}
