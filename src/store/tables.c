/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/tables.h"

#define INT_COLUMN(name, unit, meaning) { #name, unit, meaning, HR_COLUMN_INT },
#define REAL_COLUMN(name, unit, meaning) { #name, unit, meaning, HR_COLUMN_REAL },
#define TEXT_COLUMN(name, unit, meaning) { #name, unit, meaning, HR_COLUMN_TEXT },
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The row of each table must be an array of cells: a 32-bit pointer, for one, would break that. */
#define COLUMNS(table, meaning) \
	static const struct hr_column table##_columns[] = { \
		HR_COLUMNS_##table(INT_COLUMN, REAL_COLUMN, TEXT_COLUMN) \
	}; \
	_Static_assert(sizeof(struct hr_row_##table) == COUNT_OF(table##_columns) * sizeof(union hr_cell), #table);
_Static_assert(sizeof(int64_t) == sizeof(union hr_cell) && sizeof(double) == sizeof(union hr_cell) &&
	       sizeof(const char *) == sizeof(union hr_cell), "members of a row are of one size");
HR_TABLES(COLUMNS)

/* Tables whose first column is an id of their own; in all others it refers to one of these. */
#define IS_KEYED(table) \
	(HR_TABLE_##table == HR_TABLE_intervals || HR_TABLE_##table == HR_TABLE_levels || \
	 HR_TABLE_##table == HR_TABLE_processes || \
	 HR_TABLE_##table == HR_TABLE_threads || HR_TABLE_##table == HR_TABLE_flows || \
	 HR_TABLE_##table == HR_TABLE_connections || \
	 HR_TABLE_##table == HR_TABLE_edges || HR_TABLE_##table == HR_TABLE_locks || \
	 HR_TABLE_##table == HR_TABLE_disks)

#define ROW(table, meaning) \
	[HR_TABLE_##table] = { #table, meaning, table##_columns, COUNT_OF(table##_columns), IS_KEYED(table) },
const struct hr_table hr_tables[HR_TABLE_COUNT] = { HR_TABLES(ROW) };
