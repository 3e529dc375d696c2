/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/states.h"
#include "base/text.h"
#include "run_fixture.h"
#include "store/views.h"

/* The rows that the tests write to a table: no two cells are the same, and in every third row a third is NULL. */
static bool cell_is_null(int row, int column, const struct hr_table *table)
{
	return row % 3 == 1 && column % 3 == 1 && !(table->keyed && column == 0);
}

static int64_t cell_number(int table, int row, int column)
{
	return (int64_t)row + 1 + 1000LL * column + (1LL << 40) * table;
}

#define ROWS 4
#define COLUMNS_MAX 32

static char cell_texts[ROWS][COLUMNS_MAX][32];

static void make_row(int table, int row, union hr_cell *cells)
{
	for (int i = 0; i < hr_tables[table].column_count; i++) {
		const bool null = cell_is_null(row, i, &hr_tables[table]);

		snprintf(cell_texts[row][i], sizeof(cell_texts[row][i]), "h\xC3\xA9 %d %d %d", table, row, i);
		switch (hr_tables[table].columns[i].type) {
		case HR_COLUMN_INT: cells[i].integer = null ? HR_NULL : cell_number(table, row, i); break;
		case HR_COLUMN_REAL: cells[i].real = null ? NAN : (double)cell_number(table, row, i) / 8; break;
		case HR_COLUMN_TEXT: cells[i].text = null ? NULL : cell_texts[row][i]; break;
		}
	}
}

static void check_cell(struct hr_query *query, int column, const union hr_cell *expected, enum hr_column_type type)
{
	switch (type) {
	case HR_COLUMN_INT: assert_int_equal(hr_query_int(query, column), expected->integer); break;
	case HR_COLUMN_REAL:
		if (isnan(expected->real))
			assert_true(isnan(hr_query_real(query, column)));
		else
			assert_true(hr_query_real(query, column) == expected->real);
		break;
	case HR_COLUMN_TEXT:
		if (expected->text)
			assert_string_equal(hr_query_text(query, column), expected->text);
		else
			assert_null(hr_query_text(query, column));
		break;
	}
}

static void check_table(struct hr_reader *reader, int table)
{
	union hr_cell cells[COLUMNS_MAX];
	struct hr_query *query;
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT * FROM %s", hr_tables[table].name);
	assert_int_equal(hr_query_open(reader, &query, NULL, sql, ""), 0);
	for (int row = 0; row < ROWS; row++) {
		make_row(table, row, cells);
		assert_int_equal(hr_query_next(query), 1);
		for (int i = 0; i < hr_tables[table].column_count; i++) {
			assert_int_equal(hr_query_is_null(query, i), cell_is_null(row, i, &hr_tables[table]));
			check_cell(query, i, &cells[i], hr_tables[table].columns[i].type);
		}
	}
	assert_int_equal(hr_query_next(query), 0);
	hr_query_close(query);
}

static void every_row_of_every_table_comes_back_as_it_was_added(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	union hr_cell cells[COLUMNS_MAX];
	struct hr_reader *reader;

	for (int table = 0; table < HR_TABLE_COUNT; table++) {
		assert_true(hr_tables[table].column_count <= COLUMNS_MAX);
		for (int row = 0; row < ROWS; row++) {
			make_row(table, row, cells);
			assert_int_equal(hr_writer_add(writer, table, cells, NULL), 0);
		}
	}
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	assert_int_equal(hr_writer_rows_lost(writer), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	assert_string_equal(hr_reader_path(reader), scratch->run);
	for (int table = 0; table < HR_TABLE_COUNT; table++)
		check_table(reader, table);
	hr_reader_close(reader);
}

static void a_row_struct_has_its_columns_in_the_order_of_the_table(void **state)
{
	const struct scratch *scratch = *state;
	const struct hr_row_threads row = {
		.thread_id = 1, .process_id = 2, .tid = 3, .name = "worker", .first_ns = 4, .last_ns = HR_NULL,
		.ended = 0,
	};
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;

	assert_int_equal(hr_writer_add(writer, HR_TABLE_threads, &row, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader,
				  "SELECT count(*) FROM threads WHERE thread_id = 1 AND process_id = 2 AND tid = 3"
				  " AND name = 'worker' AND first_ns = 4 AND last_ns IS NULL AND ended = 0"), 1);
	hr_reader_close(reader);
}

static void a_row_with_an_id_that_is_taken_is_refused_and_counted_and_the_rest_stays(void **state)
{
	const struct scratch *scratch = *state;
	const struct hr_row_intervals interval = { 1, 0, 1000 };
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_err err = { "" };

	assert_int_equal(add_interval(writer, 1, NULL), 0);
	assert_int_equal(hr_writer_add(writer, HR_TABLE_intervals, &interval, &err), -EEXIST);
	assert_non_null(strstr(err.text, scratch->run));
	assert_int_equal(hr_writer_rows_lost(writer), 1);
	assert_int_equal(add_interval(writer, 2, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	assert_holds_intervals(scratch->run, 2);
}

static void a_row_is_updated_by_its_key(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;

	for (int64_t id = 1; id <= 20; id++) {
		const struct hr_row_threads row = { id, 1, id, "worker", 0, HR_NULL, 0 };
		char sql[96]; /* more statements than are kept */

		assert_int_equal(hr_writer_add(writer, HR_TABLE_threads, &row, NULL), 0);
		snprintf(sql, sizeof(sql), "UPDATE threads SET last_ns = ?, name = ? WHERE thread_id = ? AND %d",
			 (int)id);
		assert_int_equal(hr_writer_exec(writer, NULL, sql, "iti", id * 10, "gone", id), 0);
		assert_int_equal(hr_writer_exec(writer, NULL,
						"UPDATE threads SET ended = ended + 1 WHERE thread_id = ?", "i",
						id), 0);
	}
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader,
				  "SELECT count(*) FROM threads"
				  " WHERE last_ns = tid * 10 AND name = 'gone' AND ended = 1"),
			 20);
	hr_reader_close(reader);
}

static void an_update_that_is_no_sql_is_refused(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_err err = { "" };

	assert_int_equal(hr_writer_exec(writer, &err, "UPDATE nowhere SET x = 1", ""), -EINVAL);
	assert_non_null(strstr(err.text, "no such table"));
	assert_int_equal(add_interval(writer, 1, NULL), 0);
	hr_writer_close(writer);
	assert_holds_intervals(scratch->run, 1);
}

static void text_of_others_is_valid_utf8_in_the_file(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_row_threads row = { 1, 1, 1, NULL, 0, 0, 1 };
	struct hr_reader *reader;
	struct hr_query *query;
	char name[64];

	hr_text_clean(name, sizeof(name), "evil\xFF\x1B[2J", 16);
	row.name = name;
	assert_int_equal(hr_writer_add(writer, HR_TABLE_threads, &row, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	assert_int_equal(hr_query_open(reader, &query, NULL, "SELECT name FROM threads", ""), 0);
	assert_int_equal(hr_query_next(query), 1);
	assert_string_equal(hr_query_text(query, 0), "evil\xEF\xBF\xBD\xEF\xBF\xBD[2J");
	hr_query_close(query);
	hr_reader_close(reader);
}

static void a_query_takes_parameters(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;
	struct hr_query *query;

	assert_int_equal(add_interval(writer, 1, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	assert_int_equal(hr_query_open(reader, &query, NULL, "SELECT thread_id, NULL, 0.5 FROM thread_states"
				       " WHERE thread_id = ? AND state = ?", "it", (int64_t)7, "futex"), 0);
	assert_int_equal(hr_query_next(query), 1);
	assert_int_equal(hr_query_int(query, 0), 7);
	assert_int_equal(hr_query_int(query, 1), HR_NULL);
	assert_true(isnan(hr_query_real(query, 1)));
	assert_null(hr_query_text(query, 1));
	assert_true(hr_query_real(query, 2) == 0.5);
	assert_int_equal(hr_query_next(query), 0);
	hr_query_close(query);
	hr_query_close(NULL);
	hr_reader_close(reader);
	hr_reader_close(NULL);
}

/* How rows are packed, and their sums, are no part of the schema. */
#define IS_PUBLIC(name) name " NOT LIKE 'rollup%' AND " name " NOT LIKE 'packed%'"

static void the_dictionary_describes_every_column_of_every_table_and_view(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;

	hr_writer_close(create_run(scratch->run));
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM sqlite_master WHERE " IS_PUBLIC("name")), HR_TABLE_COUNT + hr_view_count + 1);
	/* as the file's own schema has it */
	assert_int_equal(value_of(reader, "SELECT count(*) FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
				  " LEFT JOIN dictionary AS d ON d.table_name = m.name AND d.column_name = c.name"
				  " AND (d.type = c.type OR m.name LIKE 'v!_%' ESCAPE '!') WHERE " IS_PUBLIC("m.name") " AND length(d.meaning) > 0 IS NOT 1"), 0);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM sqlite_master AS m"
				  " LEFT JOIN dictionary AS d ON d.table_name = m.name AND d.column_name IS NULL"
				  " AND d.type = CASE WHEN m.name LIKE 'v!_%' ESCAPE '!' THEN 'view' ELSE 'table' END"
				  " WHERE " IS_PUBLIC("m.name") " AND length(d.meaning) > 0 IS NOT 1"), 0);
	/* and nothing else */
	assert_int_equal(value_of(reader, "SELECT (SELECT count(*) FROM dictionary) ="
				  " (SELECT count(*) FROM sqlite_master AS m, pragma_table_info(m.name) WHERE " IS_PUBLIC("m.name") ")"
				  " + (SELECT count(*) FROM sqlite_master WHERE " IS_PUBLIC("name") ")"), 1);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM dictionary"
				  " WHERE substr(column_name, -3) = '_ns' AND unit IS NOT 'ns'"), 0);
	hr_reader_close(reader);
}

/* Two processes with a thread each; 1 s in every state for the first thread, 3 s in user for the second. */
static void write_small_run(const char *path)
{
	struct hr_writer *writer = create_run(path);
	const struct hr_row_intervals interval = { 1, 500000000, 1500000000 };

	assert_int_equal(hr_writer_add(writer, HR_TABLE_intervals, &interval, NULL), 0);
	for (int64_t id = 1; id <= 2; id++) {
		const struct hr_row_processes process = { id, 100 + id, 1, id == 1 ? "one" : "two", NULL, 0, HR_NULL };
		const struct hr_row_threads thread = { id, id, 100 + id, "main", 0, HR_NULL, 0 };
		const struct hr_row_syscalls call = { 1, id, "native", "read", 4 * id, 4, 1, 8000000, 0, 0 };

		assert_int_equal(hr_writer_add(writer, HR_TABLE_processes, &process, NULL), 0);
		assert_int_equal(hr_writer_add(writer, HR_TABLE_threads, &thread, NULL), 0);
		assert_int_equal(hr_writer_add(writer, HR_TABLE_syscalls, &call, NULL), 0);
	}
	for (int s = 0; s < HR_STATES; s++) {
		const struct hr_row_thread_states row = { 1, 1, hr_state_name(s), 1000000000 };

		assert_int_equal(hr_writer_add(writer, HR_TABLE_thread_states, &row, NULL), 0);
	}
	assert_int_equal(hr_writer_add(writer, HR_TABLE_thread_states,
				       &(struct hr_row_thread_states){ 1, 2, "user", 3000000000 }, NULL), 0);
	for (int64_t slot = 0; slot < 100; slot++) { /* 100 waits of 1000 to 100000 ns */
		const struct hr_row_histograms row = { 1, 1, "runq", NULL, slot * 1000 + 500, slot * 1000 + 1500, 1 };

		assert_int_equal(hr_writer_add(writer, HR_TABLE_histograms, &row, NULL), 0);
	}
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
}

static void the_views_answer_what_people_ask(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	int blocked_states = 0;

	write_small_run(scratch->run);
	reader = open_run(scratch->run);
	for (int i = 0; i < hr_view_count; i++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "SELECT count(*) >= 0 FROM %s", hr_views[i].name);
		assert_int_equal(value_of(reader, sql), 1);
	}
	for (int s = 0; s < HR_STATES; s++)
		blocked_states += hr_state_group(s) == HR_GROUP_BLOCKED;
	assert_int_equal(value_of(reader, "SELECT seconds * 1000 FROM v_state_totals WHERE state = 'user'"), 4000);
	assert_int_equal(value_of(reader, "SELECT abs(sum(share) - 1) < 1e-9 FROM v_state_totals"), 1);
	assert_int_equal(value_of(reader,
				  "SELECT seconds * 1000 FROM v_thread_states"
				  " WHERE process = 'two' AND thread = 'main'"),
			 3000);
	assert_int_equal(value_of(reader, "SELECT start_s * 1000 FROM v_interval_states"), 500);
	assert_int_equal(value_of(reader, "SELECT on_cpu_s FROM v_interval_states"), 5);
	assert_int_equal(value_of(reader, "SELECT waiting_for_cpu_s FROM v_interval_states"), 2);
	assert_int_equal(value_of(reader, "SELECT blocked_s FROM v_interval_states"), blocked_states);
	assert_int_equal(value_of(reader, "SELECT mean_us FROM v_syscalls WHERE process = 'one' AND syscall = 'read'"),
			 2000);
	assert_int_equal(value_of(reader, "SELECT mean_us FROM v_syscalls WHERE process = 'two' AND syscall = 'read'"),
			 1000);
	assert_int_equal(value_of(reader, "SELECT errors FROM v_syscalls WHERE process = 'two'"), 1);
	assert_int_equal(value_of(reader, "SELECT count FROM v_latencies WHERE metric = 'runq'"), 100);
	assert_int_equal(value_of(reader, "SELECT p50_us FROM v_latencies WHERE metric = 'runq'"), 50);
	assert_int_equal(value_of(reader, "SELECT p90_us FROM v_latencies WHERE metric = 'runq'"), 90);
	assert_int_equal(value_of(reader, "SELECT p99_us FROM v_latencies WHERE metric = 'runq'"), 99);
	hr_reader_close(reader);
}

static void missing_names_are_null_and_lose_no_time(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;

	assert_int_equal(add_interval(writer, 1, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader,
				  "SELECT count(*) FROM v_thread_states WHERE thread IS NULL AND state = 'futex'"),
			 THREADS_PER_INTERVAL);
	hr_reader_close(reader);
}

static void other_tools_see_whose_file_it_is(void **state)
{
	const struct scratch *scratch = *state;
	unsigned char header[100];
	int fd;

	write_small_run(scratch->run);
	fd = open(scratch->run, O_RDONLY);
	assert_int_equal(read(fd, header, sizeof(header)), sizeof(header));
	close(fd);
	assert_memory_equal(header, "SQLite format 3", 16);
	assert_memory_equal(header + 68, "HDR1", 4);
	assert_int_equal(header[63], HR_SCHEMA_VERSION);
	assert_int_equal(header[18], 1); /* a rollback journal: readable without side files by anyone */
	assert_int_equal(header[19], 1);
	assert_int_equal(files_in(scratch->folder), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(every_row_of_every_table_comes_back_as_it_was_added),
		scratch_test(a_row_struct_has_its_columns_in_the_order_of_the_table),
		scratch_test(a_row_with_an_id_that_is_taken_is_refused_and_counted_and_the_rest_stays),
		scratch_test(a_row_is_updated_by_its_key),
		scratch_test(an_update_that_is_no_sql_is_refused),
		scratch_test(text_of_others_is_valid_utf8_in_the_file),
		scratch_test(a_query_takes_parameters),
		scratch_test(the_dictionary_describes_every_column_of_every_table_and_view),
		scratch_test(the_views_answer_what_people_ask),
		scratch_test(missing_names_are_null_and_lose_no_time),
		scratch_test(other_tools_see_whose_file_it_is),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
