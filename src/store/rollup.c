/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/rollup.h"

#include <stddef.h>

int hr_rollup_create(sqlite3 *db)
{
	return sqlite3_exec(db, "CREATE TABLE rollup_blocks (first_interval_id INTEGER, last_interval_id INTEGER PRIMARY KEY)", NULL, NULL,
			    NULL);
}

/* A row of an interval that is in a block came late: the sums are wrong, and go. */
static int drop_blocks(struct hr_rollup_writer *rollup, sqlite3 *db)
{
	rollup->off = rollup->dropped = true;
	return sqlite3_exec(db, "DELETE FROM rollup_blocks", NULL, NULL, NULL);
}

int hr_rollup_note(struct hr_rollup_writer *rollup, sqlite3 *db, int64_t interval_id)
{
	if (rollup->dropped || interval_id > rollup->block_interval_id)
		return SQLITE_OK;
	return drop_blocks(rollup, db);
}

void hr_rollup_forget(struct hr_rollup_writer *rollup)
{
	rollup->off = true;	 /* a block may be gone too */
	rollup->dropped = false; /* or back */
}

/* A block of one table. */
struct span {
	int part;
	int64_t from, to;	     /* its intervals */
	int64_t low_key, high_key;   /* bounds of the keys of its rows; low 0: it has none */
};

static int find_keys(sqlite3 *db, struct span *span)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(db, "SELECT min(first_row_id + key_offset), max(last_row_id + key_offset) FROM packed_ranges "
				    "WHERE part = ? AND interval_id BETWEEN ? AND ?", -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(statement, 1, span->part);
	sqlite3_bind_int64(statement, 2, span->from);
	sqlite3_bind_int64(statement, 3, span->to);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		span->low_key = sqlite3_column_int64(statement, 0); /* 0 where there are no rows */
		span->high_key = sqlite3_column_int64(statement, 1);
	}
	return sqlite3_finalize(statement);
}

static int insert_sums(sqlite3 *db, const struct span *span, int64_t key_offset)
{
	const struct hr_table *table = &hr_tables[hr_packed[span->part].table];
	sqlite3_str *sql = sqlite3_str_new(db);
	char *text;
	int rc;

	sqlite3_str_appendf(sql, "INSERT INTO packed_%s_sums SELECT x.row_id + r.key_offset - %lld", table->name, (long long)key_offset);
	for (int i = hr_packed[span->part].keys + 1; i < table->column_count; i++)
		sqlite3_str_appendf(sql, ", sum(x.%s)", table->columns[i].name);
	sqlite3_str_appendf(sql, " FROM packed_ranges AS r CROSS JOIN packed_%s AS x ON x.row_id BETWEEN r.first_row_id AND r.last_row_id"
			    " WHERE r.part = %d AND r.interval_id BETWEEN %lld AND %lld GROUP BY 1", table->name, span->part,
			    (long long)span->from, (long long)span->to);
	text = sqlite3_str_finish(sql);
	rc = text ? sqlite3_exec(db, text, NULL, NULL, NULL) : SQLITE_NOMEM;
	sqlite3_free(text);
	return rc;
}

/* The sums of one table over the intervals from..to. */
static int add_sums(struct hr_rollup_writer *rollup, struct hr_packer *packer, sqlite3 *db, int part, int64_t from, int64_t to)
{
	struct span span = { part, from, to, 0, 0 };
	const int64_t first_row_id = rollup->last_sum_ids[part] + 1;
	int rc = find_keys(db, &span);

	if (rc == SQLITE_OK && span.low_key)
		rc = insert_sums(db, &span, span.low_key - first_row_id);
	if (rc != SQLITE_OK || !span.low_key)
		return rc;
	rollup->last_sum_ids[part] = first_row_id + span.high_key - span.low_key;
	return hr_packer_add_range(packer, db, HR_PACKED + part, to, first_row_id, rollup->last_sum_ids[part], span.low_key - first_row_id);
}

static int add_block(struct hr_rollup_writer *rollup, struct hr_packer *packer, sqlite3 *db)
{
	const int64_t from = rollup->block_interval_id + 1, to = rollup->interval_id;
	int rc = hr_packer_flush(packer, db);
	char sql[128];

	for (int i = 0; i < HR_PACKED && rc == SQLITE_OK; i++)
		rc = add_sums(rollup, packer, db, i, from, to);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO rollup_blocks VALUES (%lld, %lld)", (long long)from, (long long)to);
	rollup->block_interval_id = to;
	rollup->intervals = 0;
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int hr_rollup_interval(struct hr_rollup_writer *rollup, struct hr_packer *packer, sqlite3 *db, int64_t interval_id)
{
	int rc = SQLITE_OK;

	if (interval_id <= rollup->interval_id)
		rollup->off = true; /* intervals in no order: not of a recording */
	if (!rollup->off && rollup->intervals >= HR_ROLLUP_INTERVALS)
		rc = add_block(rollup, packer, db);
	if (rc != SQLITE_OK)
		rollup->off = true;
	rollup->interval_id = interval_id;
	rollup->intervals++;
	return rc;
}
