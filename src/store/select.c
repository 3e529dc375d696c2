/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/packed.h"
#include "store/reader.h"
#include "store/tables.h"

/* Some of the intervals: a view in TEMP stands in front of each table that has any, under the table's own name. */

static int run(struct hr_reader *reader, const char *sql, struct hr_err *err)
{
	struct hr_query *query;
	int result = hr_query_open(reader, &query, err, sql, "");

	if (result)
		return result;
	result = hr_query_next(query);
	hr_query_close(query);
	return result < 0 ? result : 0;
}

/* Every one of the statements, up to NULL. */
static int run_all(struct hr_reader *reader, const char *const *statements, struct hr_err *err)
{
	int result = 0;

	for (; *statements && !result; statements++)
		result = run(reader, *statements, err);
	return result;
}

static int read_count(struct hr_reader *reader, const char *sql, int64_t *ret_count, struct hr_err *err)
{
	struct hr_query *query;
	int result = hr_query_open(reader, &query, err, sql, "");

	if (result)
		return result;
	result = hr_query_next(query);
	*ret_count = result > 0 ? hr_query_int(query, 0) : 0;
	hr_query_close(query);
	return result < 0 ? result : 0;
}

static bool has_interval(const struct hr_table *table)
{
	for (int i = 0; i < table->column_count; i++)
		if (strcmp(table->columns[i].name, "interval_id") == 0)
			return true;
	return false;
}

/* The rows of some intervals, or the sums of some blocks, by where they lie: in this order (CROSS JOIN). */
static void put_rows(const struct hr_table *table, const char *prefix, const char *selected, FILE *out)
{
	fputs("SELECT ", out);
	for (int i = 0; i < table->column_count; i++)
		fprintf(out, "%sx.%s", i ? ", " : "", table->columns[i].name);
	fprintf(out, " FROM temp.%s AS s CROSS JOIN main.%s%s AS x ON x.interval_id = s.interval_id", selected, prefix, table->name);
}

/* The statement that makes the view; the caller frees it. NULL: no memory. */
static char *build_view(enum hr_table_id id, bool is_packed)
{
	const struct hr_table *table = &hr_tables[id];
	char *sql = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&sql, &size);

	if (!out)
		return NULL;
	fprintf(out, "CREATE TEMP VIEW %s AS ", table->name);
	if (is_packed && hr_packed_find(id) >= 0) {
		put_rows(table, "rollup_", "selected_blocks", out);
		fputs(" UNION ALL ", out);
		put_rows(table, "", "selected_rest", out);
	} else {
		fprintf(out, "SELECT * FROM main.%s WHERE interval_id IN selected", table->name);
	}
	if (fclose(out)) {
		free(sql);
		return NULL;
	}
	return sql;
}

static int put_views(struct hr_reader *reader, bool is_packed, struct hr_err *err)
{
	int result = 0;

	for (enum hr_table_id i = 0; i < HR_TABLE_COUNT && !result; i++) {
		bool has = false; /* an older file lacks tables, and a view on none would seem to be one */
		char *sql;

		if (has_interval(&hr_tables[i]))
			result = hr_reader_has(reader, hr_tables[i].name, NULL, &has, err);
		if (result || !has)
			continue;
		sql = build_view(i, is_packed);
		result = sql ? run(reader, sql, err) : hr_err_set(err, -ENOMEM, "no memory to read '%s'", hr_reader_path(reader));
		free(sql);
	}
	return result;
}

static int insert_selected(struct hr_reader *reader, const int64_t *interval_ids, size_t count, struct hr_err *err)
{
	struct hr_query *query;
	int result = 0;

	for (size_t i = 0; i < count && !result; i++) {
		result = hr_query_open(reader, &query, err, "INSERT OR IGNORE INTO temp.selected VALUES (?)", "i", interval_ids[i]);
		if (result)
			break;
		result = hr_query_next(query);
		hr_query_close(query);
	}
	return result < 0 ? result : 0;
}

/* Which blocks are selected as a whole, and which intervals are then left. */
static int select_blocks(struct hr_reader *reader, struct hr_err *err)
{
	static const char *const statements[] = {
		"CREATE TEMP TABLE selected_blocks (interval_id INTEGER PRIMARY KEY, first_interval_id INTEGER)",
		"INSERT INTO temp.selected_blocks SELECT b.last_interval_id, b.first_interval_id FROM main.rollup_blocks AS b"
		" WHERE NOT EXISTS (SELECT 1 FROM main.intervals AS i WHERE i.interval_id BETWEEN b.first_interval_id AND b.last_interval_id"
		" AND i.interval_id NOT IN selected)",
		"CREATE TEMP TABLE selected_rest (interval_id INTEGER PRIMARY KEY)",
		"INSERT INTO temp.selected_rest SELECT s.interval_id FROM temp.selected AS s WHERE ifnull((SELECT b.first_interval_id"
		" FROM temp.selected_blocks AS b WHERE b.interval_id >= s.interval_id ORDER BY b.interval_id LIMIT 1), s.interval_id + 1)"
		" > s.interval_id",
		NULL,
	};

	return run_all(reader, statements, err);
}

/* Files of schema 1 have rows and sums in plain tables, and are read by their rows. */
static int find_packed(struct hr_reader *reader, bool *ret_is_packed, struct hr_err *err)
{
	int64_t count = 0;
	int result = read_count(reader, "SELECT count(*) FROM main.sqlite_master WHERE name IN ('rollup_blocks', 'packed_ranges')", &count,
				err);

	*ret_is_packed = count == 2;
	return result;
}

static int begin_selection(struct hr_reader *reader, struct hr_err *err)
{
	static const char *const statements[] = {
		"PRAGMA temp_store = MEMORY",
		"CREATE TEMP TABLE selected (interval_id INTEGER PRIMARY KEY)",
		NULL,
	};

	hr_reader_select_all(reader);
	return run_all(reader, statements, err);
}

/* The intervals are in temp.selected. */
static int end_selection(struct hr_reader *reader, struct hr_err *err)
{
	bool is_packed = false;
	int result = find_packed(reader, &is_packed, err);

	if (!result && is_packed)
		result = select_blocks(reader, err);
	if (!result)
		result = put_views(reader, is_packed, err);
	return result;
}

/* A connection has no interval: those are in sight that stood in one of the selected. */
static int select_connections(struct hr_reader *reader, struct hr_err *err)
{
	return run(reader, "CREATE TEMP VIEW connections AS SELECT * FROM main.connections WHERE "
		   "first_ns < (SELECT max(end_ns) FROM main.intervals WHERE interval_id IN selected) AND "
		   "(last_ns IS NULL OR last_ns > (SELECT min(start_ns) FROM main.intervals WHERE interval_id IN selected))", err);
}

int hr_reader_select(struct hr_reader *reader, const int64_t *interval_ids, size_t count, struct hr_err *err)
{
	int result = begin_selection(reader, err);

	if (!result)
		result = insert_selected(reader, interval_ids, count, err);
	if (!result)
		result = end_selection(reader, err);
	if (!result)
		result = select_connections(reader, err);
	if (result)
		hr_reader_select_all(reader);
	return result;
}

int hr_reader_select_sums(struct hr_reader *reader, struct hr_err *err)
{
	int64_t blocks = 0;
	bool is_packed = false;
	int result = find_packed(reader, &is_packed, err);

	if (!result && is_packed)
		result = read_count(reader, "SELECT count(*) FROM main.rollup_blocks", &blocks, err);
	if (result || !blocks)
		return result;
	result = begin_selection(reader, err);
	if (!result)
		result = run(reader, "INSERT INTO temp.selected SELECT interval_id FROM main.intervals", err);
	if (!result)
		result = end_selection(reader, err);
	if (result)
		hr_reader_select_all(reader);
	return result;
}

void hr_reader_select_all(struct hr_reader *reader)
{
	static const char *const tables[] = { "selected", "selected_blocks", "selected_rest" };
	char sql[128];

	for (int i = 0; i < HR_TABLE_COUNT; i++) {
		snprintf(sql, sizeof(sql), "DROP VIEW IF EXISTS temp.%s", hr_tables[i].name);
		run(reader, sql, NULL);
	}
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS temp.%s", tables[i]);
		run(reader, sql, NULL);
	}
}
