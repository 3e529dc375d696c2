/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that wait for a block device, each in its own way, on files in the directory that is the first argument; the
 * second is the number of rounds. The truth has the form of waits.h: low_ns is the time in the calls in which the
 * kernel's own books say that the thread neither ran nor was runnable, high_ns the time in the calls.
 */
#include "workload.h"

#include <sys/mman.h>
#include <sys/statfs.h>

#define FILE_BYTES (16UL << 20)
#define PAGE 4096UL
#define TMPFS_MAGIC 0x01021994

struct disk {
	const struct disk_kind *kind;
	int fd;
	char *memory; /* a page-aligned buffer, or the file mapped */
	int rounds, skipped;
	pid_t tid;
	pthread_t thread;
	struct books books;
};

struct disk_kind {
	const char *name, *state;
	void (*round)(struct disk *disk, unsigned int random);
	bool mapped;
	int open_flags;
};

static const char *directory;

static off_t random_page(unsigned int random)
{
	return (off_t)(random % (FILE_BYTES / PAGE) * PAGE);
}

static void fsync_round(struct disk *disk, unsigned int random)
{
	if (pwrite(disk->fd, disk->memory, PAGE, random_page(random)) < 0 || fsync(disk->fd))
		die("cannot write");
}

static void direct_round(struct disk *disk, unsigned int random)
{
	if (pread(disk->fd, disk->memory, PAGE, random_page(random)) < 0)
		die("cannot read");
}

static void uncached_round(struct disk *disk, unsigned int random)
{
	posix_fadvise(disk->fd, 0, 0, POSIX_FADV_DONTNEED);
	posix_fadvise(disk->fd, 0, 0, POSIX_FADV_RANDOM);
	if (pread(disk->fd, disk->memory, PAGE, random_page(random)) < 0)
		die("cannot read");
}

/* One major fault: neither the page table nor the page cache has the page. */
static void fault_round(struct disk *disk, unsigned int random)
{
	madvise(disk->memory, FILE_BYTES, MADV_DONTNEED);
	posix_fadvise(disk->fd, 0, 0, POSIX_FADV_DONTNEED);
	(void)*(volatile char *)(disk->memory + random_page(random));
}

static const struct disk_kind kinds[] = {
	{ "fsync", "disk", fsync_round, false, 0 },
	{ "direct_read", "disk", direct_round, false, O_DIRECT },
	{ "uncached_read", "disk", uncached_round, false, 0 },
	{ "major_fault", "fault", fault_round, true, 0 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void set_up(struct disk *disk)
{
	char path[512];
	int writer;

	snprintf(path, sizeof(path), "%s/%s", directory, disk->kind->name);
	writer = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	disk->fd = open(path, O_RDWR | O_CLOEXEC | disk->kind->open_flags);
	if (posix_memalign((void **)&disk->memory, PAGE, FILE_BYTES))
		die("no memory");
	memset(disk->memory, 1, FILE_BYTES);
	if (writer < 0 || pwrite(writer, disk->memory, FILE_BYTES, 0) < 0 || fsync(writer))
		die("cannot write '%s'", path);
	close(writer);
	unlink(path);
	if (disk->fd < 0) {
		disk->skipped = errno;
		return;
	}
	if (!disk->kind->mapped)
		return;
	free(disk->memory);
	disk->memory = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, disk->fd, 0);
	madvise(disk->memory, FILE_BYTES, MADV_RANDOM);
}

static void *run(void *argument)
{
	struct disk *disk = argument;
	unsigned int random = 12345;
	struct books start = read_books();

	set_name(disk->kind->name);
	disk->tid = own_tid();
	for (int i = 0; i < disk->rounds && !disk->skipped; i++) {
		random = random * 1103515245 + 12345;
		disk->kind->round(disk, random >> 8);
	}
	disk->books = since(start);
	return NULL;
}

int main(int argc, char **argv)
{
	struct disk disks[KINDS] = { 0 };
	struct statfs system;

	workload_begin(&argc, &argv);
	directory = argc > 1 ? argv[1] : "/var/tmp";
	if (statfs(directory, &system))
		die("cannot ask about '%s'", directory);
	for (size_t i = 0; i < KINDS; i++) {
		disks[i].kind = &kinds[i];
		disks[i].rounds = (int)argument(argc, argv, 2, 50);
		if (system.f_type == TMPFS_MAGIC)
			disks[i].skipped = ENOTBLK;
		else
			set_up(&disks[i]);
	}
	workload_ready();
	for (size_t i = 0; i < KINDS; i++)
		start_thread(&disks[i].thread, run, &disks[i]);
	printf("{\"waits\":[");
	for (size_t i = 0; i < KINDS; i++) {
		const struct disk *disk = &disks[i];
		uint64_t busy_ns;

		pthread_join(disk->thread, NULL);
		busy_ns = disk->books.cpu_ns + disk->books.run_delay_ns;
		printf("%s{\"kind\":\"%s\",\"state\":\"%s\",\"tid\":%d,\"rounds\":%d,", i ? "," : "",
		       disk->kind->name, disk->kind->state, disk->tid, disk->rounds);
		printf("\"skipped\":\"%s\",\"low_ns\":%lu,\"high_ns\":%lu}",
		       disk->skipped ? strerror(disk->skipped) : "",
		       disk->books.wall_ns > busy_ns ? disk->books.wall_ns - busy_ns : 0, disk->books.wall_ns);
	}
	printf("]}");
	workload_end();
	return 0;
}
