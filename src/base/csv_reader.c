/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/csv_reader.h"

#include <errno.h>
#include <string.h>

void hr_csv_init(struct hr_csv *csv, char *text)
{
	if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
		text += 3;
	*csv = (struct hr_csv){ .at = text, .next_line = 1 };
}

/* Bytes of a line end at p, 0: there is none. */
static size_t line_end(const char *p)
{
	return p[0] == '\n' ? 1 : p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/* A field in quotes, without them: "" within is one quote. at: behind the first quote. */
static char *read_quoted(struct hr_csv *csv, struct hr_err *err)
{
	char *from = csv->at, *to = csv->at, *field = csv->at;

	while (*from && (from[0] != '"' || from[1] == '"')) {
		csv->next_line += *from == '\n';
		from += from[0] == '"';
		*to++ = *from++;
	}
	if (!*from) {
		hr_err_set(err, -EINVAL, "line %u: a quote is not closed", csv->line);
		return NULL;
	}
	csv->at = from + 1;
	if (*csv->at && *csv->at != ',' && !line_end(csv->at)) {
		hr_err_set(err, -EINVAL, "line %u: there is something behind a closing quote", csv->line);
		return NULL;
	}
	*to = '\0'; /* at the latest where the closing quote was */
	return field;
}

static char *read_plain(struct hr_csv *csv)
{
	char *field = csv->at;

	while (*csv->at && *csv->at != ',' && !line_end(csv->at))
		csv->at++;
	return field;
}

/* Go past what ends a field, which is overwritten by its NUL. True: it was a comma. */
static int pass_end(struct hr_csv *csv)
{
	const size_t ended = line_end(csv->at);
	const char end = *csv->at;

	*csv->at = '\0';
	csv->next_line += ended > 0;
	csv->at += end ? ended ? ended : 1 : 0;
	return end == ',';
}

int hr_csv_next(struct hr_csv *csv, char **fields, int max, struct hr_err *err)
{
	int count = 0, more = 1;

	for (size_t ended = line_end(csv->at); ended; ended = line_end(csv->at)) {
		csv->at += ended;
		csv->next_line++;
	}
	csv->line = csv->next_line;
	if (!*csv->at)
		return 0;
	while (more) {
		if (count == max)
			return hr_err_set(err, -E2BIG, "line %u: more than %d fields", csv->line, max);
		if (*csv->at == '"') {
			csv->at++;
			fields[count] = read_quoted(csv, err);
		} else {
			fields[count] = read_plain(csv);
		}
		if (!fields[count])
			return -EINVAL;
		count++;
		more = pass_end(csv);
	}
	return count;
}
