/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that map, touch and unmap memory all the time: they queue for the mmap_lock of their process.
 *
 * Usage: map_convoy [THREADS [MILLISECONDS]]. Prints how often they did.
 */
#include "workload.h"

#include <sys/mman.h>

#define MAX_THREADS 64
#define BYTES (4UL << 20)

static uint64_t end_ns, rounds;

static void *run(void *argument)
{
	set_name("mapper");
	while (now_ns() < end_ns) {
		char *region = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (region == MAP_FAILED || munmap(region, BYTES))
			die("cannot map");
		__atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
	}
	return argument;
}

int main(int argc, char **argv)
{
	pthread_t threads[MAX_THREADS];
	long count;

	workload_begin(&argc, &argv);
	count = argument(argc, argv, 1, 8);
	if (count < 1 || count > MAX_THREADS)
		die("cannot have %ld threads", count);
	workload_ready();
	end_ns = now_ns() + (uint64_t)argument(argc, argv, 2, 2000) * MS;
	for (long i = 0; i < count; i++)
		start_thread(&threads[i], run, NULL);
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("{\"rounds\":%lu}", rounds);
	workload_end();
	return 0;
}
