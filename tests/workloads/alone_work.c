/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code that runs alone, and code that runs on two CPUs at once. First one thread burns 9 * MS milliseconds in alone_part(), then two
 * burn MS each in shared_part(), each pinned to a CPU of its own: 9 to 1 in wall time, 9 to 2 in CPU time. The truth: the CPU time of
 * both parts.
 */
#include "workload.h"

static uint64_t unit_ns;

struct worker {
	void (*part)(uint64_t end_ns);
	const char *name;
	int cpu;
	uint64_t end_ns, cpu_ns;
};

/* Reads the clock so rarely that next to no sample is in it. */
#define BURN(end_ns) \
	while (now_ns() < (end_ns)) \
		for (volatile int i = 0; i < 100000; i++) \
			;

__attribute__((noinline)) static void alone_part(uint64_t end_ns)
{
	BURN(end_ns)
}

__attribute__((noinline)) static void shared_part(uint64_t end_ns)
{
	BURN(end_ns)
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	set_name(worker->name);
	pin_to_cpu(worker->cpu);
	worker->part(worker->end_ns);
	worker->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

/* Until that time from now, on so many CPUs at once; the CPU time. */
static uint64_t burn(const struct worker *like, uint64_t wall_ns, const int *cpus, int count)
{
	struct worker workers[2];
	pthread_t threads[2];
	uint64_t end_ns = now_ns() + wall_ns, cpu_ns = 0;

	for (int i = 0; i < count; i++) {
		workers[i] = *like;
		workers[i].cpu = cpus[i];
		workers[i].end_ns = end_ns;
		start_thread(&threads[i], work, &workers[i]);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		cpu_ns += workers[i].cpu_ns;
	}
	return cpu_ns;
}

int main(int argc, char **argv)
{
	static const struct worker alone = { .part = alone_part, .name = "alone" }, shared = { .part = shared_part, .name = "shared" };
	int cpus[2] = { 0, 0 }, count;

	workload_begin(&argc, &argv);
	unit_ns = (uint64_t)argument(argc, argv, 1, 400) * MS;
	count = allowed_cpus(cpus, 2);
	workload_ready();
	printf("{\"alone_cpu_ns\":%lu,", burn(&alone, 9 * unit_ns, cpus, 1));
	printf("\"shared_cpu_ns\":%lu,\"cpus\":%d}", burn(&shared, unit_ns, cpus, count), count);
	workload_end();
	return 0;
}
