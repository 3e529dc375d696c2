/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_UNIT_REPORT_FIXTURE_H
#define HR_TESTS_UNIT_REPORT_FIXTURE_H

#include "sample_fixture.h"

#include <math.h>

#include "report/page.h"
#include "report/report.h"

/* What a run's report says, as text and as JSON. */

static inline const char *render_text(struct fixture *fixture, bool utf8)
{
	struct hr_err err;
	size_t size;
	FILE *out;

	free(fixture->text);
	fixture->text = NULL;
	if (!fixture->summary)
		fixture->summary = sample_load(fixture->path);
	out = open_memstream(&fixture->text, &size);
	if (hr_report_text(&(struct hr_analysis){ .summary = fixture->summary }, utf8, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	return fixture->text;
}

static inline json_t *render_json(struct fixture *fixture)
{
	struct hr_err err;
	size_t size;
	FILE *out;

	free(fixture->text);
	if (!fixture->summary)
		fixture->summary = sample_load(fixture->path);
	out = open_memstream(&fixture->text, &size);
	if (hr_report_json(&(struct hr_analysis){ .summary = fixture->summary }, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	fixture->json = json_loads(fixture->text, 0, NULL);
	assert_non_null(fixture->json);
	return fixture->json;
}

static inline void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

static inline void assert_all(const char *text, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_has(text, lines[i]);
}

/* Every character that is not a continuation byte is a column, but for those that are two wide. */
static inline void assert_fits(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t length = strcspn(line, "\n"), columns = 0;

		for (size_t i = 0; i < length; i++) {
			unsigned char byte = (unsigned char)line[i];

			columns += (byte & 0xC0) != 0x80;
			columns += byte >= 0xE3 && byte != 0xEF; /* the wide ones of these tests, and no others */
		}
		if (columns > HR_PAGE_COLUMNS)
			fail_msg("%zu columns: %.*s", columns, (int)length, line);
		if (length && line[length - 1] == ' ')
			fail_msg("blanks at the end of: %.*s|", (int)length, line);
	}
}

static inline void assert_plain(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if ((*p < ' ' && *p != '\n') || *p == 0x7F)
			fail_msg("byte %02x in the report", *p);
}

/* json_path(root, "total.states_s.user") */
static inline json_t *at(json_t *node, const char *path)
{
	char copy[256], *rest = copy;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strsep(&rest, "."); key; key = strsep(&rest, ".")) {
		json_t *next = json_is_array(node) ? json_array_get(node, (size_t)atoi(key)) :
						     json_object_get(node, key);

		if (!next)
			fail_msg("no '%s' of '%s' in the report", key, path);
		node = next;
	}
	return node;
}

static inline void assert_number(json_t *root, const char *path, double expected)
{
	double actual = json_is_number(at(root, path)) ? json_number_value(at(root, path)) : NAN;

	if (!(fabs(actual - expected) <= 1e-9))
		fail_msg("%s is %.12g, not %.12g", path, actual, expected);
}

static inline void assert_text(json_t *root, const char *path, const char *expected)
{
	if (!json_is_string(at(root, path)))
		fail_msg("%s is no text", path);
	assert_string_equal(json_string_value(at(root, path)), expected);
}

static inline void assert_null_at(json_t *root, const char *path)
{
	if (!json_is_null(at(root, path)))
		fail_msg("%s is not null", path);
}

#endif
