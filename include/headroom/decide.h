/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_DECIDE_H
#define HEADROOM_DECIDE_H

#include "headroom/calls.h"
#include "headroom/states.h"
#include "headroom/types.h"

/* task_struct.__state bits, unchanged since 4.20 unless noted (include/linux/sched.h). */
#define HR_TASK_INTERRUPTIBLE 0x0001
#define HR_TASK_UNINTERRUPTIBLE 0x0002
#define HR_TASK_STOPPED 0x0004
#define HR_TASK_TRACED 0x0008
#define HR_TASK_FROZEN 0x8000 /* 6.1 */

/* What is known of a thread at the moment at which it leaves its CPU to wait. */
struct hr_block {
	__u32 task_state; /* the prev_state of sched_switch: HR_TASK_* and modifiers */
	__u8 in_syscall;
	__u8 call;	  /* enum hr_call_kind; only if in_syscall */
	__u8 file;	  /* enum hr_file_kind of the call's fd */
	__u8 iowait;	  /* task_struct.in_iowait */
	__u8 kernel_lock; /* between contention_begin and contention_end */
	__u8 reclaim;	  /* between the begin and the end of direct reclaim or compaction */
	__u8 io_worker;	  /* PF_IO_WORKER: an io_uring worker, whose registers are its creator's */
	__u8 freezing;	  /* a cgroup v2 freezer holds it (it then sleeps TASK_INTERRUPTIBLE) */
};

/* True if the answer depends on the file behind the call's fd; resolving it costs, so it is asked for only then. */
HR_INLINE int hr_decide_needs_file(const struct hr_block *block)
{
	if (!block->in_syscall || block->kernel_lock)
		return 0;
	if (block->task_state & HR_TASK_UNINTERRUPTIBLE && block->iowait)
		return 0;
	switch (block->call) {
	case HR_CALL_READ:
	case HR_CALL_WRITE:
	case HR_CALL_ACCEPT:
	case HR_CALL_CONNECT:
	case HR_CALL_IOCTL:
	case HR_CALL_POLL_FDS:
	case HR_CALL_SPLICE:
		return 1;
	}
	return 0;
}

/* An interruptible wait in a call that names a file: by what the file is, then by the direction. */
HR_INLINE enum hr_state hr_decide_by_file(__u32 call, __u32 file)
{
	switch (file) {
	case HR_FILE_INET:
		switch (call) {
		case HR_CALL_ACCEPT: return HR_STATE_NET_ACCEPT;
		case HR_CALL_CONNECT: return HR_STATE_NET_CONNECT;
		case HR_CALL_WRITE: return HR_STATE_NET_SEND;
		default: return HR_STATE_NET_RECV;
		}
	case HR_FILE_TIMER: return HR_STATE_SLEEP;
	case HR_FILE_POLLER: return HR_STATE_POLL;
	case HR_FILE_DEVICE: return HR_STATE_DEVICE;
	case HR_FILE_REGULAR: return HR_STATE_DISK;
	case HR_FILE_NONE: return HR_STATE_OTHER;
	default: return HR_STATE_IPC;
	}
}

/*
 * The state of a thread that blocks. The task state comes first and the syscall second: a read of a socket that faults on its
 * buffer waits for the disk, in D state, and not for the peer.
 */
HR_INLINE enum hr_state hr_decide(const struct hr_block *block)
{
	if (block->task_state & (HR_TASK_STOPPED | HR_TASK_TRACED | HR_TASK_FROZEN) || block->freezing)
		return HR_STATE_STOPPED;
	if (block->kernel_lock)
		return HR_STATE_KLOCK;
	if (block->task_state & HR_TASK_UNINTERRUPTIBLE) {
		if (block->reclaim)
			return HR_STATE_RECLAIM;
		if (!block->in_syscall && !block->io_worker)
			return HR_STATE_FAULT;
		if (block->in_syscall && block->call == HR_CALL_CHILD)
			return HR_STATE_CHILD;
		if (block->iowait || block->io_worker)
			return HR_STATE_DISK;
		/* lock_sock(), which has no contention tracepoint: somebody else works on this socket */
		if (block->file == HR_FILE_INET || block->file == HR_FILE_SOCKET)
			return HR_STATE_KLOCK;
		switch (block->call) {
		case HR_CALL_READ:
		case HR_CALL_WRITE:
		case HR_CALL_SPLICE:
		case HR_CALL_FILE:
		case HR_CALL_FILE_FD:
		case HR_CALL_CLOSE: return HR_STATE_DISK;
		case HR_CALL_IOCTL: return HR_STATE_DEVICE;
		}
		return HR_STATE_OTHER;
	}
	if (block->io_worker)
		return HR_STATE_POLL;
	if (!block->in_syscall)
		return HR_STATE_FAULT;
	switch (block->call) {
	case HR_CALL_FUTEX: return HR_STATE_FUTEX;
	case HR_CALL_SLEEP: return HR_STATE_SLEEP;
	case HR_CALL_CHILD: return HR_STATE_CHILD;
	case HR_CALL_IPC: return HR_STATE_IPC;
	case HR_CALL_FILE:
	case HR_CALL_FILE_FD:
	case HR_CALL_CLOSE: return HR_STATE_DISK;
	case HR_CALL_POLL: return HR_STATE_POLL;
	case HR_CALL_POLL_FDS: return block->file == HR_FILE_DEVICE ? HR_STATE_DEVICE : HR_STATE_POLL;
	case HR_CALL_IOCTL:
		return block->file == HR_FILE_NONE ? HR_STATE_DEVICE : hr_decide_by_file(block->call, block->file);
	case HR_CALL_READ:
	case HR_CALL_WRITE:
	case HR_CALL_ACCEPT:
	case HR_CALL_CONNECT:
	case HR_CALL_SPLICE: return hr_decide_by_file(block->call, block->file);
	}
	return HR_STATE_OTHER;
}

#endif
