/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_SAMPLE_WAITS_H
#define HR_TESTS_SAMPLE_WAITS_H

#include "sample_run.h"

/* A run file whose waits are known, for the tests of everything that reads them. */

/*
 * A server of four workers that take one lock, model_lock, in turn, and in it are on CPU for 80 % and write to a disk; an acceptor
 * that waits for clients and hands out work through a condition; a main thread that waits for them to end. One interval of 10 s.
 *
 * Threads 1: main, 2: acceptor, 3 to 6: workers. A worker waits 6 s for the lock (edges 3 to 6), 1.2 s for the disk (7 to 10),
 * 1 s for work (11 to 14); one of them 0.5 s for another process (15), one 50 ms for a lock of the kernel (16).
 */
struct sample_edge {
	int64_t edge_id, thread_id;
	const char *state, *kind, *subject, *source;
	int64_t waker_thread_id;
	const char *waker;
	int64_t count, time_ns, handover_ns, window_ns;
};

static const struct sample_edge sample_edges[] = {
	{ 1, 1, "futex", NULL, NULL, "open", HR_NULL, NULL, 1, 10 * S, HR_NULL, 0 },
	{ 2, 2, "poll", NULL, NULL, "interrupt", HR_NULL, NULL, 900, 9 * S, 9 * MS, 0 },
	{ 3, 3, "futex", "futex", "0x5580", "thread", 6, "worker-3 (106)", 100, 6 * S, 10 * MS, 6 * S },
	{ 4, 4, "futex", "futex", "0x5580", "thread", 3, "worker-0 (103)", 100, 6 * S, 10 * MS, 6 * S },
	{ 5, 5, "futex", "futex", "0x5580", "thread", 4, "worker-1 (104)", 100, 6 * S, 10 * MS, 6 * S },
	{ 6, 6, "futex", "futex", "0x5580", "thread", 5, "worker-2 (105)", 100, 6 * S, 10 * MS, 6 * S },
	{ 7, 3, "disk", "file", "log", "interrupt", HR_NULL, NULL, 60, 1200 * MS, 0, 0 },
	{ 8, 4, "disk", "file", "log", "interrupt", HR_NULL, NULL, 60, 1200 * MS, 0, 0 },
	{ 9, 5, "disk", "file", "log", "other", HR_NULL, "jbd2 (77)", 60, 1200 * MS, 0, 0 },
	{ 10, 6, "disk", "file", "log", "other", HR_NULL, "jbd2 (78)", 60, 1200 * MS, 0, 0 },
	{ 11, 3, "futex", "futex", "0x5600", "thread", 2, "acceptor (102)", 10, 1 * S, 0, 1 * S },
	{ 12, 4, "futex", "futex", "0x5600", "thread", 2, "acceptor (102)", 10, 1 * S, 0, 1 * S },
	{ 13, 5, "futex", "futex", "0x5600", "thread", 2, "acceptor (102)", 10, 1 * S, 0, 1 * S },
	{ 14, 6, "futex", "futex", "0x5600", "thread", 2, "acceptor (102)", 10, 1 * S, 0, 1 * S },
	{ 15, 6, "ipc", "pipe", "pipe:[9]", "other", HR_NULL, "logger (900)", 5, 500 * MS, 5 * MS, 0 },
	{ 16, 5, "klock", "kernel_lock", "mmap_lock", "thread", 6, "worker-3 (106)", 5, 50 * MS, 5 * MS, 0 },
};

/* Of the lock's 6 s, 4.5 s are the turns of the others in front of the waker. */
static inline void sample_edge_windows(struct hr_writer *writer)
{
	for (int64_t edge = 3; edge <= 6; edge++) {
		SAMPLE(writer, wait_windows, 1, edge, "futex", 4500 * MS);
		SAMPLE(writer, wait_windows, 1, edge, "user", 1200 * MS);
		SAMPLE(writer, wait_windows, 1, edge, "disk", 300 * MS);
		SAMPLE(writer, wait_histograms, 1, edge, 1 << 20, (1 << 20) + (1 << 17), 50);
		SAMPLE(writer, wait_histograms, 1, edge, 1 << 26, (1 << 26) + (1 << 23), 50);
	}
	for (int64_t edge = 11; edge <= 14; edge++)
		SAMPLE(writer, wait_windows, 1, edge, "poll", 1000 * MS);
}

static inline void sample_write_waits(const char *path)
{
	struct hr_writer *writer = sample_begin(path, 10 * S);

	SAMPLE(writer, intervals, 1, 0, 10 * S);
	SAMPLE(writer, processes, .process_id = 1, .pid = 101, .parent_pid = 1, .name = "model", .command = "model --serve",
	       .last_ns = HR_NULL);
	SAMPLE(writer, threads, .thread_id = 1, .process_id = 1, .tid = 101, .name = "model", .last_ns = 10 * S);
	SAMPLE(writer, threads, .thread_id = 2, .process_id = 1, .tid = 102, .name = "acceptor", .last_ns = 10 * S);
	SAMPLE(writer, thread_states, 1, 1, "futex", 10 * S);
	SAMPLE(writer, thread_states, 1, 2, "poll", 9 * S);
	SAMPLE(writer, thread_states, 1, 2, "user", 1 * S);
	for (int64_t id = 3; id <= 6; id++) {
		char name[16];

		snprintf(name, sizeof(name), "worker-%d", (int)id - 3);
		SAMPLE(writer, threads, .thread_id = id, .process_id = 1, .tid = 100 + id, .name = name, .last_ns = 10 * S);
		SAMPLE(writer, thread_states, 1, id, "futex", 7 * S);
		SAMPLE(writer, thread_states, 1, id, "disk", 1200 * MS);
		SAMPLE(writer, thread_states, 1, id, "user", 1800 * MS);
	}
	for (size_t i = 0; i < sizeof(sample_edges) / sizeof(sample_edges[0]); i++) {
		const struct sample_edge *edge = &sample_edges[i];

		SAMPLE(writer, edges, .edge_id = edge->edge_id, .thread_id = edge->thread_id, .state = edge->state,
		       .subject_kind = edge->kind, .subject = edge->subject, .source = edge->source,
		       .waker_thread_id = edge->waker_thread_id, .waker = edge->waker);
		SAMPLE(writer, waits, 1, edge->edge_id, edge->count, edge->time_ns, edge->handover_ns, edge->window_ns);
	}
	sample_edge_windows(writer);
	SAMPLE(writer, locks, 1, 1, "0x5580", "model_lock", "/usr/bin/model");
	SAMPLE(writer, locks, 2, 1, "0x5600", NULL, "[heap]");
	SAMPLE(writer, lock_contention, 1, 1, 420, 9900 * MS, 24 * S, 3);
	SAMPLE(writer, lock_contention, 1, 2, 44, 3 * S, 4 * S, 4);
	sample_end(writer, true);
}

#endif
