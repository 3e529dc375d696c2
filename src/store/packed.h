/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_PACKED_H
#define HR_STORE_PACKED_H

#include <sqlite3.h>

#include "store/tables.h"

/*
 * How the tables with many rows per interval lie in the file. They say much the same in each interval: which thread was in which
 * state, which slot of which histogram is not empty. So what tells the rows of an interval apart, the key, stands once in the file,
 * and a row is left with its amounts, at a place that says its interval and its key. Of such a <table> there are
 *
 *	<table>			a view with the columns of tables.h, which is what everybody reads;
 *	packed_<table>_keys	key_id and the columns of the key;
 *	packed_<table>		row_id and the amounts;
 *	packed_<table>_sums	likewise, added up over a block of intervals (rollup.h);
 *	rollup_<table>		a view of the sums as rows of <table>, with the block's last interval as interval_id.
 *
 * packed_ranges says what a row_id is: in the table `part` (the index in hr_packed[], and HR_PACKED more for its sums) the rows
 * first_row_id to last_row_id are of interval_id, and row_id + key_offset is their key_id. That is also how the rows of an interval
 * are found without reading the others. An interval may have several ranges, and a key more than one key_id.
 *
 * All of it but the view <table> is no part of the schema: not in the dictionary, and not exported.
 */
#define HR_PACKED 9

/* A table whose columns are interval_id, then `keys` that tell rows apart, then amounts: integers that add up. */
struct hr_packed {
	enum hr_table_id table;
	int keys;
};
extern const struct hr_packed hr_packed[HR_PACKED];

/* The index of a table in hr_packed[]; -1: it is a plain one. */
int hr_packed_find(enum hr_table_id table);

/* All of that, empty. Within the caller's transaction. Returns SQLite's result code. */
int hr_packed_create(sqlite3 *db);

#endif
