/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/syscalls.h"

#include <stdio.h>
#include <string.h>

#include "syscall_names.inc"

static const char *const native_names[HR_CALL_NRS] = { HR_NATIVE_SYSCALLS };
static const char *const compat_names[HR_CALL_NRS] = { HR_COMPAT_SYSCALLS };

/*
 * What a call waits for when it blocks; the names of every ABI that we build for in one list, as a name means the same
 * in each. A call that is missing here counts as `other` when it blocks. hr_decide() weighs the kind against the task
 * state: a D state in a call of the kinds read, write, splice and file is the disk, and in one of the other kinds
 * `other`, unless the kernel says that it is I/O, a lock or reclaim.
 */
static const char *const names_of_kind[HR_CALL_KINDS] = {
	[HR_CALL_FUTEX] = "futex futex_time64 futex_waitv futex_wait futex_requeue",

	/* on many fds, in the kernel's memory or in bit sets */
	[HR_CALL_POLL] =
		"epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 select _newselect pselect6 pselect6_time64 "
		"io_uring_enter io_uring_register io_getevents io_pgetevents io_pgetevents_time64",

	[HR_CALL_POLL_FDS] = "poll ppoll ppoll_time64",

	[HR_CALL_READ] = "read readv pread64 preadv preadv2 recvfrom recvmsg recvmmsg recvmmsg_time64",

	/*
	 * sendfile waits for room in its first fd, to which it writes; for the file that it reads it waits in D state
	 */
	[HR_CALL_WRITE] =
		"write writev pwrite64 pwritev pwritev2 sendto sendmsg sendmmsg sendfile sendfile64 vmsplice",

	[HR_CALL_ACCEPT] = "accept accept4",
	[HR_CALL_CONNECT] = "connect",
	[HR_CALL_SLEEP] = "nanosleep clock_nanosleep clock_nanosleep_time64",

	/*
	 * a clone that blocks is a vfork, as in posix_spawn(), in D state until the child execs; ptrace waits for its
	 * tracee
	 */
	[HR_CALL_CHILD] = "wait4 waitid waitpid vfork clone clone3 fork ptrace",

	[HR_CALL_IOCTL] = "ioctl",

	/*
	 * By path, by fd, or by memory that files are mapped to: munmap() and exit() may be the last to close a file,
	 * madvise() and mlock() read it in. mmap_lock, for which these wait most, is seen as a kernel lock before.
	 */
	[HR_CALL_FILE] =
		"open openat openat2 creat open_by_handle_at name_to_handle_at close_range dup2 dup3 "
		"stat lstat fstat stat64 lstat64 fstat64 fstatat64 newfstatat oldstat oldlstat oldfstat statx "
		"access faccessat faccessat2 readlink readlinkat chdir fchdir chroot getcwd "
		"rename renameat renameat2 unlink unlinkat mkdir mkdirat rmdir mknod mknodat "
		"link linkat symlink symlinkat chmod fchmod fchmodat fchmodat2 "
		"chown fchown lchown fchownat chown32 fchown32 lchown32 "
		"utime utimes futimesat utimensat utimensat_time64 file_getattr file_setattr "
		"truncate truncate64 lseek _llseek sync msync "
		"readdir readahead fadvise64 fadvise64_64 copy_file_range cachestat "
		"setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr "
		"removexattr lremovexattr fremovexattr setxattrat getxattrat listxattrat removexattrat "
		"statfs fstatfs statfs64 fstatfs64 ustat quotactl quotactl_fd acct swapon swapoff "
		"mount umount umount2 pivot_root move_mount fsopen fsconfig fsmount fspick "
		"open_tree open_tree_attr mount_setattr statmount listmount "
		"inotify_add_watch fanotify_mark mq_open mq_unlink bind "
		"mmap mmap2 munmap mremap mprotect pkey_mprotect brk madvise process_madvise mincore "
		"remap_file_pages mlock mlock2 mlockall munlock munlockall mbind migrate_pages move_pages "
		"shmat shmdt shmctl process_vm_readv process_vm_writev process_mrelease "
		"execve execveat uselib exit exit_group io_submit io_cancel io_destroy",

	/*
	 * queues and semaphores of System V and POSIX, file locks, signals, answers of a key daemon, the kernel's log
	 */
	[HR_CALL_IPC] =
		"msgrcv msgsnd semop semtimedop semtimedop_time64 ipc mq_timedsend mq_timedsend_time64 "
		"mq_timedreceive mq_timedreceive_time64 flock fcntl fcntl64 pause sigsuspend rt_sigsuspend "
		"rt_sigtimedwait rt_sigtimedwait_time64 add_key request_key keyctl syslog",

	[HR_CALL_FILE_FD] =
		"fsync fdatasync syncfs sync_file_range ftruncate ftruncate64 fallocate getdents getdents64",

	[HR_CALL_CLOSE] = "close",

	[HR_CALL_RESTART] = "restart_syscall",

	/* tee() names its second fd elsewhere, but both are pipes: the first tells as much */
	[HR_CALL_SPLICE] = "splice tee",
};

/* The calls of stream sockets by how they are told where the bytes are. */
static const char *const names_of_buffer[] = {
	[HR_BUFFER_NONE] = "",
	[HR_BUFFER_BYTES] = "read recvfrom write sendto",
	[HR_BUFFER_IOVEC] = "readv writev",
	[HR_BUFFER_MESSAGE] = "recvmsg sendmsg",
};

static const char *row_name(uint32_t row)
{
	return row < HR_CALL_COMPAT ? native_names[row] : compat_names[row - HR_CALL_COMPAT];
}

const char *hr_syscall_name(uint32_t row, char buf[24])
{
	uint32_t number = row % HR_CALL_COMPAT;
	const char *name = row < 2 * HR_CALL_NRS ? row_name(row) : NULL;

	if (name)
		return name;
	snprintf(buf, 24, number == HR_CALL_NRS - 1 ? "syscall_%u_up" : "syscall_%u", number);
	return buf;
}

const char *hr_syscall_abi(uint32_t row)
{
	return row < HR_CALL_COMPAT ? "native" : "compat";
}

const char *hr_syscall_names_of(enum hr_call_kind kind)
{
	return kind < HR_CALL_KINDS && names_of_kind[kind] ? names_of_kind[kind] : "";
}

/* True if the list holds the word, whole. */
static int holds_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return 1;
	return 0;
}

static uint8_t kind_of(const char *name)
{
	for (int kind = 0; kind < HR_CALL_KINDS; kind++)
		if (names_of_kind[kind] && holds_word(names_of_kind[kind], name))
			return kind;
	return HR_CALL_OTHER;
}

void hr_syscall_kinds(uint8_t kinds[2 * HR_CALL_NRS])
{
	for (uint32_t row = 0; row < 2 * HR_CALL_NRS; row++)
		kinds[row] = row_name(row) ? kind_of(row_name(row)) : HR_CALL_OTHER;
}

void hr_syscall_buffers(uint8_t buffers[HR_CALL_NRS])
{
	for (uint32_t row = 0; row < HR_CALL_NRS; row++) {
		buffers[row] = HR_BUFFER_NONE;
		for (int kind = HR_BUFFER_BYTES; row_name(row) && kind <= HR_BUFFER_MESSAGE; kind++)
			if (holds_word(names_of_buffer[kind], row_name(row)))
				buffers[row] = kind;
	}
}
