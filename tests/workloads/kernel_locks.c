/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that queue for a lock of the kernel.
 *
 * Usage: kernel_locks KIND [THREADS [MILLISECONDS]]
 *   map    they map, touch and unmap memory: the mmap_lock of their process
 *   write  they write to one file: the lock of its inode
 * Prints how often they did.
 */
#include "workload.h"

#include <sys/mman.h>

#define MAX_THREADS 64
#define BYTES (4UL << 20)

static uint64_t end_ns, rounds;
static int file;
static char *data;

static void map(void)
{
	char *region = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (region == MAP_FAILED || munmap(region, BYTES))
		die("cannot map");
}

static void rewrite(void)
{
	if (pwrite(file, data, BYTES, 0) != BYTES)
		die("cannot write");
}

static const struct {
	const char *name, *thread;
	void (*work)(void);
} kinds[] = {
	{ "map", "mapper", map },
	{ "write", "writer", rewrite },
};

static void *run(void *kind)
{
	size_t index = (size_t)kind;

	set_name(kinds[index].thread);
	while (now_ns() < end_ns) {
		kinds[index].work();
		__atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	char path[] = "kernel_locks.XXXXXX";
	pthread_t threads[MAX_THREADS];
	size_t kind = 0;
	long count;

	workload_begin(&argc, &argv);
	while (kind < sizeof(kinds) / sizeof(*kinds) && (argc < 2 || strcmp(argv[1], kinds[kind].name)))
		kind++;
	count = argument(argc, argv, 2, 8);
	file = mkstemp(path);
	data = calloc(1, BYTES);
	if (kind == sizeof(kinds) / sizeof(*kinds) || count < 1 || count > MAX_THREADS || file < 0 || unlink(path) || !data)
		die("cannot set up %ld threads", count);
	workload_ready();
	end_ns = now_ns() + (uint64_t)argument(argc, argv, 3, 2000) * MS;
	for (long i = 0; i < count; i++)
		start_thread(&threads[i], run, (void *)kind);
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("{\"rounds\":%lu}", rounds);
	workload_end();
	return 0;
}
