/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/packed.h"

#include "store/relations.h"

const struct hr_packed hr_packed[HR_PACKED] = {
	{ HR_TABLE_thread_states, 2 },
	{ HR_TABLE_thread_counters, 1 },
	{ HR_TABLE_cpu_waits, 3 },
	{ HR_TABLE_histograms, 5 },
	{ HR_TABLE_requests, 4 },
	{ HR_TABLE_waits, 1 },
	{ HR_TABLE_wait_windows, 2 },
	{ HR_TABLE_wait_histograms, 3 },
	{ HR_TABLE_samples, 5 },
};

int hr_packed_find(enum hr_table_id table)
{
	for (int i = 0; i < HR_PACKED; i++)
		if (hr_packed[i].table == table)
			return i;
	return -1;
}

/* ", name TYPE" of the columns from..to-1. */
static void put_columns(sqlite3_str *sql, const struct hr_table *table, int from, int to)
{
	for (int i = from; i < to; i++)
		sqlite3_str_appendf(sql, ", %s %s", table->columns[i].name, hr_column_type_name(table->columns[i].type));
}

/* CROSS JOIN: in this order and no other are the rows found by where they lie. */
static void put_view(sqlite3_str *sql, const struct hr_table *table, int keys, const char *prefix, const char *suffix, int part)
{
	sqlite3_str_appendf(sql, "CREATE VIEW %s%s AS SELECT r.interval_id AS interval_id", prefix, table->name);
	for (int i = 1; i < table->column_count; i++)
		sqlite3_str_appendf(sql, ", %s.%s AS %s", i <= keys ? "k" : "x", table->columns[i].name, table->columns[i].name);
	sqlite3_str_appendf(sql, " FROM packed_ranges AS r CROSS JOIN packed_%s%s AS x ON x.row_id BETWEEN r.first_row_id AND r.last_row_id"
			    " CROSS JOIN packed_%s_keys AS k ON k.key_id = x.row_id + r.key_offset WHERE r.part = %d;",
			    table->name, suffix, table->name, part);
}

static int create_one(sqlite3 *db, int index)
{
	const struct hr_table *table = &hr_tables[hr_packed[index].table];
	const int keys = hr_packed[index].keys;
	sqlite3_str *sql = sqlite3_str_new(db);
	char *text;
	int rc;

	sqlite3_str_appendf(sql, "CREATE TABLE packed_%s_keys (key_id INTEGER PRIMARY KEY", table->name);
	put_columns(sql, table, 1, keys + 1);
	sqlite3_str_appendf(sql, "); CREATE TABLE packed_%s (row_id INTEGER PRIMARY KEY", table->name);
	put_columns(sql, table, keys + 1, table->column_count);
	sqlite3_str_appendf(sql, "); CREATE TABLE packed_%s_sums (row_id INTEGER PRIMARY KEY", table->name);
	put_columns(sql, table, keys + 1, table->column_count);
	sqlite3_str_appendall(sql, ");");
	put_view(sql, table, keys, "", "", index);
	put_view(sql, table, keys, "rollup_", "_sums", HR_PACKED + index);
	text = sqlite3_str_finish(sql);
	rc = text ? sqlite3_exec(db, text, NULL, NULL, NULL) : SQLITE_NOMEM;
	sqlite3_free(text);
	return rc;
}

int hr_packed_create(sqlite3 *db)
{
	int rc = sqlite3_exec(db, "CREATE TABLE packed_ranges (part INTEGER, interval_id INTEGER, first_row_id INTEGER, last_row_id INTEGER, "
			      "key_offset INTEGER, PRIMARY KEY (part, interval_id, first_row_id)) WITHOUT ROWID", NULL, NULL, NULL);

	for (int i = 0; i < HR_PACKED && rc == SQLITE_OK; i++)
		rc = create_one(db, i);
	return rc;
}
