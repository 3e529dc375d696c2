/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * THREADS threads that burn CPU in user mode for MS milliseconds, on any CPU, or all on CPU if that is given. The
 * truth per thread: what the kernel's own books say of it in the meantime; of its waits for a CPU, all since its birth.
 */
#include "workload.h"

static int pinned_cpu;
static uint64_t length_ns;

struct hog {
	pthread_t thread;
	pid_t tid;
	struct books books;
};

static void *burn(void *argument)
{
	struct hog *hog = argument;
	struct books start;

	set_name("hog");
	hog->tid = own_tid();
	if (pinned_cpu >= 0)
		pin_to_cpu(pinned_cpu);
	start = read_books();
	spin_until(start.wall_ns + length_ns);
	hog->books = since(start);
	hog->books.run_delay_ns += start.run_delay_ns;
	return NULL;
}

int main(int argc, char **argv)
{
	struct hog *hogs;
	long count;

	workload_begin(&argc, &argv);
	count = argument(argc, argv, 1, 4);
	length_ns = (uint64_t)argument(argc, argv, 2, 1000) * MS;
	pinned_cpu = (int)argument(argc, argv, 3, -1);
	hogs = calloc((size_t)count, sizeof(*hogs));
	workload_ready();
	for (long i = 0; i < count; i++)
		start_thread(&hogs[i].thread, burn, &hogs[i]);
	printf("{\"threads\":[");
	for (long i = 0; i < count; i++) {
		pthread_join(hogs[i].thread, NULL);
		printf("%s{\"tid\":%d,", i ? "," : "", hogs[i].tid);
		print_books(hogs[i].books);
		printf("}");
	}
	printf("]}");
	workload_end();
	free(hogs);
	return 0;
}
