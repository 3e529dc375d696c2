/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_STATES_H
#define HEADROOM_STATES_H

/*
 * What a thread is doing. At any nanosecond a target thread is in exactly one of these.
 * On disk: numbered by hand, append only. A new state also needs a row in src/base/states.c.
 */
enum hr_state {
	HR_STATE_USER = 0,	   /* on CPU, outside any syscall */
	HR_STATE_KERNEL = 1,	   /* on CPU, in a syscall */
	HR_STATE_RUNQ = 2,	   /* woken (or born), waiting for a CPU */
	HR_STATE_PREEMPTED = 3,	   /* runnable but descheduled */
	HR_STATE_FUTEX = 4,	   /* user-space lock or condition */
	HR_STATE_POLL = 5,	   /* epoll_wait, poll, select, io_uring wait */
	HR_STATE_NET_RECV = 6,	   /* receive on an inet socket */
	HR_STATE_NET_SEND = 7,	   /* send on an inet socket */
	HR_STATE_NET_ACCEPT = 8,   /* accept on an inet socket */
	HR_STATE_NET_CONNECT = 9,  /* connect of an inet socket */
	HR_STATE_IPC = 10,	   /* pipe, unix socket, eventfd, message queue, file lock, signal */
	HR_STATE_DISK = 11,	   /* block I/O */
	HR_STATE_FAULT = 12,	   /* page fault outside a syscall */
	HR_STATE_RECLAIM = 13,	   /* direct reclaim or compaction */
	HR_STATE_KLOCK = 14,	   /* kernel lock */
	HR_STATE_SLEEP = 15,	   /* nanosleep, timers */
	HR_STATE_DEVICE = 16,	   /* ioctl, read or poll on a character device */
	HR_STATE_CHILD = 17,	   /* wait4, vfork */
	HR_STATE_STOPPED = 18,	   /* SIGSTOP, tracer, freezer */
	HR_STATE_OTHER = 19,	   /* none of the above */
	HR_STATES = 20
};

#endif
