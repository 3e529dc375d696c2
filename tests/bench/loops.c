/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loops WORKLOAD CPU: the operations whose cost under a tool is measured, all on one CPU.
 *
 *   getppid          one system call that does next to nothing
 *   pipe             two threads of one process pass a byte to and fro: each one-way hop is a write, a wake-up, a read
 *                    and, as both share the CPU, a context switch
 *   pipe-processes   the same with two processes
 *
 * Prints "pids PID[ PID]" and then serves commands on stdin, so that tools attach to a process that lives before,
 * during and after a measurement: a line "DURATION_MS CHUNK_MS" runs the loop that long and prints one line, the
 * nanoseconds per operation of each chunk. Ends when stdin ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define GETPPIDS_PER_BATCH 1000
#define ROUND_TRIPS_PER_BATCH 20

struct pair {
	int ping[2], pong[2];
	pid_t partner; /* 0: a thread of this process */
};

struct workload {
	const char *name;
	int (*start)(struct pair *pair);
	int (*batch)(const struct pair *pair); /* 0, or a negative errno */
	uint64_t ops_per_batch;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int run_on(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static int start_nothing(struct pair *pair)
{
	(void)pair;
	return 0;
}

static int getppid_batch(const struct pair *pair)
{
	(void)pair;
	for (int i = 0; i < GETPPIDS_PER_BATCH; i++)
		syscall(SYS_getppid);
	return 0;
}

static void *echo(void *argument)
{
	const struct pair *pair = argument;
	char byte;

	while (read(pair->ping[0], &byte, 1) == 1 && write(pair->pong[1], &byte, 1) == 1)
		;
	return NULL;
}

static int open_pipes(struct pair *pair)
{
	return pipe(pair->ping) || pipe(pair->pong) ? -errno : 0;
}

static int start_thread(struct pair *pair)
{
	pthread_t thread;
	int rc = open_pipes(pair);

	return rc ? rc : -pthread_create(&thread, NULL, echo, pair);
}

static int start_process(struct pair *pair)
{
	int rc = open_pipes(pair);

	if (rc)
		return rc;
	pair->partner = fork();
	if (pair->partner < 0)
		return -errno;
	if (pair->partner == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		echo(pair);
		_exit(0);
	}
	return 0;
}

static int pipe_batch(const struct pair *pair)
{
	char byte = 0;

	for (int i = 0; i < ROUND_TRIPS_PER_BATCH; i++)
		if (write(pair->ping[1], &byte, 1) != 1 || read(pair->pong[0], &byte, 1) != 1)
			return -EPIPE;
	return 0;
}

static const struct workload workloads[] = {
	{ "getppid", start_nothing, getppid_batch, GETPPIDS_PER_BATCH },
	{ "pipe", start_thread, pipe_batch, 2 * ROUND_TRIPS_PER_BATCH },
	{ "pipe-processes", start_process, pipe_batch, 2 * ROUND_TRIPS_PER_BATCH },
};

static const struct workload *find_workload(const char *name)
{
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++)
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	return NULL;
}

/* Run for duration_ns and print the nanoseconds per operation of each chunk; the clock is read once per batch. */
static int measure(const struct workload *workload, const struct pair *pair, uint64_t duration_ns, uint64_t chunk_ns)
{
	uint64_t begin_ns = now_ns(), chunk_begin_ns = begin_ns, end_ns = begin_ns, ops = 0;

	while (end_ns - begin_ns < duration_ns) {
		int rc = workload->batch(pair);

		if (rc)
			return rc;
		ops += workload->ops_per_batch;
		end_ns = now_ns();
		if (end_ns - chunk_begin_ns < chunk_ns)
			continue;
		printf("%.2f ", (double)(end_ns - chunk_begin_ns) / (double)ops);
		chunk_begin_ns = end_ns;
		ops = 0;
	}
	putchar('\n');
	return fflush(stdout) ? -errno : 0;
}

static int serve(const struct workload *workload, const struct pair *pair)
{
	uint64_t duration_ms, chunk_ms;
	int rc = 0;

	while (!rc && scanf("%" SCNu64 " %" SCNu64, &duration_ms, &chunk_ms) == 2)
		rc = measure(workload, pair, duration_ms * NS_PER_MS, chunk_ms * NS_PER_MS);
	return rc;
}

int main(int argc, char **argv)
{
	const struct workload *workload = argc == 3 ? find_workload(argv[1]) : NULL;
	struct pair pair = { .partner = 0 };
	int rc;

	if (!workload) {
		fprintf(stderr, "usage: loops getppid|pipe|pipe-processes CPU\n");
		return 2;
	}
	rc = run_on(strtol(argv[2], NULL, 10));
	if (!rc)
		rc = workload->start(&pair);
	if (!rc) {
		printf("pids %d", (int)getpid());
		if (pair.partner)
			printf(" %d", (int)pair.partner);
		putchar('\n');
		fflush(stdout);
		rc = serve(workload, &pair);
	}
	if (rc)
		fprintf(stderr, "loops: %s: %s\n", argv[1], strerror(-rc));
	return rc ? 1 : 0;
}
