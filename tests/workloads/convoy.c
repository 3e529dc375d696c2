/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that take turns at one lock, and what its holder does meanwhile: the chain of waits has a known end.
 *
 * Usage: convoy HOLDER [THREADS [MILLISECONDS [HOLD_US]]], see holders[]. Prints the lock's address, how often it was taken, for how
 * long it was held and waited for, by the threads' own clocks.
 */
#include "workload.h"

#define MAX_THREADS 64
#define THINK_NS 50000

pthread_mutex_t convoy_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t hold_ns, end_ns;
static int file, question[2], answer[2];

static struct {
	uint64_t turns, held_ns, waited_ns;
} totals;

static void hold_on_cpu(void)
{
	spin_until(now_ns() + hold_ns);
}

static void hold_asleep(void)
{
	sleep_ns(hold_ns);
}

/* On the disk for as long as it takes. */
static void hold_in_fsync(void)
{
	if (pwrite(file, "turn", 4, 0) != 4 || fsync(file))
		die("cannot write");
}

static void hold_for_backend(void)
{
	char byte = 'q';

	if (write(question[1], &byte, 1) != 1 || read(answer[0], &byte, 1) != 1)
		die("cannot ask the backend");
}

static const struct {
	const char *name;
	void (*hold)(void);
} holders[] = {
	{ "cpu", hold_on_cpu },
	{ "sleep", hold_asleep },
	{ "fsync", hold_in_fsync },
	{ "backend", hold_for_backend },
};

static void (*hold)(void);

static void *serve(void *argument)
{
	char byte;

	set_name("backend");
	while (read(question[0], &byte, 1) == 1) {
		sleep_ns(hold_ns);
		if (write(answer[1], &byte, 1) != 1)
			break;
	}
	return argument;
}

static void take_turns(void)
{
	while (now_ns() < end_ns) {
		uint64_t before_ns = now_ns(), held_ns;

		pthread_mutex_lock(&convoy_lock);
		held_ns = now_ns();
		hold();
		totals.turns++;
		totals.held_ns += now_ns() - held_ns;
		totals.waited_ns += held_ns - before_ns;
		pthread_mutex_unlock(&convoy_lock);
		sleep_ns(THINK_NS);
	}
}

static void *run(void *argument)
{
	set_name("convoy");
	take_turns();
	return argument;
}

static void choose(const char *name)
{
	for (size_t i = 0; i < sizeof(holders) / sizeof(*holders); i++)
		if (!strcmp(holders[i].name, name))
			hold = holders[i].hold;
	errno = EINVAL;
	if (!hold)
		die("'%s' is no holder", name);
}

int main(int argc, char **argv)
{
	char path[] = "convoy.XXXXXX";
	pthread_t threads[MAX_THREADS], backend;
	long count, length_ms;

	workload_begin(&argc, &argv);
	choose(argc > 1 ? argv[1] : "cpu");
	count = argument(argc, argv, 2, 2);
	length_ms = argument(argc, argv, 3, 2000);
	hold_ns = (uint64_t)argument(argc, argv, 4, 2000) * 1000;
	file = mkstemp(path);
	if (count < 1 || count > MAX_THREADS || file < 0 || unlink(path) || pipe(question) || pipe(answer))
		die("cannot set up %ld threads", count);
	start_thread(&backend, serve, NULL);
	workload_ready();
	end_ns = now_ns() + (uint64_t)length_ms * MS;
	for (long i = 0; i < count; i++)
		start_thread(&threads[i], run, NULL);
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("{\"address\":\"0x%lx\",\"turns\":%lu,\"held_ns\":%lu,\"waited_ns\":%lu}", (unsigned long)&convoy_lock, totals.turns,
	       totals.held_ns, totals.waited_ns);
	workload_end();
	return 0;
}
