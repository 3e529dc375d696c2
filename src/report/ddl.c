/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/ddl.h"

#include <string.h>

#include "report/csv.h"

struct hr_dialect {
	const char *name;
	const char *types[3]; /* by enum hr_column_type, of a column that may be NULL */
	const char *keys[3];  /* likewise, of one that is never NULL */
	bool is_sorted;	      /* a table says by which columns it is sorted */
};

/* ClickHouse as of 18.16: no LowCardinality, no CODEC. A sorting key is not Nullable. */
static const struct hr_dialect dialects[] = {
	{
		"clickhouse",
		{ [HR_COLUMN_INT] = "Nullable(Int64)", [HR_COLUMN_REAL] = "Nullable(Float64)", [HR_COLUMN_TEXT] = "Nullable(String)" },
		{ [HR_COLUMN_INT] = "Int64", [HR_COLUMN_REAL] = "Float64", [HR_COLUMN_TEXT] = "String" },
		true,
	},
	{
		"duckdb",
		{ [HR_COLUMN_INT] = "BIGINT", [HR_COLUMN_REAL] = "DOUBLE", [HR_COLUMN_TEXT] = "VARCHAR" },
		{ [HR_COLUMN_INT] = "BIGINT NOT NULL", [HR_COLUMN_REAL] = "DOUBLE NOT NULL", [HR_COLUMN_TEXT] = "VARCHAR NOT NULL" },
		false,
	},
};

const struct hr_dialect *hr_dialect_find(const char *name)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
		if (strcmp(dialects[i].name, name) == 0)
			return &dialects[i];
	return NULL;
}

static bool is_id(const struct hr_column *column)
{
	size_t length = strlen(column->name);

	return column->type == HR_COLUMN_INT && length > 3 && strcmp(column->name + length - 3, "_id") == 0;
}

/* Leading columns that are never NULL, and by which most questions select: run, host, and the interval or the id of a table's row. */
static int count_keys(const struct hr_relation *relation)
{
	int keys = sizeof(hr_csv_key) / sizeof(hr_csv_key[0]);

	return keys + (!relation->select && is_id(hr_csv_column(relation, keys)));
}

void hr_ddl_write(const struct hr_dialect *dialect, const struct hr_relation *relation, FILE *out)
{
	int keys = count_keys(relation);

	fprintf(out, "CREATE TABLE IF NOT EXISTS %s (\n", relation->name);
	for (int i = 0; i < hr_csv_column_count(relation); i++) {
		const struct hr_column *column = hr_csv_column(relation, i);

		fprintf(out, "%s    %s %s", i ? ",\n" : "", column->name, (i < keys ? dialect->keys : dialect->types)[column->type]);
	}
	fputs("\n)", out);
	if (dialect->is_sorted) {
		fputs(" ENGINE = MergeTree ORDER BY (", out);
		for (int i = 0; i < keys; i++)
			fprintf(out, "%s%s", i ? ", " : "", hr_csv_column(relation, i)->name);
		fputc(')', out);
	}
	fputs(";\n", out);
}
