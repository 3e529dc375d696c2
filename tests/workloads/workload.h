/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_WORKLOAD_H
#define HR_TESTS_WORKLOAD_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * What every workload of the end-to-end tests shares. A workload's truth is known by construction, or it measures it
 * itself.
 *
 * The agreement with tests/e2e/workloads.py: when set up, it prints {"ready": true} and blocks on its stdin; a line
 * there starts it. At its end it prints its truth as one line of JSON, blocks on stdin again until that ends, and
 * exits with 0. With `--now` as its first argument it waits for nothing. Times are CLOCK_MONOTONIC nanoseconds.
 */

#define MS 1000000ULL
#define SECOND 1000000000ULL

static bool workload_waits = true;

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(1);
}

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static inline uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline void sleep_ns(uint64_t ns)
{
	struct timespec left = { (time_t)(ns / SECOND), (long)(ns % SECOND) };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* Burn CPU in user mode: up to a moment on the clock. */
static inline void spin_until(uint64_t end_ns)
{
	while (now_ns() < end_ns)
		for (volatile int i = 0; i < 1000; i++)
			;
}

static inline pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static inline void set_name(const char *name)
{
	prctl(PR_SET_NAME, name);
}

static inline void start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	errno = pthread_create(thread, &small, run, argument);
	if (errno)
		die("cannot start a thread");
	pthread_attr_destroy(&small);
}

static inline void pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot pin to CPU %d", cpu);
}

/* The CPUs that this process may use, at most `size`, in cpus. */
static inline int allowed_cpus(int *cpus, int size)
{
	cpu_set_t set;
	int count = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("cannot ask which CPUs may be used");
	for (int cpu = 0; cpu < CPU_SETSIZE && count < size; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[count++] = cpu;
	return count;
}

/* The kernel's own books on the calling thread. run_delay_ns is 0 on a kernel without sched_info. */
struct books {
	uint64_t wall_ns, cpu_ns, run_delay_ns, voluntary, involuntary;
};

/* Read it without allocating: a workload may be about memory. 0 where the kernel does not tell. */
static inline uint64_t run_delay_ns(void)
{
	static __thread int fd = -2; /* not opened yet */
	char path[64], text[128];
	uint64_t delay_ns = 0;
	ssize_t length;

	if (fd == -2) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", own_tid());
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	length = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return 0;
	text[length] = 0;
	return sscanf(text, "%*u %lu", &delay_ns) == 1 ? delay_ns : 0;
}

static inline struct books read_books(void)
{
	struct books books = { 0 };
	struct rusage usage;

	books.run_delay_ns = run_delay_ns();
	getrusage(RUSAGE_THREAD, &usage);
	books.voluntary = (uint64_t)usage.ru_nvcsw;
	books.involuntary = (uint64_t)usage.ru_nivcsw;
	books.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	books.wall_ns = now_ns();
	return books;
}

/*
 * What was added since. The wall clock is read last at the start and first at the end: what others take of a CPU meanwhile is then in
 * the other books at least for as long as in that, so that what they leave of it is never too much.
 */
static inline struct books since(struct books start)
{
	uint64_t wall_ns = now_ns();
	struct books end = read_books();

	end.wall_ns = wall_ns - start.wall_ns;
	end.cpu_ns -= start.cpu_ns;
	end.run_delay_ns -= start.run_delay_ns;
	end.voluntary -= start.voluntary;
	end.involuntary -= start.involuntary;
	return end;
}

static inline void print_books(struct books books)
{
	printf("\"wall_ns\":%lu,\"cpu_ns\":%lu,\"run_delay_ns\":%lu,", books.wall_ns, books.cpu_ns, books.run_delay_ns);
	printf("\"voluntary\":%lu,\"involuntary\":%lu", books.voluntary, books.involuntary);
}

static inline void block_on_stdin(void)
{
	char line[64];

	while (read(0, line, sizeof(line)) < 0 && errno == EINTR)
		;
}

/* Take the arguments that all workloads have; call first. */
static inline void workload_begin(int *argc, char ***argv)
{
	if (*argc > 1 && !strcmp((*argv)[1], "--now")) {
		workload_waits = false;
		(*argv)[1] = (*argv)[0];
		(*argc)--;
		(*argv)++;
	}
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
}

static inline long argument(int argc, char **argv, int index, long otherwise)
{
	return argc > index ? strtol(argv[index], NULL, 10) : otherwise;
}

/* What is known when all is set up has been printed: hand it over, and block until the test says go. */
static inline void workload_await_go(void)
{
	printf("\n");
	fflush(stdout);
	if (workload_waits)
		block_on_stdin();
}

/* Set up: say so, and block until the test says go. */
static inline void workload_ready(void)
{
	if (!workload_waits)
		return;
	printf("{\"ready\": true}");
	workload_await_go();
}

/* The truth has been printed: hand it over, and stay until the test has read what it wants of this process. */
static inline void workload_end(void)
{
	printf("\n");
	fflush(stdout);
	if (workload_waits)
		block_on_stdin();
}

#endif
