/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/relations.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/packed.h"
#include "store/views.h"

int hr_relation_count(void)
{
	return HR_TABLE_COUNT + hr_view_count;
}

struct hr_relation hr_relation_at(int index)
{
	const struct hr_table *table;
	const struct hr_view *view;

	if (index >= HR_TABLE_COUNT) {
		view = &hr_views[index - HR_TABLE_COUNT];
		return (struct hr_relation){ view->name, view->meaning, view->columns, view->column_count, view->select };
	}
	table = &hr_tables[index];
	return (struct hr_relation){ table->name, table->meaning, table->columns, table->column_count, NULL };
}

bool hr_relation_find(const char *name, struct hr_relation *ret_relation)
{
	for (int i = 0; i < hr_relation_count(); i++) {
		struct hr_relation relation = hr_relation_at(i);

		if (strcmp(relation.name, name) == 0) {
			*ret_relation = relation;
			return true;
		}
	}
	return false;
}

const char *hr_column_type_name(enum hr_column_type type)
{
	static const char *const names[] = {
		[HR_COLUMN_INT] = "INTEGER",
		[HR_COLUMN_REAL] = "REAL",
		[HR_COLUMN_TEXT] = "TEXT",
	};

	return names[type];
}

static int run(struct hr_reader *reader, const char *sql, struct hr_err *err)
{
	struct hr_query *query;
	int result = hr_query_open(reader, &query, err, sql, "");

	if (result)
		return result;
	result = hr_query_next(query);
	hr_query_close(query);
	return result < 0 ? result : 0;
}

/* "name, name" of all columns, NULL in the place of those that are not there. */
static void put_columns(const struct hr_relation *relation, const bool *there, FILE *out)
{
	for (int i = 0; i < relation->column_count; i++)
		fprintf(out, "%s%s%s", i ? ", " : "", there && !there[i] ? "NULL AS " : "", relation->columns[i].name);
}

enum statement { MAKE_TABLE, MAKE_VIEW, READ };

/* The caller frees it; NULL: no memory. */
static char *build(enum statement statement, const struct hr_relation *relation, const bool *there)
{
	char *sql = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&sql, &size);

	if (!out)
		return NULL;
	if (statement == MAKE_TABLE)
		fprintf(out, "CREATE TEMP TABLE %s (", relation->name);
	else if (statement == MAKE_VIEW)
		fprintf(out, "CREATE TEMP VIEW %s AS SELECT ", relation->name);
	else
		fputs("SELECT ", out);
	put_columns(relation, there, out);
	if (statement == MAKE_TABLE)
		fputc(')', out);
	else
		fprintf(out, " FROM %s%s", statement == MAKE_VIEW ? "main." : "", relation->name);
	if (fclose(out)) {
		free(sql);
		return NULL;
	}
	return sql;
}

static int run_built(struct hr_reader *reader, char *sql, struct hr_err *err)
{
	int result = sql ? run(reader, sql, err) : hr_err_set(err, -ENOMEM, "no memory to read '%s'", hr_reader_path(reader));

	free(sql);
	return result;
}

#define COLUMNS_MAX 64

/* Which of the columns the file has, and whether it has any. */
static int find_columns(struct hr_reader *reader, const struct hr_relation *relation, bool there[COLUMNS_MAX], int *ret_count,
			struct hr_err *err)
{
	struct hr_query *query;
	int result = hr_query_open(reader, &query, err, "SELECT name FROM pragma_table_info(?, 'main')", "t", relation->name);

	*ret_count = 0;
	if (result)
		return result;
	memset(there, 0, COLUMNS_MAX * sizeof(there[0]));
	while ((result = hr_query_next(query)) > 0) {
		const char *name = hr_query_text(query, 0);

		for (int i = 0; name && i < relation->column_count; i++) {
			if (strcmp(name, relation->columns[i].name) || there[i])
				continue;
			there[i] = true;
			(*ret_count)++;
		}
	}
	hr_query_close(query);
	return result;
}

/* What stands in TEMP is found before what the file has of that name. */
static int complete(struct hr_reader *reader, const struct hr_relation *relation, struct hr_err *err)
{
	bool there[COLUMNS_MAX];
	int count, result = find_columns(reader, relation, there, &count, err);

	if (result || count == relation->column_count)
		return result;
	if (count == 0)
		return run_built(reader, build(MAKE_TABLE, relation, NULL), err);
	return run_built(reader, build(MAKE_VIEW, relation, there), err);
}

/* The views read the sums of blocks too (rollup.h), which the first files had not. */
static int complete_sums(struct hr_reader *reader, struct hr_err *err)
{
	static const struct hr_column bounds[] = {
		{ "first_interval_id", "", "", HR_COLUMN_INT },
		{ "last_interval_id", "", "", HR_COLUMN_INT },
	};
	const struct hr_relation blocks = { "rollup_blocks", "", bounds, 2, NULL };
	int result = complete(reader, &blocks, err);

	for (int i = 0; i < HR_PACKED && !result; i++) {
		struct hr_relation sums = hr_relation_at(hr_packed[i].table);
		char name[64];

		snprintf(name, sizeof(name), "rollup_%s", sums.name);
		sums.name = name;
		result = complete(reader, &sums, err);
	}
	return result;
}

int hr_relations_begin(struct hr_reader *reader, struct hr_err *err)
{
	int result = run(reader, "PRAGMA temp_store = MEMORY", err);

	if (!result)
		result = run(reader, "BEGIN", err);
	for (int i = 0; i < HR_TABLE_COUNT && !result; i++) {
		const struct hr_relation table = hr_relation_at(i);

		result = complete(reader, &table, err);
	}
	return result ? result : complete_sums(reader, err);
}

int hr_relation_is_there(struct hr_reader *reader, const struct hr_relation *relation, bool *ret_there, struct hr_err *err)
{
	bool there[COLUMNS_MAX];
	int count, result;

	if (relation->select) {
		*ret_there = true;
		return 0;
	}
	result = find_columns(reader, relation, there, &count, err);
	*ret_there = count > 0;
	return result;
}

int hr_relation_open(struct hr_reader *reader, const struct hr_relation *relation, struct hr_query **ret_query, struct hr_err *err)
{
	char *sql;
	int result;

	if (relation->select)
		return hr_query_open(reader, ret_query, err, relation->select, "");
	sql = build(READ, relation, NULL);
	if (!sql)
		return hr_err_set(err, -ENOMEM, "no memory to read '%s'", hr_reader_path(reader));
	result = hr_query_open(reader, ret_query, err, sql, "");
	free(sql);
	return result;
}
