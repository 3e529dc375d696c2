/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BAD "\xEF\xBF\xBD"

static void assert_cleaned(const char *from, size_t n, const char *expected)
{
	char to[64];

	hr_text_clean(to, sizeof(to), from, n);
	assert_string_equal(to, expected);
}

static void valid_text_is_kept(void **state)
{
	(void)state;
	assert_cleaned("nginx: worker", 64, "nginx: worker");
	assert_cleaned("h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF", 64,
		       "h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF");
	assert_cleaned("", 64, "");
}

static void each_byte_outside_a_valid_sequence_is_replaced(void **state)
{
	(void)state;
	assert_cleaned("a\xFFz", 64, "a" BAD "z");
	assert_cleaned("a\x80z", 64, "a" BAD "z");
	assert_cleaned("\xC0\xAF", 64, BAD BAD);			 /* overlong */
	assert_cleaned("\xE0\x80\xAF", 64, BAD BAD BAD);		 /* overlong */
	assert_cleaned("\xED\xA0\x80", 64, BAD BAD BAD);		 /* surrogate */
	assert_cleaned("\xF4\x90\x80\x80", 64, BAD BAD BAD BAD);	 /* over U+10FFFF */
	assert_cleaned("\xF8\x88\x80\x80\x80", 64, BAD BAD BAD BAD BAD); /* five bytes */
	assert_cleaned("\xE2\x82", 64, BAD BAD);			 /* cut off */
	assert_cleaned("\xE2(\xA1", 64, BAD "(" BAD);
}

static void control_characters_are_replaced(void **state)
{
	(void)state;
	assert_cleaned("a\x1B[31m\n\x7F", 64, "a" BAD "[31m" BAD BAD);
	assert_cleaned("\xC2\x9B" "1m\xC2\xA0", 64, BAD "1m\xC2\xA0");
}

static void only_n_bytes_are_read(void **state)
{
	static const char comm[4] = { 'a', 'b', 'c', 'd' }; /* no terminator, like a thread's name of full length */

	(void)state;
	assert_cleaned(comm, sizeof(comm), "abcd");
	assert_cleaned("\xE2\x82\xAC", 2, BAD BAD);
	assert_cleaned("abc", 0, "");
}

static void a_short_buffer_ends_between_characters(void **state)
{
	char to[5] = "....";

	(void)state;
	hr_text_clean(to, sizeof(to), "a\xE2\x82\xAC" "b", 64);
	assert_string_equal(to, "a\xE2\x82\xAC");
	hr_text_clean(to, 4, "a\xE2\x82\xAC", 64);
	assert_string_equal(to, "a");
	hr_text_clean(to, 1, "abc", 64);
	assert_string_equal(to, "");
}

static void an_error_has_the_kernels_name(void **state)
{
	char buf[16];

	(void)state;
	assert_string_equal(hr_text_errno_name(EAGAIN, buf), "EAGAIN");
	assert_string_equal(hr_text_errno_name(EOPNOTSUPP, buf), "EOPNOTSUPP");
	assert_string_equal(hr_text_errno_name(512, buf), "ERESTARTSYS");
	assert_string_equal(hr_text_errno_name(516, buf), "ERESTART_RESTARTBLOCK");
	assert_string_equal(hr_text_errno_name(4095, buf), "E4095");
}

static void a_duration_has_three_digits_and_the_unit_that_fits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0 ns" },
		{ 850, "850 ns" },
		{ 999, "999 ns" },
		{ 1000, "1.00 us" },
		{ 12340, "12.3 us" },
		{ 999499, "999 us" },
		{ 999500, "1.00 ms" },
		{ 12345678, "12.3 ms" },
		{ 4000000000, "4.00 s" },
		{ 9996000000, "10.0 s" },
		{ 99960000000, "100 s" },
		{ 999000000000, "999 s" },
		{ 1000000000000, "16.7 min" },
		{ 7200000000000, "120 min" },
		{ 86400000000000, "24.0 h" },
		{ UINT64_MAX, "5124096 h" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(hr_text_duration(rows[i].ns, buf), rows[i].text);
}

static void a_count_has_three_digits_and_the_prefix_that_fits(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 0.5, "0.5" },
		{ 12.34, "12.3" },
		{ 999, "999" },
		{ 999.6, "1.00 k" },
		{ 12345, "12.3 k" },
		{ 999600, "1.00 M" },
		{ 4560000, "4.56 M" },
		{ 2e10, "20.0 G" },
		{ 7e18, "7.00 E" },
		{ -12345, "-12.3 k" },
		{ 1e24, "1e+24" },
	};
	char buf[16];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(hr_text_count(rows[i].value, buf), rows[i].text);
	assert_string_equal(hr_text_count(NAN, buf), "not measured");
}

static void a_failure_returns_its_code_and_tells_its_sentence(void **state)
{
	struct hr_err err;

	(void)state;
	assert_int_equal(hr_err_set(&err, -ESRCH, "no process %d", 7), -ESRCH);
	assert_string_equal(err.text, "no process 7");
	assert_int_equal(hr_err_errno(&err, -ENOENT, "cannot open '%s'", "x"), -ENOENT);
	assert_string_equal(err.text, "cannot open 'x': No such file or directory");
	assert_int_equal(hr_err_set(NULL, -ESRCH, "no process %d", 7), -ESRCH);
	assert_int_equal(hr_err_errno(NULL, -ESRCH, "no process %d", 7), -ESRCH);
}

static void a_sentence_may_quote_the_one_before(void **state)
{
	struct hr_err err;

	(void)state;
	hr_err_set(&err, -ESRCH, "no process %d", 7);
	hr_err_set(&err, -ESRCH, "cannot record: %s", err.text);
	assert_string_equal(err.text, "cannot record: no process 7");
}

static void a_long_sentence_is_cut(void **state)
{
	char name[2000];
	struct hr_err err;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(hr_err_errno(&err, -EIO, "%s", name), -EIO);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void the_clocks_go_on(void **state)
{
	const uint64_t mono_ns = hr_clock_mono_ns();

	(void)state;
	assert_true(hr_clock_mono_ns() >= mono_ns);
	assert_true(hr_clock_real_ns() > 1700000000000000000); /* November 2023 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_text_is_kept),
		cmocka_unit_test(each_byte_outside_a_valid_sequence_is_replaced),
		cmocka_unit_test(control_characters_are_replaced),
		cmocka_unit_test(only_n_bytes_are_read),
		cmocka_unit_test(a_short_buffer_ends_between_characters),
		cmocka_unit_test(an_error_has_the_kernels_name),
		cmocka_unit_test(a_duration_has_three_digits_and_the_unit_that_fits),
		cmocka_unit_test(a_count_has_three_digits_and_the_prefix_that_fits),
		cmocka_unit_test(a_failure_returns_its_code_and_tells_its_sentence),
		cmocka_unit_test(a_sentence_may_quote_the_one_before),
		cmocka_unit_test(a_long_sentence_is_cut),
		cmocka_unit_test(the_clocks_go_on),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
