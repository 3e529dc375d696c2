/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known effective parallelism. First one thread burns MS milliseconds of wall time alone; then two burn it together,
 * each pinned to a CPU of its own; then two take turns under a mutex, never both on CPU. With one CPU the second phase
 * is left out. The truth: CPU time of each phase's threads.
 */
#include "workload.h"

static uint64_t phase_ns;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

struct worker {
	int cpu;
	uint64_t end_ns, cpu_ns;
};

static void *burn(void *argument)
{
	struct worker *worker = argument;

	set_name("worker");
	pin_to_cpu(worker->cpu);
	spin_until(worker->end_ns);
	worker->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

static void *take_turns(void *argument)
{
	struct worker *worker = argument;

	set_name("turns");
	while (now_ns() < worker->end_ns) {
		pthread_mutex_lock(&turn);
		spin_until(now_ns() + 2 * MS);
		pthread_mutex_unlock(&turn);
		sleep_ns(MS / 5); /* the mutex is not fair: let the other one have it */
	}
	worker->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

static void phase(const char *name, void *(*run)(void *), const int *cpus, int count)
{
	struct worker workers[2];
	pthread_t threads[2];
	uint64_t cpu_ns = 0;

	for (int i = 0; i < count; i++) {
		workers[i] = (struct worker){ cpus[i], now_ns() + phase_ns, 0 };
		start_thread(&threads[i], run, &workers[i]);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		cpu_ns += workers[i].cpu_ns;
	}
	printf("\"%s_cpu_ns\":%lu,", name, cpu_ns);
}

int main(int argc, char **argv)
{
	int cpus[2] = { 0, 0 }, count;

	workload_begin(&argc, &argv);
	phase_ns = (uint64_t)argument(argc, argv, 1, 400) * MS;
	count = allowed_cpus(cpus, 2);
	workload_ready();
	printf("{");
	phase("alone", burn, cpus, 1);
	if (count == 2)
		phase("together", burn, cpus, 2);
	phase("turns", take_turns, cpus, 2);
	printf("\"phase_ns\":%lu,\"cpus\":%d}", phase_ns, count);
	workload_end();
	return 0;
}
