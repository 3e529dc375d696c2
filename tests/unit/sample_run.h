/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_SAMPLE_RUN_H
#define HR_TESTS_SAMPLE_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyse/summary.h"
#include "store/reader.h"
#include "store/writer.h"

/*
 * Run files whose numbers are known, for the tests of everything that reads one.
 *
 * The sample is a web server of two processes with a pool of workers, and a script that comes and goes, on four CPUs:
 * three intervals of one second with a gap of one second before the last (recording was switched off). Each row is
 * written below where the tests can see it.
 */
#define MS 1000000LL
#define S 1000000000LL

struct sample_state {
	int64_t interval_id, thread_id;
	const char *state;
	int64_t time_ns;
};

/*
 * Thread 1: the master. 2: the main thread of the second process. 3, 4: workers. 5: the script, from 1.5 s to 3.25 s.
 */
static const struct sample_state sample_states[] = {
	{ 1, 1, "ipc", 1000 * MS }, { 2, 1, "ipc", 1000 * MS }, { 3, 1, "ipc", 1000 * MS },
	{ 1, 2, "poll", 600 * MS }, { 1, 2, "user", 200 * MS }, { 1, 2, "kernel", 150 * MS }, { 1, 2, "runq", 50 * MS },
	{ 2, 2, "poll", 500 * MS }, { 2, 2, "user", 300 * MS }, { 2, 2, "kernel", 150 * MS }, { 2, 2, "runq", 50 * MS },
	{ 3, 2, "poll", 400 * MS }, { 3, 2, "user", 400 * MS }, { 3, 2, "kernel", 150 * MS },
	{ 3, 2, "preempted", 50 * MS },
	{ 1, 3, "futex", 900 * MS }, { 1, 3, "user", 100 * MS },
	{ 2, 3, "futex", 900 * MS }, { 2, 3, "disk", 100 * MS },
	{ 3, 3, "futex", 1000 * MS },
	{ 1, 4, "futex", 1000 * MS }, { 2, 4, "futex", 1000 * MS }, { 3, 4, "futex", 997 * MS }, /* 3 ms are missing */
	{ 2, 5, "user", 400 * MS }, { 2, 5, "sleep", 100 * MS }, { 3, 5, "user", 250 * MS },
};

static inline void sample_add(struct hr_writer *writer, enum hr_table_id table, const void *row)
{
	struct hr_err err;

	if (hr_writer_add(writer, table, row, &err))
		fail_msg("%s", err.text);
}
#define SAMPLE(writer, table, ...) sample_add(writer, HR_TABLE_##table, &(struct hr_row_##table){ __VA_ARGS__ })

static inline struct hr_writer *sample_begin(const char *path, int64_t ended_ns)
{
	struct hr_writer *writer = NULL;
	struct hr_err err;

	if (hr_writer_create(path, true, (uid_t)-1, (gid_t)-1, &writer, &err))
		fail_msg("%s", err.text);
	SAMPLE(writer, run, "run-1", "web-7", "6.1.0-25-amd64", "x86_64", 4, "0.1.0", "--port 8080",
	       1700000000250 * MS, HR_NULL, S, ended_ns, HR_NULL);
	return writer;
}

static inline void sample_end(struct hr_writer *writer, bool cleanly)
{
	struct hr_err err;

	if (cleanly ? hr_writer_finish(writer, &err) : hr_writer_commit(writer, &err))
		fail_msg("%s", err.text);
	hr_writer_close(writer);
}

static inline void sample_threads(struct hr_writer *writer)
{
	SAMPLE(writer, processes, 1, 100, 1, "nginx", "nginx: master process", 0, HR_NULL);
	SAMPLE(writer, processes, 2, 101, 100, "nginx", "nginx: worker process", 0, HR_NULL);
	SAMPLE(writer, processes, 3, 200, 1, "python3", NULL, 1500 * MS, 3250 * MS);
	SAMPLE(writer, threads, 1, 1, 100, "nginx", 0, 4 * S, 0);
	SAMPLE(writer, threads, 2, 2, 101, "nginx", 0, 4 * S, 0);
	SAMPLE(writer, threads, 3, 2, 102, "worker-1", 0, 4 * S, 0);
	SAMPLE(writer, threads, 4, 2, 103, "worker-12", 0, 4 * S, 0);
	SAMPLE(writer, threads, 5, 3, 200, "python3", 1500 * MS, 3250 * MS, 1);
	for (size_t i = 0; i < sizeof(sample_states) / sizeof(sample_states[0]); i++)
		SAMPLE(writer, thread_states, sample_states[i].interval_id, sample_states[i].thread_id,
		       sample_states[i].state, sample_states[i].time_ns);
	/* thread, syscalls, voluntary, involuntary, migrations, mmap_lock_ns, estimated_ns, not_run_ns */
	SAMPLE(writer, thread_counters, 1, 2, 10000, 4000, 100, 5, 0, 50 * MS, 2 * MS);
	SAMPLE(writer, thread_counters, 2, 2, 20000, 5000, 200, 5, 0, 50 * MS, HR_NULL);
	SAMPLE(writer, thread_counters, 3, 5, 7, 1, 2, 0, 0, 0, HR_NULL);
	SAMPLE(writer, cpu_waits, 1, 2, "runq", "target", 20 * MS);
	SAMPLE(writer, cpu_waits, 1, 2, "runq", "other", 30 * MS);
	SAMPLE(writer, cpu_waits, 2, 2, "runq", "other", 40 * MS);
	SAMPLE(writer, cpu_waits, 2, 2, "runq", "steal", 10 * MS);
	SAMPLE(writer, cpu_waits, 3, 2, "preempted", "other", 50 * MS);
	SAMPLE(writer, parallelism, 1, 2, 1, 300 * MS);
	SAMPLE(writer, parallelism, 1, 2, 2, 75 * MS);
	SAMPLE(writer, parallelism, 2, 2, 1, 450 * MS);
	SAMPLE(writer, parallelism, 3, 2, 1, 400 * MS);
	SAMPLE(writer, parallelism, 3, 2, 3, 50 * MS);
}

static inline void sample_calls(struct hr_writer *writer)
{
	/* calls, timed, errors, total_ns, in_progress, in_progress_ns */
	SAMPLE(writer, syscalls, 1, 2, "native", "epoll_wait", 400, 400, 0, 600 * MS, 1, 100 * MS);
	SAMPLE(writer, syscalls, 2, 2, "native", "epoll_wait", 400, 400, 0, 500 * MS, 1, 100 * MS);
	SAMPLE(writer, syscalls, 3, 2, "native", "epoll_wait", 200, 200, 0, 380 * MS, 1, 20 * MS);
	SAMPLE(writer, syscalls, 3, 1, "native", "epoll_wait", 0, 0, 0, 0, 2, 3000 * MS);
	SAMPLE(writer, syscalls, 1, 2, "native", "accept4", 100, 50, 80, 10 * MS, 0, 0);
	SAMPLE(writer, syscalls, 2, 3, "native", "accept4", 100, 50, 20, 10 * MS, 0, 0);
	SAMPLE(writer, syscalls, 2, 3, "compat", "accept4", 3, 3, 0, 1 * MS, 0, 0);
	SAMPLE(writer, syscall_errors, 1, 2, "native", "accept4", "EMFILE", 10);
	SAMPLE(writer, syscall_errors, 1, 2, "native", "accept4", "EAGAIN", 70);
	SAMPLE(writer, syscall_errors, 2, 3, "native", "accept4", "EAGAIN", 20);
	/* label, low_ns, high_ns, count; 1000 calls of epoll_wait over two processes and three intervals */
	SAMPLE(writer, histograms, 1, 2, "syscall", "epoll_wait", 1024, 1152, 300);
	SAMPLE(writer, histograms, 2, 1, "syscall", "epoll_wait", 1024, 1152, 300);
	SAMPLE(writer, histograms, 2, 2, "syscall", "epoll_wait", 2048, 2304, 380);
	SAMPLE(writer, histograms, 3, 2, "syscall", "epoll_wait", 1 << 20, (1 << 20) + (1 << 17), 20);
	SAMPLE(writer, histograms, 1, 2, "runq", NULL, 3, 4, 50);
	SAMPLE(writer, histograms, 1, 3, "runq", NULL, 4096, 4608, 50);
	SAMPLE(writer, histograms, 3, 2, "preempted", NULL, 1 << 20, (1 << 20) + (1 << 17), 7);
}

static inline void sample_host(struct hr_writer *writer)
{
	for (int64_t interval = 1; interval <= 3; interval++)
		for (int64_t cpu = 0; cpu < 4; cpu++)
			SAMPLE(writer, cpus, interval, cpu, cpu == 2 ? 500 * MS : 100 * MS, 200 * MS,
			       cpu == 2 ? 300 * MS : 700 * MS, 10 * MS, HR_NULL);
	SAMPLE(writer, neighbours, 1, 4321, "wrk", 300 * MS);
	SAMPLE(writer, neighbours, 2, 4321, "wrk", 450 * MS);
	SAMPLE(writer, neighbours, 2, 7, "ksoftirqd/0", 30 * MS);
	SAMPLE(writer, neighbours, 1, HR_NULL, "", 900 * MS);
	SAMPLE(writer, quotas, 1, "/docker/web", 200 * MS, 100 * MS, 10, 4, 30 * MS);
	SAMPLE(writer, quotas, 3, "/docker/web", 250 * MS, 100 * MS, 10, 1, 10 * MS);
	SAMPLE(writer, costs, 1, 10 * MS, 12 << 20);
	SAMPLE(writer, costs, 3, 10 * MS, 14 << 20);
	SAMPLE(writer, probe_costs, 2, "sched_switch", 1000, 300000, 100 * MS);
	SAMPLE(writer, probe_costs, 2, "sys_enter", 5000, 500000, 100 * MS);
	SAMPLE(writer, features, "run_statistics", 1, "the cost of the probes is not measured");
	SAMPLE(writer, features, "tracefs", 0, "nothing: no probe needs it");
	SAMPLE(writer, features, "contention", 0, "waits for kernel locks (klock) count as disk, fault or other");
}

static inline void sample_intervals(struct hr_writer *writer)
{
	SAMPLE(writer, intervals, 1, 0, 1 * S);
	SAMPLE(writer, intervals, 2, 1 * S, 2 * S);
	SAMPLE(writer, intervals, 3, 3 * S, 4 * S);
}

/* The whole sample. */
static inline void sample_write(const char *path)
{
	struct hr_writer *writer = sample_begin(path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	sample_calls(writer);
	sample_host(writer);
	SAMPLE(writer, losses, 1, "missed_switch_in", 3);
	SAMPLE(writer, losses, 3, "missed_switch_in", 4);
	sample_end(writer, true);
}

/*
 * What the sample is asked. 6,000 requests in its 3 s by two processes on one port, at 2 ms each; nginx asks python3, which is
 * therefore no front, and a cache by a unix socket.
 */
static inline void sample_front(struct hr_writer *writer)
{
	SAMPLE(writer, flows, 1, 1, "server", "tcp", ":8080");
	SAMPLE(writer, flows, 2, 2, "server", "tcp", ":8080");
	/* interval, flow, requests, budgeted, unanswered, in_flight_ns, multiplexed_reads, reads, writes, in and out bytes,
	   opened, closed, connect_failures, resets_in, resets_out, retransmits, send_full, send_full_ns */
	SAMPLE(writer, traffic, 1, 1, 1000, 1000, 0, 3000 * MS, 0, 1000, 1000, 100000, 900000, 16, 10, 0, 0, 0, 0, 0, 0);
	SAMPLE(writer, traffic, 1, 2, 2000, 1000, 2, 5000 * MS, 0, 2000, 2000, 200000, 1800000, 16, 0, 0, 1, 2, 3, 4, 5 * MS);
	SAMPLE(writer, traffic, 3, 2, 3000, 2000, 0, 4030 * MS, 0, 3000, 3000, 300000, 2700000, 0, 2, 0, 0, 0, 4, 1, 5 * MS);
	SAMPLE(writer, request_stages, 1, 1, "total", 1000, 2000 * MS);
	SAMPLE(writer, request_stages, 1, 2, "total", 2000, 2000 * MS);
	SAMPLE(writer, request_stages, 3, 2, "total", 3000, 8000 * MS);
	SAMPLE(writer, request_stages, 1, 2, "queue", 6000, 9000 * MS);
	SAMPLE(writer, request_stages, 1, 2, "service", 6000, 3000 * MS);
	/* both processes and intervals: 3,000 up to 1 ms, 2,940 up to 4 ms, 60 of 8 ms */
	SAMPLE(writer, requests, 1, 1, "total", 1000000, 1031250, 1000);
	SAMPLE(writer, requests, 1, 2, "total", 1000000, 1031250, 2000);
	SAMPLE(writer, requests, 3, 2, "total", 4000000, 4125000, 2940);
	SAMPLE(writer, requests, 3, 2, "total", 8000000, 8250000, 60);
	SAMPLE(writer, requests, 1, 2, "queue", 1500000, 1531250, 6000);
	SAMPLE(writer, request_states, 1, 1, "user", 500 * MS);
	SAMPLE(writer, request_states, 1, 2, "user", 700 * MS);
	SAMPLE(writer, request_states, 3, 2, "runq", 400 * MS);
	SAMPLE(writer, request_states, 3, 2, "futex", 300 * MS);
	SAMPLE(writer, request_states, 3, 2, "handoff", 100 * MS);
}

static inline void sample_behind(struct hr_writer *writer)
{
	SAMPLE(writer, flows, 3, 2, "downstream", "tcp", "127.0.0.1:9000");
	SAMPLE(writer, flows, 4, 3, "server", "tcp", ":9000");
	SAMPLE(writer, flows, 5, 2, "downstream", "unix", "/run/cache.sock");
	SAMPLE(writer, traffic, 1, 3, 300, 0, 0, 150 * MS, 0, 300, 300, 3000, 6000, 4, 0, 7, 0, 0, 0, 0, 0);
	SAMPLE(writer, traffic, 1, 4, 300, 0, 0, 150 * MS, 0, 300, 300, 6000, 3000, 4, 0, 0, 0, 0, 0, 0, 0);
	SAMPLE(writer, traffic, 2, 5, 30, 0, 0, 3 * MS, 0, 30, 30, 30, 30, 1, HR_NULL, 0, 0, 0, 0, 0, 0);
	SAMPLE(writer, request_stages, 1, 3, "wait", 300, 150 * MS);
	SAMPLE(writer, requests, 1, 3, "wait", 500000, 515625, 300);
	SAMPLE(writer, connections, 9, 4, "127.0.0.1:9000", "127.0.0.1:41000", 0, 3 * S, "peer", NULL, 300, 300, 300, 6000, 3000, 0,
	       0, 0, HR_NULL, HR_NULL, 0, 0, 0, 310, 310, 2, HR_NULL);
}

/* One row for each way in which a connection may be; members as in the table, those of TCP null for unix. */
static inline void sample_connections(struct hr_writer *writer)
{
	static const struct {
		int64_t flow_id;
		const char *ending;
		int64_t srtt_ns, zero_window_ns;
	} rows[] = {
		{ 1, "open", 1 * MS, 0 }, { 2, "peer", 3 * MS, 20 * MS }, { 2, "reset_in", 40 * MS, 0 },
		{ 2, "local", HR_NULL, 0 }, { 2, "open", 2 * MS, 4 * MS }, { 5, "open", HR_NULL, HR_NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool tcp = rows[i].flow_id != 5;

		SAMPLE(writer, connections, (int64_t)i + 1, rows[i].flow_id, tcp ? "10.0.0.1:8080" : NULL,
		       tcp ? "10.0.0.9:41000" : "/run/cache.sock", 0, strcmp(rows[i].ending, "open") ? 3 * S : HR_NULL,
		       rows[i].ending, NULL, 10, 10, 10, 100, 100, 0,
		       rows[i].zero_window_ns, tcp ? 0 : HR_NULL, rows[i].srtt_ns, tcp ? MS / 2 : HR_NULL, tcp ? 1 : HR_NULL,
		       tcp ? 0 : HR_NULL, tcp ? 2 : HR_NULL, tcp ? 10 : HR_NULL, tcp ? 20 : HR_NULL, tcp ? 3 : HR_NULL, tcp ? 30 * MS : HR_NULL);
	}
	SAMPLE(writer, listeners, 1, 1, "tcp", "0.0.0.0:8080", 3, 100, 128, 7);
	SAMPLE(writer, listeners, 3, 1, "tcp", "0.0.0.0:8080", 0, 129, 128, 30);
	SAMPLE(writer, listeners, 1, 3, "tcp", "127.0.0.1:9000", 0, 1, 4, HR_NULL);
	SAMPLE(writer, network_counters, 1, 4026531840, "ListenOverflows", 30);
	SAMPLE(writer, network_counters, 3, 4026531840, "ListenOverflows", 7);
	SAMPLE(writer, network_counters, 1, 4026531840, "RetransSegs", HR_NULL);
}

/* The sample with what it was asked. */
static inline void sample_write_asked(const char *path)
{
	struct hr_writer *writer = sample_begin(path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	sample_host(writer);
	sample_front(writer);
	sample_behind(writer);
	sample_connections(writer);
	sample_end(writer, true);
}

/* A run of one connection on which requests cannot be told apart, beside one on which they can. */
static inline void sample_write_multiplexed(const char *path)
{
	struct hr_writer *writer = sample_begin(path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	SAMPLE(writer, flows, 1, 2, "server", "tcp", ":6379");
	SAMPLE(writer, traffic, 1, 1, 40, 40, 0, MS, 5000, 5040, 5040, 1000, 1000, 2, 0, 0, 0, 0, 0, 0, 0);
	SAMPLE(writer, request_stages, 1, 1, "queue", 5040, 50400000);
	SAMPLE(writer, request_stages, 1, 1, "total", 40, 800000);
	SAMPLE(writer, requests, 1, 1, "queue", 10240, 10496, 5040);
	SAMPLE(writer, requests, 1, 1, "total", 20480, 20992, 40);
	SAMPLE(writer, connections, 1, 1, "10.0.0.1:6379", "10.0.0.9:41000", 0, HR_NULL, "open", "batch", HR_NULL, 5000, 5000,
	       900, 900, 0, 0, 0, MS, MS, 0, 0, 0, 10, 20, 1, HR_NULL);
	SAMPLE(writer, connections, 2, 1, "10.0.0.1:6379", "10.0.0.9:41002", 0, HR_NULL, "open", NULL, 40, 40, 40, 100, 100, 0,
	       0, 0, MS, MS, 0, 0, 0, 10, 20, 1, HR_NULL);
	sample_end(writer, true);
}

/*
 * Stacks of the sample on a grid of 10 ms: two workers in one function, in the kernel below it and without symbols; the main
 * threads and a worker blocked; a script of which no stack could be taken.
 */
static inline void sample_stacks(struct hr_writer *writer)
{
	static const struct {
		const char *name, *module;
		int64_t offset;
	} frames[] = {
		{ "main", "/usr/sbin/nginx", HR_NULL }, { "worker_loop", "/usr/sbin/nginx", HR_NULL },
		{ "handle;request\n", "/usr/sbin/nginx", HR_NULL }, { "copy_user", "[kernel]", HR_NULL },
		{ "do_syscall_64", "[kernel]", HR_NULL }, { NULL, "/usr/lib/libz.so.1", 0x1234 },
		{ "epoll_wait", "/usr/lib/libc.so.6", HR_NULL }, { "process_events", "/usr/sbin/nginx", HR_NULL },
		{ "pthread_cond_wait", "/usr/lib/libc.so.6", HR_NULL }, { "queue_pop", "/usr/sbin/nginx", HR_NULL },
		{ NULL, NULL, HR_NULL },
	};
	static const int64_t stacks[][4] = { /* innermost first */
		{ 3, 2, 1 }, { 4, 5 }, { 6 }, { 7, 8, 1 }, { 9, 10, 2, 1 }, { 11, 2, 1 },
	};

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		SAMPLE(writer, frames, (int64_t)i + 1, frames[i].name, frames[i].module, frames[i].offset);
	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
		for (int64_t depth = 0; depth < 4 && stacks[i][depth]; depth++)
			SAMPLE(writer, stacks, (int64_t)i + 1, depth, stacks[i][depth]);
	/* interval, thread, state, syscall, user and kernel stack, count, time_ns, alone_ns */
	SAMPLE(writer, samples, 1, 3, "user", NULL, 1, HR_NULL, 30, 300 * MS, 150 * MS);
	SAMPLE(writer, samples, 2, 3, "user", NULL, 1, HR_NULL, 6, 60 * MS, 50 * MS);
	SAMPLE(writer, samples, 2, 4, "user", NULL, 1, HR_NULL, 4, 40 * MS, 20 * MS);
	SAMPLE(writer, samples, 1, 3, "kernel", NULL, 1, 2, 5, 50 * MS, 25 * MS);
	SAMPLE(writer, samples, 1, 3, "user", NULL, 3, HR_NULL, 2, 20 * MS, 20 * MS);
	SAMPLE(writer, samples, 1, 4, "user", NULL, 6, HR_NULL, 1, 10 * MS, 5 * MS);
	SAMPLE(writer, samples, 1, 2, "poll", "epoll_wait", 4, HR_NULL, 60, 600 * MS, HR_NULL);
	SAMPLE(writer, samples, 3, 3, "futex", "futex", 5, HR_NULL, 90, 900 * MS, HR_NULL);
	SAMPLE(writer, samples, 2, 5, "user", NULL, HR_NULL, HR_NULL, 3, 30 * MS, 30 * MS);
	SAMPLE(writer, samples, 2, 5, "sleep", NULL, HR_NULL, HR_NULL, 1, 10 * MS, HR_NULL);
}

/* The sample with its stacks. */
static inline void sample_write_profiled(const char *path)
{
	struct hr_writer *writer = sample_begin(path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	sample_stacks(writer);
	sample_end(writer, true);
}

/* A server that answered 6,000 in the first of 3 s, and one odd client that speaks HTTP/2: so many reads more. */
static inline void sample_write_odd_client(const char *path, int64_t odd_reads)
{
	struct hr_writer *writer = sample_begin(path, 4 * S);
	int64_t reads = 6000 + odd_reads;

	sample_intervals(writer);
	sample_threads(writer);
	SAMPLE(writer, flows, 1, 2, "server", "tcp", ":8080");
	SAMPLE(writer, traffic, 1, 1, 6000, 6000, 0, 3000 * MS, odd_reads, reads, reads, 6000, 6000, 2, 0, 0, 0, 0, 0, 0, 0);
	SAMPLE(writer, request_stages, 1, 1, "total", 6000, 3000 * MS);
	SAMPLE(writer, requests, 1, 1, "total", 600000, 609280, 6000);
	SAMPLE(writer, connections, 1, 1, "10.0.0.1:8080", "10.0.0.9:41000", 0, HR_NULL, "open", NULL, 6000, 6000, 6000, 4900,
	       4900, 0, 0, 0, MS, MS, 0, 0, 0, 10, 20, 1, HR_NULL);
	SAMPLE(writer, connections, 2, 1, "10.0.0.1:8080", "10.0.0.9:41002", 0, HR_NULL, "open", "http2", HR_NULL, odd_reads,
	       odd_reads, 100, 100, 0, 0, 0, MS, MS, 0, 0, 0, 10, 20, 1, HR_NULL);
	sample_end(writer, true);
}

/* A run that ended before its first interval did. */
static inline void sample_write_empty(const char *path)
{
	sample_end(sample_begin(path, 10 * MS), true);
}

/* A run of one thread with those names, cut off by kill -9 after its first interval. */
static inline void sample_write_cut_off(const char *path, const char *process, const char *thread)
{
	struct hr_writer *writer = sample_begin(path, HR_NULL);

	SAMPLE(writer, intervals, 1, 0, S);
	SAMPLE(writer, processes, 1, 100, 1, process, process, 0, HR_NULL);
	SAMPLE(writer, threads, 1, 1, 100, thread, 0, HR_NULL, 0);
	SAMPLE(writer, thread_states, 1, 1, "user", 900 * MS);
	SAMPLE(writer, thread_states, 1, 1, "runq", 100 * MS);
	sample_end(writer, false);
}

static inline const char *sample_path(char path[64])
{
	snprintf(path, 64, "/tmp/headroom-sample-%d.db", (int)getpid());
	return path;
}

static inline struct hr_summary *sample_load(const char *path)
{
	struct hr_summary *summary = NULL;
	struct hr_reader *reader = NULL;
	struct hr_err err;

	if (hr_reader_open(path, &reader, &err) || hr_summary_load(reader, &summary, &err))
		fail_msg("%s", err.text);
	hr_reader_close(reader);
	return summary;
}

static inline void sample_remove(const char *path)
{
	char side[128];

	unlink(path);
	snprintf(side, sizeof(side), "%s-wal", path);
	unlink(side);
	snprintf(side, sizeof(side), "%s-shm", path);
	unlink(side);
}

#endif
