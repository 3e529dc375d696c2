/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_PACKER_H
#define HR_STORE_PACKER_H

#include <sqlite3.h>

#include "store/keymap.h"
#include "store/packed.h"

/*
 * Writes rows of the packed tables (packed.h). Rows wait in memory, at most until the end of the transaction, to be written in the
 * order of their keys: only at the end of a table does SQLite fill its pages to the brim. All zero to begin with, but for what
 * hr_packer_init() sets. What returns an int is SQLite's result code.
 */
struct hr_packer {
	struct hr_packer_table {
		const struct hr_table *table;
		int part, keys; /* index in hr_packed[]; columns of the key */
		struct hr_keymap map;
		sqlite3_stmt *insert_key, *insert_row;
		union hr_cell *rows; /* that wait, as in the row struct, but for the key's number in its first column */
		size_t count, capacity;
		int64_t last_row_id;
	} tables[HR_PACKED];
	sqlite3_stmt *insert_range;
	int rc; /* with which a flush failed; until hr_packer_forget() */
	int flushes;
};

void hr_packer_init(struct hr_packer *packer);
void hr_packer_fini(struct hr_packer *packer);

/* Add a row of hr_packed[part].table. SQLITE_CONSTRAINT: it has no interval_id. May flush, and fail as that does. */
int hr_packer_add(struct hr_packer *packer, sqlite3 *db, int part, const void *row);

/* Write what waits. If it fails, what waited is partly written, and no flush succeeds until the transaction was rolled back. */
int hr_packer_flush(struct hr_packer *packer, sqlite3 *db);

/* Rows first..last of a part are of that interval, their keys at that offset. */
int hr_packer_add_range(struct hr_packer *packer, sqlite3 *db, int part, int64_t interval_id, int64_t first_row_id, int64_t last_row_id,
			int64_t key_offset);

/* The transaction was rolled back: its rows and keys are not in the file. */
void hr_packer_forget(struct hr_packer *packer);

#endif
