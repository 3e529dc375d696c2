/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_SUBJECT_BPF_H
#define HR_SUBJECT_BPF_H

/* What a thread that blocks waits for: the address of its futex, the other end of its connection, its file. */
#include "block.bpf.h"
#include "ports.bpf.h"
#include "waits.bpf.h"

static __always_inline void peer_of(struct sock *sk, struct hr_edge_key *key)
{
	key->port = PEEK(sock, sk, __sk_common.skc_num);
	if (is_listening_port(key->port)) {
		key->subject = HR_SUBJECT_CLIENTS;
		return;
	}
	key->subject = HR_SUBJECT_PEER;
	key->port = __builtin_bswap16(PEEK(sock, sk, __sk_common.skc_dport));
	if (PEEK(sock, sk, __sk_common.skc_family) == AF_INET)
		key->address[1] = (__u64)PEEK(sock, sk, __sk_common.skc_daddr) << 32 | 0xffff0000;
	else
		bpf_probe_read_kernel(key->address, sizeof(key->address), &sk->__sk_common.skc_v6_daddr);
}

static __always_inline void socket_of(struct file *file, struct inode *inode, struct hr_edge_key *key)
{
	void *socket = PEEK(file, file, private_data);
	struct sock *sk = PEEK(socket, socket, sk);
	__u32 family = PEEK(sock, sk, __sk_common.skc_family);

	if (family == AF_INET || family == AF_INET6) {
		peer_of(sk, key);
		return;
	}
	key->subject = HR_SUBJECT_UNIX;
	key->value = PEEK(inode, inode, i_ino);
}

static __always_inline void device_of(struct inode *inode, struct hr_edge_key *key)
{
	key->subject = HR_SUBJECT_DEVICE;
	key->value = PEEK(inode, inode, i_rdev);
}

static __always_inline void file_of(struct file *file, struct subject *subject)
{
	struct inode *inode = PEEK(file, file, f_inode);
	struct hr_edge_key *key = &subject->key;
	struct super_block *sb;

	switch (PEEK(inode, inode, i_mode) & S_IFMT) {
	case S_IFSOCK: socket_of(file, inode, key); return;
	case S_IFIFO: key->subject = HR_SUBJECT_PIPE; key->value = PEEK(inode, inode, i_ino); return;
	case S_IFCHR: device_of(inode, key); subject->file = (__u64)file; return;
	}
	sb = PEEK(inode, inode, i_sb);
	if (PEEK(super_block, sb, s_magic) == ANON_INODE_FS_MAGIC) {
		key->subject = HR_SUBJECT_EVENT;
		key->value = (__u64)file;
	} else {
		key->subject = HR_SUBJECT_FILE;
		key->value = PEEK(inode, inode, i_ino);
		key->address[0] = PEEK(super_block, sb, s_dev);
	}
	subject->file = (__u64)file;
}

/* Fill it in. */
static __always_inline void find_subject(struct task_struct *task, struct hr_thread *thread, struct subject *subject)
{
	struct hr_edge_key *key = &subject->key;
	struct file *file;

	key->state = thread->state;
	if (thread->state == HR_STATE_KLOCK) {
		key->subject = HR_SUBJECT_KLOCK;
		if (thread->kernel_lock != HR_KERNEL_LOCK_MMAP) {
			key->value = (__u64)thread->kernel_lock_high << 32 | thread->kernel_lock_low;
			key->address[0] = thread->kernel_lock_caller;
		}
		return;
	}
	if (!thread->in_call || thread->state == HR_STATE_STOPPED)
		return;
	switch (call_kind(thread->call_row)) {
	case HR_CALL_FUTEX:
		key->subject = HR_SUBJECT_FUTEX;
		key->value = CALL_ARG(thread, 0);
		return;
	case HR_CALL_READ:
	case HR_CALL_WRITE:
	case HR_CALL_ACCEPT:
	case HR_CALL_CONNECT:
	case HR_CALL_IOCTL:
	case HR_CALL_FILE_FD:
		file = file_by_fd(task, CALL_ARG(thread, 0));
		if (file)
			file_of(file, subject);
	}
}

#endif
