/* SPDX-License-Identifier: BSD-2-Clause */
#include "axis_run.h"

#include <sqlite3.h>
#include <stdio.h>

static void a_level_is_its_own_intervals_without_the_warm_up(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;

	add_second(writer, 1, 7, 1);	/* before any level */
	add_second(writer, 2, 1000, 9); /* warm-up */
	add_second(writer, 3, 100, 1);
	add_second(writer, 4, 300, 1);
	add_second(writer, 5, 800, 4);
	mark(writer, "1", 1, 1, 2, 4, NULL);
	mark(writer, "4", 4, 4, 4, 5, NULL);
	analysis = end(writer, *state);
	assert_int_equal(analysis->axis.kind, HR_AXIS_MARKED);
	assert_int_equal(analysis->axis.level_count, 2);
	assert_string_equal(analysis->axis.levels[0].label, "1");
	assert_int_equal(analysis->axis.levels[0].window_count, 2);
	assert_near(analysis->axis.levels[0].windows[1].throughput_rps, 300);
	assert_near(analysis->axis.levels[0].summary->requests.throughput_rps, 200);
	assert_near(analysis->axis.levels[1].summary->requests.throughput_rps, 800);
	assert_near(analysis->axis.levels[1].summary->requests.in_flight, 4);
	assert_near((double)analysis->axis.levels[0].summary->run.recorded_ns, 2 * S);
	assert_near((double)analysis->axis.levels[0].summary->threads[0].account.life_ns, 2 * S);
	assert_near(analysis->summary->requests.throughput_rps, 2207 / 5.0);
	hr_analysis_free(analysis);
}

/* As of a version that did not have it yet. */
static void drop_table(const char *path, const char *table)
{
	char sql[64];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	snprintf(sql, sizeof(sql), "DROP TABLE %s", table);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void levels_of_a_file_that_lacks_a_later_table_are_read(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = begin(scratch);
	struct hr_analysis *analysis = NULL;
	struct hr_reader *reader;
	struct hr_err err = { "" };

	ADD(writer, frames, { 1, "main", "server", 0 });
	add_second(writer, 1, 100, 1);
	add_second(writer, 2, 200, 2);
	mark(writer, "1", 1, 0, 0, 1, NULL);
	mark(writer, "2", 2, 1, 1, 2, NULL);
	assert_int_equal(hr_writer_finish(writer, &err), 0);
	hr_writer_close(writer);
	drop_table(scratch->run, "lock_stacks");
	reader = open_run(scratch->run);
	if (hr_analysis_load(reader, &analysis, &err))
		fail_msg("%s", err.text);
	hr_reader_close(reader);
	assert_int_equal(analysis->axis.level_count, 2);
	assert_near(analysis->axis.levels[1].summary->requests.throughput_rps, 200);
	hr_analysis_free(analysis);
}

static void two_times_one_label_are_one_level_and_levels_come_by_load(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;

	add_second(writer, 1, 800, 8);
	add_second(writer, 2, 100, 1);
	add_second(writer, 3, 600, 8);
	mark(writer, "8", 8, 0, 0, 1, NULL);
	mark(writer, "1", 1, 1, 1, 2, NULL);
	mark(writer, "8", 8, 2, 2, -1, NULL);
	analysis = end(writer, *state);
	assert_int_equal(analysis->axis.level_count, 2);
	assert_string_equal(analysis->axis.levels[0].label, "1");
	assert_near(analysis->axis.levels[1].summary->requests.throughput_rps, 700);
	assert_true(analysis->axis.levels[1].is_open);
	assert_false(analysis->axis.levels[0].is_open);
	hr_analysis_free(analysis);
}

static void a_rate_is_no_number_of_clients(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;

	add_second(writer, 1, 100, 0.5);
	add_second(writer, 2, 200, 1.5);
	mark(writer, "100", 100, 0, 0, 1, "note=x unit=rps");
	mark(writer, "200", 200, 1, 1, 2, "unit=rps");
	analysis = end(writer, *state);
	assert_true(analysis->axis.levels[0].is_rate);
	assert_near(analysis->axis.levels[0].load, 0.5);
	assert_near(analysis->axis.levels[1].load, 1.5);
	hr_analysis_free(analysis);
}

static void a_level_without_an_interval_after_its_warm_up_is_left_out(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;

	add_second(writer, 1, 100, 1);
	add_second(writer, 2, 100, 1);
	mark(writer, "1", 1, 0, 0, 1, NULL);
	mark(writer, "2", 2, 1, 2, 2, NULL);
	analysis = end(writer, *state);
	assert_int_equal(analysis->axis.level_count, 1);
	hr_analysis_free(analysis);
}

static void without_marks_intervals_are_grouped_by_what_was_in_flight(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;

	for (int64_t i = 1; i <= 4; i++)
		add_second(writer, i, 100, 1.1);
	for (int64_t i = 5; i <= 8; i++)
		add_second(writer, i, 400, 4.2);
	add_second(writer, 9, 0, 0);	 /* idle: in no group */
	add_second(writer, 10, 900, 33); /* alone: no level of its own */
	analysis = end(writer, *state);
	assert_int_equal(analysis->axis.kind, HR_AXIS_GROUPED);
	assert_int_equal(analysis->axis.level_count, 2);
	assert_near(analysis->axis.levels[0].summary->requests.throughput_rps, 100);
	assert_near(analysis->axis.levels[1].summary->requests.throughput_rps, 400);
	assert_near(analysis->axis.levels[1].load, 4.2);
	hr_analysis_free(analysis);
}

static void a_run_without_requests_is_one_level(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;

	ADD(writer, intervals, { 1, 0, S });
	ADD(writer, thread_states, { 1, 1, "user", S });
	analysis = end(writer, *state);
	assert_int_equal(analysis->axis.kind, HR_AXIS_NONE);
	assert_int_equal(analysis->axis.level_count, 1);
	assert_null(analysis->axis.levels[0].label);
	hr_analysis_free(analysis);
}

static void a_run_without_an_interval_has_no_level_and_no_verdict(void **state)
{
	struct hr_analysis *analysis = end(begin(*state), *state);

	assert_int_equal(analysis->axis.level_count, 0);
	assert_int_equal(analysis->verdict.finding.class, HR_VERDICT_INCONCLUSIVE);
	hr_analysis_free(analysis);
}

static void what_the_load_generator_measured_stands_beside_its_level(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;

	add_second(writer, 1, 100, 1);
	mark(writer, "1", 1, 0, 0, 1, NULL);
	ADD(writer, load_results, { "1", 99.5, 2, HR_NULL, HR_NULL, 12000000 });
	ADD(writer, load_results, { "other", 1, 1, 1, 1, 1 });
	analysis = end(writer, *state);
	assert_near(analysis->axis.levels[0].client.throughput_rps, 99.5);
	assert_near(analysis->axis.levels[0].client.p99_ns, 12000000);
	assert_true(isnan(analysis->axis.levels[0].client.p50_ns));
	hr_analysis_free(analysis);
}

/* One thread, on CPU for a quarter of each second whatever it does: at 100/s a request takes 2.5 ms of it, so it is full at 400/s. */
static void the_knee_is_told_from_the_lower_levels(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;

	add_second(writer, 1, 100, 1);
	add_second(writer, 2, 400, 4);
	add_second(writer, 3, 405, 8);
	mark(writer, "1", 1, 0, 0, 1, NULL);
	mark(writer, "4", 4, 1, 1, 2, NULL);
	mark(writer, "8", 8, 2, 2, 3, NULL);
	analysis = end(writer, *state);
	assert_near(analysis->verdict.knee.load, 4);
	assert_near(analysis->verdict.knee.throughput_rps, 400);
	assert_near(analysis->verdict.knee.predicted_rps, 400);
	/* one level may be 20 % off, beside the 15 % of any; one client does not show what two would take from each other */
	assert_near(analysis->verdict.knee.range.low, 100);
	assert_near(analysis->verdict.knee.range.high, 400 * (1 + hypot(0.2, 0.15)));
	assert_int_equal(analysis->verdict.knee.level_count, 1);
	hr_analysis_free(analysis);
}

static void a_selection_hides_other_intervals_until_it_is_lifted(void **state)
{
	struct scratch *scratch = *state;
	struct hr_writer *writer = begin(scratch);
	struct hr_reader *reader;
	struct hr_err err = { "" };

	add_second(writer, 1, 100, 1);
	add_second(writer, 2, 200, 1);
	assert_int_equal(hr_writer_finish(writer, &err), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	assert_int_equal(hr_reader_select(reader, (const int64_t[]){ 2 }, 1, &err), 0);
	assert_int_equal(value_of(reader, "SELECT sum(requests) FROM traffic"), 200);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM intervals"), 1);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM threads"), 1);
	assert_int_equal(hr_reader_select(reader, NULL, 0, &err), 0);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM traffic"), 0);
	hr_reader_select_all(reader);
	assert_int_equal(value_of(reader, "SELECT sum(requests) FROM traffic"), 300);
	hr_reader_close(reader);
}

static void a_level_of_a_damaged_file_may_end_at_the_end_of_time(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;

	add_second(writer, 1, 100, 1);
	add_second(writer, 2, 200, 2);
	ADD(writer, levels, { .level_id = 1, .level = "1", .offered = 1, .start_ns = INT64_MIN + 1, .measured_ns = INT64_MIN + 1,
			      .end_ns = INT64_MAX, .status = HR_NULL, .settled_ns = HR_NULL });
	analysis = end(writer, *state);
	assert_int_equal(analysis->axis.level_count, 1);
	assert_int_equal(analysis->axis.levels[0].window_count, 2);
	hr_analysis_free(analysis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_level_is_its_own_intervals_without_the_warm_up),
		scratch_test(levels_of_a_file_that_lacks_a_later_table_are_read),
		scratch_test(two_times_one_label_are_one_level_and_levels_come_by_load),
		scratch_test(a_rate_is_no_number_of_clients),
		scratch_test(a_level_without_an_interval_after_its_warm_up_is_left_out),
		scratch_test(without_marks_intervals_are_grouped_by_what_was_in_flight),
		scratch_test(a_run_without_requests_is_one_level),
		scratch_test(a_run_without_an_interval_has_no_level_and_no_verdict),
		scratch_test(what_the_load_generator_measured_stands_beside_its_level),
		scratch_test(the_knee_is_told_from_the_lower_levels),
		scratch_test(a_level_of_a_damaged_file_may_end_at_the_end_of_time),
		scratch_test(a_selection_hides_other_intervals_until_it_is_lifted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
