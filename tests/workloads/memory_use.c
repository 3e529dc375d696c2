/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults of known number: pages of its own memory that it touches first, and pages of a disk that are not in the page cache.
 *
 * usage: memory_use TOUCHED_PAGES [DEVICE DEVICE_PAGES]
 * The truth has the faults by the kernel's own books, between "go" and the end, and the resident bytes at the end.
 */
#include <sys/mman.h>

#include "workload.h"

#define PAGE 4096L

/* Neither the page table nor the page cache has any of it. */
static volatile char *map_cold(const char *path, long pages)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *memory;

	if (fd < 0)
		die("cannot open '%s'", path);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	memory = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		die("cannot map '%s'", path);
	madvise(memory, pages * PAGE, MADV_RANDOM); /* no read-ahead: a major fault each */
	return memory;
}

int main(int argc, char **argv)
{
	long touched, cold_pages, resident_pages = 0;
	volatile char *own, *cold = NULL;
	struct rusage before, after;
	FILE *statm;

	workload_begin(&argc, &argv);
	touched = argument(argc, argv, 1, 2000);
	cold_pages = argument(argc, argv, 3, 0);
	if (cold_pages)
		cold = map_cold(argv[2], cold_pages);
	own = mmap(NULL, touched * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (own == MAP_FAILED)
		die("no memory");
	madvise((void *)own, touched * PAGE, MADV_NOHUGEPAGE);
	workload_ready();
	getrusage(RUSAGE_SELF, &before);
	for (long i = 0; i < touched; i++)
		own[i * PAGE] = 1;
	for (long i = 0; i < cold_pages; i++)
		(void)cold[i * PAGE];
	getrusage(RUSAGE_SELF, &after);
	statm = fopen("/proc/self/statm", "re");
	if (!statm || fscanf(statm, "%*d %ld", &resident_pages) != 1)
		die("cannot read /proc/self/statm");
	printf("{\"minor\":%ld,\"major\":%ld,\"resident_bytes\":%ld}", after.ru_minflt - before.ru_minflt,
	       after.ru_majflt - before.ru_majflt, resident_pages * PAGE);
	workload_end();
	return 0;
}
