/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_READER_H
#define HR_STORE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/tables.h"

/*
 * Reads a run file, also one left by kill -9, with or without its -wal side file, one that is being written, and one in
 * a directory that cannot be written. Needs no root. Leaves no side files that were not there.
 */
struct hr_reader;
struct hr_query;

/*
 * Open. 0 and *ret_reader (free with hr_reader_close()); -ENOENT; -EINVAL: not a run file, or damaged; -EPROTO: written
 * by a later version, with a schema that this one cannot read; -EACCES and other errnos: it cannot be opened. Damage in
 * the middle of a file shows only when a query gets there.
 */
int hr_reader_open(const char *path, struct hr_reader **ret_reader, struct hr_err *err);
void hr_reader_close(struct hr_reader *reader); /* takes NULL; its queries are to be closed before */

/* Queries end with -EINTR soon after is_stopped() says so; NULL: they never do. */
void hr_reader_stop_when(struct hr_reader *reader, bool (*is_stopped)(void));

/* The path that it was opened with. */
const char *hr_reader_path(const struct hr_reader *reader);

/*
 * From now on queries see only these intervals: of `intervals` and of every table that has an interval_id, the rows of others
 * are hidden, and connections that did not live between the first and the last of them, until hr_reader_select_all(). The views of the run file still see all. Not while a query is open.
 * 0, or -EIO or -ENOMEM with err set and everything in sight.
 */
int hr_reader_select(struct hr_reader *reader, const int64_t *interval_ids, size_t count, struct hr_err *err);

/*
 * The same of all intervals, where that is quicker than to read the tables themselves: the rows of a long run then come as sums over
 * blocks of intervals (rollup.h), whose interval_id is that of one of them. For what adds up over intervals, as a summary does.
 */
int hr_reader_select_sums(struct hr_reader *reader, struct hr_err *err);
void hr_reader_select_all(struct hr_reader *reader);

/*
 * Prepare a SELECT with parameters, 'i' int64_t or 't' const char * (copied), then step through its rows. Columns count
 * from 0. hr_query_next(): 1 a row, 0 the end, negative: damaged file; then the err that was given at the open, which
 * must still be there, says so.
 */
int hr_query_open(struct hr_reader *reader, struct hr_query **ret_query, struct hr_err *err, const char *sql,
		  const char *types, ...);
int hr_query_next(struct hr_query *query);
bool hr_query_is_null(struct hr_query *query, int column);
bool hr_query_is_of(struct hr_query *query, int column, enum hr_column_type type); /* whole numbers are REAL too */
int64_t hr_query_int(struct hr_query *query, int column);	/* HR_NULL where NULL */
uint64_t hr_query_amount(struct hr_query *query, int column); /* of what counts or measures: damage, below 0 or over 2^60, is cut off; NULL is 0 */
double hr_query_real(struct hr_query *query, int column);	/* NAN where NULL */
const char *hr_query_text(struct hr_query *query, int column); /* NULL where NULL; valid until the next step */
void hr_query_close(struct hr_query *query); /* takes NULL */

/* A row of hr_query_each(): 0 goes on, all else ends it. */
typedef int hr_query_row(void *context, struct hr_query *query);

/* Run a SELECT without parameters: what a row returned that ended it, 0 at the end, or as hr_query_open() and hr_query_next(). */
int hr_query_each(struct hr_reader *reader, const char *sql, hr_query_row *row, void *context, struct hr_err *err);

/* Does the file have that table or view, and, if not NULL, that column in it? Files of earlier versions lack the later ones. */
int hr_reader_has(struct hr_reader *reader, const char *table, const char *column, bool *ret_has, struct hr_err *err);

#endif
