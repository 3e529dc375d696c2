/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/rollup.h"

#include <stddef.h>

const struct hr_rollup hr_rollups[HR_ROLLUPS] = {
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

/* Run the statement that was built and free it. */
static int run_built(sqlite3 *db, sqlite3_str *sql)
{
	char *text = sqlite3_str_finish(sql);
	int rc = text ? sqlite3_exec(db, text, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(text);
	return rc;
}

static int create_sums(sqlite3 *db, const struct hr_table *table)
{
	static const char *const types[] = { [HR_COLUMN_INT] = "INTEGER", [HR_COLUMN_REAL] = "REAL", [HR_COLUMN_TEXT] = "TEXT" };
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "CREATE TABLE rollup_%s (", table->name);
	for (int i = 0; i < table->column_count; i++)
		sqlite3_str_appendf(sql, "%s%s %s", i ? ", " : "", table->columns[i].name, types[table->columns[i].type]);
	sqlite3_str_appendall(sql, ")");
	return run_built(db, sql);
}

int hr_rollup_create(sqlite3 *db)
{
	int rc = sqlite3_exec(db, "CREATE TABLE rollup_ranges (rollup INTEGER, interval_id INTEGER, first_rowid INTEGER, "
			      "last_rowid INTEGER, PRIMARY KEY (rollup, interval_id, first_rowid)) WITHOUT ROWID;"
			      "CREATE TABLE rollup_blocks (first_interval_id INTEGER, last_interval_id INTEGER PRIMARY KEY)",
			      NULL, NULL, NULL);

	for (int i = 0; i < HR_ROLLUPS && rc == SQLITE_OK; i++)
		rc = create_sums(db, &hr_tables[hr_rollups[i].table]);
	return rc;
}

static int add_range(sqlite3 *db, int index, int64_t interval_id, int64_t first_rowid, int64_t last_rowid)
{
	char sql[160];

	sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO rollup_ranges VALUES (%d, %lld, %lld, %lld)", index, (long long)interval_id,
			 (long long)first_rowid, (long long)last_rowid);
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int flush_run(struct hr_rollup_run *run, int index, sqlite3 *db)
{
	int64_t first_rowid = run->first_rowid;

	run->first_rowid = 0;
	return first_rowid ? add_range(db, index, run->interval_id, first_rowid, run->last_rowid) : SQLITE_OK;
}

/* A row of an interval that is in a block came late: the sums are wrong, and go. */
static int drop_blocks(struct hr_rollup_writer *rollup, sqlite3 *db)
{
	rollup->off = rollup->dropped = true;
	return sqlite3_exec(db, "DELETE FROM rollup_blocks", NULL, NULL, NULL);
}

int hr_rollup_note(struct hr_rollup_writer *rollup, sqlite3 *db, enum hr_table_id table, int64_t interval_id, int64_t rowid)
{
	int index = 0, rc = SQLITE_OK;
	struct hr_rollup_run *run;

	while (index < HR_ROLLUPS && hr_rollups[index].table != table)
		index++;
	if (index == HR_ROLLUPS)
		return SQLITE_OK;
	run = &rollup->runs[index];
	if (run->interval_id != interval_id) {
		rc = flush_run(run, index, db);
		run->interval_id = interval_id;
		run->since_rowid = rowid;
	}
	if (!run->first_rowid)
		run->first_rowid = rowid;
	run->last_rowid = rowid;
	if (rc == SQLITE_OK && !rollup->dropped && interval_id <= rollup->block_interval_id)
		rc = drop_blocks(rollup, db);
	return rc;
}

int hr_rollup_flush(struct hr_rollup_writer *rollup, sqlite3 *db)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < HR_ROLLUPS && rc == SQLITE_OK; i++)
		rc = flush_run(&rollup->runs[i], i, db);
	return rc;
}

void hr_rollup_forget(struct hr_rollup_writer *rollup)
{
	for (int i = 0; i < HR_ROLLUPS; i++) {
		rollup->runs[i].first_rowid = 0;
		rollup->runs[i].interval_id = 0; /* its rows are gone: the next one is the first again */
	}
	rollup->off = true;	 /* a block may be gone too */
	rollup->dropped = false; /* or back */
}

/* The sums of one table over the intervals from..to. */
static int add_sums(const struct hr_rollup_writer *rollup, int index, sqlite3 *db, int64_t from, int64_t to)
{
	const struct hr_table *table = &hr_tables[hr_rollups[index].table];
	const int keys = hr_rollups[index].keys;
	sqlite3_str *sql = sqlite3_str_new(db);
	int64_t last_rowid;
	int rc;

	sqlite3_str_appendf(sql, "INSERT INTO rollup_%s SELECT %lld", table->name, (long long)to);
	for (int i = 1; i < table->column_count; i++)
		sqlite3_str_appendf(sql, i <= keys ? ", %s" : ", sum(%s)", table->columns[i].name);
	sqlite3_str_appendf(sql, " FROM %s WHERE rowid > %lld AND interval_id BETWEEN %lld AND %lld GROUP BY ", table->name,
			    (long long)rollup->runs[index].block_rowid, (long long)from, (long long)to);
	for (int i = 1; i <= keys; i++)
		sqlite3_str_appendf(sql, "%s%s", i > 1 ? ", " : "", table->columns[i].name);
	rc = run_built(db, sql);
	if (rc != SQLITE_OK || !sqlite3_changes(db))
		return rc;
	last_rowid = sqlite3_last_insert_rowid(db);
	return add_range(db, HR_ROLLUPS + index, to, last_rowid - sqlite3_changes(db) + 1, last_rowid);
}

static int add_block(struct hr_rollup_writer *rollup, sqlite3 *db)
{
	int64_t from = rollup->block_interval_id + 1, to = rollup->interval_id;
	char sql[128];
	int rc = SQLITE_OK;

	for (int i = 0; i < HR_ROLLUPS && rc == SQLITE_OK; i++) {
		struct hr_rollup_run *run = &rollup->runs[i];

		rc = add_sums(rollup, i, db, from, to);
		run->block_rowid = run->interval_id > to ? run->since_rowid - 1 : run->last_rowid;
	}
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO rollup_blocks VALUES (%lld, %lld)", (long long)from, (long long)to);
	rollup->block_interval_id = to;
	rollup->intervals = 0;
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int hr_rollup_interval(struct hr_rollup_writer *rollup, sqlite3 *db, int64_t interval_id)
{
	int rc = SQLITE_OK;

	if (interval_id <= rollup->interval_id)
		rollup->off = true; /* intervals in no order: not of a recording */
	if (!rollup->off && rollup->intervals >= HR_ROLLUP_INTERVALS)
		rc = add_block(rollup, db);
	if (rc != SQLITE_OK)
		rollup->off = true;
	rollup->interval_id = interval_id;
	rollup->intervals++;
	return rc;
}
