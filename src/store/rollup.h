/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_ROLLUP_H
#define HR_STORE_ROLLUP_H

#include <sqlite3.h>
#include <stdbool.h>

#include "store/packer.h"

/*
 * What makes a long run quick to read: the packed tables are accompanied by their sums over blocks of intervals, one 30th of the
 * rows (the views rollup_<table>, packed.h), and rollup_blocks has the blocks: first and last interval. They repeat what the
 * tables say, and are no part of the run's schema.
 */
#define HR_ROLLUP_INTERVALS 32 /* in a block */

/* Within the caller's transaction. Returns SQLite's result code, as all here. */
int hr_rollup_create(sqlite3 *db);

/* What the writer remembers between rows. All zero to begin with. */
struct hr_rollup_writer {
	int64_t last_sum_ids[HR_PACKED]; /* row_id of the last sum of each table */
	int64_t block_interval_id; /* last interval of the last block */
	int64_t interval_id;	   /* last interval */
	int intervals;		   /* since the last block */
	bool off;		   /* no more blocks in this run */
	bool dropped;		   /* and those that were are gone */
};

/* A row of that interval is about to be added to a packed table. */
int hr_rollup_note(struct hr_rollup_writer *rollup, sqlite3 *db, int64_t interval_id);

/* An interval is about to be added: all rows of those before it were given to the packer. */
int hr_rollup_interval(struct hr_rollup_writer *rollup, struct hr_packer *packer, sqlite3 *db, int64_t interval_id);

/* After a rollback. */
void hr_rollup_forget(struct hr_rollup_writer *rollup);

#endif
