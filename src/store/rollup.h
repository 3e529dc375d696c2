/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_ROLLUP_H
#define HR_STORE_ROLLUP_H

#include <sqlite3.h>
#include <stdbool.h>

#include "store/tables.h"

/*
 * What makes a long run quick to read. The tables with many rows per interval are accompanied by
 *
 *	rollup_ranges	where the rows of each interval lie, as ranges of rowid, so that a level is read without the rest: `rollup` is
 *			the index in hr_rollups[], and HR_ROLLUPS more for the table of its sums;
 *	rollup_<table>	sums over blocks of intervals, one 30th of the rows, with the block's last interval as interval_id;
 *	rollup_blocks	the blocks: first and last interval.
 *
 * They repeat what the tables say, and are no part of the run's schema: not in its dictionary, and not exported.
 */
#define HR_ROLLUP_INTERVALS 32 /* in a block */
#define HR_ROLLUPS 9

/* A table whose columns are interval_id, then `keys` that tell rows apart, then amounts that add up. */
struct hr_rollup {
	enum hr_table_id table;
	int keys;
};
extern const struct hr_rollup hr_rollups[HR_ROLLUPS];

/* Within the caller's transaction. Returns SQLite's result code, as all here. */
int hr_rollup_create(sqlite3 *db);

/* What the writer remembers between rows. All zero to begin with. */
struct hr_rollup_writer {
	struct hr_rollup_run {
		int64_t interval_id;		  /* of the rows that came last; 0: none yet */
		int64_t since_rowid;		  /* first of them */
		int64_t first_rowid, last_rowid;  /* of them, those that are in no range yet; first 0: none */
		int64_t block_rowid;		  /* all rows of blocks that are done are at most there */
	} runs[HR_ROLLUPS];
	int64_t block_interval_id; /* last interval of the last block */
	int64_t interval_id;	   /* last interval */
	int intervals;		   /* since the last block */
	bool off;		   /* no more blocks in this run */
	bool dropped;		   /* and those that were are gone */
};

/* A row was added to that table, whose first column is interval_id; `rowid` is where. */
int hr_rollup_note(struct hr_rollup_writer *rollup, sqlite3 *db, enum hr_table_id table, int64_t interval_id, int64_t rowid);

/* An interval is about to be added: all rows of those before it are there. */
int hr_rollup_interval(struct hr_rollup_writer *rollup, sqlite3 *db, int64_t interval_id);

/* Before a commit; after a rollback. */
int hr_rollup_flush(struct hr_rollup_writer *rollup, sqlite3 *db);
void hr_rollup_forget(struct hr_rollup_writer *rollup);

#endif
