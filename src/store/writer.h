/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_WRITER_H
#define HR_STORE_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "store/tables.h"

/*
 * Writes a run file: SQLite in WAL mode, one transaction per interval and a passive checkpoint after it, so that after
 * kill -9 the .db file alone is complete up to the last interval. Where the file system cannot do WAL: a rollback
 * journal.
 */
struct hr_writer;

/*
 * Create the file. A path that exists, a symbolic link or a directory that cannot be written is refused, unless
 * `replace`: then an existing regular file that is a run of headroom, and that nobody has open, is removed first. The
 * file belongs to owner and group.
 *
 * 0 and the writer in *ret_writer (free with hr_writer_close()); -EEXIST, -ELOOP, -EACCES, -ENOSPC, ... with err set
 * and nothing left behind.
 */
int hr_writer_create(const char *path, bool replace, uid_t owner, gid_t group, struct hr_writer **ret_writer,
		     struct hr_err *err);

/* Add a row; `row` is the table's struct hr_row_<table>. A row that the file does not take is an error, and counted. */
int hr_writer_add(struct hr_writer *writer, enum hr_table_id table, const void *row, struct hr_err *err);

/* Run one statement of SQL with integer and text parameters: 'i' int64_t, 't' const char *. For updates by key. */
int hr_writer_exec(struct hr_writer *writer, struct hr_err *err, const char *sql, const char *types, ...);

/*
 * Commit what was added since the last commit and bring it into the .db file. On failure (disk full) that part is
 * rolled back, the file stays as it was after the last good commit, and the error is returned.
 */
int hr_writer_commit(struct hr_writer *writer, struct hr_err *err);

/*
 * Commit the rest and leave one file without side files (if it is being read: once its reader is done). The writer
 * stays to be closed.
 */
int hr_writer_finish(struct hr_writer *writer, struct hr_err *err);

/* Rows that are not in the file: refused one by one, or rolled back by a failed commit. */
uint64_t hr_writer_rows_lost(const struct hr_writer *writer);

/* Close and free; without hr_writer_finish() the file stays as after kill -9. Takes NULL. */
void hr_writer_close(struct hr_writer *writer);

/* Close, and remove the file and its side files: for a run that never began. Takes NULL. */
void hr_writer_discard(struct hr_writer *writer);

#endif
