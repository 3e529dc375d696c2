/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/states.h"
#include "run_fixture.h"
#include "sample_run.h"
#include "store/relations.h"

/*
 * The views of levels on a run of known numbers: six intervals of one second, the levels "2" (intervals 2 and 3, after a warm-up in 1) and "8"
 * (interval 5); interval 4 straddles both, and 6 comes after.
 */
#define SECONDS 6

/* In each second of a level: so many requests, in flight, of so long. */
static const struct {
	int64_t requests, in_flight, latency_us;
} load[SECONDS] = { { 900, 9, 9000 }, { 100, 2, 20000 }, { 300, 2, 4000 }, { 900, 9, 9000 }, { 500, 8, 16000 }, { 0, 0, 0 } };

static void add_second(struct hr_writer *writer, int64_t id, bool is_multiplexed)
{
	int64_t requests = load[id - 1].requests, latency_ns = load[id - 1].latency_us * 1000;

	SAMPLE(writer, intervals, id, (id - 1) * S, id * S);
	SAMPLE(writer, thread_states, id, 1, "user", id * 100 * MS);
	SAMPLE(writer, thread_states, id, 1, "preempted", 50 * MS);
	SAMPLE(writer, thread_states, id, 1, "futex", S - id * 100 * MS - 50 * MS);
	SAMPLE(writer, thread_counters, .interval_id = id, .thread_id = 1, .syscalls = 1000 * id, .voluntary = 10,
	       .involuntary = 20, .migrations = 30, .not_run_ns = HR_NULL);
	SAMPLE(writer, cpus, .interval_id = id, .target_ns = id * 100 * MS, .idle_ns = S - id * 100 * MS, .steal_ns = HR_NULL,
	       .irq_ns = HR_NULL);
	if (!requests)
		return;
	SAMPLE(writer, traffic, .interval_id = id, .flow_id = 1, .requests = requests, .in_flight_ns = load[id - 1].in_flight * S,
	       .reads = requests, .multiplexed_reads = is_multiplexed ? requests : 0);
	SAMPLE(writer, request_stages, id, 1, "total", requests, requests * latency_ns);
	SAMPLE(writer, requests, id, 1, "total", latency_ns, latency_ns + 1000, requests);
}

static void write_levels(const char *path, bool is_multiplexed)
{
	struct hr_writer *writer = create_run(path);

	SAMPLE(writer, run, .run_id = "run-1", .host = "web-7", .kernel = "6.1", .arch = "x86_64", .cpus = 1,
	       .headroom_version = "0.1.0", .target = "port 80", .started_unix_ns = 1700000000123456789,
	       .asked_unix_ns = HR_NULL, .interval_ns = S, .ended_ns = 6 * S, .target_status = HR_NULL);
	SAMPLE(writer, processes, .process_id = 1, .pid = 10, .parent_pid = 1, .name = "web", .last_ns = HR_NULL);
	SAMPLE(writer, threads, .thread_id = 1, .process_id = 1, .tid = 10, .name = "web", .last_ns = 6 * S);
	SAMPLE(writer, flows, 1, 1, "server", "tcp", ":80");
	for (int64_t id = 1; id <= SECONDS; id++)
		add_second(writer, id, is_multiplexed);
	/* marks come a little after and before the intervals that they end and begin */
	SAMPLE(writer, levels, .level_id = 1, .level = "2", .offered = 2, .measured_ns = S + MS, .end_ns = 3 * S - MS,
	       .status = HR_NULL, .settled_ns = HR_NULL);
	SAMPLE(writer, levels, .level_id = 2, .level = "8", .offered = 8, .start_ns = 3 * S + 500 * MS,
	       .measured_ns = 3 * S + 500 * MS, .end_ns = 5 * S - MS, .status = HR_NULL, .settled_ns = HR_NULL);
	SAMPLE(writer, load_results, "8", 499, 0, 1000000, 2000000, 17000000);
	sample_end(writer, true);
}

static double number(struct hr_reader *reader, const char *sql)
{
	struct hr_query *query = NULL;
	struct hr_err err = { "" };
	double value;

	if (hr_query_open(reader, &query, &err, sql, ""))
		fail_msg("%s", err.text);
	assert_int_equal(hr_query_next(query), 1);
	value = hr_query_real(query, 0);
	hr_query_close(query);
	return value;
}

static void assert_number(struct hr_reader *reader, const char *sql, double expected)
{
	double seen = number(reader, sql);

	if (!(seen >= expected - 1e-9 * (1 + expected) && seen <= expected + 1e-9 * (1 + expected)))
		fail_msg("%s gives %.12g, not %.12g", sql, seen, expected);
}

static void a_level_is_its_whole_intervals_without_the_warm_up(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;

	write_levels(scratch->run, false);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM v_levels"), 2);
	assert_int_equal(value_of(reader, "SELECT group_concat(interval_id) = '2,3,5' FROM v_level_intervals"), 1);
	assert_number(reader, "SELECT seconds FROM v_levels WHERE level = '2'", 2);
	assert_number(reader, "SELECT seconds FROM v_levels WHERE level = '8'", 1);
	assert_number(reader, "SELECT requests FROM v_levels WHERE level = '2'", 400);
	assert_number(reader, "SELECT throughput_rps FROM v_levels WHERE level = '2'", 200);
	assert_number(reader, "SELECT in_flight FROM v_levels WHERE level = '2'", 2);
	assert_number(reader, "SELECT mean_us FROM v_levels WHERE level = '2'", 8000);
	assert_number(reader, "SELECT p50_us FROM v_levels WHERE level = '2'", 4000.4995);
	assert_number(reader, "SELECT p99_us FROM v_levels WHERE level = '2'", 20000.4995);
	assert_number(reader, "SELECT on_cpu_s FROM v_levels WHERE level = '2'", 0.5);
	assert_number(reader, "SELECT waiting_for_cpu_s FROM v_levels WHERE level = '2'", 0.1);
	assert_number(reader, "SELECT blocked_s FROM v_levels WHERE level = '2'", 1.4);
	assert_number(reader, "SELECT client_rps FROM v_levels WHERE level = '8'", 499);
	assert_number(reader, "SELECT client_rps IS NULL FROM v_levels WHERE level = '2'", 1);
	hr_reader_close(reader);
}

static void the_time_of_a_request_is_split_by_state(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;

	write_levels(scratch->run, false);
	reader = open_run(scratch->run);
	assert_number(reader, "SELECT us_per_request FROM v_level_states WHERE level = '8' AND state = 'user'", 1000);
	assert_number(reader, "SELECT threads FROM v_level_states WHERE level = '2' AND state = 'futex'", 0.7);
	assert_number(reader, "SELECT sum(threads) FROM v_level_states WHERE level = '8'", 1);
	hr_reader_close(reader);
}

static void features_are_one_row_per_level_with_a_column_per_state(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	char sql[128];

	write_levels(scratch->run, false);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM v_level_features"), 2);
	assert_number(reader, "SELECT user_threads FROM v_level_features WHERE offered = 8", 0.5);
	assert_number(reader, "SELECT disk_threads FROM v_level_features WHERE offered = 8", 0);
	assert_number(reader, "SELECT syscalls_per_s FROM v_level_features WHERE offered = 2", 2500);
	assert_number(reader, "SELECT cpu_target + cpu_other + cpu_idle FROM v_level_features WHERE offered = 2", 1);
	for (enum hr_state i = 0; i < HR_STATES; i++) {
		snprintf(sql, sizeof(sql), "SELECT sum(%s_threads) FROM v_level_features", hr_state_name(i));
		assert_true(number(reader, sql) >= 0);
	}
	hr_reader_close(reader);
}

static void where_requests_cannot_be_told_apart_there_is_no_number_of_them(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;

	write_levels(scratch->run, true);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM v_levels WHERE requests IS NULL AND throughput_rps IS NULL AND "
				  "in_flight IS NULL AND mean_us IS NULL AND p99_us IS NULL AND on_cpu_s > 0"), 2);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM v_level_states WHERE us_per_request IS NOT NULL"), 0);
	hr_reader_close(reader);
}

static void the_start_of_a_run_is_exact_in_parts(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;

	write_levels(scratch->run, false);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT started_unix_s FROM v_run"), 1700000000);
	assert_int_equal(value_of(reader, "SELECT started_after_ns FROM v_run"), 123456789);
	assert_int_equal(value_of(reader, "SELECT started = '2023-11-14T22:13:20.123456789Z' FROM v_run"), 1);
	hr_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_level_is_its_whole_intervals_without_the_warm_up),
		scratch_test(the_time_of_a_request_is_split_by_state),
		scratch_test(features_are_one_row_per_level_with_a_column_per_state),
		scratch_test(where_requests_cannot_be_told_apart_there_is_no_number_of_them),
		scratch_test(the_start_of_a_run_is_exact_in_parts),
	};

	return cmocka_run_group_tests_name("level_views", tests, NULL, NULL);
}
