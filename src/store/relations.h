/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_RELATIONS_H
#define HR_STORE_RELATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/reader.h"
#include "store/tables.h"

/*
 * Tables and views as one list, which is what can be exported. Of a run they are always those of this version: what an older file
 * has not is NULL or empty, so that runs of several versions make one data set.
 */
struct hr_relation {
	const char *name, *meaning;
	const struct hr_column *columns;
	int column_count;
	const char *select; /* of a view; NULL: a table */
};

/* How many there are; the index-th of them, tables first. */
int hr_relation_count(void);
struct hr_relation hr_relation_at(int index);

/* The one of that name; false: there is none. */
bool hr_relation_find(const char *name, struct hr_relation *ret_relation);

/* "INTEGER", "REAL" or "TEXT": as in the run file and its dictionary. */
const char *hr_column_type_name(enum hr_column_type type);

/*
 * Begin to read a run as one snapshot, also while it is written: from now on, for all queries of this reader, empty tables and
 * columns of NULL stand in the place of what the file has not. Call it once, before any other query. 0; -EIO, -ENOMEM, -EINVAL
 * (damaged) with err set.
 */
int hr_relations_begin(struct hr_reader *reader, struct hr_err *err);

/* Has the file itself that table? Views are always there. 0, or as hr_relations_begin(). */
int hr_relation_is_there(struct hr_reader *reader, const struct hr_relation *relation, bool *ret_there, struct hr_err *err);

/* Begin to read its rows, in the order of its columns. As hr_query_open(). */
int hr_relation_open(struct hr_reader *reader, const struct hr_relation *relation, struct hr_query **ret_query, struct hr_err *err);

#endif
