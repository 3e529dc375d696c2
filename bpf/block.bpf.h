/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BLOCK_BPF_H
#define HR_BLOCK_BPF_H

/* Why a thread leaves its CPU to wait: gather what hr_decide() asks for. No stack walk; the file behind an fd only if needed. */
#include "calls.bpf.h"
#include "registers.bpf.h"

#include "headroom/decide.h"

/*
 * A member of a kernel struct behind an untyped pointer. A cast costs nothing where the kernel has it; a helper call 20 ns, and
 * a file takes six. Only one object may declare the cast (libbpf 1.1 does not link two that do); the others define
 * PEEK_BY_HELPER.
 */
#ifdef PEEK_BY_HELPER
#define PEEK(type, pointer, member) BPF_CORE_READ((struct type *)(pointer), member)
#define PEEK_POINTER(cell) BPF_CORE_READ((struct hlist_head *)(cell), first)
#else
extern void *bpf_rdonly_cast(void *object, __u32 btf_id) __ksym __weak;

#define PEEK(type, pointer, member)                                                                                            \
	(config.has_rdonly_cast                                                                                                \
		 ? ((struct type *)bpf_rdonly_cast((void *)(pointer), bpf_core_type_id_kernel(struct type)))->member           \
		 : BPF_CORE_READ((struct type *)(pointer), member))

/* The pointer that stands there: an hlist_head is nothing but one, and has a type that can be cast to. */
#define PEEK_POINTER(cell) ((void *)PEEK(hlist_head, cell, first))
#endif

/*
 * A member of a kernel struct behind a typed pointer. For a pointer that is read as it stands the verifier searches all types of the
 * kernel, which takes it a millisecond, so an object that is in no hurry while it runs defines WALK by PEEK.
 */
#ifndef WALK
#define WALK(type, pointer, member) ((pointer)->member)
#endif

static __always_inline struct file *file_by_fd(struct task_struct *task, __u64 fd)
{
	struct files_struct *files = WALK(task_struct, task, files);
	struct fdtable *fdt;
	struct file **table;

	if (!files)
		return NULL;
	fdt = WALK(files_struct, files, fdt);
	if (!fdt || (__u32)fd >= WALK(fdtable, fdt, max_fds))
		return NULL;
	table = WALK(fdtable, fdt, fd);
	return (struct file *)PEEK_POINTER(table + (__u32)fd);
}

/* NULL: it is no socket. */
static __always_inline struct sock *sock_of(struct file *file)
{
	struct inode *inode;
	struct socket *socket;

	if (!file)
		return NULL;
	inode = PEEK(file, file, f_inode);
	if ((PEEK(inode, inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = PEEK(file, file, private_data);
	return socket ? PEEK(socket, socket, sk) : NULL;
}

/* Anonymous inodes differ only in the name of their dentry. */
static __always_inline enum hr_file_kind anon_kind(struct file *file)
{
	struct dentry *dentry = PEEK(file, file, f_path.dentry);
	const unsigned char *name = PEEK(dentry, dentry, d_name.name);
	char text[8] = {};

	bpf_probe_read_kernel(text, sizeof(text), name);
	if (text[0] == '[' && text[1] == 't' && text[2] == 'i') /* [timerfd] */
		return HR_FILE_TIMER;
	if (text[0] == '[' && text[1] == 'i' && text[2] == 'o') /* [io_uring] */
		return HR_FILE_POLLER;
	if (text[0] == '[' && text[1] == 'e' && text[6] == 'p') /* [eventpoll] */
		return HR_FILE_POLLER;
	return HR_FILE_ANON;
}

static __always_inline enum hr_file_kind socket_kind(struct file *file)
{
	void *socket = PEEK(file, file, private_data);
	struct sock *sk = PEEK(socket, socket, sk);
	__u32 family = PEEK(sock, sk, __sk_common.skc_family);

	return family == AF_INET || family == AF_INET6 ? HR_FILE_INET : HR_FILE_SOCKET;
}

/* Major numbers: 1 memory devices, 4 and 5 terminals, 136 to 143 pseudo terminals (Documentation/admin-guide/devices.txt). */
static __always_inline enum hr_file_kind device_kind(__u32 rdev)
{
	__u32 major = rdev >> 20;

	if (major == 1)
		return HR_FILE_REGULAR;
	if (major == 4 || major == 5 || (major >= 136 && major <= 143))
		return HR_FILE_TERMINAL;
	return HR_FILE_DEVICE;
}

static __always_inline enum hr_file_kind file_kind(struct file *file)
{
	struct inode *inode = PEEK(file, file, f_inode);
	struct super_block *sb;

	switch (PEEK(inode, inode, i_mode) & S_IFMT) {
	case S_IFSOCK: return socket_kind(file);
	case S_IFIFO: return HR_FILE_PIPE;
	case S_IFCHR: return device_kind(PEEK(inode, inode, i_rdev));
	}
	sb = PEEK(inode, inode, i_sb);
	return PEEK(super_block, sb, s_magic) == ANON_INODE_FS_MAGIC ? anon_kind(file) : HR_FILE_REGULAR;
}

/* An argument of the call that the thread is in, 0 to 2: they stay where its entry saved them. */
#define CALL_ARG(thread, n)                                                                                                    \
	({                                                                                                                     \
		__u64 registers_ = (thread)->registers;                                                                        \
		(thread)->call_row < HR_CALL_COMPAT ? (__u64)SYSCALL_ARG##n(registers_) : (__u64)(__u32)COMPAT_ARG##n(registers_); \
	})

/* The kind of the file that the call waits for. own: in the context of that thread, whose user memory can then be read. */
static __always_inline enum hr_file_kind waited_file(struct task_struct *task, const struct hr_thread *thread, __u32 call,
						     bool own)
{
	__u64 fd = CALL_ARG(thread, 0);
	enum hr_file_kind kind;
	struct file *file;

	if (call == HR_CALL_POLL_FDS) {
		/* struct pollfd starts with its fd; the first one stands for all */
		__s32 first = -1;

		if (!own || !CALL_ARG(thread, 1) || bpf_probe_read_user(&first, sizeof(first), (void *)fd))
			return HR_FILE_NONE;
		fd = (__u32)first;
	}
	file = file_by_fd(task, fd);
	if (!file)
		return HR_FILE_NONE;
	kind = file_kind(file);
	if (call == HR_CALL_SPLICE && kind == HR_FILE_REGULAR) {
		file = file_by_fd(task, CALL_ARG(thread, 2)); /* splice(in, offset, out, ...) */
		if (file)
			kind = file_kind(file);
	}
	return kind;
}

/*
 * The call that a thread is in whose entry was not seen, because it was before the recording or the program was skipped, by the
 * registers that it saved then. It is timed from now on. io_uring workers carry their creator's registers.
 */
static __always_inline void call_by_registers(struct hr_thread *thread, struct task_struct *task, __u64 now_ns)
{
	__u64 registers = thread->registers;
	long number = SYSCALL_NUMBER(registers);

	if (number < 0 || SYSCALL_RETURNED(registers) || (task->flags & PF_IO_WORKER))
		return;
	thread->call_row = call_row(number, is_compat(task));
	thread->call_record = calls_find(thread->process, thread->call_row);
	thread->accepting = call_kind(thread->call_row) == HR_CALL_ACCEPT;
	thread->call_ns = now_ns;
	thread->call_left_cpu = 1;
	thread->in_call = 1;
}

/* The state of a thread that leaves its CPU to wait, or has done so. */
static __always_inline enum hr_state blocked_state(struct task_struct *task, const struct hr_thread *thread, __u32 task_state,
						   bool own)
{
	struct hr_block block = {
		.task_state = task_state,
		.in_syscall = thread->in_call,
		.kernel_lock = thread->kernel_lock != 0,
		.reclaim = thread->reclaim != 0,
		.call = call_kind(thread->call_row),
	};

	if (task->flags & PF_IO_WORKER)
		block.io_worker = 1;
	if (task_state & HR_TASK_UNINTERRUPTIBLE)
		block.iowait = BPF_CORE_READ_BITFIELD(task, in_iowait);
	else if (task->jobctl & JOBCTL_TRAP_FREEZE)
		block.freezing = 1;
	if (hr_decide_needs_file(&block))
		block.file = waited_file(task, thread, block.call, own);
	return hr_decide(&block);
}

#endif
