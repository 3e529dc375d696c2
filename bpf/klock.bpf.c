/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel locks: mark a target thread while it waits for one that it sleeps for, so that its block is charged to the lock.
 *
 * Hooks contention_begin, contention_end (tp_btf, since 5.19); syscall, run by user space.
 * Cost per event: one array look-up for a stranger; for a thread of the target that is about to sleep a walk up its kernel stack,
 * some 1.5 us, unless it waits for its mmap_lock. Runs inside lock slow paths, below other BPF maps' locks too: array look-ups and
 * stores only.
 */
#include "thread.bpf.h"

static __always_inline bool is_mmap_lock(__u64 lock)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 mm = (__u64)task->mm;

	return mm && lock == mm + bpf_core_field_offset(struct mm_struct, mmap_lock);
}

/* The kernel's code that waits and takes locks; 0: not known. */
__u64 sched_text_start = 0, sched_text_end = 0;

static const char start_symbol[] = "__sched_text_start", end_symbol[] = "__sched_text_end";

/* Run once by user space, which would have to read through all symbols for it: 100 ms. */
SEC("syscall")
int find_sched_text(void *ctx)
{
	__u64 start = 0, end = 0;

	if (bpf_kallsyms_lookup_name(start_symbol, sizeof(start_symbol), 0, &start) ||
	    bpf_kallsyms_lookup_name(end_symbol, sizeof(end_symbol), 0, &end))
		return 0;
	sched_text_end = end;
	sched_text_start = start;
	return 0;
}

#define CALLERS 24 /* frames, our own among them */

/*
 * Whoever takes the lock: what comes behind the functions of locks, which the kernel keeps in one place. They name it where its
 * address does not: most locks lie in memory that has no name.
 */
static __always_inline __u64 lock_caller(void *ctx)
{
	__u64 frames[CALLERS] = {}, low = sched_text_start, bytes = sched_text_end - low;
	bool is_inside = false;

	if (!low || bpf_get_stack(ctx, frames, sizeof(frames), 0) <= 0)
		return 0;
	for (int i = 0; i < CALLERS; i++) {
		if (frames[i] - low < bytes)
			is_inside = true;
		else if (is_inside)
			return frames[i];
	}
	return 0;
}

static __always_inline int on_contention(void *ctx, __u64 lock, __u32 flags)
{
	struct hr_thread *thread;

	if (flags & LCB_F_SPIN) /* it stays on CPU, and may be an interrupt */
		return 0;
	thread = current_thread();
	if (!thread)
		return 0;
	thread->kernel_lock = is_mmap_lock(lock) ? HR_KERNEL_LOCK_MMAP : HR_KERNEL_LOCK_ANY;
	thread->kernel_lock_low = lock;
	thread->kernel_lock_high = lock >> 32;
	thread->kernel_lock_caller = thread->kernel_lock == HR_KERNEL_LOCK_MMAP ? 0 : lock_caller(ctx);
	return 0;
}

static __always_inline int on_contention_end(__u64 lock)
{
	struct hr_thread *thread = current_thread();

	if (thread && thread->kernel_lock_low == (__u32)lock)
		thread->kernel_lock = HR_KERNEL_LOCK_NONE;
	return 0;
}

SEC("tp_btf/contention_begin")
int BPF_PROG(contention_begin, void *lock, unsigned int flags)
{
	return on_contention(ctx, (__u64)lock, flags);
}

SEC("tp_btf/contention_end")
int BPF_PROG(contention_end, void *lock, int result)
{
	return on_contention_end((__u64)lock);
}
