/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/place.h"
#include "store/rollup.h"
#include "store/schema.h"
#include "store/trouble.h"

#define PAGE_BYTES 8192
#define STATEMENTS 8 /* of hr_writer_exec() that are kept prepared */

/* A cache of 2 MiB: the recorder shares the host with what it measures. Only hr_writer_commit() makes checkpoints. */
static const char settings[] =
	"PRAGMA page_size = 8192;"
	"PRAGMA cache_size = -2048;"
	"PRAGMA temp_store = MEMORY;"
	"PRAGMA synchronous = NORMAL;"
	"PRAGMA wal_autocheckpoint = 0;";

/* How long to wait for someone who writes to the file beside us. Readers never make us wait. */
#define BUSY_TIMEOUT_MS 200

struct hr_writer {
	struct hr_place place;
	sqlite3 *db;
	sqlite3_stmt *inserts[HR_TABLE_COUNT];
	sqlite3_stmt *statements[STATEMENTS];
	unsigned int next_statement;
	struct hr_packer packer;
	struct hr_rollup_writer rollup;
	bool wal;
	int broken;	      /* the errno for which SQLite gave up the open transaction, until commit reports it */
	uint64_t rows_open;   /* added since the last commit */
	uint64_t rows_lost;
};

static int fail(struct hr_writer *writer, int rc, struct hr_err *err)
{
	return hr_trouble_set(err, writer->db, rc, "cannot write", writer->place.path);
}

static int run_sql(struct hr_writer *writer, const char *sql, struct hr_err *err)
{
	int rc = sqlite3_exec(writer->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(writer, rc, err);
}

/* Run a statement that returns one value, and give it as a number (a text is 1 if it is `expected`). */
static int64_t read_value(struct hr_writer *writer, const char *sql, const char *expected)
{
	sqlite3_stmt *statement = NULL;
	int64_t value = 0;

	if (sqlite3_prepare_v2(writer->db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW) {
		if (expected)
			value = !strcmp((const char *)sqlite3_column_text(statement, 0), expected);
		else
			value = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	return value;
}

/* WAL where the file system can do it: it needs memory shared through a file. */
static int choose_journal(struct hr_writer *writer, struct hr_err *err)
{
	writer->wal = read_value(writer, "PRAGMA journal_mode = WAL", "wal");
	if (writer->wal)
		return 0;
	return run_sql(writer, "PRAGMA journal_mode = TRUNCATE", err);
}

static int create_schema(struct hr_writer *writer, struct hr_err *err)
{
	char ids[96];
	int result, rc;

	sqlite3_snprintf(sizeof(ids), ids, "PRAGMA application_id = %d; PRAGMA user_version = %d;", HR_APPLICATION_ID,
			 HR_SCHEMA_VERSION);
	result = run_sql(writer, "BEGIN", err);
	if (result)
		return result;
	result = run_sql(writer, ids, err);
	if (result)
		return result;
	rc = hr_schema_create(writer->db);
	return rc == SQLITE_OK ? hr_writer_commit(writer, err) : fail(writer, rc, err);
}

int hr_writer_create(const char *path, bool replace, uid_t owner, gid_t group, struct hr_writer **ret_writer,
		     struct hr_err *err)
{
	struct hr_writer *writer;
	int result, rc;

	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return hr_err_errno(err, -ENOMEM, "cannot create '%s'", path);
	hr_packer_init(&writer->packer);
	result = hr_place_create(path, replace, owner, group, &writer->place, err);
	if (result) {
		free(writer);
		return result;
	}
	/* not SQLITE_OPEN_CREATE: the file that it opens is the one that was just created */
	rc = sqlite3_open_v2(writer->place.real_path, &writer->db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			     NULL);
	result = rc == SQLITE_OK ? 0 : fail(writer, rc, err);
	if (result)
		goto out;
	sqlite3_busy_timeout(writer->db, BUSY_TIMEOUT_MS);
	result = run_sql(writer, settings, err);
	if (result)
		goto out;
	result = choose_journal(writer, err);
	if (result)
		goto out;
	result = create_schema(writer, err);
out:
	if (result)
		hr_writer_discard(writer);
	else
		*ret_writer = writer;
	return result;
}

/* A failed statement may have taken the whole transaction with it (full disk, I/O error). */
static int note_failure(struct hr_writer *writer, int rc, struct hr_err *err)
{
	int result = fail(writer, rc, err);

	if (sqlite3_get_autocommit(writer->db)) {
		writer->rows_lost += writer->rows_open;
		writer->rows_open = 0;
		writer->broken = result;
	}
	return result;
}

/* Open a transaction if none is open. */
static int begin(struct hr_writer *writer, struct hr_err *err)
{
	if (writer->broken)
		return hr_err_errno(err, writer->broken, "cannot write '%s'", writer->place.path);
	return sqlite3_get_autocommit(writer->db) ? run_sql(writer, "BEGIN", err) : 0;
}

static void bind_cell(sqlite3_stmt *statement, int parameter, enum hr_column_type type, const void *from)
{
	union hr_cell cell;

	memcpy(&cell, from, sizeof(cell));
	switch (type) {
	case HR_COLUMN_INT:
		if (cell.integer == HR_NULL)
			sqlite3_bind_null(statement, parameter);
		else
			sqlite3_bind_int64(statement, parameter, cell.integer);
		break;
	case HR_COLUMN_REAL: sqlite3_bind_double(statement, parameter, cell.real); break; /* NAN binds NULL */
	case HR_COLUMN_TEXT: /* NULL binds NULL */
		sqlite3_bind_text(statement, parameter, cell.text, -1, SQLITE_STATIC);
		break;
	}
}

static int insert_row(struct hr_writer *writer, enum hr_table_id id, const void *row, struct hr_err *err)
{
	const struct hr_table *table = &hr_tables[id];
	sqlite3_stmt **insert = &writer->inserts[id];
	int rc = SQLITE_OK, result;

	result = begin(writer, err);
	if (result)
		return result;
	if (!*insert)
		rc = hr_schema_prepare_insert(writer->db, table, insert);
	if (rc != SQLITE_OK)
		return note_failure(writer, rc, err);
	for (int i = 0; i < table->column_count; i++)
		bind_cell(*insert, i + 1, table->columns[i].type, (const union hr_cell *)row + i);
	rc = sqlite3_step(*insert);
	if (rc != SQLITE_DONE)
		result = note_failure(writer, rc, err);
	sqlite3_reset(*insert);
	return result;
}

/* A row of a packed table begins with its interval_id. */
static int pack_row(struct hr_writer *writer, int part, const void *row, struct hr_err *err)
{
	int result = begin(writer, err), rc;
	union hr_cell interval;

	if (result)
		return result;
	memcpy(&interval, row, sizeof(interval));
	rc = hr_rollup_note(&writer->rollup, writer->db, interval.integer);
	if (rc == SQLITE_OK)
		rc = hr_packer_add(&writer->packer, writer->db, part, row);
	return rc == SQLITE_OK ? 0 : note_failure(writer, rc, err);
}

static int begin_interval(struct hr_writer *writer, const void *row, struct hr_err *err)
{
	int result = begin(writer, err), rc;

	if (result)
		return result;
	rc = hr_rollup_interval(&writer->rollup, &writer->packer, writer->db, ((const struct hr_row_intervals *)row)->interval_id);
	return rc == SQLITE_OK ? 0 : note_failure(writer, rc, err);
}

int hr_writer_add(struct hr_writer *writer, enum hr_table_id table, const void *row, struct hr_err *err)
{
	const int part = hr_packed_find(table);
	int result = table == HR_TABLE_intervals ? begin_interval(writer, row, err) : 0;

	if (!result)
		result = part >= 0 ? pack_row(writer, part, row, err) : insert_row(writer, table, row, err);
	if (result)
		writer->rows_lost++;
	else
		writer->rows_open++;
	return result;
}

/* The statement of that SQL, prepared now or by an earlier call. */
static int find_statement(struct hr_writer *writer, const char *sql, sqlite3_stmt **ret)
{
	sqlite3_stmt **place;
	int rc;

	for (unsigned int i = 0; i < STATEMENTS; i++) {
		if (writer->statements[i] && !strcmp(sqlite3_sql(writer->statements[i]), sql)) {
			*ret = writer->statements[i];
			return SQLITE_OK;
		}
	}
	place = &writer->statements[writer->next_statement++ % STATEMENTS];
	sqlite3_finalize(*place);
	*place = NULL;
	rc = sqlite3_prepare_v3(writer->db, sql, -1, SQLITE_PREPARE_PERSISTENT, place, NULL);
	*ret = *place;
	return rc;
}

int hr_writer_exec(struct hr_writer *writer, struct hr_err *err, const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement;
	va_list arguments;
	int result, rc;

	result = begin(writer, err);
	if (result)
		return result;
	rc = find_statement(writer, sql, &statement);
	if (rc != SQLITE_OK)
		return note_failure(writer, rc, err);
	va_start(arguments, types);
	for (int i = 0; types[i]; i++) {
		union hr_cell cell;

		if (types[i] == 'i')
			cell.integer = va_arg(arguments, int64_t);
		else
			cell.text = va_arg(arguments, const char *);
		bind_cell(statement, i + 1, types[i] == 'i' ? HR_COLUMN_INT : HR_COLUMN_TEXT, &cell);
	}
	va_end(arguments);
	do
		rc = sqlite3_step(statement);
	while (rc == SQLITE_ROW);
	if (rc != SQLITE_DONE)
		result = note_failure(writer, rc, err);
	sqlite3_reset(statement);
	return result;
}

/*
 * Give the .db file the blocks that the open transaction will need there. Without them a disk that runs full would stop
 * a checkpoint half-way, and the .db file could not be read without its -wal any more.
 */
static int reserve(struct hr_writer *writer, struct hr_err *err)
{
	const off_t needed = (off_t)read_value(writer, "PRAGMA page_count", NULL) * PAGE_BYTES;
	struct stat file;

	if (fstat(writer->place.file_fd, &file) || needed <= file.st_size)
		return 0;
	/* a file system that cannot reserve takes the risk */
	if (!fallocate(writer->place.file_fd, 0, file.st_size, needed - file.st_size) || errno == EOPNOTSUPP)
		return 0;
	return hr_err_errno(err, -errno, "cannot write '%s'", writer->place.path);
}

static void roll_back(struct hr_writer *writer)
{
	if (!sqlite3_get_autocommit(writer->db))
		sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
	writer->rows_lost += writer->rows_open;
	writer->rows_open = 0;
	writer->broken = 0;
	hr_packer_forget(&writer->packer);
	hr_rollup_forget(&writer->rollup);
}

int hr_writer_commit(struct hr_writer *writer, struct hr_err *err)
{
	int result = 0, rc;

	if (writer->broken)
		result = hr_err_errno(err, writer->broken, "cannot write '%s'", writer->place.path);
	else if (sqlite3_get_autocommit(writer->db))
		return 0;
	if (!result) {
		rc = hr_packer_flush(&writer->packer, writer->db);
		result = rc == SQLITE_OK ? 0 : fail(writer, rc, err);
	}
	if (!result)
		result = reserve(writer, err);
	if (!result)
		result = run_sql(writer, "COMMIT", err);
	if (result) {
		roll_back(writer);
		return result;
	}
	writer->rows_open = 0;
	if (!writer->wal)
		return 0;
	rc = sqlite3_wal_checkpoint_v2(writer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	/* a reader in the way only postpones it to the next commit */
	if (rc == SQLITE_OK || (rc & 0xFF) == SQLITE_BUSY || (rc & 0xFF) == SQLITE_LOCKED)
		return 0;
	return fail(writer, rc, err);
}

int hr_writer_finish(struct hr_writer *writer, struct hr_err *err)
{
	int result = hr_writer_commit(writer, err);

	/* tidies up: side files that stay because somebody reads, or the disk is full, go with the last reader */
	if (writer->wal) {
		sqlite3_wal_checkpoint_v2(writer->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		sqlite3_exec(writer->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	}
	return result;
}

uint64_t hr_writer_rows_lost(const struct hr_writer *writer)
{
	return writer->rows_lost;
}

static void close_db(struct hr_writer *writer)
{
	for (int i = 0; i < HR_TABLE_COUNT; i++)
		sqlite3_finalize(writer->inserts[i]);
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(writer->statements[i]);
	hr_packer_fini(&writer->packer);
	sqlite3_close(writer->db);
}

void hr_writer_close(struct hr_writer *writer)
{
	if (!writer)
		return;
	close_db(writer);
	hr_place_fini(&writer->place);
	free(writer);
}

void hr_writer_discard(struct hr_writer *writer)
{
	if (!writer)
		return;
	close_db(writer);
	hr_place_remove(&writer->place);
	hr_place_fini(&writer->place);
	free(writer);
}
