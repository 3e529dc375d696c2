/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_BENCH_LONG_RUN_H
#define HR_TESTS_BENCH_LONG_RUN_H

/*
 * The rows of a long recording, without the recording, the same in each run of a program.
 *
 * The threads are pools of a server under 8 levels of load: one in five never leaves its futex, the others are on CPU for a few percent of each
 * interval, and some of them wait for a CPU: 2.6 states per thread. 50 edges, each with what its waker did and a histogram of
 * 10 slots; 8 system calls with 12 slots each; 5 stages of requests with 30 slots each; 60 kinds of samples.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/writer.h"

#define S 1000000000LL
#define LEVELS 8
#define EDGES 50
#define POOLS 10

struct bench {
	struct hr_writer *writer;
	struct hr_err err;
	int64_t threads, seconds, rows;
	uint64_t chance;
};

static void add(struct bench *bench, enum hr_table_id table, const void *row)
{
	if (hr_writer_add(bench->writer, table, row, &bench->err)) {
		fprintf(stderr, "long_run: %s\n", bench->err.text);
		exit(1);
	}
	bench->rows++;
}
#define ADD(bench, table, ...) add(bench, HR_TABLE_##table, &(struct hr_row_##table){ __VA_ARGS__ })

/* From low to high. */
static int64_t some(struct bench *bench, int64_t low, int64_t high)
{
	bench->chance = bench->chance * 6364136223846793005ULL + 1442695040888963407ULL;
	return low + (int64_t)((bench->chance >> 33) % (uint64_t)(high - low + 1));
}

static void add_cast(struct bench *bench)
{
	char name[32];

	ADD(bench, run, .run_id = "long-run", .host = "bench", .kernel = "6.1", .arch = "x86_64", .cpus = 16, .headroom_version = "0.1.0",
	    .target = "port 80", .started_unix_ns = 1700000000000000000, .interval_ns = S, .ended_ns = bench->seconds * S,
	    .target_status = HR_NULL);
	ADD(bench, processes, 1, 1000, 1, "server", "server --port 80", 0, HR_NULL);
	for (int64_t i = 1; i <= bench->threads; i++) {
		snprintf(name, sizeof(name), "pool%" PRId64 "-%" PRId64, i % POOLS, i / POOLS);
		ADD(bench, threads, i, 1, 1000 + i, name, 0, bench->seconds * S, 0);
	}
	ADD(bench, flows, 1, 1, "server", "tcp", ":80");
	for (int64_t i = 1; i <= EDGES; i++)
		ADD(bench, edges, i, 1 + i * 7 % bench->threads, "futex", "futex", "0x7f0000001000", "thread", 1 + i * 11 % bench->threads,
		    "pool1-1 (1010)");
	ADD(bench, locks, 1, 1, "0x7f0000001000", "queue_lock", "/usr/bin/server");
	for (int64_t i = 1; i <= 60; i++) {
		snprintf(name, sizeof(name), "function_%" PRId64, i);
		ADD(bench, frames, i, name, "/usr/bin/server", HR_NULL);
		for (int64_t depth = 0; depth < 12; depth++)
			ADD(bench, stacks, i, depth, 1 + (i + depth * 5) % 60);
	}
	for (int64_t i = 0; i < LEVELS; i++) {
		snprintf(name, sizeof(name), "%d", 1 << i);
		ADD(bench, levels, i + 1, name, (double)(1 << i), bench->seconds * i / LEVELS * S, bench->seconds * i / LEVELS * S,
		    bench->seconds * (i + 1) / LEVELS * S, NULL, NULL, HR_NULL, NULL, HR_NULL);
	}
}

static void add_thread(struct bench *bench, int64_t interval, int64_t thread)
{
	int64_t on_cpu = some(bench, 1, 40) * 1000000 + some(bench, 0, 999999), kernel = on_cpu / 5, queued = 0;

	if (thread % 5 == 0) {
		ADD(bench, thread_states, interval, thread, "futex", S);
		return;
	}
	ADD(bench, thread_states, interval, thread, "user", on_cpu - kernel);
	if (thread % 2)
		ADD(bench, thread_states, interval, thread, "kernel", kernel);
	if (thread % 2 == 0 && thread % 3) {
		queued = some(bench, 1000, 5000000);
		ADD(bench, thread_states, interval, thread, "runq", queued);
		ADD(bench, cpu_waits, interval, thread, "runq", "target", queued * 2 / 3);
		ADD(bench, cpu_waits, interval, thread, "runq", "idle", queued / 3);
	}
	ADD(bench, thread_states, interval, thread, "futex", S - on_cpu - queued);
	ADD(bench, thread_counters, interval, thread, some(bench, 100, 3000), some(bench, 50, 900), some(bench, 0, 20), some(bench, 0, 9), 0,
	    0, HR_NULL);
}

static void add_waits(struct bench *bench, int64_t interval)
{
	for (int64_t edge = 1; edge <= EDGES; edge++) {
		int64_t time_ns = some(bench, 1000000, 900000000);

		ADD(bench, waits, interval, edge, some(bench, 1, 500), time_ns, some(bench, 1000, 100000), time_ns / 2);
		ADD(bench, wait_windows, interval, edge, "user", time_ns / 3);
		ADD(bench, wait_windows, interval, edge, "futex", time_ns / 6);
		for (int64_t slot = 0; slot < 10; slot++)
			ADD(bench, wait_histograms, interval, edge, 65536 + slot * 4096, 65536 + (slot + 1) * 4096, some(bench, 1, 50));
	}
	ADD(bench, lock_contention, interval, 1, some(bench, 1, 5000), some(bench, 1000, 500000000), some(bench, 1000, 900000000), 12);
}

static void add_calls(struct bench *bench, int64_t interval)
{
	static const char *const names[] = { "read", "write", "epoll_wait", "futex", "sendto", "recvfrom", "accept4", "close" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ADD(bench, syscalls, interval, 1, "native", names[i], some(bench, 1000, 90000), some(bench, 1000, 9000), 3, 500000000, 2, 1000000);
		for (int64_t slot = 0; slot < 12; slot++)
			ADD(bench, histograms, interval, 1, "syscall", names[i], 2048 + slot * 256, 2048 + (slot + 1) * 256, some(bench, 1, 999));
	}
	for (int64_t slot = 0; slot < 40; slot++)
		ADD(bench, histograms, interval, 1, "runq", NULL, 4096 + slot * 256, 4096 + (slot + 1) * 256, some(bench, 1, 999));
}

static void add_requests(struct bench *bench, int64_t interval)
{
	static const char *const stages[] = { "accept", "queue", "service", "stream", "total" };
	int64_t requests = some(bench, 9000, 11000);

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		ADD(bench, request_stages, interval, 1, stages[i], requests, requests * 2000000);
		for (int64_t slot = 0; slot < 30; slot++)
			ADD(bench, requests, interval, 1, stages[i], 1048576 + slot * 16384, 1048576 + (slot + 1) * 16384, some(bench, 1, 900));
	}
	ADD(bench, request_states, interval, 1, "user", requests * 900000);
	ADD(bench, request_states, interval, 1, "futex", requests * 100000);
	ADD(bench, traffic, interval, 1, requests, requests, 0, (1 + interval * LEVELS / (bench->seconds + 1)) * S, 0, requests, requests,
	    requests * 46, requests * 216, 3, 3, 0, 0, 0, 0, 0, 0);
}

static void add_rest(struct bench *bench, int64_t interval)
{
	for (int64_t cpu = 0; cpu < 16; cpu++)
		ADD(bench, cpus, interval, cpu, some(bench, 0, 500000000), some(bench, 0, 100000000), some(bench, 0, 400000000), 0, HR_NULL);
	for (int64_t i = 1; i <= 8; i++)
		ADD(bench, neighbours, interval, 100 + i, "kworker/0:1", some(bench, 0, 9000000));
	for (int64_t i = 1; i <= 16; i++)
		ADD(bench, parallelism, interval, 1, i, some(bench, 0, 90000000));
	for (int64_t i = 1; i <= 60; i++)
		ADD(bench, samples, interval, 1 + i * 3 % bench->threads, i % 3 ? "user" : "futex", i % 3 ? NULL : "futex", i, HR_NULL,
		    some(bench, 1, 9), 10101010, i % 3 ? 5050505 : HR_NULL);
	ADD(bench, costs, interval, 20000000, 60000000);
	ADD(bench, memory, interval, 1, 100, 0, 800000000, 0);
	ADD(bench, pressure, interval, NULL, "cpu", 1000000, HR_NULL);
}

static void add_second(struct bench *bench, int64_t interval)
{
	ADD(bench, intervals, interval, (interval - 1) * S, interval * S);
	for (int64_t thread = 1; thread <= bench->threads; thread++)
		add_thread(bench, interval, thread);
	add_waits(bench, interval);
	add_calls(bench, interval);
	add_requests(bench, interval);
	add_rest(bench, interval);
}

#endif
