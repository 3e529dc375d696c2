/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/csv_reader.h"

static struct hr_err err;

/* The records as text: fields in brackets, records with a semicolon after each. */
static const char *records_of(const char *text)
{
	static char shown[1024];
	char copy[256], *fields[4];
	struct hr_csv csv;
	int count;

	snprintf(copy, sizeof(copy), "%s", text);
	hr_csv_init(&csv, copy);
	*shown = '\0';
	while ((count = hr_csv_next(&csv, fields, 4, &err)) > 0) {
		sprintf(shown + strlen(shown), "%u", csv.line);
		for (int i = 0; i < count; i++)
			sprintf(shown + strlen(shown), "[%s]", fields[i]);
		strcat(shown, ";");
	}
	if (count < 0)
		sprintf(shown + strlen(shown), "%s", err.text);
	return shown;
}

static void fields_stand_between_commas_and_line_ends(void **state)
{
	(void)state;
	assert_string_equal(records_of("a,b\nc,d\n"), "1[a][b];2[c][d];");
	assert_string_equal(records_of("a,b\r\nc,d"), "1[a][b];2[c][d];");
	assert_string_equal(records_of("a,\n,b\n,"), "1[a][];2[][b];3[][];");
	assert_string_equal(records_of("a\rb\n"), "1[a\rb];");
	assert_string_equal(records_of(""), "");
}

static void empty_lines_and_a_byte_order_mark_are_skipped(void **state)
{
	(void)state;
	assert_string_equal(records_of("\xEF\xBB\xBF" "\n\r\na\n\n\nb\n\n"), "3[a];6[b];");
}

static void a_quoted_field_may_have_all_that_separates(void **state)
{
	(void)state;
	assert_string_equal(records_of("\"a,b\",\"c\"\"d\"\n\"\",e"), "1[a,b][c\"d];2[][e];");
	assert_string_equal(records_of("\"a\nb\",c\r\nd,\"\"\"\""), "1[a\nb][c];3[d][\"];");
	assert_string_equal(records_of("a\"b"), "1[a\"b];");
}

static void what_is_not_csv_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_string_equal(records_of("a\n\"b\n"), "1[a];line 2: a quote is not closed");
	assert_string_equal(records_of("a\n\"b\"c\n"), "1[a];line 2: there is something behind a closing quote");
	assert_string_equal(records_of("a,b,c,d\na,b,c,d,e"), "1[a][b][c][d];line 2: more than 4 fields");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_stand_between_commas_and_line_ends),
		cmocka_unit_test(empty_lines_and_a_byte_order_mark_are_skipped),
		cmocka_unit_test(a_quoted_field_may_have_all_that_separates),
		cmocka_unit_test(what_is_not_csv_is_refused_with_its_line),
	};

	return cmocka_run_group_tests_name("csv reader", tests, NULL, NULL);
}
