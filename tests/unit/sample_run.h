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
	SAMPLE(writer, run, .run_id = "run-1", .host = "web-7", .kernel = "6.1.0-25-amd64", .arch = "x86_64", .cpus = 4,
	       .headroom_version = "0.1.0", .target = "--port 8080", .started_unix_ns = 1700000000250 * MS,
	       .asked_unix_ns = HR_NULL, .interval_ns = S, .ended_ns = ended_ns, .target_status = HR_NULL);
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
	SAMPLE(writer, processes, .process_id = 1, .pid = 100, .parent_pid = 1, .name = "nginx",
	       .command = "nginx: master process", .last_ns = HR_NULL);
	SAMPLE(writer, processes, .process_id = 2, .pid = 101, .parent_pid = 100, .name = "nginx",
	       .command = "nginx: worker process", .last_ns = HR_NULL);
	SAMPLE(writer, processes, .process_id = 3, .pid = 200, .parent_pid = 1, .name = "python3", .first_ns = 1500 * MS,
	       .last_ns = 3250 * MS);
	SAMPLE(writer, threads, .thread_id = 1, .process_id = 1, .tid = 100, .name = "nginx", .last_ns = 4 * S);
	SAMPLE(writer, threads, .thread_id = 2, .process_id = 2, .tid = 101, .name = "nginx", .last_ns = 4 * S);
	SAMPLE(writer, threads, .thread_id = 3, .process_id = 2, .tid = 102, .name = "worker-1", .last_ns = 4 * S);
	SAMPLE(writer, threads, .thread_id = 4, .process_id = 2, .tid = 103, .name = "worker-12", .last_ns = 4 * S);
	SAMPLE(writer, threads, .thread_id = 5, .process_id = 3, .tid = 200, .name = "python3", .first_ns = 1500 * MS,
	       .last_ns = 3250 * MS, .ended = 1);
	for (size_t i = 0; i < sizeof(sample_states) / sizeof(sample_states[0]); i++)
		SAMPLE(writer, thread_states, sample_states[i].interval_id, sample_states[i].thread_id,
		       sample_states[i].state, sample_states[i].time_ns);
	SAMPLE(writer, thread_counters, .interval_id = 1, .thread_id = 2, .syscalls = 10000, .voluntary = 4000,
	       .involuntary = 100, .migrations = 5, .estimated_ns = 50 * MS, .not_run_ns = 2 * MS);
	SAMPLE(writer, thread_counters, .interval_id = 2, .thread_id = 2, .syscalls = 20000, .voluntary = 5000,
	       .involuntary = 200, .migrations = 5, .estimated_ns = 50 * MS, .not_run_ns = HR_NULL);
	SAMPLE(writer, thread_counters, .interval_id = 3, .thread_id = 5, .syscalls = 7, .voluntary = 1, .involuntary = 2,
	       .not_run_ns = HR_NULL);
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
	SAMPLE(writer, syscalls, .interval_id = 1, .process_id = 2, .abi = "native", .syscall = "epoll_wait", .calls = 400,
	       .timed = 400, .total_ns = 600 * MS, .in_progress = 1, .in_progress_ns = 100 * MS);
	SAMPLE(writer, syscalls, .interval_id = 2, .process_id = 2, .abi = "native", .syscall = "epoll_wait", .calls = 400,
	       .timed = 400, .total_ns = 500 * MS, .in_progress = 1, .in_progress_ns = 100 * MS);
	SAMPLE(writer, syscalls, .interval_id = 3, .process_id = 2, .abi = "native", .syscall = "epoll_wait", .calls = 200,
	       .timed = 200, .total_ns = 380 * MS, .in_progress = 1, .in_progress_ns = 20 * MS);
	SAMPLE(writer, syscalls, .interval_id = 3, .process_id = 1, .abi = "native", .syscall = "epoll_wait",
	       .in_progress = 2, .in_progress_ns = 3000 * MS);
	SAMPLE(writer, syscalls, .interval_id = 1, .process_id = 2, .abi = "native", .syscall = "accept4", .calls = 100,
	       .timed = 50, .errors = 80, .total_ns = 10 * MS);
	SAMPLE(writer, syscalls, .interval_id = 2, .process_id = 3, .abi = "native", .syscall = "accept4", .calls = 100,
	       .timed = 50, .errors = 20, .total_ns = 10 * MS);
	SAMPLE(writer, syscalls, .interval_id = 2, .process_id = 3, .abi = "compat", .syscall = "accept4", .calls = 3,
	       .timed = 3, .total_ns = 1 * MS);
	SAMPLE(writer, syscall_errors, 1, 2, "native", "accept4", "EMFILE", 10);
	SAMPLE(writer, syscall_errors, 1, 2, "native", "accept4", "EAGAIN", 70);
	SAMPLE(writer, syscall_errors, 2, 3, "native", "accept4", "EAGAIN", 20);
	/* 1000 calls of epoll_wait over two processes and three intervals */
	SAMPLE(writer, histograms, .interval_id = 1, .process_id = 2, .metric = "syscall", .label = "epoll_wait",
	       .low_ns = 1024, .high_ns = 1152, .count = 300);
	SAMPLE(writer, histograms, .interval_id = 2, .process_id = 1, .metric = "syscall", .label = "epoll_wait",
	       .low_ns = 1024, .high_ns = 1152, .count = 300);
	SAMPLE(writer, histograms, .interval_id = 2, .process_id = 2, .metric = "syscall", .label = "epoll_wait",
	       .low_ns = 2048, .high_ns = 2304, .count = 380);
	SAMPLE(writer, histograms, .interval_id = 3, .process_id = 2, .metric = "syscall", .label = "epoll_wait",
	       .low_ns = 1 << 20, .high_ns = (1 << 20) + (1 << 17), .count = 20);
	SAMPLE(writer, histograms, .interval_id = 1, .process_id = 2, .metric = "runq", .low_ns = 3, .high_ns = 4,
	       .count = 50);
	SAMPLE(writer, histograms, .interval_id = 1, .process_id = 3, .metric = "runq", .low_ns = 4096, .high_ns = 4608,
	       .count = 50);
	SAMPLE(writer, histograms, .interval_id = 3, .process_id = 2, .metric = "preempted", .low_ns = 1 << 20,
	       .high_ns = (1 << 20) + (1 << 17), .count = 7);
}

static inline void sample_host(struct hr_writer *writer)
{
	for (int64_t interval = 1; interval <= 3; interval++)
		for (int64_t cpu = 0; cpu < 4; cpu++)
			SAMPLE(writer, cpus, .interval_id = interval, .cpu = cpu, .target_ns = cpu == 2 ? 500 * MS : 100 * MS,
			       .other_ns = 200 * MS, .idle_ns = cpu == 2 ? 300 * MS : 700 * MS, .steal_ns = 10 * MS,
			       .irq_ns = HR_NULL);
	SAMPLE(writer, neighbours, 1, 4321, "wrk", 300 * MS);
	SAMPLE(writer, neighbours, 2, 4321, "wrk", 450 * MS);
	SAMPLE(writer, neighbours, 2, 7, "ksoftirqd/0", 30 * MS);
	SAMPLE(writer, neighbours, 1, HR_NULL, "", 900 * MS);
	SAMPLE(writer, quotas, .interval_id = 1, .cgroup = "/docker/web", .quota_ns = 200 * MS, .period_ns = 100 * MS,
	       .periods = 10, .throttled_periods = 4, .throttled_ns = 30 * MS);
	SAMPLE(writer, quotas, .interval_id = 3, .cgroup = "/docker/web", .quota_ns = 250 * MS, .period_ns = 100 * MS,
	       .periods = 10, .throttled_periods = 1, .throttled_ns = 10 * MS);
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
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 1, .requests = 1000, .budgeted = 1000, .in_flight_ns = 3000 * MS,
	       .reads = 1000, .writes = 1000, .in_bytes = 100000, .out_bytes = 900000, .opened = 16, .closed = 10);
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 2, .requests = 2000, .budgeted = 1000, .unanswered = 2,
	       .in_flight_ns = 5000 * MS, .reads = 2000, .writes = 2000, .in_bytes = 200000, .out_bytes = 1800000,
	       .opened = 16, .resets_in = 1, .resets_out = 2, .retransmits = 3, .send_full = 4, .send_full_ns = 5 * MS);
	SAMPLE(writer, traffic, .interval_id = 3, .flow_id = 2, .requests = 3000, .budgeted = 2000, .in_flight_ns = 4030 * MS,
	       .reads = 3000, .writes = 3000, .in_bytes = 300000, .out_bytes = 2700000, .closed = 2, .retransmits = 4,
	       .send_full = 1, .send_full_ns = 5 * MS);
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
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 3, .requests = 300, .in_flight_ns = 150 * MS, .reads = 300,
	       .writes = 300, .in_bytes = 3000, .out_bytes = 6000, .opened = 4, .connect_failures = 7);
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 4, .requests = 300, .in_flight_ns = 150 * MS, .reads = 300,
	       .writes = 300, .in_bytes = 6000, .out_bytes = 3000, .opened = 4);
	SAMPLE(writer, traffic, .interval_id = 2, .flow_id = 5, .requests = 30, .in_flight_ns = 3 * MS, .reads = 30,
	       .writes = 30, .in_bytes = 30, .out_bytes = 30, .opened = 1, .closed = HR_NULL);
	SAMPLE(writer, request_stages, 1, 3, "wait", 300, 150 * MS);
	SAMPLE(writer, requests, 1, 3, "wait", 500000, 515625, 300);
	SAMPLE(writer, connections, .connection_id = 9, .flow_id = 4, .local = "127.0.0.1:9000", .peer = "127.0.0.1:41000",
	       .last_ns = 3 * S, .ending = "peer", .requests = 300, .reads = 300, .writes = 300, .in_bytes = 6000,
	       .out_bytes = 3000, .srtt_ns = HR_NULL, .min_rtt_ns = HR_NULL, .in_segments = 310, .out_segments = 310,
	       .state_changes = 2, .sending_ns = HR_NULL);
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

		SAMPLE(writer, connections, .connection_id = (int64_t)i + 1, .flow_id = rows[i].flow_id,
		       .local = tcp ? "10.0.0.1:8080" : NULL, .peer = tcp ? "10.0.0.9:41000" : "/run/cache.sock",
		       .last_ns = strcmp(rows[i].ending, "open") ? 3 * S : HR_NULL, .ending = rows[i].ending, .requests = 10,
		       .reads = 10, .writes = 10, .in_bytes = 100, .out_bytes = 100, .zero_window_ns = rows[i].zero_window_ns,
		       .send_limited_ns = tcp ? 0 : HR_NULL, .srtt_ns = rows[i].srtt_ns, .min_rtt_ns = tcp ? MS / 2 : HR_NULL,
		       .retransmits = tcp ? 1 : HR_NULL, .lost = tcp ? 0 : HR_NULL, .reordered = tcp ? 2 : HR_NULL,
		       .in_segments = tcp ? 10 : HR_NULL, .out_segments = tcp ? 20 : HR_NULL,
		       .state_changes = tcp ? 3 : HR_NULL, .sending_ns = tcp ? 30 * MS : HR_NULL);
	}
	SAMPLE(writer, listeners, .interval_id = 1, .process_id = 1, .transport = "tcp", .address = "0.0.0.0:8080",
	       .backlog = 3, .backlog_highest = 100, .backlog_max = 128, .drops = 7);
	SAMPLE(writer, listeners, .interval_id = 3, .process_id = 1, .transport = "tcp", .address = "0.0.0.0:8080",
	       .backlog_highest = 129, .backlog_max = 128, .drops = 30);
	SAMPLE(writer, listeners, .interval_id = 1, .process_id = 3, .transport = "tcp", .address = "127.0.0.1:9000",
	       .backlog_highest = 1, .backlog_max = 4, .drops = HR_NULL);
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
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 1, .requests = 40, .budgeted = 40, .in_flight_ns = MS,
	       .multiplexed_reads = 5000, .reads = 5040, .writes = 5040, .in_bytes = 1000, .out_bytes = 1000, .opened = 2);
	SAMPLE(writer, request_stages, 1, 1, "queue", 5040, 50400000);
	SAMPLE(writer, request_stages, 1, 1, "total", 40, 800000);
	SAMPLE(writer, requests, 1, 1, "queue", 10240, 10496, 5040);
	SAMPLE(writer, requests, 1, 1, "total", 20480, 20992, 40);
	SAMPLE(writer, connections, .connection_id = 1, .flow_id = 1, .local = "10.0.0.1:6379", .peer = "10.0.0.9:41000",
	       .last_ns = HR_NULL, .ending = "open", .multiplexed = "batch", .requests = HR_NULL, .reads = 5000,
	       .writes = 5000, .in_bytes = 900, .out_bytes = 900, .srtt_ns = MS, .min_rtt_ns = MS, .in_segments = 10,
	       .out_segments = 20, .state_changes = 1, .sending_ns = HR_NULL);
	SAMPLE(writer, connections, .connection_id = 2, .flow_id = 1, .local = "10.0.0.1:6379", .peer = "10.0.0.9:41002",
	       .last_ns = HR_NULL, .ending = "open", .requests = 40, .reads = 40, .writes = 40, .in_bytes = 100,
	       .out_bytes = 100, .srtt_ns = MS, .min_rtt_ns = MS, .in_segments = 10, .out_segments = 20, .state_changes = 1,
	       .sending_ns = HR_NULL);
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
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 3, .state = "user", .user_stack_id = 1,
	       .kernel_stack_id = HR_NULL, .count = 30, .time_ns = 300 * MS, .alone_ns = 150 * MS);
	SAMPLE(writer, samples, .interval_id = 2, .thread_id = 3, .state = "user", .user_stack_id = 1,
	       .kernel_stack_id = HR_NULL, .count = 6, .time_ns = 60 * MS, .alone_ns = 50 * MS);
	SAMPLE(writer, samples, .interval_id = 2, .thread_id = 4, .state = "user", .user_stack_id = 1,
	       .kernel_stack_id = HR_NULL, .count = 4, .time_ns = 40 * MS, .alone_ns = 20 * MS);
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 3, .state = "kernel", .user_stack_id = 1, .kernel_stack_id = 2,
	       .count = 5, .time_ns = 50 * MS, .alone_ns = 25 * MS);
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 3, .state = "user", .user_stack_id = 3,
	       .kernel_stack_id = HR_NULL, .count = 2, .time_ns = 20 * MS, .alone_ns = 20 * MS);
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 4, .state = "user", .user_stack_id = 6,
	       .kernel_stack_id = HR_NULL, .count = 1, .time_ns = 10 * MS, .alone_ns = 5 * MS);
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 2, .state = "poll", .syscall = "epoll_wait",
	       .user_stack_id = 4, .kernel_stack_id = HR_NULL, .count = 60, .time_ns = 600 * MS, .alone_ns = HR_NULL);
	SAMPLE(writer, samples, .interval_id = 3, .thread_id = 3, .state = "futex", .syscall = "futex", .user_stack_id = 5,
	       .kernel_stack_id = HR_NULL, .count = 90, .time_ns = 900 * MS, .alone_ns = HR_NULL);
	SAMPLE(writer, samples, .interval_id = 2, .thread_id = 5, .state = "user", .user_stack_id = HR_NULL,
	       .kernel_stack_id = HR_NULL, .count = 3, .time_ns = 30 * MS, .alone_ns = 30 * MS);
	SAMPLE(writer, samples, .interval_id = 2, .thread_id = 5, .state = "sleep", .user_stack_id = HR_NULL,
	       .kernel_stack_id = HR_NULL, .count = 1, .time_ns = 10 * MS, .alone_ns = HR_NULL);
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
	SAMPLE(writer, traffic, .interval_id = 1, .flow_id = 1, .requests = 6000, .budgeted = 6000, .in_flight_ns = 3000 * MS,
	       .multiplexed_reads = odd_reads, .reads = reads, .writes = reads, .in_bytes = 6000, .out_bytes = 6000,
	       .opened = 2);
	SAMPLE(writer, request_stages, 1, 1, "total", 6000, 3000 * MS);
	SAMPLE(writer, requests, 1, 1, "total", 600000, 609280, 6000);
	SAMPLE(writer, connections, .connection_id = 1, .flow_id = 1, .local = "10.0.0.1:8080", .peer = "10.0.0.9:41000",
	       .last_ns = HR_NULL, .ending = "open", .requests = 6000, .reads = 6000, .writes = 6000, .in_bytes = 4900,
	       .out_bytes = 4900, .srtt_ns = MS, .min_rtt_ns = MS, .in_segments = 10, .out_segments = 20, .state_changes = 1,
	       .sending_ns = HR_NULL);
	SAMPLE(writer, connections, .connection_id = 2, .flow_id = 1, .local = "10.0.0.1:8080", .peer = "10.0.0.9:41002",
	       .last_ns = HR_NULL, .ending = "open", .multiplexed = "http2", .requests = HR_NULL, .reads = odd_reads,
	       .writes = odd_reads, .in_bytes = 100, .out_bytes = 100, .srtt_ns = MS, .min_rtt_ns = MS, .in_segments = 10,
	       .out_segments = 20, .state_changes = 1, .sending_ns = HR_NULL);
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
	SAMPLE(writer, processes, .process_id = 1, .pid = 100, .parent_pid = 1, .name = process, .command = process,
	       .last_ns = HR_NULL);
	SAMPLE(writer, threads, .thread_id = 1, .process_id = 1, .tid = 100, .name = thread, .last_ns = HR_NULL);
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
