/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <sqlite3.h>

#include "report/csv.h"
#include "report/ddl.h"
#include "run_fixture.h"

/* Tables as CSV, and the statements that make tables of them. */

static const struct hr_csv csv = { "run-1", "web-7", "" };

static void add(struct hr_writer *writer, enum hr_table_id table, const void *row)
{
	struct hr_err err = { "" };

	if (hr_writer_add(writer, table, row, &err))
		fail_msg("%s", err.text);
}
#define ADD(writer, table, ...) add(writer, HR_TABLE_##table, &(struct hr_row_##table){ __VA_ARGS__ })

static void finish(struct hr_writer *writer)
{
	struct hr_err err = { "" };

	if (hr_writer_finish(writer, &err))
		fail_msg("%s", err.text);
	hr_writer_close(writer);
}

/* Runs SQL on the file, past the writer. */
static void change(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* The file's table as text, which the caller frees. */
static char *text_of(const char *path, const char *table, const struct hr_csv *how)
{
	struct hr_reader *reader = open_run(path);
	struct hr_relation relation;
	struct hr_err err = { "" };
	char *text = NULL;
	size_t size;
	uint64_t rows;
	FILE *out = open_memstream(&text, &size);

	assert_true(hr_relation_find(table, &relation));
	assert_int_equal(hr_relations_begin(reader, &err), 0);
	hr_csv_header(&relation, out);
	if (hr_csv_rows(how, reader, &relation, &rows, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	hr_reader_close(reader);
	return text;
}

static void assert_text(const char *path, const char *table, const struct hr_csv *how, const char *expected)
{
	char *text = text_of(path, table, how);

	assert_string_equal(text, expected);
	free(text);
}

static void a_row_begins_with_run_and_host_and_lines_end_in_cr_lf(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);

	ADD(writer, intervals, 1, 0, 1000000000);
	ADD(writer, intervals, 2, 1000000000, 2000000007);
	finish(writer);
	assert_text(scratch->run, "intervals", &csv,
		    "run_id,host,interval_id,start_ns,end_ns\r\n"
		    "run-1,web-7,1,0,1000000000\r\n"
		    "run-1,web-7,2,1000000000,2000000007\r\n");
}

static void the_run_has_its_own_id_and_host_once(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);

	ADD(writer, run, .run_id = "run-1", .host = "web-7", .kernel = "6.1", .arch = "x86_64", .cpus = 4,
	       .headroom_version = "0.1.0", .target = "port 80", .started_unix_ns = 1700000000123456789,
	       .asked_unix_ns = HR_NULL, .interval_ns = 1000000000, .ended_ns = HR_NULL, .target_status = HR_NULL);
	finish(writer);
	assert_text(scratch->run, "run", &csv,
		    "run_id,host,kernel,arch,cpus,headroom_version,target,started_unix_ns,asked_unix_ns,interval_ns,ended_ns,target_status\r\n"
		    "run-1,web-7,6.1,x86_64,4,0.1.0,port 80,1700000000123456789,,1000000000,,\r\n");
}

static void null_is_an_empty_field_and_an_empty_text_is_quoted(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);

	ADD(writer, processes, .process_id = 1, .pid = 10, .parent_pid = 1, .name = "", .last_ns = HR_NULL);
	finish(writer);
	assert_text(scratch->run, "processes", &csv,
		    "run_id,host,process_id,pid,parent_pid,name,command,first_ns,last_ns\r\n"
		    "run-1,web-7,1,10,1,\"\",,0,\r\n");
	assert_text(scratch->run, "processes", &(struct hr_csv){ "run-1", "web-7", "\\N" },
		    "run_id,host,process_id,pid,parent_pid,name,command,first_ns,last_ns\r\n"
		    "run-1,web-7,1,10,1,\"\",\\N,0,\\N\r\n");
}

static void hostile_text_is_quoted_and_not_changed(void **state)
{
	static const struct {
		const char *name, *field;
	} texts[] = {
		{ "plain-1", "plain-1" },
		{ "two words", "two words" },
		{ "a,b", "\"a,b\"" },
		{ "say \"hi\"", "\"say \"\"hi\"\"\"" },
		{ "two\nlines\r", "\"two\nlines\r\"" },
		{ "=1+1", "=1+1" },
		{ " led", "\" led\"" },
		{ "trailed ", "\"trailed \"" },
		{ "'quoted'", "\"'quoted'\"" },
		{ "\\N", "\"\\N\"" },
		{ "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9" },
	};
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	char expected[2048] = "run_id,host,disk_id,name,device\r\n", line[128];

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		ADD(writer, disks, (int64_t)i, texts[i].name, "8:0");
		snprintf(line, sizeof(line), "run-1,\"a,host\",%zu,%s,8:0\r\n", i, texts[i].field);
		strcat(expected, line);
	}
	finish(writer);
	assert_text(scratch->run, "disks", &(struct hr_csv){ "run-1", "a,host", "" }, expected);
}

static void a_text_that_reads_like_null_is_quoted(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);

	ADD(writer, disks, 1, "NULL", NULL);
	finish(writer);
	assert_text(scratch->run, "disks", &(struct hr_csv){ "run-1", "web-7", "NULL" },
		    "run_id,host,disk_id,name,device\r\nrun-1,web-7,1,\"NULL\",NULL\r\n");
}

static void numbers_read_back_as_the_same(void **state)
{
	static const double rates[] = { 0, -0.0, 1, 0.1, 1.0 / 3, 1e300, 5e-324, 12345678.9, 1e15, 123456789012345680.0 };
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	char *text, *line;

	for (size_t i = 0; i < COUNT_OF(rates); i++)
		ADD(writer, load_results, "1", rates[i], INT64_MAX, INT64_MIN + 1, -1, HR_NULL);
	ADD(writer, load_results, "1", INFINITY, 0, 0, 0, 0);
	finish(writer);
	text = text_of(scratch->run, "load_results", &csv);
	line = text;
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		char *field, *end;

		line = strchr(line, '\n') + 1;
		field = line + strlen("run-1,web-7,1,");
		assert_true(strtod(field, &end) == rates[i]);
		assert_true(memchr(field, '.', (size_t)(end - field)) || memchr(field, 'e', (size_t)(end - field)));
		assert_int_equal(strncmp(end, ",9223372036854775807,-9223372036854775807,-1,\r\n", 47), 0);
	}
	line = strchr(line, '\n') + 1;
	assert_string_equal(line, "run-1,web-7,1,,0,0,0,0\r\n");
	free(text);
}

static void what_is_no_number_is_null_in_a_column_of_numbers(void **state)
{
	const struct scratch *scratch = *state;

	finish(create_run(scratch->run));
	change(scratch->run, "INSERT INTO intervals VALUES (1, 'now, or', x'00')");
	assert_text(scratch->run, "intervals", &csv, "run_id,host,interval_id,start_ns,end_ns\r\nrun-1,web-7,1,,\r\n");
}

static void a_file_of_an_earlier_version_has_every_table_and_column(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_relation relation;
	struct hr_reader *reader;
	struct hr_err err;
	bool there = true;

	ADD(writer, parallelism, 1, 1, 2, 300);
	finish(writer);
	change(scratch->run, "DROP TABLE locks; DROP TABLE parallelism;"
	       "CREATE TABLE parallelism (interval_id INTEGER, process_id INTEGER, time_ns INTEGER);"
	       "INSERT INTO parallelism VALUES (1, 7, 300)");
	assert_text(scratch->run, "parallelism", &csv,
		    "run_id,host,interval_id,process_id,threads_on_cpu,time_ns\r\nrun-1,web-7,1,7,,300\r\n");
	assert_text(scratch->run, "locks", &csv, "run_id,host,lock_id,process_id,address,symbol,mapping\r\n");
	reader = open_run(scratch->run);
	assert_int_equal(hr_relations_begin(reader, &err), 0);
	assert_true(hr_relation_find("locks", &relation));
	assert_int_equal(hr_relation_is_there(reader, &relation, &there, &err), 0);
	assert_false(there);
	assert_true(hr_relation_find("parallelism", &relation));
	assert_int_equal(hr_relation_is_there(reader, &relation, &there, &err), 0);
	assert_true(there);
	hr_reader_close(reader);
}

static void every_table_and_view_of_an_empty_run_is_its_header(void **state)
{
	const struct scratch *scratch = *state;

	finish(create_run(scratch->run));
	for (int i = 0; i < hr_relation_count(); i++) {
		struct hr_relation relation = hr_relation_at(i);
		char *text = text_of(scratch->run, relation.name, &csv), *end = strstr(text, "\r\n");
		int commas = 0;

		assert_non_null(end);
		for (char *at = text; at < end; at++)
			commas += *at == ',';
		assert_int_equal(commas, hr_csv_column_count(&relation) - 1);
		assert_int_equal(strncmp(text, "run_id,host", 11), 0);
		free(text);
	}
}

static char *ddl_of(const char *dialect, const char *table)
{
	struct hr_relation relation;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_true(hr_relation_find(table, &relation));
	hr_ddl_write(hr_dialect_find(dialect), &relation, out);
	fclose(out);
	return text;
}

static void clickhouse_sorts_by_run_host_and_interval_and_keys_are_not_null(void **state)
{
	char *text = ddl_of("clickhouse", "intervals");

	(void)state;
	assert_string_equal(text, "CREATE TABLE IF NOT EXISTS intervals (\n"
			    "    run_id String,\n    host String,\n    interval_id Int64,\n    start_ns Nullable(Int64),\n"
			    "    end_ns Nullable(Int64)\n) ENGINE = MergeTree ORDER BY (run_id, host, interval_id);\n");
	free(text);
	text = ddl_of("clickhouse", "levels");
	assert_non_null(strstr(text, "    offered Nullable(Float64),\n"));
	free(text);
	text = ddl_of("clickhouse", "features");
	assert_non_null(strstr(text, "ORDER BY (run_id, host);\n"));
	free(text);
}

static void a_statement_has_one_semicolon_at_its_end(void **state)
{
	static const char *const dialects[] = { "clickhouse", "duckdb" };

	(void)state;
	for (size_t d = 0; d < COUNT_OF(dialects); d++)
		for (int i = 0; i < hr_relation_count(); i++) {
			char *text = ddl_of(dialects[d], hr_relation_at(i).name);

			assert_ptr_equal(strchr(text, ';'), text + strlen(text) - 2);
			free(text);
		}
	assert_null(hr_dialect_find("oracle"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_row_begins_with_run_and_host_and_lines_end_in_cr_lf),
		scratch_test(the_run_has_its_own_id_and_host_once),
		scratch_test(null_is_an_empty_field_and_an_empty_text_is_quoted),
		scratch_test(hostile_text_is_quoted_and_not_changed),
		scratch_test(a_text_that_reads_like_null_is_quoted),
		scratch_test(numbers_read_back_as_the_same),
		scratch_test(what_is_no_number_is_null_in_a_column_of_numbers),
		scratch_test(a_file_of_an_earlier_version_has_every_table_and_column),
		scratch_test(every_table_and_view_of_an_empty_run_is_its_header),
		cmocka_unit_test(clickhouse_sorts_by_run_host_and_interval_and_keys_are_not_null),
		cmocka_unit_test(a_statement_has_one_semicolon_at_its_end),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
