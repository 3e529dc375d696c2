/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/reader.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/tables.h"
#include "store/trouble.h"

#define BUSY_TIMEOUT_MS 2000
#define AMOUNT_MAX (INT64_C(1) << 60) /* 36 years in nanoseconds: what is read adds up without a thought of overflow */
#define STEPS_PER_STOP 100000 /* of SQLite's machine: about a millisecond */

struct hr_reader {
	char *path;
	sqlite3 *db;
	bool (*is_stopped)(void);
};

struct hr_query {
	struct hr_reader *reader;
	sqlite3_stmt *statement;
	struct hr_err *err;
};

/* "file:/dir/run.db?immutable=1", with the path escaped as SQLite reads it; NULL: out of memory. */
static char *make_uri(const char *path, const char *parameters)
{
	sqlite3_str *uri = sqlite3_str_new(NULL);

	sqlite3_str_appendall(uri, "file:");
	for (; *path; path++) {
		if (strchr("%?#", *path))
			sqlite3_str_appendf(uri, "%%%02X", (unsigned char)*path);
		else
			sqlite3_str_appendchar(uri, 1, *path);
	}
	sqlite3_str_appendall(uri, parameters);
	return sqlite3_str_finish(uri);
}

/* True while somebody writes to the file, or if its writer was killed and nobody has opened it since. */
static bool has_side_file(const char *real_path)
{
	static const char *const suffixes[] = { "-wal", "-journal" };
	char side[PATH_MAX + 16];
	struct stat found;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(side, sizeof(side), "%s%s", real_path, suffixes[i]);
		if (lstat(side, &found) == 0)
			return true;
	}
	return false;
}

/*
 * How to open the file. One in WAL mode without a -wal is what kill -9 leaves and someone copies: nobody writes to it,
 * and read as immutable it needs no side files, which could not be made in a folder that is not ours to write.
 */
static const char *choose_parameters(const char *real_path)
{
	return has_side_file(real_path) ? "?mode=ro" : "?mode=ro&immutable=1";
}

static int check_file(const char *path, struct hr_err *err)
{
	struct stat found;

	if (stat(path, &found))
		return hr_err_errno(err, -errno, "cannot open '%s'", path);
	if (S_ISDIR(found.st_mode))
		return hr_err_set(err, -EINVAL, "'%s' is a directory, not a run file", path);
	if (!S_ISREG(found.st_mode))
		return hr_err_set(err, -EINVAL, "'%s' is not a regular file", path);
	if (found.st_size == 0)
		return hr_err_set(err, -EINVAL, "'%s' is empty: the recording did not begin", path);
	if (access(path, R_OK))
		return hr_err_errno(err, -errno, "cannot open '%s'", path);
	return 0;
}

static int open_db(struct hr_reader *reader, const char *real_path, struct hr_err *err)
{
	char *uri = make_uri(real_path, choose_parameters(real_path));
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int rc = uri ? sqlite3_open_v2(uri, &reader->db, flags, NULL) : SQLITE_NOMEM;

	sqlite3_free(uri);
	if (rc != SQLITE_OK)
		return hr_trouble_set(err, reader->db, rc, "cannot open", reader->path);
	sqlite3_busy_timeout(reader->db, BUSY_TIMEOUT_MS);
	/* a run file may come from anyone, and the reader may be root */
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return 0;
}

/* Say why the first read of a file failed. */
static int refuse(struct hr_reader *reader, int rc, struct hr_err *err)
{
	switch (rc & 0xFF) {
	case SQLITE_NOTADB: return hr_err_set(err, -EINVAL, "'%s' is not a run file of headroom", reader->path);
	case SQLITE_CORRUPT: return hr_err_set(err, -EINVAL, "'%s' is damaged or cut short", reader->path);
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return hr_err_set(err, -EACCES, "'%s' has a side file (-wal) and its directory cannot be written; "
				  "copy both to one that can", reader->path);
	}
	return hr_trouble_set(err, reader->db, rc, "cannot read", reader->path);
}

static int read_number(struct hr_reader *reader, const char *sql, int64_t *ret, struct hr_err *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(reader->db, sql, -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return rc == SQLITE_ROW ? 0 : refuse(reader, rc, err);
}

/* A run of a version that this one reads, as far as the first pages tell. */
static int check_run(struct hr_reader *reader, struct hr_err *err)
{
	int64_t tables, id, version;
	int result;

	/* first: it reads the schema, which the pragmas do not need to be whole */
	result = read_number(reader,
			     "SELECT count(*) FROM sqlite_master WHERE name IN ('run', 'intervals', 'dictionary')",
			     &tables, err);
	if (result)
		return result;
	result = read_number(reader, "PRAGMA application_id", &id, err);
	if (result)
		return result;
	if (id != HR_APPLICATION_ID)
		return hr_err_set(err, -EINVAL, "'%s' is not a run file of headroom", reader->path);
	result = read_number(reader, "PRAGMA user_version", &version, err);
	if (result)
		return result;
	if (version > HR_SCHEMA_VERSION)
		return hr_err_set(err, -EPROTO,
				  "'%s' has schema %lld, and this version reads up to %d; use a later headroom",
				  reader->path, (long long)version, HR_SCHEMA_VERSION);
	if (version < 1 || tables != 3)
		return hr_err_set(err, -EINVAL, "'%s' is damaged: tables are missing", reader->path);
	return 0;
}

/* SQLite takes a last page that is cut for a whole one. With a side file, some pages may stand only there. */
static int check_size(struct hr_reader *reader, const char *real_path, struct hr_err *err)
{
	int64_t pages, page_bytes;
	struct stat found;
	int result;

	if (has_side_file(real_path))
		return 0;
	result = read_number(reader, "PRAGMA page_count", &pages, err);
	if (result)
		return result;
	result = read_number(reader, "PRAGMA page_size", &page_bytes, err);
	if (result)
		return result;
	if (stat(real_path, &found))
		return hr_err_errno(err, -errno, "cannot read '%s'", reader->path);
	return found.st_size < pages * page_bytes ? refuse(reader, SQLITE_CORRUPT, err) : 0;
}

int hr_reader_open(const char *path, struct hr_reader **ret_reader, struct hr_err *err)
{
	struct hr_reader *reader;
	char real_path[PATH_MAX];
	int result;

	result = check_file(path, err);
	if (result)
		return result;
	/* SQLite looks for side files beside the name that it is given: behind a symbolic link there are none */
	if (!realpath(path, real_path))
		return hr_err_errno(err, -errno, "cannot open '%s'", path);
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return hr_err_errno(err, -ENOMEM, "cannot open '%s'", path);
	reader->path = strdup(path);
	result = reader->path ? open_db(reader, real_path, err) : hr_err_errno(err, -ENOMEM, "cannot open '%s'", path);
	if (!result)
		result = check_run(reader, err);
	if (!result)
		result = check_size(reader, real_path, err);
	if (result)
		hr_reader_close(reader);
	else
		*ret_reader = reader;
	return result;
}

void hr_reader_close(struct hr_reader *reader)
{
	if (!reader)
		return;
	sqlite3_close(reader->db);
	free(reader->path);
	free(reader);
}

static int ask_for_stop(void *context)
{
	return ((const struct hr_reader *)context)->is_stopped();
}

void hr_reader_stop_when(struct hr_reader *reader, bool (*is_stopped)(void))
{
	reader->is_stopped = is_stopped;
	sqlite3_progress_handler(reader->db, STEPS_PER_STOP, is_stopped ? ask_for_stop : NULL, reader);
}

const char *hr_reader_path(const struct hr_reader *reader)
{
	return reader->path;
}

int hr_query_open(struct hr_reader *reader, struct hr_query **ret_query, struct hr_err *err, const char *sql,
		  const char *types, ...)
{
	struct hr_query *query;
	va_list arguments;
	int rc;

	query = calloc(1, sizeof(*query));
	if (!query)
		return hr_err_errno(err, -ENOMEM, "cannot read '%s'", reader->path);
	rc = sqlite3_prepare_v2(reader->db, sql, -1, &query->statement, NULL);
	if (rc != SQLITE_OK) {
		free(query);
		return hr_trouble_set(err, reader->db, rc, "cannot read", reader->path);
	}
	va_start(arguments, types);
	for (int i = 0; types[i]; i++) {
		if (types[i] == 'i')
			sqlite3_bind_int64(query->statement, i + 1, va_arg(arguments, int64_t));
		else
			sqlite3_bind_text(query->statement, i + 1, va_arg(arguments, const char *), -1,
					  SQLITE_TRANSIENT);
	}
	va_end(arguments);
	query->reader = reader;
	query->err = err;
	*ret_query = query;
	return 0;
}

int hr_query_next(struct hr_query *query)
{
	int rc = sqlite3_step(query->statement);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	if ((rc & 0xFF) == SQLITE_INTERRUPT)
		return hr_err_set(query->err, -EINTR, "interrupted while reading '%s'", query->reader->path);
	if ((rc & 0xFF) == SQLITE_CORRUPT)
		return hr_err_set(query->err, -EINVAL, "'%s' is damaged or cut short", query->reader->path);
	return hr_trouble_set(query->err, query->reader->db, rc, "cannot read", query->reader->path);
}

bool hr_query_is_null(struct hr_query *query, int column)
{
	return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

bool hr_query_is_of(struct hr_query *query, int column, enum hr_column_type type)
{
	switch (sqlite3_column_type(query->statement, column)) {
	case SQLITE_INTEGER: return type != HR_COLUMN_TEXT;
	case SQLITE_FLOAT: return type == HR_COLUMN_REAL;
	case SQLITE_TEXT: return type == HR_COLUMN_TEXT;
	}
	return false;
}

int64_t hr_query_int(struct hr_query *query, int column)
{
	return hr_query_is_null(query, column) ? HR_NULL : sqlite3_column_int64(query->statement, column);
}

uint64_t hr_query_amount(struct hr_query *query, int column)
{
	const int64_t value = hr_query_int(query, column);

	return value < 0 ? 0 : value < AMOUNT_MAX ? (uint64_t)value : (uint64_t)AMOUNT_MAX;
}

double hr_query_real(struct hr_query *query, int column)
{
	return hr_query_is_null(query, column) ? NAN : sqlite3_column_double(query->statement, column);
}

const char *hr_query_text(struct hr_query *query, int column)
{
	return (const char *)sqlite3_column_text(query->statement, column);
}

void hr_query_close(struct hr_query *query)
{
	if (!query)
		return;
	sqlite3_finalize(query->statement);
	free(query);
}

int hr_query_each(struct hr_reader *reader, const char *sql, hr_query_row *row, void *context, struct hr_err *err)
{
	struct hr_query *query;
	int result = hr_query_open(reader, &query, err, sql, "");

	if (result)
		return result;
	while ((result = hr_query_next(query)) > 0) {
		result = row(context, query);
		if (result)
			break;
	}
	hr_query_close(query);
	return result;
}

int hr_reader_has(struct hr_reader *reader, const char *table, const char *column, bool *ret_has, struct hr_err *err)
{
	struct hr_query *query;
	int result = hr_query_open(reader, &query, err, "SELECT 1 FROM pragma_table_info(?) WHERE name = ifnull(?, name)", "tt", table,
				   column);

	if (result)
		return result;
	result = hr_query_next(query);
	hr_query_close(query);
	if (result < 0)
		return result;
	*ret_has = result > 0;
	return 0;
}
