/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that waits for the mmap_lock of its process, as a reader, while another changes the protection of many
 * pages under it, for MS milliseconds. The truth has the form of waits.h: low_ns is the time in calls that took far
 * longer than they need and in which the thread neither ran nor was runnable, high_ns all time since the changer began:
 * reading its own books takes kernel locks too, which others who do the same may hold.
 */
#include "workload.h"

#include <sys/mman.h>

#define REGION_BYTES (64UL << 20)
#define FREE_CALL_NS (200 * 1000ULL) /* no call that finds the lock free takes as long, unless it is preempted */

static volatile bool done;

static void *change(void *argument)
{
	int protection = PROT_READ;

	set_name("changer");
	while (!done) {
		mprotect(argument, REGION_BYTES, protection);
		protection ^= PROT_WRITE;
		sleep_ns(MS / 10); /* let the reader in */
	}
	return NULL;
}

int main(int argc, char **argv)
{
	uint64_t low_ns = 0, begin_ns, end_ns;
	unsigned char resident;
	pthread_t changer;
	long waits = 0, calls = 0;
	char *region;

	workload_begin(&argc, &argv);
	region = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(region, REGION_BYTES, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < REGION_BYTES; i += 4096)
		region[i] = 1;
	since(read_books()); /* so that no page of what is timed is touched for the first time under the lock */
	mincore(region, 1, &resident);
	workload_ready();
	begin_ns = now_ns();
	start_thread(&changer, change, region);
	end_ns = now_ns() + (uint64_t)argument(argc, argv, 1, 500) * MS;
	while (now_ns() < end_ns) {
		struct books start = read_books(), call;

		mincore(region, 1, &resident);
		call = since(start);
		calls++;
		if (call.wall_ns < call.cpu_ns + FREE_CALL_NS)
			continue;
		waits++;
		if (call.wall_ns > call.cpu_ns + call.run_delay_ns)
			low_ns += call.wall_ns - call.cpu_ns - call.run_delay_ns;
	}
	done = true;
	pthread_join(changer, NULL);
	printf("{\"waits\":[{\"kind\":\"mmap_lock\",\"state\":\"klock\",\"tid\":%d,\"rounds\":%ld,", own_tid(), waits);
	printf("\"skipped\":\"\",\"calls\":%ld,\"low_ns\":%lu,\"high_ns\":%lu}]}", calls, low_ns, now_ns() - begin_ns);
	workload_end();
	return 0;
}
