/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known numbers of system calls: many that succeed, some that fail with a known errno, and, on x86-64, some by the
 * 32-bit entry, where the same numbers mean other calls. The truth: how many of each.
 */
#include "workload.h"

#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define FAILURES 37
#define COMPAT_CALLS 29

#ifdef __x86_64__
#define HAS_COMPAT 1
#define COMPAT_GETPID 20

static long compat_call(long number)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(number), "b"(0), "c"(0), "d"(0)
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

/* A kernel without 32-bit calls answers with a signal, or with ENOSYS: ask in a child. */
static bool compat_works(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(compat_call(COMPAT_GETPID) == getpid() ? 0 : 1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
#else
#define HAS_COMPAT 0
#define COMPAT_GETPID 0
static long compat_call(long number)
{
	return number;
}
static bool compat_works(void)
{
	return false;
}
#endif

int main(int argc, char **argv)
{
	long count, compat = 0, wrong = 0;
	char buffer[8];
	int fd[2];

	workload_begin(&argc, &argv);
	count = argument(argc, argv, 1, 100000);
	if (HAS_COMPAT && compat_works())
		compat = COMPAT_CALLS;
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK))
		die("cannot make a pipe");
	workload_ready();
	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
	for (int i = 0; i < FAILURES; i++) {
		wrong += !(close(-1) < 0 && errno == EBADF);
		wrong += !(open("/no/such/file", O_RDONLY) < 0 && errno == ENOENT);
		wrong += !(kill(getpid(), 1000) < 0 && errno == EINVAL);
		wrong += !(readv(fd[0], &(struct iovec){ buffer, sizeof(buffer) }, 1) < 0 && errno == EAGAIN);
		wrong += !(syscall(509) < 0 && errno == ENOSYS);
	}
	for (long i = 0; i < compat; i++)
		wrong += compat_call(COMPAT_GETPID) != getpid();
	printf("{\"getppid\":%ld,\"failures\":%d,\"compat_getpid\":%ld,\"wrong\":%ld}", count, FAILURES, compat, wrong);
	workload_end();
	return 0;
}
