/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLEEPERS threads that sleep and now and then do a little, and BIRTHS threads per second that are born, work 2 ms and
 * die, for MS milliseconds. The truth: how many of each lived.
 */
#include "workload.h"

static volatile bool done;
static long births;

static void *idle(void *argument)
{
	set_name("sleeper");
	sleep_ns((uint64_t)(uintptr_t)argument % 1000 * MS);
	while (!done)
		sleep_ns(SECOND);
	return NULL;
}

static void *live(void *argument)
{
	set_name("mayfly");
	spin_until(now_ns() + MS);
	sleep_ns(MS);
	return argument;
}

static void bear(uint64_t end_ns, long per_second)
{
	uint64_t next_ns = now_ns();

	while (next_ns < end_ns) {
		pthread_t thread;

		start_thread(&thread, live, NULL);
		births++;
		pthread_join(thread, NULL);
		next_ns += SECOND / (uint64_t)per_second;
		if (next_ns > now_ns())
			sleep_ns(next_ns - now_ns());
	}
}

int main(int argc, char **argv)
{
	long count, per_second;
	uint64_t length_ns;
	pthread_t *sleepers;

	workload_begin(&argc, &argv);
	count = argument(argc, argv, 1, 2000);
	per_second = argument(argc, argv, 2, 50);
	length_ns = (uint64_t)argument(argc, argv, 3, 5000) * MS;
	sleepers = calloc((size_t)count, sizeof(*sleepers));
	for (long i = 0; i < count; i++)
		start_thread(&sleepers[i], idle, (void *)(uintptr_t)i);
	workload_ready();
	bear(now_ns() + length_ns, per_second);
	done = true;
	for (long i = 0; i < count; i++)
		pthread_join(sleepers[i], NULL);
	printf("{\"sleepers\":%ld,\"births\":%ld}", count, births);
	workload_end();
	free(sleepers);
	return 0;
}
