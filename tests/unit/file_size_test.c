/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "../bench/long_run.h"
#include "run_fixture.h"
#include "store/packed.h"
#include "store/rollup.h"

/* What a second of 500 threads takes in the file. Sizes do not depend on the machine, so that they can be asserted. */

#define THREADS 500
#define SECONDS (4 * HR_ROLLUP_INTERVALS)

/* 165 MB an hour, sums and all; 200 MB are promised. */
#define BYTES_PER_SECOND_MAX 46000

/* Bytes of a row with what SQLite needs around it; another one of each where row ids have a digit more, after some hours. */
static const struct {
	enum hr_table_id table;
	double bytes_max;
} budgets[HR_PACKED] = {
	{ HR_TABLE_thread_states, 13 },	   { HR_TABLE_thread_counters, 21 }, { HR_TABLE_cpu_waits, 12 },
	{ HR_TABLE_histograms, 11 },	   { HR_TABLE_requests, 11 },	     { HR_TABLE_waits, 26 },
	{ HR_TABLE_wait_windows, 13 },	   { HR_TABLE_wait_histograms, 10 }, { HR_TABLE_samples, 18.5 },
};

static off_t write_seconds(const char *path, int64_t seconds)
{
	struct bench bench = { .seconds = seconds, .threads = THREADS, .writer = create_run(path) };
	struct stat written;

	add_cast(&bench);
	for (int64_t i = 1; i <= seconds; i++) {
		add_second(&bench, i);
		assert_int_equal(hr_writer_commit(bench.writer, &bench.err), 0);
	}
	assert_int_equal(hr_writer_finish(bench.writer, &bench.err), 0);
	hr_writer_close(bench.writer);
	assert_int_equal(stat(path, &written), 0);
	return written.st_size;
}

static void an_hour_of_500_threads_fits_into_200_mb(void **state)
{
	const struct scratch *scratch = *state;
	const off_t half = write_seconds(in(scratch, "half.db"), SECONDS / 2), whole = write_seconds(scratch->run, SECONDS);
	const off_t bytes_per_second = (whole - half) / (SECONDS / 2);

	assert_true(3600 * BYTES_PER_SECOND_MAX + half < 200 * 1000 * 1000);
	if (bytes_per_second > BYTES_PER_SECOND_MAX)
		fail_msg("a second of %d threads takes %d bytes, over %d", THREADS, (int)bytes_per_second, BYTES_PER_SECOND_MAX);
}

static void rows_of_the_large_tables_are_small(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	char sql[256];

	write_seconds(scratch->run, SECONDS);
	reader = open_run(scratch->run);
	for (size_t i = 0; i < COUNT_OF(budgets); i++) {
		const char *name = hr_tables[budgets[i].table].name;
		double bytes_per_row;

		assert_int_equal(budgets[i].table, hr_packed[i].table);
		snprintf(sql, sizeof(sql), "SELECT 1000 * sum(pgsize) / (SELECT count(*) FROM packed_%s) FROM dbstat WHERE name = 'packed_%s'", name, name);
		bytes_per_row = (double)value_of(reader, sql) / 1000;
		if (!(bytes_per_row > 4 && bytes_per_row <= budgets[i].bytes_max))
			fail_msg("a row of %s takes %.2f bytes, over %.1f", name, bytes_per_row, budgets[i].bytes_max);
	}
	/* what stands once is little beside them */
	assert_true(value_of(reader, "SELECT sum(CASE WHEN name LIKE 'packed!_%!_keys' ESCAPE '!' THEN pgsize ELSE 0 END) * 20 < sum(pgsize) FROM dbstat"));
	hr_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(an_hour_of_500_threads_fits_into_200_mb),
		scratch_test(rows_of_the_large_tables_are_small),
	};

	return cmocka_run_group_tests_name("file_size", tests, NULL, NULL);
}
