/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_SCHEMA_H
#define HR_STORE_SCHEMA_H

#include <sqlite3.h>

#include "store/tables.h"

/*
 * Make every table (some are views of how their rows are packed, packed.h), view, and the dictionary, which describes each column of
 * them (its own rows included; a row without a column describes the table). Within the caller's transaction. Returns SQLite's result code.
 */
int hr_schema_create(sqlite3 *db);

/* Prepare the INSERT of a whole row, its columns as parameters 1 to column_count. Returns SQLite's result code. */
int hr_schema_prepare_insert(sqlite3 *db, const struct hr_table *table, sqlite3_stmt **ret);

#endif
