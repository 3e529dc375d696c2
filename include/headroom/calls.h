/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_CALLS_H
#define HEADROOM_CALLS_H

/*
 * What a syscall waits for when it blocks. src/collect/syscalls.c maps names to kinds; the kernel side sees only this, so
 * that no syscall number of any architecture stands in a BPF program.
 */
enum hr_call_kind {
	HR_CALL_OTHER = 0,
	HR_CALL_FUTEX = 1,
	HR_CALL_POLL = 2,
	HR_CALL_READ = 3,     /* first argument: the fd to read or receive from */
	HR_CALL_WRITE = 4,    /* first argument: the fd to write or send to */
	HR_CALL_ACCEPT = 5,   /* first argument: the listening fd */
	HR_CALL_CONNECT = 6,  /* first argument: the fd */
	HR_CALL_SLEEP = 7,
	HR_CALL_CHILD = 8,    /* wait4, waitid, vfork */
	HR_CALL_IOCTL = 9,    /* first argument: the fd */
	HR_CALL_FILE = 10,    /* works on files by path or fd: what blocks it in D state is the disk */
	HR_CALL_IPC = 11,     /* message queues, semaphores, file locks, waiting for a signal */
	HR_CALL_RESTART = 12, /* restart_syscall: goes on with the call before it */
	HR_CALL_SPLICE = 13,  /* two fds: waits for whichever is no regular file */
	HR_CALL_POLL_FDS = 14, /* poll, ppoll: first argument: an array of struct pollfd, second: its length */
	HR_CALL_CLOSE = 15,   /* first argument: the fd. Otherwise like HR_CALL_FILE */
	HR_CALL_FILE_FD = 16, /* first argument: the fd. Otherwise like HR_CALL_FILE */
	HR_CALL_KINDS = 17
};

/* Where a call that reads or writes keeps the bytes: how its second argument leads to them. */
enum hr_call_buffer {
	HR_BUFFER_NONE = 0,
	HR_BUFFER_BYTES = 1,  /* it points to them */
	HR_BUFFER_IOVEC = 2,  /* to an array of struct iovec */
	HR_BUFFER_MESSAGE = 3 /* to a struct msghdr */
};

/* What kind of file a descriptor stands for. */
enum hr_file_kind {
	HR_FILE_NONE = 0,     /* no fd, or it could not be resolved */
	HR_FILE_REGULAR = 1,  /* regular file, directory, block device */
	HR_FILE_INET = 2,     /* IPv4, IPv6 */
	HR_FILE_SOCKET = 3,   /* any other socket: unix, netlink, vsock, packet */
	HR_FILE_PIPE = 4,
	HR_FILE_ANON = 5,     /* eventfd, signalfd, userfaultfd, pidfd, inotify, ... */
	HR_FILE_TIMER = 6,    /* timerfd */
	HR_FILE_POLLER = 7,   /* epoll, io_uring */
	HR_FILE_DEVICE = 8,   /* character device other than terminals and memory devices */
	HR_FILE_TERMINAL = 9,
	HR_FILE_KINDS = 10
};

#endif
