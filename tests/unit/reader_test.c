/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "run_fixture.h"

/* A finished run of n intervals. */
static void write_run(const char *path, int64_t n)
{
	struct hr_writer *writer = create_run(path);

	for (int64_t id = 1; id <= n; id++)
		assert_int_equal(add_interval(writer, id, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
}

static void patch(const char *path, off_t offset, unsigned char byte)
{
	int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

static void a_file_that_is_not_there_is_refused(void **state)
{
	const struct scratch *scratch = *state;

	assert_not_opened(scratch->run, -ENOENT, "No such file");
	assert_int_equal(files_in(scratch->folder), 0);
}

static void an_empty_file_is_refused(void **state)
{
	const struct scratch *scratch = *state;

	write_file(scratch->run, "", 0);
	assert_not_opened(scratch->run, -EINVAL, "is empty");
}

static void a_file_of_another_kind_is_refused(void **state)
{
	const struct scratch *scratch = *state;
	char text[4096];

	memset(text, 'x', sizeof(text));
	write_file(scratch->run, text, sizeof(text));
	assert_not_opened(scratch->run, -EINVAL, "is not a run file of headroom");
	write_file(scratch->run, "short", 5);
	assert_not_opened(scratch->run, -EINVAL, "is not a run file of headroom");
	assert_int_equal(files_in(scratch->folder), 1);
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
	const struct scratch *scratch = *state;

	assert_not_opened(scratch->folder, -EINVAL, "is a directory");
	assert_int_equal(mkfifo(scratch->run, 0600), 0);
	assert_not_opened(scratch->run, -EINVAL, "is not a regular file");
	assert_not_opened("/dev/null", -EINVAL, "is not a regular file");
}

static void a_database_of_another_program_is_refused(void **state)
{
	const struct scratch *scratch = *state;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(scratch->run, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE run (x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_not_opened(scratch->run, -EINVAL, "is not a run file of headroom");
}

static void a_run_of_a_later_schema_is_refused_with_both_versions(void **state)
{
	const struct scratch *scratch = *state;

	write_run(scratch->run, 1);
	patch(scratch->run, 63, HR_SCHEMA_VERSION + 1);
	assert_not_opened(scratch->run, -EPROTO, "has schema 3, and this version reads up to 2");
}

static void a_run_without_its_tables_is_refused(void **state)
{
	const struct scratch *scratch = *state;
	sqlite3 *db = NULL;

	write_run(scratch->run, 1);
	assert_int_equal(sqlite3_open(scratch->run, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DROP TABLE intervals", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_not_opened(scratch->run, -EINVAL, "is damaged: tables are missing");
}

static void a_run_that_is_cut_short_is_refused_wherever_it_is_cut(void **state)
{
	const struct scratch *scratch = *state;
	struct stat whole;

	write_run(scratch->run, 50);
	assert_int_equal(stat(scratch->run, &whole), 0);
	for (off_t size = whole.st_size - 1; size > 0; size = size * 3 / 4) {
		struct hr_reader *reader = NULL;
		struct hr_err err = { "" };

		assert_int_equal(truncate(scratch->run, size), 0);
		assert_int_equal(hr_reader_open(scratch->run, &reader, &err), -EINVAL);
		assert_non_null(strstr(err.text, scratch->run));
	}
}

static void damage_in_the_middle_is_an_error_of_the_query_that_meets_it(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_query *query = NULL;
	struct hr_err err = { "" };
	struct hr_reader *reader;
	struct stat whole;
	int result = 1;

	write_run(scratch->run, 200);
	assert_int_equal(stat(scratch->run, &whole), 0);
	for (off_t page = whole.st_size / 8192 - 10; page < whole.st_size / 8192; page++) /* in the rows of thread_states */
		patch(scratch->run, page * 8192, 0x77);
	reader = open_run(scratch->run);
	assert_int_equal(hr_query_open(reader, &query, &err, "SELECT * FROM thread_states", ""), 0);
	while (result == 1)
		result = hr_query_next(query);
	assert_int_equal(result, -EINVAL);
	assert_non_null(strstr(err.text, "is damaged or cut short"));
	hr_query_close(query);
	hr_reader_close(reader);
}

static void a_query_of_what_the_run_lacks_is_an_error(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_query *query = NULL;
	struct hr_err err = { "" };
	struct hr_reader *reader;

	write_run(scratch->run, 1);
	reader = open_run(scratch->run);
	assert_int_equal(hr_query_open(reader, &query, &err, "SELECT x FROM intervals", ""), -EINVAL);
	assert_non_null(strstr(err.text, "no such column"));
	assert_int_equal(hr_query_open(reader, &query, &err, "DELETE FROM intervals", ""), 0);
	assert_int_equal(hr_query_next(query), -EROFS);
	hr_query_close(query);
	hr_reader_close(reader);
	assert_holds_intervals(scratch->run, 1);
}

static void open_in_read_only_folder(const struct scratch *scratch)
{
	assert_holds_intervals(scratch->run, 3);
}

static void a_finished_run_opens_in_a_folder_that_cannot_be_written(void **state)
{
	const struct scratch *scratch = *state;

	write_run(scratch->run, 3);
	assert_int_equal(chmod(scratch->folder, 0555), 0);
	as_nobody(open_in_read_only_folder, scratch);
	assert_int_equal(files_in(scratch->folder), 1);
}

/* A run whose writer is still there, copied without or with its side file: what kill -9 leaves. */
static void write_killed_run(const struct scratch *scratch, bool with_wal)
{
	struct hr_writer *writer = create_run(in(scratch, "live.db"));

	for (int64_t id = 1; id <= 3; id++)
		assert_int_equal(add_interval(writer, id, NULL), 0);
	copy_file(in(scratch, "live.db"), scratch->run);
	if (with_wal)
		copy_file(in(scratch, "live.db-wal"), in(scratch, "run.db-wal"));
	hr_writer_discard(writer);
}

static void a_killed_run_without_its_side_file_opens_in_a_folder_that_cannot_be_written(void **state)
{
	const struct scratch *scratch = *state;

	write_killed_run(scratch, false);
	assert_int_equal(chmod(scratch->folder, 0555), 0);
	as_nobody(open_in_read_only_folder, scratch);
	assert_int_equal(files_in(scratch->folder), 1);
}

static void a_killed_run_is_read_without_leaving_side_files(void **state)
{
	const struct scratch *scratch = *state;

	write_killed_run(scratch, false);
	assert_holds_intervals(scratch->run, 3);
	assert_int_equal(files_in(scratch->folder), 1);
}

static void be_refused_for_the_side_file(const struct scratch *scratch)
{
	assert_not_opened(scratch->run, -EACCES, "copy both to one that can");
}

static void a_killed_run_with_its_side_file_needs_a_folder_that_can_be_written(void **state)
{
	const struct scratch *scratch = *state;

	write_killed_run(scratch, true);
	assert_int_equal(chmod(scratch->folder, 0555), 0);
	as_nobody(be_refused_for_the_side_file, scratch);
	assert_int_equal(chmod(scratch->folder, 0755), 0);
	assert_holds_intervals(scratch->run, 3);
}

static void be_refused_for_the_rights(const struct scratch *scratch)
{
	assert_not_opened(scratch->run, -EACCES, "Permission denied");
}

static void a_file_that_may_not_be_read_is_refused(void **state)
{
	const struct scratch *scratch = *state;

	write_run(scratch->run, 1);
	assert_int_equal(chmod(scratch->run, 0), 0);
	as_nobody(be_refused_for_the_rights, scratch);
}

static void a_path_with_signs_of_its_own_is_opened(void **state)
{
	const struct scratch *scratch = *state;
	const char *path = in(scratch, "a b?mode=rw#50%25'.db");

	write_run(path, 2);
	assert_holds_intervals(path, 2);
	assert_int_equal(files_in(scratch->folder), 1);
}

static void a_run_behind_a_symbolic_link_is_read_with_its_side_file(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;

	assert_int_equal(add_interval(writer, 1, NULL), 0);
	assert_int_equal(symlink("run.db", in(scratch, "link.db")), 0);
	assert_holds_intervals(in(scratch, "link.db"), 1);
	reader = open_run(in(scratch, "link.db"));
	assert_string_equal(hr_reader_path(reader), in(scratch, "link.db"));
	assert_int_equal(add_interval(writer, 2, NULL), 0);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM intervals"), 2);
	hr_reader_close(reader);
	hr_writer_close(writer);
}

static void an_amount_is_cut_off_where_none_can_be(void **state)
{
	static const struct {
		const char *sql;
		uint64_t amount;
	} cases[] = {
		{ "SELECT NULL", 0 },
		{ "SELECT 7", 7 },
		{ "SELECT -7", 0 },
		{ "SELECT -9223372036854775808", 0 },
		{ "SELECT 9223372036854775807", UINT64_C(1) << 60 },
		{ "SELECT 1e300", UINT64_C(1) << 60 },
		{ "SELECT 'many'", 0 },
	};
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	struct hr_err err;

	write_run(scratch->run, 1);
	reader = open_run(scratch->run);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hr_query *query;

		assert_int_equal(hr_query_open(reader, &query, &err, cases[i].sql, ""), 0);
		assert_int_equal(hr_query_next(query), 1);
		assert_int_equal(hr_query_amount(query, 0), cases[i].amount);
		hr_query_close(query);
	}
	hr_reader_close(reader);
}

static int add_up(void *sum, struct hr_query *query)
{
	*(int64_t *)sum += hr_query_int(query, 0);
	return *(int64_t *)sum > 3 ? -ERANGE : 0;
}

static void each_row_is_taken_until_one_refuses(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	struct hr_err err;
	int64_t sum = 0;

	write_run(scratch->run, 3);
	reader = open_run(scratch->run);
	assert_int_equal(hr_query_each(reader, "SELECT interval_id FROM intervals WHERE interval_id < 3", add_up, &sum, &err), 0);
	assert_int_equal(sum, 3);
	sum = 0;
	assert_int_equal(hr_query_each(reader, "SELECT interval_id FROM intervals ORDER BY 1 DESC", add_up, &sum, &err), -ERANGE);
	assert_int_equal(sum, 5);
	assert_int_equal(hr_query_each(reader, "SELECT interval_id FROM nowhere", add_up, &sum, &err), -EINVAL);
	hr_reader_close(reader);
}

static void what_a_file_has_can_be_asked(void **state)
{
	static const struct {
		const char *table, *column;
		bool has;
	} cases[] = {
		{ "intervals", NULL, true }, { "intervals", "end_ns", true }, { "intervals", "nothing", false },
		{ "v_levels", NULL, true }, { "nowhere", NULL, false }, { "nowhere", "end_ns", false },
	};
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	struct hr_err err;

	write_run(scratch->run, 1);
	reader = open_run(scratch->run);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool has = !cases[i].has;

		assert_int_equal(hr_reader_has(reader, cases[i].table, cases[i].column, &has, &err), 0);
		assert_int_equal(has, cases[i].has);
	}
	hr_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_file_that_is_not_there_is_refused),
		scratch_test(an_empty_file_is_refused),
		scratch_test(a_file_of_another_kind_is_refused),
		scratch_test(what_is_no_regular_file_is_refused_without_waiting),
		scratch_test(a_database_of_another_program_is_refused),
		scratch_test(a_run_of_a_later_schema_is_refused_with_both_versions),
		scratch_test(a_run_without_its_tables_is_refused),
		scratch_test(a_run_that_is_cut_short_is_refused_wherever_it_is_cut),
		scratch_test(damage_in_the_middle_is_an_error_of_the_query_that_meets_it),
		scratch_test(a_query_of_what_the_run_lacks_is_an_error),
		scratch_test(a_finished_run_opens_in_a_folder_that_cannot_be_written),
		scratch_test(a_killed_run_without_its_side_file_opens_in_a_folder_that_cannot_be_written),
		scratch_test(a_killed_run_is_read_without_leaving_side_files),
		scratch_test(a_killed_run_with_its_side_file_needs_a_folder_that_can_be_written),
		scratch_test(a_file_that_may_not_be_read_is_refused),
		scratch_test(a_path_with_signs_of_its_own_is_opened),
		scratch_test(a_run_behind_a_symbolic_link_is_read_with_its_side_file),
		scratch_test(an_amount_is_cut_off_where_none_can_be),
		scratch_test(each_row_is_taken_until_one_refuses),
		scratch_test(what_a_file_has_can_be_asked),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
