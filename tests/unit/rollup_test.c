/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run_fixture.h"
#include "schema_1.h"
#include "store/rollup.h"

/* Sums over blocks say what the rows say, of whatever intervals are selected. */

#define INTERVALS (3 * HR_ROLLUP_INTERVALS + 7)

static void add(struct hr_writer *writer, enum hr_table_id table, const void *row)
{
	struct hr_err err = { "" };

	if (hr_writer_add(writer, table, row, &err))
		fail_msg("%s", err.text);
}
#define ADD(writer, table, ...) add(writer, HR_TABLE_##table, &(struct hr_row_##table){ __VA_ARGS__ })

/* Rows of one interval in each of the tables, with amounts that tell intervals apart; the interval comes last, as a recorder adds it. */
static void add_rows(struct hr_writer *writer, int64_t id)
{
	for (int64_t thread = 1; thread <= 3; thread++) {
		ADD(writer, thread_states, id, thread, "user", id * 1000 + thread);
		ADD(writer, thread_states, id, thread, "futex", id);
		ADD(writer, thread_counters, id, thread, id, 2, 3, 4, 5, 6, thread == 1 ? HR_NULL : id);
		ADD(writer, cpu_waits, id, thread, "runq", "idle", id);
	}
	ADD(writer, histograms, id, 1, "syscall", "read", 16, 17, id);
	ADD(writer, histograms, id, 1, "runq", NULL, 16, 17, 2 * id);
	ADD(writer, requests, id, 1, "total", 64, 65, id);
	ADD(writer, waits, id, 1, 1, id, 2, 3);
	ADD(writer, wait_windows, id, 1, "user", id);
	ADD(writer, wait_histograms, id, 1, 8, 9, id);
	ADD(writer, samples, id, 1, "user", NULL, 1, HR_NULL, id, 10 * id, id);
}

static void add_whole_interval(struct hr_writer *writer, int64_t id)
{
	struct hr_err err = { "" };

	add_rows(writer, id);
	ADD(writer, intervals, id, (id - 1) * 1000, id * 1000);
	assert_int_equal(hr_writer_commit(writer, &err), 0);
}

static void finish(struct hr_writer *writer)
{
	struct hr_err err = { "" };

	assert_int_equal(hr_writer_finish(writer, &err), 0);
	hr_writer_close(writer);
}

static void write_run(const char *path)
{
	struct hr_writer *writer = create_run(path);

	for (int64_t id = 1; id <= INTERVALS; id++)
		add_whole_interval(writer, id);
	finish(writer);
}

/* A number that every row of every table has a part in. */
static int64_t digest(struct hr_reader *reader, const char *where)
{
	char sql[1024];
	uint64_t sum = 0;

	for (int i = 0; i < HR_PACKED; i++) {
		const struct hr_table *table = &hr_tables[hr_packed[i].table];

		for (int k = 1; k < table->column_count; k++) {
			snprintf(sql, sizeof(sql), k <= hr_packed[i].keys ? "SELECT count(DISTINCT %s) FROM %s %s" :
				 "SELECT ifnull(sum(%s), -7) FROM %s %s", table->columns[k].name, table->name, where);
			sum = sum * 31 + (uint64_t)value_of(reader, sql);
		}
	}
	return (int64_t)sum;
}

/* What is selected adds up to what the rows of these intervals do. */
static void check_selection(struct hr_reader *reader, int64_t first, int64_t last, int64_t step)
{
	int64_t ids[INTERVALS];
	size_t count = 0;
	struct hr_err err = { "" };
	char where[128];
	int64_t expected;

	for (int64_t id = first; id <= last; id += step)
		ids[count++] = id;
	snprintf(where, sizeof(where), "WHERE interval_id BETWEEN %d AND %d AND (interval_id - %d) %% %d = 0", (int)first, (int)last,
		 (int)first, (int)step);
	hr_reader_select_all(reader);
	expected = digest(reader, where);
	if (hr_reader_select(reader, ids, count, &err))
		fail_msg("%s", err.text);
	assert_int_equal(digest(reader, ""), expected);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM intervals"), (int64_t)count);
	hr_reader_select_all(reader);
}

static void any_selection_adds_up_to_what_its_rows_do(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	const int64_t block = HR_ROLLUP_INTERVALS;

	write_run(scratch->run);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM rollup_blocks"), 3);
	check_selection(reader, 1, INTERVALS, 1);
	check_selection(reader, 1, block, 1);
	check_selection(reader, block + 1, 2 * block, 1);
	check_selection(reader, 2, 3 * block - 1, 1);
	check_selection(reader, 5, 9, 1);
	check_selection(reader, 1, INTERVALS, 2);
	check_selection(reader, INTERVALS, INTERVALS, 1);
	hr_reader_close(reader);
}

static void sums_of_all_are_the_sums_of_the_rows_in_far_fewer_of_them(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	struct hr_err err = { "" };
	int64_t expected, rows;

	write_run(scratch->run);
	reader = open_run(scratch->run);
	expected = digest(reader, "");
	rows = value_of(reader, "SELECT count(*) FROM thread_states");
	assert_int_equal(hr_reader_select_sums(reader, &err), 0);
	assert_int_equal(digest(reader, ""), expected);
	assert_true(value_of(reader, "SELECT count(*) FROM thread_states") <= rows / 8);
	hr_reader_select_all(reader);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM thread_states"), rows);
	hr_reader_close(reader);
}

static void what_was_never_measured_stays_null_in_a_sum(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	struct hr_err err = { "" };

	write_run(scratch->run);
	reader = open_run(scratch->run);
	assert_int_equal(hr_reader_select_sums(reader, &err), 0);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM thread_counters WHERE thread_id = 1 AND not_run_ns IS NOT NULL"), 0);
	hr_reader_close(reader);
}

static void a_row_that_comes_late_is_not_left_out(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;

	for (int64_t id = 1; id <= 2 * HR_ROLLUP_INTERVALS + 3; id++)
		add_whole_interval(writer, id);
	ADD(writer, thread_states, 3, 1, "disk", 999);
	for (int64_t id = 2 * HR_ROLLUP_INTERVALS + 4; id <= INTERVALS; id++)
		add_whole_interval(writer, id);
	finish(writer);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM rollup_blocks"), 0);
	check_selection(reader, 1, INTERVALS, 1);
	check_selection(reader, 3, 3, 1);
	hr_reader_close(reader);
}

static void intervals_in_no_order_are_read_all_the_same(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;

	for (int64_t id = INTERVALS; id >= 1; id--)
		add_whole_interval(writer, id);
	for (int64_t id = 1; id <= INTERVALS; id++)
		add_rows(writer, id);
	finish(writer);
	reader = open_run(scratch->run);
	check_selection(reader, 1, INTERVALS, 1);
	check_selection(reader, 10, 40, 1);
	hr_reader_close(reader);
}

static void a_run_that_was_cut_off_is_read_up_to_its_last_interval(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;

	for (int64_t id = 1; id <= INTERVALS; id++)
		add_whole_interval(writer, id);
	add_rows(writer, INTERVALS + 1);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	check_selection(reader, 1, INTERVALS, 1);
	check_selection(reader, INTERVALS - 3, INTERVALS, 1);
	hr_reader_close(reader);
}

static void a_file_of_schema_1_is_read_by_its_rows(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	struct hr_err err = { "" };

	write_run(scratch->run);
	make_schema_1(scratch->run, true);
	reader = open_run(scratch->run);
	check_selection(reader, 2, INTERVALS - 1, 1);
	assert_int_equal(hr_reader_select_sums(reader, &err), 0);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM thread_states"), 6 * INTERVALS);
	hr_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(any_selection_adds_up_to_what_its_rows_do),
		scratch_test(sums_of_all_are_the_sums_of_the_rows_in_far_fewer_of_them),
		scratch_test(what_was_never_measured_stays_null_in_a_sum),
		scratch_test(a_row_that_comes_late_is_not_left_out),
		scratch_test(intervals_in_no_order_are_read_all_the_same),
		scratch_test(a_run_that_was_cut_off_is_read_up_to_its_last_interval),
		scratch_test(a_file_of_schema_1_is_read_by_its_rows),
	};

	return cmocka_run_group_tests_name("rollup", tests, NULL, NULL);
}
