/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_WAKER_BPF_H
#define HR_WAKER_BPF_H

/* Who wakes a thread: the current one, or an interrupt that came while it ran. */
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

/* By the waker, on its CPU: stores only, in what the sleeping thread does not touch. */
static __noinline void note_waker(struct hr_thread *thread, struct task_struct *current, __u32 stack_pointer, __u64 now_ns)
{
	struct wait *wait, *other;
	struct hr_thread *waker;

	if (!thread || !current)
		return;
	wait = wait_of(thread);
	if (!wait)
		return;
	/* nobody but a thread releases a kernel lock, be it on its way through a page fault */
	if (thread->state != HR_STATE_KLOCK && in_interrupt(current, stack_pointer)) {
		wait->key.source = HR_SOURCE_INTERRUPT;
		wait->key.waker = 0;
		return;
	}
	waker = thread_by_pid(current->pid);
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
