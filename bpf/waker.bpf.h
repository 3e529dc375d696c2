/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_WAKER_BPF_H
#define HR_WAKER_BPF_H

/* Who wakes a thread: the current one, who sends to it over loopback too, or an interrupt that came while it ran. */
#include "block.bpf.h"
#include "waits.bpf.h"

#define KERNEL_STACK_BYTES 16384 /* x86-64 and arm64 with 4 KiB pages; more only under KASAN */

/*
 * Whoever was running when an interrupt came has nothing to do with what it wakes. Interrupts have a stack of their own, unless
 * they come in user mode: then the current thread is in no call. stack_pointer: the low half of the context's address, which is
 * on the stack; it is all that the verifier gives away, and enough.
 */
static __always_inline bool in_interrupt(struct task_struct *current, __u32 stack_pointer)
{
	__u64 registers;

	if (current->pid == 0 || stack_pointer - (__u32)(__u64)current->stack >= KERNEL_STACK_BYTES)
		return true;
	if (current->flags & PF_KTHREAD)
		return false;
	registers = bpf_task_pt_regs(current);
	return SYSCALL_NUMBER(registers) < 0;
}

/* The other end of this connection is on this host. */
static __always_inline bool is_loopback(struct sock *sk)
{
	__u32 family = PEEK(sock, sk, __sk_common.skc_family), address = 0, words[4] = {};

	if (family == AF_INET) {
		address = PEEK(sock, sk, __sk_common.skc_daddr);
		return (address & 0xff) == 127 || (address && address == PEEK(sock, sk, __sk_common.skc_rcv_saddr));
	}
	if (family != AF_INET6)
		return false;
	bpf_probe_read_kernel(words, sizeof(words), &sk->__sk_common.skc_v6_daddr);
	if (words[0] | words[1])
		return false;
	return (words[2] == 0 && words[3] == __builtin_bswap32(1)) ||
	       (words[2] == __builtin_bswap32(0xffff) && (words[3] & 0xff) == 127);
}

/*
 * What a thread sends over loopback arrives in a soft interrupt that runs in its own call: then it is the waker, and not somebody
 * who merely had the CPU. The same for who makes room by reading. NULL: it is no thread of the target in such a call.
 */
static __noinline struct hr_thread *peer_on_loopback(struct task_struct *current)
{
	struct hr_thread *thread;
	struct sock *sk;
	__u8 kind;

	if (!current || current->pid == 0 || (current->flags & PF_KTHREAD))
		return NULL;
	thread = thread_by_pid(current->pid);
	if (!thread || !thread->in_call)
		return NULL;
	kind = call_kind(thread->call_row);
	if (kind != HR_CALL_READ && kind != HR_CALL_WRITE)
		return NULL;
	sk = sock_of(file_by_fd(current, CALL_ARG(thread, 0)));
	return sk && is_loopback(sk) ? thread : NULL;
}

static __always_inline bool is_for_network(__u8 state)
{
	return state == HR_STATE_POLL || state == HR_STATE_NET_RECV || state == HR_STATE_NET_SEND;
}

/* By the waker, on its CPU: stores only, in what the sleeping thread does not touch. */
static __noinline void note_waker(struct hr_thread *thread, struct task_struct *current, __u32 stack_pointer, __u64 now_ns)
{
	struct hr_thread *waker = NULL;
	struct wait *wait, *other;

	if (!thread || !current)
		return;
	wait = wait_of(thread);
	if (!wait)
		return;
	/* nobody but a thread releases a kernel lock, be it on its way through a page fault */
	if (thread->state != HR_STATE_KLOCK && in_interrupt(current, stack_pointer)) {
		if (is_for_network(thread->state))
			waker = peer_on_loopback(current);
		if (!waker) {
			wait->key.source = HR_SOURCE_INTERRUPT;
			wait->key.waker = 0;
			return;
		}
	} else {
		waker = thread_by_pid(current->pid);
	}
	if (!waker) {
		wait->key.source = HR_SOURCE_OTHER;
		wait->key.waker = current->pid;
		bpf_probe_read_kernel_str(wait->waker_name, sizeof(wait->waker_name), current->comm);
		return;
	}
	wait->key.source = HR_SOURCE_THREAD;
	wait->key.waker = waker->slot;
	wait->waker_born_ns = waker->born_ns;
	other = wait_of(waker);
	if (other && thread->mode == HR_MODE_BLOCKED)
		window_note(wait, other, now_ns);
}

#endif
