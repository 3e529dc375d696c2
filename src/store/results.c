/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/results.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/csv_reader.h"
#include "base/text.h"

#define FILE_BYTES_MAX (1 << 20)
#define FIELDS_MAX 64
#define NAME_BYTES 64

enum column { LEVEL, THROUGHPUT, ERRORS, P50, P90, P99, COLUMNS };

/* What a cell is multiplied with to be what the table has. */
static const struct {
	const char *name;
	double scale;
} columns[COLUMNS] = {
	[LEVEL] = { "level", 0 },
	[THROUGHPUT] = { "throughput_rps", 1 },
	[ERRORS] = { "errors", 1 },
	[P50] = { "p50_ms", 1e6 },
	[P90] = { "p90_ms", 1e6 },
	[P99] = { "p99_ms", 1e6 },
};

struct result {
	char level[NAME_BYTES];
	double values[COLUMNS]; /* scaled; NAN: not given */
};

struct hr_results {
	struct result *rows;
	size_t count;
	char surplus[NAME_BYTES];
};

/* A file while it is read. */
struct load {
	const char *path;
	char *text;
	struct hr_csv csv;
	int field_of[COLUMNS]; /* -1: there is no such column */
	int field_count;
	struct hr_results *results;
	struct hr_err *err;
};

static int read_text(struct load *load, int fd)
{
	struct stat info;
	ssize_t n;

	if (fstat(fd, &info))
		return hr_err_errno(load->err, -errno, "cannot read '%s'", load->path);
	if (!S_ISREG(info.st_mode))
		return hr_err_set(load->err, -EINVAL, "'%s' is not a file", load->path);
	if (info.st_size > FILE_BYTES_MAX)
		return hr_err_set(load->err, -EFBIG, "'%s' has more than %d bytes, and results have a line per level", load->path, FILE_BYTES_MAX);
	load->text = calloc(1, FILE_BYTES_MAX + 1);
	if (!load->text)
		return hr_err_set(load->err, -ENOMEM, "out of memory");
	n = read(fd, load->text, FILE_BYTES_MAX);
	if (n < 0)
		return hr_err_errno(load->err, -errno, "cannot read '%s'", load->path);
	if (strlen(load->text) != (size_t)n)
		return hr_err_set(load->err, -EINVAL, "'%s' is not text", load->path);
	return 0;
}

static int open_text(struct load *load)
{
	int fd = open(load->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), ret;

	if (fd < 0)
		return hr_err_errno(load->err, -errno, "cannot read '%s'", load->path);
	ret = read_text(load, fd);
	close(fd);
	return ret;
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* Which fields are which columns. */
static int read_header(struct load *load)
{
	char *fields[FIELDS_MAX];
	struct hr_err why;
	int count = hr_csv_next(&load->csv, fields, FIELDS_MAX, &why);

	if (count < 0)
		return hr_err_set(load->err, count, "%s: %s", load->path, why.text);
	for (int column = 0; column < COLUMNS; column++)
		load->field_of[column] = -1;
	for (int field = 0; field < count; field++) {
		const char *name = trim(fields[field]);
		int column = 0;

		while (column < COLUMNS && strcmp(name, columns[column].name) != 0)
			column++;
		if (column == COLUMNS)
			hr_text_clean(load->results->surplus, NAME_BYTES, name, strlen(name));
		else if (load->field_of[column] >= 0)
			return hr_err_set(load->err, -EINVAL, "%s: line %u: the column %s is there twice", load->path, load->csv.line, name);
		else
			load->field_of[column] = field;
	}
	if (load->field_of[LEVEL] < 0)
		return hr_err_set(load->err, -EINVAL, "%s: line 1: a header is needed, with a column 'level'", load->path);
	load->field_count = count;
	return 0;
}

static int read_number(struct load *load, enum column column, const char *cell, double *ret)
{
	char clean[32], *end;

	*ret = NAN;
	if (!*cell)
		return 0;
	*ret = strtod(cell, &end) * columns[column].scale;
	if (!*end && isfinite(*ret) && *ret >= 0 && *ret < 1e18 && (column != ERRORS || *ret == floor(*ret)))
		return 0;
	hr_text_clean(clean, sizeof(clean), cell, strlen(cell));
	return hr_err_set(load->err, -EINVAL, "%s: line %u: %s: '%s' is not a %s", load->path, load->csv.line, columns[column].name, clean,
			  column == ERRORS ? "count" : "number that is at least 0");
}

static int read_row(struct load *load, char **fields, int count)
{
	struct result *rows = realloc(load->results->rows, (load->results->count + 1) * sizeof(*rows));
	struct result *row;
	const char *level;

	if (!rows)
		return hr_err_set(load->err, -ENOMEM, "out of memory");
	load->results->rows = rows;
	row = &rows[load->results->count];
	if (count != load->field_count)
		return hr_err_set(load->err, -EINVAL, "%s: line %u: %d fields, and the header has %d", load->path, load->csv.line, count,
				  load->field_count);
	level = trim(fields[load->field_of[LEVEL]]);
	hr_text_clean(row->level, sizeof(row->level), level, strlen(level));
	if (!*level || strlen(level) >= sizeof(row->level))
		return hr_err_set(load->err, -EINVAL, "%s: line %u: no level", load->path, load->csv.line);
	for (int column = LEVEL + 1; column < COLUMNS; column++) {
		int field = load->field_of[column];
		int ret = read_number(load, column, field < 0 ? "" : trim(fields[field]), &row->values[column]);

		if (ret)
			return ret;
	}
	load->results->count++;
	return 0;
}

static int read_rows(struct load *load)
{
	char *fields[FIELDS_MAX];
	struct hr_err why;
	int count, ret = 0;

	while (!ret && (count = hr_csv_next(&load->csv, fields, FIELDS_MAX, &why)) != 0)
		ret = count < 0 ? hr_err_set(load->err, count, "%s: %s", load->path, why.text) : read_row(load, fields, count);
	return ret;
}

int hr_results_load(const char *path, struct hr_results **ret_results, struct hr_err *err)
{
	struct load load = { .path = path, .results = calloc(1, sizeof(*load.results)), .err = err };
	int ret = load.results ? open_text(&load) : hr_err_set(err, -ENOMEM, "out of memory");

	if (!ret) {
		hr_csv_init(&load.csv, load.text);
		ret = read_header(&load);
	}
	if (!ret)
		ret = read_rows(&load);
	free(load.text);
	if (ret)
		hr_results_free(load.results);
	else
		*ret_results = load.results;
	return ret;
}

void hr_results_free(struct hr_results *results)
{
	if (!results)
		return;
	free(results->rows);
	free(results);
}

const char *hr_results_surplus(const struct hr_results *results)
{
	return results->surplus[0] ? results->surplus : NULL;
}

static int64_t whole(double value)
{
	return isnan(value) ? HR_NULL : llround(value);
}

static int write_row(const struct result *row, struct hr_writer *writer, struct hr_err *err)
{
	char *end;
	int ret = hr_writer_add(writer, HR_TABLE_load_results,
				&(struct hr_row_load_results){
					.level = row->level,
					.throughput_rps = row->values[THROUGHPUT],
					.errors = whole(row->values[ERRORS]),
					.p50_ns = whole(row->values[P50]),
					.p90_ns = whole(row->values[P90]),
					.p99_ns = whole(row->values[P99]),
				},
				err);

	strtod(row->level, &end);
	if (ret || *end)
		return ret;
	return hr_writer_exec(writer, err,
			      "UPDATE load_results SET level = (SELECT level FROM levels WHERE offered = CAST(?1 AS REAL)) "
			      "WHERE level = ?1 AND NOT EXISTS (SELECT 1 FROM levels WHERE level = ?1) "
			      "AND EXISTS (SELECT 1 FROM levels WHERE offered = CAST(?1 AS REAL))", "t", row->level);
}

int hr_results_write(const struct hr_results *results, struct hr_writer *writer, struct hr_err *err)
{
	int ret = 0;

	for (size_t i = 0; i < results->count && !ret; i++)
		ret = write_row(&results->rows[i], writer, err);
	return ret;
}
