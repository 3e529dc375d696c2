/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads whose callers are known: one after the other spends MS milliseconds (400 unless told) at the inner end of a chain of
 * functions of its name, "plain_outer" to "plain_inner". No function keeps a frame pointer unless the compiler has to. The truth: CPU
 * time of each, without the forked child.
 */
#include <signal.h>
#include <sys/wait.h>

#include "workload.h"

#define LINK __attribute__((noinline, noclone))
#define STAY() __asm__ volatile("" ::: "memory") /* behind a call: it is not the caller's last act, for then it would be gone */

static uint64_t span_ns;
static volatile int sink;

/* which: two functions that are the same are one to the compiler. */
static void burn(int which)
{
	sink = which;
	spin_until(now_ns() + span_ns);
}

LINK static void plain_inner(void)
{
	burn(1);
	STAY();
}

LINK static void plain_middle(void)
{
	char room[300];

	memset(room, sink, sizeof(room));
	plain_inner();
	sink = room[sink & 255];
}

LINK static void plain_outer(void)
{
	plain_middle();
	STAY();
}

/* Off CPU. */
LINK static void asleep_inner(void)
{
	sleep_ns(span_ns / 10);
	STAY();
}

LINK static void asleep_outer(void)
{
	for (int i = 0; i < 10; i++)
		asleep_inner();
}

/* Through a library. */
LINK static int sorted_inner(const void *a, const void *b)
{
	burn(2);
	return *(const int *)a - *(const int *)b;
}

LINK static void sorted_outer(void)
{
	int two[] = { 2, 1 };

	qsort(two, 2, sizeof(two[0]), sorted_inner);
	sink = two[0];
}

/* Of a stack that is aligned more than others, and whose size is known at run time only. */
LINK static void aligned_inner(volatile char *room)
{
	room[0] = 1;
	burn(3);
	STAY();
}

LINK static void aligned_outer(void)
{
	char *more = __builtin_alloca((size_t)(sink & 15) + 16);
	_Alignas(64) volatile char room[64];

	more[0] = 0;
	room[0] = more[0];
	aligned_inner(room);
	STAY();
}

/* In a signal handler. */
LINK static void signal_inner(void)
{
	burn(4);
	STAY();
}

static void on_signal(int number)
{
	(void)number;
	signal_inner();
	STAY();
}

LINK static void signal_outer(void)
{
	pthread_kill(pthread_self(), SIGUSR1);
	STAY();
}

/* In a child, from its first moment on. */
LINK static void forked_inner(void)
{
	burn(5);
	STAY();
}

LINK static void forked_outer(void)
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child) {
		forked_inner();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static const struct chain {
	const char *name;
	void (*run)(void);
} chains[] = {
	{ "plain", plain_outer }, { "asleep", asleep_outer }, { "sorted", sorted_outer },
	{ "aligned", aligned_outer }, { "signal", signal_outer }, { "forked", forked_outer },
};
#define CHAINS (sizeof(chains) / sizeof(*chains))

static void *run_chain(void *argument)
{
	const struct chain *chain = argument;

	set_name(chain->name);
	chain->run();
	return (void *)clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	void *cpu_ns;

	workload_begin(&argc, &argv);
	span_ns = (uint64_t)argument(argc, argv, 1, 400) * MS;
	signal(SIGUSR1, on_signal);
	workload_ready();
	putchar('{');
	for (size_t i = 0; i < CHAINS; i++) {
		start_thread(&thread, run_chain, (void *)&chains[i]);
		pthread_join(thread, &cpu_ns);
		printf("%s\"%s_cpu_ns\":%lu", i ? "," : "", chains[i].name, (uint64_t)cpu_ns);
	}
	putchar('}');
	workload_end();
	return 0;
}
