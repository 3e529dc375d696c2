/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_fixture.h"
#include "sample_waits.h"

#include <math.h>
#include <sqlite3.h>

#include "store/tables.h"

/* What a run says of who waited for whom: the summary of it, and its views. */

/* To a thousandth of what was waited: blame leaves that much where it is too little to follow. */
static void assert_about(double actual_ns, double expected_ns)
{
	if (!(fabs(actual_ns - expected_ns) < 60 * MS))
		fail_msg("%.6g s is not %.6g s", actual_ns / S, expected_ns / S);
}

static int set_up_waits(void **state)
{
	return set_up_loaded(state, sample_write_waits);
}

static const struct hr_waits_summary *waits_of(void **state)
{
	return &((struct fixture *)*state)->summary->waits;
}

static const struct hr_wait_summary *wait_of(void **state, const char *label, enum hr_state in, const char *subject,
					     const char *source)
{
	const struct hr_summary *summary = ((struct fixture *)*state)->summary;

	for (size_t i = 0; i < summary->waits.wait_count; i++) {
		const struct hr_wait_summary *wait = &summary->waits.waits[i];

		if (strcmp(summary->groups[wait->group].label, label) == 0 && wait->state == in &&
		    (wait->subject && subject ? !strcmp(wait->subject, subject) : wait->subject == subject) &&
		    strcmp(wait->source, source) == 0)
			return wait;
	}
	fail_msg("%s does not wait for %s", label, subject);
	return NULL;
}

static void edges_of_one_pool_for_one_lock_are_one_row(void **state)
{
	const struct hr_wait_summary *wait = wait_of(state, "model/worker-*", HR_STATE_FUTEX, "model_lock", "thread");

	assert_ptr_equal(wait, &waits_of(state)->waits[0]);
	assert_int_equal(wait->thread_count, 4);
	assert_int_equal(wait->kind, HR_SUBJECT_FUTEX);
	assert_string_equal(wait->waker, "model/worker-*");
	assert_true(wait->is_lock);
	assert_false(wait->is_gil);
	assert_int_equal(wait->count, 400);
	assert_int_equal(wait->time_ns, 24 * S);
	assert_int_equal(wait->window_ns, 24 * S);
	assert_int_equal(wait->handover_ns, 40 * MS);
	assert_int_equal(wait->waker_state_ns[HR_STATE_FUTEX], 18 * S);
	assert_int_equal(wait->waker_state_ns[HR_STATE_USER], 4800 * MS);
	assert_int_equal(wait->latency.count, 400);
	assert_true(fabs(wait->latency.p50_ns - ((1 << 20) + (1 << 16))) < 1);
	assert_true(fabs(wait->latency.p99_ns - ((1 << 26) + (1 << 22))) < 1);
	assert_about(wait->idle_ns, 0);
}

static void rows_are_by_source_and_by_the_name_of_whoever_is_outside(void **state)
{
	assert_int_equal(wait_of(state, "model/worker-*", HR_STATE_DISK, "log", "interrupt")->count, 120);
	assert_null(wait_of(state, "model/worker-*", HR_STATE_DISK, "log", "interrupt")->waker);
	assert_int_equal(wait_of(state, "model/worker-*", HR_STATE_DISK, "log", "other")->thread_count, 2);
	assert_string_equal(wait_of(state, "model/worker-*", HR_STATE_DISK, "log", "other")->waker, "jbd2");
	assert_int_equal(wait_of(state, "model", HR_STATE_FUTEX, NULL, "open")->handover_ns, HR_NULL);
	assert_true(isnan(wait_of(state, "model", HR_STATE_FUTEX, NULL, "open")->latency.p50_ns));
	/* 16 edges */
	assert_int_equal(waits_of(state)->wait_count, 8);
}

static void waiting_for_work_is_idle_and_comes_last(void **state)
{
	const struct hr_waits_summary *waits = waits_of(state);
	const struct hr_wait_summary *queue = wait_of(state, "model/worker-*", HR_STATE_FUTEX, "0x5600", "thread");

	assert_about(queue->idle_ns, 4 * S);
	assert_false(queue->is_lock);
	assert_about(wait_of(state, "model/acceptor", HR_STATE_POLL, NULL, "interrupt")->idle_ns, 9 * S);
	assert_about(wait_of(state, "model", HR_STATE_FUTEX, NULL, "open")->idle_ns, 10 * S);
	assert_about(waits->idle_ns, 23 * S);
	for (size_t i = waits->wait_count - 3; i < waits->wait_count; i++)
		assert_true(waits->waits[i].idle_ns > 0.99 * (double)waits->waits[i].time_ns);
}

static double blamed_ns(const struct hr_waits_summary *waits, enum hr_blame_end end, const char *owner)
{
	double time_ns = 0;

	for (size_t i = 0; i < waits->blame_count; i++) {
		const struct hr_blame_summary *blame = &waits->blames[i];

		if (blame->end == end && (owner && blame->owner ? !strcmp(owner, blame->owner) : owner == blame->owner))
			time_ns += blame->time_ns;
	}
	return time_ns;
}

static void the_convoy_is_due_to_what_its_holders_do(void **state)
{
	const struct hr_waits_summary *waits = waits_of(state);
	double sum_ns = waits->idle_ns + waits->residual_ns, shares = 0;

	/* 24 s for the lock: 80 % on CPU, 20 % at the disk; and the disk's own 4.8 s */
	assert_about(blamed_ns(waits, HR_BLAME_ON_CPU, "model/worker-*"), 0.8 * 24 * S);
	assert_about(blamed_ns(waits, HR_BLAME_DISK, "model/worker-*"), 0.2 * 24 * S + 4800 * MS);
	assert_about(blamed_ns(waits, HR_BLAME_OTHER, "logger"), 500 * MS);
	assert_true(blamed_ns(waits, HR_BLAME_UNKNOWN, "model/worker-*") > 49 * MS); /* of mmap_lock no window is known */
	assert_int_equal(waits->blames[0].end, HR_BLAME_ON_CPU);
	assert_int_equal(waits->ends[0].end, HR_BLAME_ON_CPU);
	assert_about(waits->ends[1].time_ns, 0.2 * 24 * S + 4800 * MS);
	assert_int_equal(waits->end_count, 4);
	for (size_t i = 0; i < waits->blame_count; i++) {
		sum_ns += waits->blames[i].time_ns;
		shares += waits->blames[i].share;
	}
	assert_true(fabs(sum_ns - waits->waited_ns) < 1000);
	assert_true(fabs(shares - 1) < 1e-9);
	assert_int_equal(waits->waited_ns, 10 * S + 9 * S + 24 * S + 4800 * MS + 4 * S + 550 * MS);
	assert_true(waits->residual_ns < 0.001 * waits->waited_ns);
}

/* Workers wait for each other and for the disk, which waits for nobody. */
static void the_knot_is_the_disk_and_the_report_can_say_that_it_differs(void **state)
{
	const struct hr_waits_summary *waits = waits_of(state);
	bool has_disk = false;

	for (size_t i = 0; i < waits->knot_count; i++)
		has_disk = has_disk || strcmp(waits->knots[i].name, "disk") == 0;
	assert_true(has_disk);
	assert_true(waits->knots_differ);
}

static void locks_have_names_queues_and_whoever_releases_them(void **state)
{
	const struct hr_waits_summary *waits = waits_of(state);
	const struct hr_lock_summary *lock = &waits->locks[0], *kernel = &waits->locks[1], *queue = &waits->locks[2];

	assert_int_equal(waits->lock_count, 3);
	assert_string_equal(lock->name, "model_lock");
	assert_string_equal(lock->process, "model");
	assert_int_equal(lock->pid, 101);
	assert_true(lock->is_lock);
	assert_int_equal(lock->thread_count, 4);
	assert_int_equal(lock->count, 400);
	assert_int_equal(lock->time_ns, 24 * S);
	assert_int_equal(lock->handover_ns, 40 * MS);
	assert_int_equal(lock->contended_ns, 9900 * MS);
	assert_int_equal(lock->longest, 3);
	assert_string_equal(lock->releaser, "model/worker-*");
	assert_true(kernel->is_kernel);
	assert_string_equal(kernel->name, "mmap_lock");
	assert_int_equal(kernel->thread_count, 1);
	assert_int_equal(kernel->contended_ns, HR_NULL);
	assert_false(queue->is_lock);
	assert_string_equal(queue->name, "0x5600");
	assert_string_equal(queue->mapping, "[heap]");
	assert_string_equal(queue->releaser, "model/acceptor");
}

/* CPython's lock is several futexes; most waits for it time out after 5 ms. */
static void pythons_global_lock_is_one_thing_and_is_called_so(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 10 * S);
	const struct hr_wait_summary *wait;
	char name[64];

	SAMPLE(writer, intervals, 1, 0, 10 * S);
	SAMPLE(writer, processes, 1, 101, 1, "python3", NULL, 0, HR_NULL);
	for (int64_t id = 1; id <= 2; id++) {
		SAMPLE(writer, threads, id, 1, 100 + id, "python3", 0, 10 * S, 0);
		SAMPLE(writer, edges, id, id, "futex", "futex", id == 1 ? "0x10" : "0x14", "timeout", HR_NULL, NULL);
		SAMPLE(writer, waits, 1, id, 800, 4 * S, 8 * MS, 0);
		for (int64_t part = 0; part < 2; part++) {
			int64_t edge = 10 * id + part;

			SAMPLE(writer, edges, edge, id, "futex", "futex", part ? "0x10" : "0x14", "thread", 3 - id, "python3 (9)");
			SAMPLE(writer, waits, 1, edge, 200, 10 * MS, 8 * MS, 10 * MS);
			SAMPLE(writer, wait_windows, 1, edge, "user", 10 * MS);
		}
	}
	SAMPLE(writer, locks, 1, 1, "0x10", "_PyRuntime+0x1b0", "/usr/bin/python3");
	SAMPLE(writer, locks, 2, 1, "0x14", "_PyRuntime+0x1b4", "/usr/bin/python3");
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	wait = wait_of(state, "python3", HR_STATE_FUTEX, "_PyRuntime", "timeout");
	assert_true(wait->is_gil);
	assert_int_equal(wait->time_ns, 8 * S);
	assert_int_equal(wait->thread_count, 2);
	assert_about(blamed_ns(waits_of(state), HR_BLAME_ON_CPU, "python3"), 8040 * MS);
	assert_true(waits_of(state)->locks[0].is_gil);
	assert_int_equal(waits_of(state)->locks[0].contended_ns, HR_NULL);
	assert_string_equal(hr_lock_title(wait->subject, wait->is_gil, name, sizeof(name)), "_PyRuntime (the GIL)");
}

/* glibc's conditions are two futexes that take turns; in each a thread may be for less than half of its life. */
static void the_two_futexes_of_a_condition_are_one(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 10 * S);

	SAMPLE(writer, intervals, 1, 0, 10 * S);
	SAMPLE(writer, processes, 1, 101, 1, "pool", NULL, 0, HR_NULL);
	for (int64_t id = 1; id <= 3; id++) {
		SAMPLE(writer, threads, id, 1, 100 + id, id == 3 ? "feeder" : "worker", 0, 10 * S, 0);
		if (id == 3)
			continue;
		for (int64_t part = 0; part < 2; part++) {
			SAMPLE(writer, edges, 2 * id + part, id, "futex", "futex", part ? "0xf2c" : "0xf28", "thread", 3, "feeder (103)");
			SAMPLE(writer, waits, 1, 2 * id + part, 10, 4 * S, 0, 4 * S);
			SAMPLE(writer, wait_windows, 1, 2 * id + part, "sleep", 4 * S);
		}
	}
	SAMPLE(writer, edges, 1, 3, "sleep", NULL, NULL, "interrupt", HR_NULL, NULL);
	SAMPLE(writer, waits, 1, 1, 20, 9 * S, 0, 0);
	SAMPLE(writer, locks, 1, 1, "0xf28", "ready+0x28", NULL);
	SAMPLE(writer, locks, 2, 1, "0xf2c", "ready+0x2c", NULL);
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_int_equal(wait_of(state, "pool/worker", HR_STATE_FUTEX, "ready+0x28", "thread")->time_ns, 16 * S);
	assert_int_equal(waits_of(state)->wait_count, 2);
	assert_about(waits_of(state)->idle_ns, 25 * S);
	assert_int_equal(waits_of(state)->blame_count, 0);
}

/* As in runtimes that park each thread on a futex of its own. */
static void futexes_of_single_threads_are_one_row(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 10 * S);

	SAMPLE(writer, intervals, 1, 0, 10 * S);
	SAMPLE(writer, processes, 1, 101, 1, "app", NULL, 0, HR_NULL);
	for (int64_t id = 1; id <= 5; id++) {
		char address[16];

		snprintf(address, sizeof(address), "0x%d0", (int)id);
		SAMPLE(writer, threads, id, 1, 100 + id, "app", 0, 10 * S, 0);
		SAMPLE(writer, edges, id, id, "futex", "futex", address, "unknown", HR_NULL, NULL);
		SAMPLE(writer, waits, 1, id, 1, 4 * S, 0, 0);
		SAMPLE(writer, locks, id, 1, address, NULL, NULL);
	}
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_int_equal(waits_of(state)->wait_count, 1);
	assert_null(waits_of(state)->waits[0].subject);
	assert_int_equal(waits_of(state)->waits[0].thread_count, 5);
	assert_int_equal(waits_of(state)->lock_count, 5);
}

/* Stack 1 and 2 lead through serve(), 3 through reap(), 4 through nothing of the program's own. */
static void write_lock_stacks(struct hr_writer *writer)
{
	static const char *const names[][2] = {
		{ "serve", "/usr/bin/app" }, { "reap", "/usr/bin/app" }, { "pthread_mutex_lock", "/lib/libc.so.6" }, { "main", "/usr/bin/app" },
	};
	static const int64_t stacks[4][3] = { { 3, 1, 4 }, { 1, 4, 0 }, { 3, 2, 4 }, { 3, 0, 0 } }, times_s[4] = { 3, 2, 3, 2 };

	for (int64_t id = 1; id <= 4; id++) {
		SAMPLE(writer, frames, id, names[id - 1][0], names[id - 1][1], HR_NULL);
		for (int64_t depth = 0; depth < 3 && stacks[id - 1][depth]; depth++)
			SAMPLE(writer, stacks, id, depth, stacks[id - 1][depth]);
		SAMPLE(writer, lock_stacks, 1, 1, id, 1, times_s[id - 1] * S);
		SAMPLE(writer, samples, 1, 1, "futex", "futex", id, HR_NULL, 1, times_s[id - 1] * S, HR_NULL);
	}
}

static void write_nameless_lock(struct hr_writer *writer, const char *symbol, const char *mapping)
{
	SAMPLE(writer, intervals, 1, 0, 10 * S);
	SAMPLE(writer, processes, 1, 101, 1, "app", NULL, 0, HR_NULL);
	for (int64_t id = 1; id <= 2; id++) {
		SAMPLE(writer, threads, id, 1, 100 + id, "app", 0, 10 * S, 0);
		SAMPLE(writer, edges, id, id, "futex", "futex", "0x5580", "thread", 3 - id, "app (1)");
		SAMPLE(writer, waits, 1, id, 1, 5 * S, 0, 0);
	}
	SAMPLE(writer, locks, 1, 1, "0x5580", symbol, mapping);
	write_lock_stacks(writer);
	sample_end(writer, true);
}

static void a_lock_without_a_symbol_is_called_by_the_code_that_waits_for_it(void **state)
{
	struct fixture *fixture = *state;
	const struct hr_lock_summary *lock;
	const struct hr_profile *profile;

	write_nameless_lock(sample_begin(fixture->path, 10 * S), NULL, "[heap]");
	fixture->summary = sample_load(fixture->path);
	lock = &waits_of(state)->locks[0];
	assert_string_equal(lock->name, "lock at serve (heap)");
	assert_string_equal(lock->site, "serve");
	assert_string_equal(lock->site_module, "/usr/bin/app");
	assert_true(fabs(lock->site_share - 0.5) < 1e-9);
	assert_true(wait_of(state, "app", HR_STATE_FUTEX, "lock at serve (heap)", "thread")->is_sited);
	profile = &fixture->summary->profile;
	for (size_t i = 0; i < profile->sample_count; i++)
		assert_string_equal(profile->frames[profile->samples[i].path[profile->samples[i].depth - 1]].label,
				    "[lock at serve (heap)]");
}

static void a_lock_that_has_a_symbol_keeps_it(void **state)
{
	struct fixture *fixture = *state;

	write_nameless_lock(sample_begin(fixture->path, 10 * S), "table_lock", "/usr/bin/app");
	fixture->summary = sample_load(fixture->path);
	assert_string_equal(waits_of(state)->locks[0].name, "table_lock");
	assert_string_equal(waits_of(state)->locks[0].site, "serve");
	wait_of(state, "app", HR_STATE_FUTEX, "table_lock", "thread");
}

static void a_request_in_service_makes_a_poll_busy(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 10 * S);

	SAMPLE(writer, intervals, 1, 0, 10 * S);
	SAMPLE(writer, processes, 1, 101, 1, "node", NULL, 0, HR_NULL);
	SAMPLE(writer, threads, 1, 1, 101, "node", 0, 10 * S, 0);
	SAMPLE(writer, edges, 1, 1, "poll", NULL, NULL, "interrupt", HR_NULL, NULL);
	SAMPLE(writer, waits, 1, 1, 100, 8 * S, 0, 0);
	SAMPLE(writer, flows, 1, 1, "server", "tcp", ":3000");
	SAMPLE(writer, request_states, 1, 1, "poll", 6 * S);
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_about(waits_of(state)->idle_ns, 2 * S);
	assert_about(blamed_ns(waits_of(state), HR_BLAME_PEER, NULL), 6 * S);
}

static void a_damaged_file_says_what_it_can(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 10 * S);

	SAMPLE(writer, intervals, 1, 0, 10 * S);
	SAMPLE(writer, processes, 1, 101, 1, "app", NULL, 0, HR_NULL);
	SAMPLE(writer, threads, 1, 1, 101, "app", 0, 10 * S, 0);
	SAMPLE(writer, edges, 1, 77, "futex", "futex", "0x1", "thread", 1, NULL);	  /* of no thread */
	SAMPLE(writer, edges, 2, 1, "dreaming", "a wish", "0x1", "fate", 99, "(");	  /* of a later version */
	SAMPLE(writer, edges, 3, 1, "futex", "futex", NULL, "thread", 99, "gone (99)");	  /* nobody knows the waker */
	for (int64_t edge = 1; edge <= 4; edge++) {
		SAMPLE(writer, waits, 1, edge, edge == 3 ? -5 : 5, 1 * S, -1, 9 * S);
		SAMPLE(writer, wait_windows, 1, edge, "musing", 1 * S);
		SAMPLE(writer, wait_histograms, 1, edge, 5, 1, 5);
	}
	SAMPLE(writer, locks, 1, 99, NULL, NULL, NULL);
	SAMPLE(writer, lock_contention, 1, 1, -1, -1, -1, -1);
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_int_equal(waits_of(state)->wait_count, 2);
	assert_int_equal(waits_of(state)->waited_ns, 2 * S);
	assert_int_equal(waits_of(state)->waits[0].thread_count, 1);
}

static void a_run_without_intervals_knows_nothing_of_waits(void **state)
{
	struct fixture *fixture = *state;

	sample_write_empty(fixture->path);
	fixture->summary = sample_load(fixture->path);
	assert_false(waits_of(state)->is_known);
	assert_int_equal(waits_of(state)->wait_count, 0);
}

static double value_of(void **state, const char *sql)
{
	struct fixture *fixture = *state;
	sqlite3_stmt *query = NULL;
	sqlite3 *db = NULL;
	double value;

	assert_int_equal(sqlite3_open_v2(fixture->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &query, NULL) != SQLITE_OK || sqlite3_step(query) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	value = sqlite3_column_double(query, 0);
	sqlite3_finalize(query);
	sqlite3_close(db);
	return value;
}

static void the_views_say_who_waits_and_how_contended_locks_are(void **state)
{
	static const struct {
		const char *sql;
		double value;
	} rows[] = {
		{ "SELECT seconds FROM v_waits WHERE waiter = 'model/worker-*' AND waker = 'model/worker-*' AND subject = 'model_lock'",
		  24 },
		{ "SELECT waker_on_cpu_share FROM v_waits WHERE subject = 'model_lock'", 0.2 },
		{ "SELECT waker_on_cpu_share IS NULL FROM v_waits WHERE state = 'poll'", 1 },
		{ "SELECT count FROM v_waits WHERE waker = 'model/acceptor' AND subject = '0x5600'", 40 },
		{ "SELECT count(*) FROM v_waits WHERE waker = 'jbd2 (77)'", 1 },
		{ "SELECT sum(seconds) FROM v_waits", 52.35 },
		{ "SELECT contended_share FROM v_locks WHERE name = 'model_lock'", 0.99 },
		{ "SELECT mean_queue FROM v_locks WHERE name = '0x5600'", 4.0 / 3 },
		{ "SELECT longest_queue FROM v_locks WHERE name = 'model_lock'", 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (fabs(value_of(state, rows[i].sql) - rows[i].value) > 1e-9)
			fail_msg("%.12g, not %g: %s", value_of(state, rows[i].sql), rows[i].value, rows[i].sql);
}

/* As hr_thread_pattern() has them. */
static void the_view_names_groups_as_the_report_does(void **state)
{
	static const char *const names[] = { "Thread-3 (serve", "Thread-14 (serv", "worker", "7", "(odd) 5", "a-1-2" };
	static const char *const labels[] = { "p/Thread-* (serve", "p/Thread-* (serv", "p/worker", "p/*", "p/(odd) *", "p/a-1-*" };
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 10 * S);
	char sql[128], pattern[64];

	SAMPLE(writer, intervals, 1, 0, 10 * S);
	SAMPLE(writer, processes, 1, 101, 1, "p", NULL, 0, HR_NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int64_t id = (int64_t)i + 1;

		SAMPLE(writer, threads, id, 1, 100 + id, names[i], 0, 10 * S, 0);
		SAMPLE(writer, edges, id, id, "sleep", NULL, NULL, "interrupt", HR_NULL, NULL);
		SAMPLE(writer, waits, 1, id, 1, S, 0, 0);
	}
	sample_end(writer, true);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		hr_thread_pattern(pattern, sizeof(pattern), names[i]);
		assert_string_equal(pattern, labels[i] + 2);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM v_waits WHERE waiter = '%s'", labels[i]);
		assert_int_equal(value_of(state, sql), 1);
	}
}

#define WITH_WAITS(test) cmocka_unit_test_setup_teardown(test, set_up_waits, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WAITS(edges_of_one_pool_for_one_lock_are_one_row),
		WITH_WAITS(rows_are_by_source_and_by_the_name_of_whoever_is_outside),
		WITH_WAITS(waiting_for_work_is_idle_and_comes_last),
		WITH_WAITS(the_convoy_is_due_to_what_its_holders_do),
		WITH_WAITS(the_knot_is_the_disk_and_the_report_can_say_that_it_differs),
		WITH_WAITS(locks_have_names_queues_and_whoever_releases_them),
		WITH_PATH(pythons_global_lock_is_one_thing_and_is_called_so),
		WITH_PATH(the_two_futexes_of_a_condition_are_one),
		WITH_PATH(futexes_of_single_threads_are_one_row),
		WITH_PATH(a_lock_without_a_symbol_is_called_by_the_code_that_waits_for_it),
		WITH_PATH(a_lock_that_has_a_symbol_keeps_it),
		WITH_PATH(a_request_in_service_makes_a_poll_busy),
		WITH_PATH(a_damaged_file_says_what_it_can),
		WITH_PATH(a_run_without_intervals_knows_nothing_of_waits),
		WITH_WAITS(the_views_say_who_waits_and_how_contended_locks_are),
		WITH_PATH(the_view_names_groups_as_the_report_does),
	};

	return cmocka_run_group_tests_name("waits_summary", tests, NULL, NULL);
}
