/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_UNIT_SCHEMA_1_H
#define HR_TESTS_UNIT_SCHEMA_1_H

/* Run files as earlier versions wrote them. Included after cmocka.h and run_fixture.h. */

#include <sqlite3.h>

#include "store/packed.h"

FIXTURE void run_on_file(sqlite3 *db, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
}

/* The view becomes a table. */
FIXTURE void make_plain(sqlite3 *db, const char *prefix, const char *name)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "CREATE TEMP TABLE copy AS SELECT * FROM main.%s%s; DROP VIEW %s%s;"
		 "CREATE TABLE main.%s%s AS SELECT * FROM temp.copy; DROP TABLE temp.copy", prefix, name, prefix, name, prefix, name);
	run_on_file(db, sql);
}

/* The file as schema 1 has it: rows in plain tables; so are their sums, if it has any: the first files had none. */
FIXTURE void make_schema_1(const char *path, bool has_sums)
{
	sqlite3 *db;
	char sql[256];

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (int i = 0; i < HR_PACKED; i++) {
		const char *name = hr_tables[hr_packed[i].table].name;

		make_plain(db, "", name);
		make_plain(db, "rollup_", name);
		snprintf(sql, sizeof(sql), "DROP TABLE packed_%s; DROP TABLE packed_%s_sums; DROP TABLE packed_%s_keys", name, name, name);
		run_on_file(db, sql);
		snprintf(sql, sizeof(sql), "DROP TABLE rollup_%s", name);
		if (!has_sums)
			run_on_file(db, sql);
	}
	run_on_file(db, has_sums ? "DROP TABLE packed_ranges" : "DROP TABLE packed_ranges; DROP TABLE rollup_blocks");
	run_on_file(db, "PRAGMA user_version = 1");
	sqlite3_close(db);
}

#endif
