/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/csv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_END "\r\n"

const struct hr_column hr_csv_key[2] = {
	{ "run_id", "", "identifies the run among all runs and hosts", HR_COLUMN_TEXT },
	{ "host", "", "host name", HR_COLUMN_TEXT },
};
#define KEYS ((int)(sizeof(hr_csv_key) / sizeof(hr_csv_key[0])))

/* 0 for the one that begins with them anyway. */
static int key_count(const struct hr_relation *relation)
{
	return strcmp(relation->columns[0].name, hr_csv_key[0].name) ? KEYS : 0;
}

int hr_csv_column_count(const struct hr_relation *relation)
{
	return key_count(relation) + relation->column_count;
}

const struct hr_column *hr_csv_column(const struct hr_relation *relation, int index)
{
	int keys = key_count(relation);

	return index < keys ? &hr_csv_key[index] : &relation->columns[index - keys];
}

static void put(const char *text, FILE *out)
{
	fputs_unlocked(text, out);
}

/*
 * Quoted is what a reader could take for something else: an empty text, one with a delimiter, and what begins or ends as some
 * readers trim or unquote it. ClickHouse reads '...' as quoted and \N as NULL.
 */
static bool needs_quotes(const char *text)
{
	size_t length = strlen(text);

	return !length || strpbrk(text, ",\"\r\n\\") || strchr("' \t", text[0]) || strchr(" \t", text[length - 1]);
}

static void put_text(const char *text, const char *null_text, FILE *out)
{
	if (!needs_quotes(text) && strcmp(text, null_text)) {
		put(text, out);
		return;
	}
	putc_unlocked('"', out);
	for (; *text; text++) {
		if (*text == '"')
			putc_unlocked('"', out);
		putc_unlocked(*text, out);
	}
	putc_unlocked('"', out);
}

static void put_integer(int64_t value, FILE *out)
{
	char digits[24], *at = digits + sizeof(digits) - 1;
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	*at = '\0';
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--at = '-';
	put(at, out);
}

/* The shortest text that reads back as the same number, and that nobody takes for a whole one. */
static void put_real(double value, FILE *out)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	put(text, out);
	if (!strpbrk(text, ".e"))
		put(".0", out);
}

static void put_cell(struct hr_query *query, int column, enum hr_column_type type, const char *null_text, FILE *out)
{
	double real;

	if (!hr_query_is_of(query, column, type)) {
		put(null_text, out);
		return;
	}
	switch (type) {
	case HR_COLUMN_INT: put_integer(hr_query_int(query, column), out); break;
	case HR_COLUMN_TEXT: put_text(hr_query_text(query, column), null_text, out); break;
	case HR_COLUMN_REAL:
		real = hr_query_real(query, column);
		if (isfinite(real))
			put_real(real, out);
		else
			put(null_text, out);
		break;
	}
}

static void put_row(const struct hr_csv *csv, const struct hr_relation *relation, struct hr_query *query, FILE *out)
{
	if (key_count(relation)) {
		put_text(csv->run_id, csv->null_text, out);
		putc_unlocked(',', out);
		put_text(csv->host, csv->null_text, out);
		putc_unlocked(',', out);
	}
	for (int i = 0; i < relation->column_count; i++) {
		if (i)
			putc_unlocked(',', out);
		put_cell(query, i, relation->columns[i].type, csv->null_text, out);
	}
	put(LINE_END, out);
}

void hr_csv_header(const struct hr_relation *relation, FILE *out)
{
	for (int i = 0; i < hr_csv_column_count(relation); i++) {
		if (i)
			putc_unlocked(',', out);
		put(hr_csv_column(relation, i)->name, out);
	}
	put(LINE_END, out);
}

int hr_csv_rows(const struct hr_csv *csv, struct hr_reader *reader, const struct hr_relation *relation, uint64_t *ret_rows, FILE *out,
		struct hr_err *err)
{
	struct hr_query *query;
	uint64_t rows = 0;
	int result = hr_relation_open(reader, relation, &query, err);

	if (result)
		return result;
	errno = 0;
	while ((result = hr_query_next(query)) > 0) {
		put_row(csv, relation, query, out);
		rows++;
		if (ferror(out)) {
			result = hr_err_errno(err, errno ? -errno : -EIO, "cannot write the rows of %s", relation->name);
			break;
		}
	}
	hr_query_close(query);
	if (!result)
		*ret_rows = rows;
	return result;
}
