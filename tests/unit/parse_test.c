/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "base/parse.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void durations_of_every_unit_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{ "0s", 0 },
		{ "1ns", 1 },
		{ "250us", 250000 },
		{ "500ms", 500000000 },
		{ "10s", 10000000000 },
		{ "2m", 120000000000 },
		{ "3h", 10800000000000 },
		{ "007s", 7000000000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t ns = 99;

		assert_int_equal(hr_parse_duration_ns(rows[i].text, &ns, NULL), 0);
		assert_int_equal(ns, rows[i].ns);
	}
}

static void decimals_are_exact(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{ "1.5s", 1500000000 },
		{ "0.1s", 100000000 },
		{ "0.3ms", 300000 },
		{ "1.000000001s", 1000000001 },
		{ "0.5h", 1800000000000 },
		{ "0.7m", 42000000000 },
		{ "2.9ns", 2 },
		{ "0.0000000019s", 1 },
		{ "0.1234567890123456789012345678901234567890s", 123456789 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t ns = 99;

		assert_int_equal(hr_parse_duration_ns(rows[i].text, &ns, NULL), 0);
		assert_int_equal(ns, rows[i].ns);
	}
}

static void what_is_no_duration_is_refused_and_named(void **state)
{
	static const char *const texts[] = {
		"", "s", "abc", "-1s", "+1s", " 1s", "1s ", "1 s", "1.s", ".5s", "1..5s", "1,5s", "1e3s", "1S", "1sec",
		"1min", "1d", "0x1s", "1.5", "10", "1m30s", "inf",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct hr_err err = { "" };
		uint64_t ns = 99;

		assert_int_equal(hr_parse_duration_ns(texts[i], &ns, &err), -EINVAL);
		assert_int_equal(ns, 99);
		assert_non_null(strstr(err.text, texts[i]));
	}
}

static void a_bare_number_is_told_how_to_get_a_unit(void **state)
{
	struct hr_err err;
	uint64_t ns;

	(void)state;
	assert_int_equal(hr_parse_duration_ns("10", &ns, &err), -EINVAL);
	assert_string_equal(err.text, "duration '10' has no unit; write '10s' or '10ms'");
}

static void a_duration_over_63_bits_is_out_of_range(void **state)
{
	static const char *const texts[] = { "9223372036854775808ns", "9223372036.9s", "2562048h",
					     "18446744073709551616ns",
					     "99999999999999999999999999999999h", "18446744073709551615h" };
	uint64_t ns = 99;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(hr_parse_duration_ns(texts[i], &ns, NULL), -ERANGE);
		assert_int_equal(ns, 99);
	}
	assert_int_equal(hr_parse_duration_ns("9223372036854775807ns", &ns, NULL), 0);
	assert_int_equal(ns, INT64_MAX);
}

static void numbers_are_read_up_to_both_bounds(void **state)
{
	int64_t value = 99;

	(void)state;
	assert_int_equal(hr_parse_int("-3", -3, 7, &value, NULL), 0);
	assert_int_equal(value, -3);
	assert_int_equal(hr_parse_int("7", -3, 7, &value, NULL), 0);
	assert_int_equal(value, 7);
	assert_int_equal(hr_parse_int("9223372036854775807", 0, INT64_MAX, &value, NULL), 0);
	assert_int_equal(value, INT64_MAX);
	assert_int_equal(hr_parse_int("-0", -3, 7, &value, NULL), 0);
	assert_int_equal(value, 0);
}

static void numbers_outside_are_refused_with_the_bounds(void **state)
{
	static const char *const texts[] = { "-4", "8", "9223372036854775808", "-9223372036854775809",
					     "99999999999999999999999" };
	struct hr_err err;
	int64_t value = 99;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(hr_parse_int(texts[i], -3, 7, &value, &err), -ERANGE);
		assert_int_equal(value, 99);
		assert_non_null(strstr(err.text, "-3 and 7"));
	}
}

static void what_is_no_whole_number_is_refused(void **state)
{
	static const char *const texts[] = { "", "-", "--1", "+1", " 1", "1 ", "1.0", "1x", "0x10", "1e3", "one" };
	int64_t value = 99;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(hr_parse_int(texts[i], INT64_MIN, INT64_MAX, &value, NULL), -EINVAL);
		assert_int_equal(value, 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_of_every_unit_are_read),
		cmocka_unit_test(decimals_are_exact),
		cmocka_unit_test(what_is_no_duration_is_refused_and_named),
		cmocka_unit_test(a_bare_number_is_told_how_to_get_a_unit),
		cmocka_unit_test(a_duration_over_63_bits_is_out_of_range),
		cmocka_unit_test(numbers_are_read_up_to_both_bounds),
		cmocka_unit_test(numbers_outside_are_refused_with_the_bounds),
		cmocka_unit_test(what_is_no_whole_number_is_refused),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
