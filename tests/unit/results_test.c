/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run_fixture.h"
#include "store/results.h"

static struct hr_err err;

static void write_csv(const struct scratch *scratch, const char *text)
{
	write_file(in(scratch, "r.csv"), text, strlen(text));
}

static void assert_refused(const struct scratch *scratch, const char *text, int code, const char *words)
{
	struct hr_results *results = NULL;

	write_csv(scratch, text);
	assert_int_equal(hr_results_load(in(scratch, "r.csv"), &results, &err), code);
	assert_null(results);
	if (!strstr(err.text, words) || !strstr(err.text, in(scratch, "r.csv")))
		fail_msg("'%s' says not '%s'", err.text, words);
}

/* A run that has the levels, and the results of the text. */
static void take(const struct scratch *scratch, const char *text, const char *const *levels, size_t count)
{
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_results *results = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct hr_row_levels row = { .level_id = (int64_t)i + 1, .level = levels[i], .offered = strtod(levels[i], NULL) };

		assert_int_equal(hr_writer_add(writer, HR_TABLE_levels, &row, &err), 0);
	}
	write_csv(scratch, text);
	if (hr_results_load(in(scratch, "r.csv"), &results, &err) || hr_results_write(results, writer, &err))
		fail_msg("%s", err.text);
	assert_int_equal(hr_writer_finish(writer, &err), 0);
	hr_results_free(results);
	hr_writer_close(writer);
}

static void columns_may_come_in_any_order_and_all_but_the_level_may_lack(void **state)
{
	static const char *const levels[] = { "1", "8" };
	const struct scratch *scratch = *state;
	struct hr_reader *reader;

	take(scratch, "p99_ms, level ,errors,throughput_rps\r\n 1.5 ,8,3,123.25\r\n,1,,\r\n", levels, 2);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM load_results WHERE level = '8' AND p99_ns = 1500000 AND errors = 3 "
				  "AND throughput_rps = 123.25 AND p50_ns IS NULL AND p90_ns IS NULL"), 1);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM load_results WHERE level = '1' AND p99_ns IS NULL AND errors IS NULL "
				  "AND throughput_rps IS NULL"), 1);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM load_results"), 2);
	hr_reader_close(reader);
}

static void a_number_written_in_another_way_is_the_same_level(void **state)
{
	static const char *const levels[] = { "8", "8.0", "16", "low" };
	const struct scratch *scratch = *state;
	struct hr_reader *reader;

	take(scratch, "level\n8.0\n16.00\nlow\n32.0\n", levels, 4);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT group_concat(level, ' ') = '8.0 16 low 32.0' FROM load_results"), 1);
	hr_reader_close(reader);
}

static void a_column_that_is_not_known_is_named(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_results *results;

	write_csv(scratch, "level,p99\n1,2\n");
	assert_int_equal(hr_results_load(in(scratch, "r.csv"), &results, &err), 0);
	assert_string_equal(hr_results_surplus(results), "p99");
	hr_results_free(results);
	write_csv(scratch, "level\n");
	assert_int_equal(hr_results_load(in(scratch, "r.csv"), &results, &err), 0);
	assert_null(hr_results_surplus(results));
	hr_results_free(results);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
	const struct scratch *scratch = *state;

	assert_refused(scratch, "", -EINVAL, "line 1: a header is needed");
	assert_refused(scratch, "1,2\n", -EINVAL, "line 1: a header is needed");
	assert_refused(scratch, "level,level\n", -EINVAL, "line 1: the column level is there twice");
	assert_refused(scratch, "level,p50_ms\n1,2\n\n2\n", -EINVAL, "line 4: 1 fields, and the header has 2");
	assert_refused(scratch, "level,p50_ms\n ,2\n", -EINVAL, "line 2: no level");
	assert_refused(scratch, "level,p50_ms\n1,2ms\n", -EINVAL, "line 2: p50_ms: '2ms' is not a number");
	assert_refused(scratch, "level,p50_ms\n1,-2\n", -EINVAL, "line 2: p50_ms: '-2' is not a number");
	assert_refused(scratch, "level,p50_ms\n1,nan\n", -EINVAL, "line 2: p50_ms: 'nan' is not a number");
	assert_refused(scratch, "level,errors\n1,0.5\n", -EINVAL, "line 2: errors: '0.5' is not a count");
	assert_refused(scratch, "level,errors\n\"1\n", -EINVAL, "line 2: a quote is not closed");
}

static void what_cannot_be_read_is_refused(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_results *results = NULL;

	assert_int_equal(hr_results_load(in(scratch, "none"), &results, &err), -ENOENT);
	assert_int_equal(hr_results_load(scratch->folder, &results, &err), -EINVAL);
	write_file(in(scratch, "nul"), "level\n1\0\n", 9);
	assert_int_equal(hr_results_load(in(scratch, "nul"), &results, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is not text"));
	write_file(in(scratch, "long"), "", 0);
	assert_int_equal(truncate(in(scratch, "long"), (1 << 20) + 1), 0);
	assert_int_equal(hr_results_load(in(scratch, "long"), &results, &err), -EFBIG);
	assert_null(results);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(columns_may_come_in_any_order_and_all_but_the_level_may_lack),
		scratch_test(a_number_written_in_another_way_is_the_same_level),
		scratch_test(a_column_that_is_not_known_is_named),
		scratch_test(what_is_wrong_is_told_with_its_line),
		scratch_test(what_cannot_be_read_is_refused),
	};

	return cmocka_run_group_tests_name("results", tests, NULL, NULL);
}
