/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/schema.h"

#include <stddef.h>

#include "store/packed.h"
#include "store/relations.h"
#include "store/rollup.h"
#include "store/views.h"

/* Plain tables: STRICT, generated columns and RETURNING shut out the older SQLite of many readers. */

static const struct hr_column dictionary_columns[] = {
	{ "table_name", "", "table or view", HR_COLUMN_TEXT },
	{ "column_name", "", "column; null: the row is about the table as a whole", HR_COLUMN_TEXT },
	{ "type", "", "INTEGER, REAL or TEXT of a column; table or view", HR_COLUMN_TEXT },
	{ "unit", "", "unit; null: none", HR_COLUMN_TEXT },
	{ "meaning", "", "what it says", HR_COLUMN_TEXT },
};
static const struct hr_table dictionary = {
	"dictionary", "what each table and column means", dictionary_columns,
	sizeof(dictionary_columns) / sizeof(dictionary_columns[0]), 0,
};

/* Run the statement that was built and free it. */
static int run_built(sqlite3 *db, sqlite3_str *sql)
{
	char *text = sqlite3_str_finish(sql);
	int result = text ? sqlite3_exec(db, text, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(text);
	return result;
}

static int create_table(sqlite3 *db, const struct hr_table *table)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "CREATE TABLE %s (", table->name);
	for (int i = 0; i < table->column_count; i++)
		sqlite3_str_appendf(sql, "%s%s %s%s", i ? ", " : "", table->columns[i].name,
				    hr_column_type_name(table->columns[i].type),
				    table->keyed && i == 0 ? " PRIMARY KEY" : "");
	sqlite3_str_appendall(sql, ")");
	return run_built(db, sql);
}

static int create_view(sqlite3 *db, const struct hr_view *view)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "CREATE VIEW %s (", view->name);
	for (int i = 0; i < view->column_count; i++)
		sqlite3_str_appendf(sql, "%s%s", i ? ", " : "", view->columns[i].name);
	sqlite3_str_appendf(sql, ") AS %s", view->select);
	return run_built(db, sql);
}

int hr_schema_prepare_insert(sqlite3 *db, const struct hr_table *table, sqlite3_stmt **ret)
{
	sqlite3_str *sql = sqlite3_str_new(db);
	char *text;
	int result;

	sqlite3_str_appendf(sql, "INSERT INTO %s VALUES (?", table->name);
	for (int i = 1; i < table->column_count; i++)
		sqlite3_str_appendall(sql, ", ?");
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	result = text ? sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) : SQLITE_NOMEM;
	sqlite3_free(text);
	return result;
}

static int add_entry(sqlite3_stmt *insert, const char *table, const char *column, const char *type, const char *unit,
		     const char *meaning)
{
	const char *const cells[] = { table, column, type, unit && *unit ? unit : NULL, meaning };

	sqlite3_reset(insert);
	for (int i = 0; i < dictionary.column_count; i++)
		sqlite3_bind_text(insert, i + 1, cells[i], -1, SQLITE_STATIC); /* NULL binds NULL */
	return sqlite3_step(insert) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
}

static int describe(sqlite3_stmt *insert, const char *name, const char *type, const char *meaning,
		    const struct hr_column *columns, int count)
{
	int result = add_entry(insert, name, NULL, type, NULL, meaning);

	for (int i = 0; i < count && result == SQLITE_OK; i++)
		result = add_entry(insert, name, columns[i].name, hr_column_type_name(columns[i].type), columns[i].unit,
				   columns[i].meaning);
	return result;
}

static int fill_dictionary(sqlite3 *db)
{
	sqlite3_stmt *insert = NULL;
	int result = hr_schema_prepare_insert(db, &dictionary, &insert), end;

	for (int i = 0; i < HR_TABLE_COUNT && result == SQLITE_OK; i++)
		result = describe(insert, hr_tables[i].name, "table", hr_tables[i].meaning, hr_tables[i].columns,
				  hr_tables[i].column_count);
	for (int i = 0; i < hr_view_count && result == SQLITE_OK; i++)
		result = describe(insert, hr_views[i].name, "view", hr_views[i].meaning, hr_views[i].columns,
				  hr_views[i].column_count);
	if (result == SQLITE_OK)
		result = describe(insert, dictionary.name, "table", dictionary.meaning, dictionary.columns,
				  dictionary.column_count);
	end = sqlite3_finalize(insert); /* the code of a failed step */
	return end == SQLITE_OK ? result : end;
}

int hr_schema_create(sqlite3 *db)
{
	int result = create_table(db, &dictionary);

	for (int i = 0; i < HR_TABLE_COUNT && result == SQLITE_OK; i++)
		if (hr_packed_find(i) < 0)
			result = create_table(db, &hr_tables[i]);
	if (result == SQLITE_OK)
		result = hr_packed_create(db);
	if (result == SQLITE_OK)
		result = hr_rollup_create(db);
	for (int i = 0; i < hr_view_count && result == SQLITE_OK; i++)
		result = create_view(db, &hr_views[i]);
	return result == SQLITE_OK ? fill_dictionary(db) : result;
}
