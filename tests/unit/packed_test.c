/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "run_fixture.h"
#include "schema_1.h"
#include "store/keymap.h"
#include "store/relations.h"
#include "store/rollup.h"

/* Rows that are packed read back as they were added, however they came. */

static void add(struct hr_writer *writer, enum hr_table_id table, const void *row)
{
	struct hr_err err = { "" };

	if (hr_writer_add(writer, table, row, &err))
		fail_msg("%s", err.text);
}
#define ADD(writer, table, ...) add(writer, HR_TABLE_##table, &(struct hr_row_##table){ __VA_ARGS__ })

static void commit(struct hr_writer *writer)
{
	struct hr_err err = { "" };

	if (hr_writer_commit(writer, &err))
		fail_msg("%s", err.text);
}

static struct hr_reader *finish_and_open(struct hr_writer *writer, const char *path)
{
	struct hr_err err = { "" };

	if (hr_writer_finish(writer, &err))
		fail_msg("%s", err.text);
	assert_int_equal(hr_writer_rows_lost(writer), 0);
	hr_writer_close(writer);
	return open_run(path);
}

static uint32_t next_chance(uint32_t *chance)
{
	*chance = *chance * 1664525 + 1013904223;
	return *chance >> 8;
}

/* More rows than wait at once, in any order, the same key again and again, in intervals that are over. */
static void rows_in_any_order_read_back_as_they_were_added(void **state)
{
	enum { INTERVALS = 5, THREADS = 200, ROWS = 50000 };
	static const char *const names[] = { "user", "futex", "", NULL };
	static int64_t times[INTERVALS][THREADS][4], counts[INTERVALS][THREADS][4];
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;
	struct hr_query *query;
	uint32_t chance = 1;

	memset(times, 0, sizeof(times));
	memset(counts, 0, sizeof(counts));
	for (int64_t row = 0; row < ROWS; row++) {
		uint32_t interval = next_chance(&chance) % INTERVALS, thread = next_chance(&chance) % THREADS, name = next_chance(&chance) % 4;

		ADD(writer, thread_states, interval + 1, thread, names[name], row);
		times[interval][thread][name] += row;
		counts[interval][thread][name]++;
		if (row % 20011 == 0)
			commit(writer);
	}
	reader = finish_and_open(writer, scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM thread_states"), ROWS);
	assert_int_equal(hr_query_open(reader, &query, NULL, "SELECT interval_id, thread_id, state, sum(time_ns), count(*) FROM thread_states "
				       "GROUP BY 1, 2, 3", ""), 0);
	while (hr_query_next(query) == 1) {
		int64_t interval = hr_query_int(query, 0) - 1, thread = hr_query_int(query, 1);
		const char *text = hr_query_text(query, 2);
		int name = 0;

		while (text ? !names[name] || strcmp(names[name], text) : names[name] != NULL)
			name++;
		assert_int_equal(hr_query_int(query, 3), times[interval][thread][name]);
		assert_int_equal(hr_query_int(query, 4), counts[interval][thread][name]);
		counts[interval][thread][name] = 0;
	}
	hr_query_close(query);
	for (size_t i = 0; i < sizeof(counts) / sizeof(int64_t); i++)
		assert_int_equal((&counts[0][0][0])[i], 0);
	hr_reader_close(reader);
}

static void an_interval_is_found_without_reading_the_others(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_reader *reader;
	struct hr_query *query;
	bool by_range = false, scans = false;

	reader = finish_and_open(create_run(scratch->run), scratch->run);
	assert_int_equal(hr_query_open(reader, &query, NULL, "EXPLAIN QUERY PLAN SELECT sum(t.time_ns) FROM intervals AS i"
				       " JOIN thread_states AS t USING (interval_id) WHERE i.interval_id = 7", ""), 0);
	while (hr_query_next(query) == 1) {
		by_range |= strstr(hr_query_text(query, 3), "(rowid>? AND rowid<?)") != NULL;
		scans |= strstr(hr_query_text(query, 3), "SCAN") != NULL;
	}
	hr_query_close(query);
	assert_true(by_range && !scans);
	hr_reader_close(reader);
}

static void a_key_stands_once_while_it_is_in_use(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;

	for (int64_t id = 1; id <= 1000; id++) {
		ADD(writer, samples, id, 1, "user", NULL, 1, HR_NULL, 1, 1, 1); /* always there */
		if (id == 1 || id == 1000)
			ADD(writer, samples, id, 2, "user", NULL, 1, HR_NULL, 1, 1, 1); /* forgotten meanwhile */
		commit(writer);
	}
	reader = finish_and_open(writer, scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM packed_samples_keys WHERE thread_id = 1"), 1);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM packed_samples_keys WHERE thread_id = 2"), 2);
	assert_int_equal(value_of(reader, "SELECT sum(count) FROM samples WHERE thread_id = 1"), 1000);
	assert_int_equal(value_of(reader, "SELECT sum(interval_id) FROM samples WHERE thread_id = 2"), 1001);
	hr_reader_close(reader);
}

static void a_row_without_an_interval_is_refused_and_the_others_stay(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_err err = { "" };
	struct hr_reader *reader;

	ADD(writer, waits, 1, 7, 1, 2, 3, HR_NULL);
	assert_true(hr_writer_add(writer, HR_TABLE_waits, &(struct hr_row_waits){ HR_NULL, 7, 1, 2, 3, 4 }, &err) < 0);
	assert_true(strlen(err.text) > 0);
	assert_int_equal(hr_writer_rows_lost(writer), 1);
	ADD(writer, waits, 2, 7, 1, 2, 3, 4);
	assert_int_equal(hr_writer_finish(writer, &err), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM waits"), 2);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM waits WHERE window_ns IS NULL AND interval_id = 1 AND handover_ns = 3"), 1);
	hr_reader_close(reader);
}

static void equal_keys_have_one_number_and_others_another(void **state)
{
	const struct hr_table *table = &hr_tables[HR_TABLE_histograms];
	struct hr_keymap map;
	int64_t ids[2], id;
	bool is_new;
	char read[] = "read", again[] = "read";

	(void)state;
	hr_keymap_init(&map, table->columns + 1, 3); /* process_id, metric, label */
	assert_int_equal(hr_keymap_find(&map, (union hr_cell[]){ { 1 }, { .text = read }, { .text = NULL } }, &ids[0], &is_new), 0);
	assert_true(is_new);
	read[0] = 'd'; /* it was copied */
	assert_int_equal(hr_keymap_find(&map, (union hr_cell[]){ { 1 }, { .text = again }, { .text = NULL } }, &ids[1], &is_new), 0);
	assert_false(is_new);
	assert_int_equal(ids[0], ids[1]);
	assert_int_equal(hr_keymap_find(&map, (union hr_cell[]){ { 1 }, { .text = again }, { .text = "" } }, &id, &is_new), 0);
	assert_true(is_new && id != ids[0]);
	for (int64_t process = 2; process <= 5000; process++) {
		assert_int_equal(hr_keymap_find(&map, (union hr_cell[]){ { process }, { .text = again }, { .text = NULL } }, &id, &is_new), 0);
		assert_true(is_new && id == process + 1);
	}
	assert_int_equal(map.key_count, 5001);
	hr_keymap_sweep(&map);
	assert_int_equal(hr_keymap_find(&map, (union hr_cell[]){ { 77 }, { .text = again }, { .text = NULL } }, &id, &is_new), 0);
	assert_true(!is_new && id == 78);
	hr_keymap_sweep(&map);
	assert_int_equal(map.key_count, 1);
	hr_keymap_clear(&map);
	assert_int_equal(map.key_count, 0);
	assert_int_equal(hr_keymap_find(&map, (union hr_cell[]){ { 77 }, { .text = again }, { .text = NULL } }, &id, &is_new), 0);
	assert_true(is_new && id == 5002);
	hr_keymap_fini(&map);
}

#define LONG_INTERVALS (5 * HR_ROLLUP_INTERVALS + 9)

/* Levels that begin and end inside of blocks, and rows in every table that the views of them read. */
static void write_long_run(const char *path)
{
	struct hr_writer *writer = create_run(path);
	const int64_t ends[] = { 0, 40, 41, 110, LONG_INTERVALS };
	char label[8];

	ADD(writer, run, "run-1", "web-7", "6.1", "x86_64", 2, "0", "port 80", 1700000000000000000, HR_NULL, 1000000000, HR_NULL, HR_NULL);
	ADD(writer, processes, 1, 10, 1, "server", NULL, 0, HR_NULL);
	ADD(writer, flows, 1, 1, "server", "tcp", ":80");
	for (int64_t i = 0; i < 4; i++) {
		snprintf(label, sizeof(label), "%d", i == 3 ? 1 : 1 << (int)i); /* the last is the first again */
		ADD(writer, levels, i + 1, label, 1 << (i % 3), ends[i] * 1000000000, ends[i] * 1000000000, ends[i + 1] * 1000000000, NULL, NULL,
		    HR_NULL, NULL, HR_NULL);
	}
	for (int64_t thread = 1; thread <= 3; thread++)
		ADD(writer, threads, thread, 1, 10 + thread, "worker", 0, HR_NULL, 0);
	for (int64_t id = 1; id <= LONG_INTERVALS; id++) {
		for (int64_t thread = 1; thread <= 3; thread++) {
			ADD(writer, thread_states, id, thread, "user", 1000 * id + thread);
			ADD(writer, thread_states, id, thread, id % 3 ? "futex" : "runq", 7 * id);
			ADD(writer, thread_counters, id, thread, id, 2, 3, 4, 0, 0, HR_NULL);
			ADD(writer, cpu_waits, id, thread, "runq", id % 2 ? "idle" : "target", id);
		}
		for (int64_t slot = 0; slot < 9; slot++) {
			ADD(writer, histograms, id, 1, "runq", NULL, 100 * slot, 100 * slot + 100, id % 7 + slot);
			ADD(writer, requests, id, 1, "total", 1000 * slot, 1000 * slot + 1000, id % 5 + slot);
		}
		ADD(writer, request_stages, id, 1, "total", 10, 10 * id);
		ADD(writer, traffic, id, 1, 10, 10, 0, 5 * id, 0, 10, 10, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
		ADD(writer, cpus, id, 0, id, 2 * id, 3, 0, HR_NULL);
		ADD(writer, intervals, id, (id - 1) * 1000000000, id * 1000000000);
		commit(writer);
	}
	hr_reader_close(finish_and_open(writer, path));
}

/* All rows of all views, as an export reads them. */
static char *text_of_views(const char *path)
{
	struct hr_reader *reader = open_run(path);
	struct hr_err err = { "" };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(hr_relations_begin(reader, &err), 0);
	for (int i = HR_TABLE_COUNT; i < hr_relation_count(); i++) {
		const struct hr_relation view = hr_relation_at(i);
		struct hr_query *query;

		if (hr_relation_open(reader, &view, &query, &err))
			fail_msg("%s: %s", view.name, err.text);
		while (hr_query_next(query) == 1) {
			fprintf(out, "%s", view.name);
			for (int k = 0; k < view.column_count; k++)
				fprintf(out, "|%s", hr_query_text(query, k) ? hr_query_text(query, k) : "NULL");
			fputc('\n', out);
		}
		hr_query_close(query);
	}
	hr_reader_close(reader);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void views_that_read_sums_say_what_the_rows_say(void **state)
{
	const struct scratch *scratch = *state;
	const char *old = in(scratch, "old.db"), *oldest = in(scratch, "oldest.db");
	char *texts[3];
	struct hr_reader *reader;

	write_long_run(scratch->run);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM rollup_blocks"), 5);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM v_levels"), 3);
	/* level 1 has interval 1 to 40 and 111 to the end, so the sums of three blocks */
	assert_int_equal(value_of(reader, "SELECT sum(1000 * interval_id + thread_id) FROM thread_states WHERE state = 'user'"
				  " AND (interval_id <= 40 OR interval_id > 110)"),
			 value_of(reader, "SELECT round(seconds * 1e9) FROM v_level_states WHERE level = '1' AND state = 'user'"));
	hr_reader_close(reader);
	copy_file(scratch->run, old);
	copy_file(scratch->run, oldest);
	make_schema_1(old, true);
	make_schema_1(oldest, false);
	texts[0] = text_of_views(scratch->run);
	texts[1] = text_of_views(old);
	texts[2] = text_of_views(oldest);
	assert_true(strlen(texts[0]) > 1000);
	assert_string_equal(texts[0], texts[1]);
	assert_string_equal(texts[0], texts[2]);
	for (int i = 0; i < 3; i++)
		free(texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(rows_in_any_order_read_back_as_they_were_added),
		scratch_test(an_interval_is_found_without_reading_the_others),
		scratch_test(a_key_stands_once_while_it_is_in_use),
		scratch_test(a_row_without_an_interval_is_refused_and_the_others_stay),
		cmocka_unit_test(equal_keys_have_one_number_and_others_another),
		scratch_test(views_that_read_sums_say_what_the_rows_say),
	};

	return cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
