/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to a disk, of known number and size, one at a time per thread and past the page cache.
 *
 * usage: disk_requests DEVICE THREADS READS WRITES DISCARDS FLUSHES
 * Each thread reads 4 KiB and writes 16 KiB so many times; then the first thread discards 64 KiB and flushes. The truth has how
 * long each kind of call took, over all threads.
 */
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "workload.h"

#define READ_BYTES 4096
#define WRITE_BYTES 16384
#define DISCARD_BYTES 65536
#define THREADS_MAX 64

struct client {
	pthread_t thread;
	int fd, index;
	uint64_t read_ns, write_ns;
};

static long reads, writes;

/* A page of its own each time: two that touch each other might become one request. */
static off_t place(const struct client *client, long i)
{
	return (client->index * 100 + i % 50 * 2) * (off_t)WRITE_BYTES;
}

static void *run(void *argument)
{
	struct client *client = argument;
	uint64_t start_ns;
	void *memory;

	if (posix_memalign(&memory, WRITE_BYTES, WRITE_BYTES))
		die("no memory");
	memset(memory, 1, WRITE_BYTES);
	start_ns = now_ns();
	for (long i = 0; i < reads; i++)
		if (pread(client->fd, memory, READ_BYTES, place(client, i)) != READ_BYTES)
			die("cannot read");
	client->read_ns = now_ns() - start_ns;
	start_ns = now_ns();
	for (long i = 0; i < writes; i++)
		if (pwrite(client->fd, memory, WRITE_BYTES, place(client, i)) != WRITE_BYTES)
			die("cannot write");
	client->write_ns = now_ns() - start_ns;
	free(memory);
	return NULL;
}

static uint64_t discard(int fd, long count)
{
	uint64_t start_ns = now_ns();

	for (long i = 0; i < count; i++) {
		uint64_t range[] = { (uint64_t)i * DISCARD_BYTES, DISCARD_BYTES };

		if (ioctl(fd, BLKDISCARD, range))
			die("cannot discard");
	}
	return now_ns() - start_ns;
}

static uint64_t flush(int fd, long count)
{
	uint64_t start_ns = now_ns();

	for (long i = 0; i < count; i++)
		if (fsync(fd))
			die("cannot flush");
	return now_ns() - start_ns;
}

int main(int argc, char **argv)
{
	struct client clients[THREADS_MAX] = { 0 };
	uint64_t read_ns = 0, write_ns = 0, discard_ns, flush_ns;
	long threads, discards, flushes;

	workload_begin(&argc, &argv);
	threads = argument(argc, argv, 2, 1);
	reads = argument(argc, argv, 3, 100);
	writes = argument(argc, argv, 4, 100);
	discards = argument(argc, argv, 5, 0);
	flushes = argument(argc, argv, 6, 0);
	if (argc < 2 || threads < 1 || threads > THREADS_MAX)
		die("usage: disk_requests DEVICE THREADS READS WRITES DISCARDS FLUSHES");
	for (int i = 0; i < threads; i++) {
		clients[i].index = i;
		clients[i].fd = open(argv[1], O_RDWR | O_DIRECT | O_CLOEXEC);
		if (clients[i].fd < 0)
			die("cannot open '%s'", argv[1]);
	}
	workload_ready();
	for (int i = 0; i < threads; i++)
		start_thread(&clients[i].thread, run, &clients[i]);
	for (int i = 0; i < threads; i++) {
		pthread_join(clients[i].thread, NULL);
		read_ns += clients[i].read_ns;
		write_ns += clients[i].write_ns;
	}
	discard_ns = discard(clients[0].fd, discards);
	flush_ns = flush(clients[0].fd, flushes);
	printf("{\"read\":{\"count\":%ld,\"bytes\":%ld,\"ns\":%lu},", threads * reads, threads * reads * READ_BYTES, read_ns);
	printf("\"write\":{\"count\":%ld,\"bytes\":%ld,\"ns\":%lu},", threads * writes, threads * writes * WRITE_BYTES, write_ns);
	printf("\"discard\":{\"count\":%ld,\"bytes\":%ld,\"ns\":%lu},", discards, discards * DISCARD_BYTES, discard_ns);
	printf("\"flush\":{\"count\":%ld,\"bytes\":0,\"ns\":%lu}}", flushes, flush_ns);
	workload_end();
	return 0;
}
