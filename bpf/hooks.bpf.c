/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hooks that a thread runs into by itself: its calls, and what they do to sockets. See syscall.bpf.h and net.bpf.h.
 *
 * Hooks sys_enter, sys_exit (tp_btf, or the classic tracepoints); sk_data_ready, sock_recv_length, sock_send_length (tp_btf, 6.3;
 * before that net_fallback.bpf.c).
 * Cost per event: everybody's calls pay one array look-up at each end; everybody's sockets one storage look-up when data arrives,
 * one array look-up when they are read or written. For the target see the two headers.
 */
#define PEEK_BY_HELPER
#include "net.bpf.h"
#include "syscall.bpf.h"

/*
 * The same by the classic tracepoints, whose programs are never preempted, but which cost twice as much. Attached instead where
 * the kernel is seen to skip the others; see hr_probes_mend().
 */
struct tp_sys_enter {
	__u64 common;
	long number;
	unsigned long args[6];
};

struct tp_sys_exit {
	__u64 common;
	long number;
	long result;
};

SEC("tp/raw_syscalls/sys_enter")
int tp_sys_enter(struct tp_sys_enter *ctx)
{
	struct hr_thread *thread = current_thread();

	if (thread)
		enter_call(thread, call_row(ctx->number, is_compat(bpf_get_current_task_btf())));
	return 0;
}

SEC("tp/raw_syscalls/sys_exit")
int tp_sys_exit(struct tp_sys_exit *ctx)
{
	struct hr_thread *thread = current_thread();

	if (thread && thread->in_call)
		leave_call(thread, ctx->result);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
	return on_enter(regs, number);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long result)
{
	return on_exit(regs, result);
}

SEC("tp_btf/sk_data_ready")
int BPF_PROG(sk_data_ready, struct sock *sk)
{
	begin_undisturbed();
	on_data_ready(sk);
	end_undisturbed();
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(sock_recv, struct sock *sk, int result, int flags)
{
	begin_undisturbed();
	on_recv(sk, result, flags);
	end_undisturbed();
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(sock_send, struct sock *sk, int result)
{
	begin_undisturbed();
	on_send(sk, result);
	end_undisturbed();
	return 0;
}
