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
#include <math.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/level_list.h"
#include "cli/load.h"
#include "cli/settle.h"
#include "cli/template.h"

/* The parts of `sweep` that need no kernel. */

static struct hr_err err;
static struct hr_level_list list;

static void assert_no_list(const char *text, int code, const char *words)
{
	assert_int_equal(hr_level_list_parse(text, &list, &err), code);
	if (!strstr(err.text, words))
		fail_msg("'%s' says not '%s'", err.text, words);
}

static void levels_are_numbers_in_the_order_in_which_they_are_given(void **state)
{
	(void)state;
	assert_int_equal(hr_level_list_parse("8,1,0.5,16.25,8", &list, &err), 0);
	assert_int_equal(list.count, 5);
	assert_string_equal(list.labels[0], "8");
	assert_string_equal(list.labels[2], "0.5");
	assert_string_equal(list.labels[3], "16.25");
	assert_string_equal(list.labels[4], "8");
}

static void a_level_that_is_none_is_named(void **state)
{
	char many[3 * HR_LEVEL_LIST_MAX] = "";

	(void)state;
	assert_no_list("", -EINVAL, "a level is missing");
	assert_no_list("1,,2", -EINVAL, "a level is missing");
	assert_no_list("1,", -EINVAL, "a level is missing");
	assert_no_list("1,x", -EINVAL, "'x' is not a number above 0");
	assert_no_list("0", -EINVAL, "'0' is not a number above 0");
	assert_no_list("-1", -EINVAL, "'-1' is not a number above 0");
	assert_no_list("1, 2", -EINVAL, "' 2' is not a number above 0");
	assert_no_list("08", -EINVAL, "'08' is not a number above 0");
	assert_no_list("1.", -EINVAL, "'1.' is not a number above 0");
	assert_no_list("1e3", -EINVAL, "'1e3' is not a number above 0");
	assert_no_list("1234567890123456", -EINVAL, "too long");
	assert_no_list("\x1b", -EINVAL, "'\xEF\xBF\xBD' is not");
	for (int i = 0; i <= HR_LEVEL_LIST_MAX; i++)
		strcat(many, i ? ",1" : "1");
	assert_no_list(many, -E2BIG, "more than 1000 levels");
}

static void placeholders_are_filled_in_and_all_else_is_left_as_it_is(void **state)
{
	static char *const words[] = { "wrk", "-c{level}", "{level}{level}-{x}", "{\"a\":{level}}", "{level", "", NULL };
	const struct hr_placeholder placeholders[] = { { "level", "16" }, { "seconds", "1" } };
	char **filled = hr_template_fill(words, placeholders, 2);

	(void)state;
	assert_string_equal(filled[0], "wrk");
	assert_string_equal(filled[1], "-c16");
	assert_string_equal(filled[2], "1616-{x}");
	assert_string_equal(filled[3], "{\"a\":16}");
	assert_string_equal(filled[4], "{level");
	assert_string_equal(filled[5], "");
	assert_null(filled[6]);
	free(filled);
}

static void a_value_is_not_looked_into_for_placeholders(void **state)
{
	static char *const words[] = { "{level}", NULL };
	const struct hr_placeholder placeholders[] = { { "level", "{level}" } };
	char **filled = hr_template_fill(words, placeholders, 1);

	(void)state;
	assert_string_equal(filled[0], "{level}");
	free(filled);
}

static void a_load_command_has_a_level_or_a_rate(void **state)
{
	static char *const none[] = { "wrk", "-c8", NULL }, *const level[] = { "sh", "-c", "wrk -c{level}", NULL };
	static char *const rate[] = { "vegeta", "{rate}/s", NULL }, *const both[] = { "{rate}", "{level}", NULL };
	bool is_rate = true;

	(void)state;
	assert_int_equal(hr_load_is_rate(none, &is_rate, &err), -ENOENT);
	assert_int_equal(hr_load_is_rate(both, &is_rate, &err), -EINVAL);
	assert_int_equal(hr_load_is_rate(level, &is_rate, &err), 0);
	assert_false(is_rate);
	assert_int_equal(hr_load_is_rate(rate, &is_rate, &err), 0);
	assert_true(is_rate);
}

/* Run it, and give what it printed, in memory that the caller frees. */
static char *output_of(char *const *words, uint64_t duration_ns, struct hr_load *ret_load)
{
	assert_int_equal(hr_load_start(words, "8", duration_ns, ret_load, &err), 0);
	assert_int_equal(hr_command_release(&ret_load->command, &err), 0);
	while (!hr_command_poll(&ret_load->command)) {
		hr_capture_read(ret_load->capture);
		usleep(1000);
	}
	hr_capture_read(ret_load->capture);
	return hr_capture_text(ret_load->capture);
}

static void a_load_command_is_told_the_level_and_the_time_in_two_ways(void **state)
{
	static char *const words[] = { "sh", "-c", "cat; echo $0 {duration} {seconds} >&2; exit 3", "{level}{rate}", NULL };
	struct hr_load load;
	char *output = output_of(words, 10000000000, &load);

	(void)state;
	assert_string_equal(output, "88 10s 10\n");
	assert_string_equal(load.text, "sh -c cat; echo $0 10s 10 >&2; exit 3 88");
	assert_int_equal(load.command.status, 3);
	free(output);
	hr_load_fini(&load);
	output = output_of(words, 1500000000, &load);
	assert_string_equal(output, "88 1500ms 1.500\n");
	free(output);
	hr_load_fini(&load);
}

static void output_is_kept_from_its_end_in_valid_text(void **state)
{
	static char *const words[] = {
		"sh", "-c", "for i in 1 2 3 4 5 6 7 8; do printf %20000s a; echo; done; printf '\\351{level}\\r\\nb\\rc\\td\\0\\033'", NULL
	};
	struct hr_load load;
	char *output = output_of(words, 1, &load);
	const char *end = "\n\xEF\xBF\xBD" "8\nb\nc\td\xEF\xBF\xBD\xEF\xBF\xBD";

	(void)state;
	assert_string_equal(output + strlen(output) - strlen(end), end);
	assert_in_range(strlen(output), HR_CAPTURE_BYTES, HR_CAPTURE_BYTES + 6);
	free(output);
	hr_load_fini(&load);
}

static void a_character_that_was_cut_in_two_is_left_out(void **state)
{
	struct hr_capture *capture;
	char *text = malloc(HR_CAPTURE_BYTES + 1), *kept;

	(void)state;
	memset(text, 'x', HR_CAPTURE_BYTES);
	memcpy(text, "\xE2\x82\xAC", 3);
	text[HR_CAPTURE_BYTES] = '\0';
	assert_int_equal(hr_capture_open(&capture, &err), 0);
	assert_null(hr_capture_text(capture));
	hr_capture_add(capture, text);
	hr_capture_add(capture, "y");
	kept = hr_capture_text(capture);
	assert_int_equal(strlen(kept), HR_CAPTURE_BYTES - 2);
	assert_int_equal(kept[0], 'x');
	assert_string_equal(kept + HR_CAPTURE_BYTES - 4, "xy");
	free(kept);
	free(text);
	hr_capture_close(capture);
}

static void a_command_that_does_not_heed_is_killed_with_what_it_started(void **state)
{
	static char *const words[] = { "sh", "-c", "trap '' TERM; sh -c 'trap \"\" TERM; echo $$; sleep 60'; sleep 60; echo {level}", NULL };
	struct hr_load load;
	char *output = NULL;
	uint64_t until_ns = hr_clock_mono_ns() + 5000000000;
	pid_t inner;

	(void)state;
	assert_int_equal(hr_load_start(words, "8", 1, &load, &err), 0);
	assert_int_equal(hr_command_release(&load.command, &err), 0);
	while (!output && hr_clock_mono_ns() < until_ns) {
		usleep(1000);
		hr_capture_read(load.capture);
		output = hr_capture_text(load.capture);
	}
	assert_non_null(output);
	inner = atoi(output);
	free(output);
	assert_true(inner > 0);
	assert_int_equal(kill(inner, 0), 0);
	hr_command_end(&load.command, 10000000);
	assert_true(load.command.ended);
	assert_int_equal(load.command.status, 128 + SIGKILL);
	while (!kill(inner, 0) && hr_clock_mono_ns() < until_ns) /* until init has reaped it */
		usleep(1000);
	hr_capture_read(load.capture);
	assert_int_equal(hr_capture_fd(load.capture), -1); /* nobody has its other end any more */
	hr_load_fini(&load);
}

static void a_target_is_at_rest_when_it_is_as_before_the_load(void **state)
{
	const struct hr_rest idle = { 0, 0 }, busy = { 3, 0.5 }, unknown = { NAN, 0.01 };

	(void)state;
	assert_true(hr_rest_is(&(struct hr_rest){ 0, 0.02 }, &idle));
	assert_false(hr_rest_is(&(struct hr_rest){ 0, 0.1 }, &idle));
	assert_false(hr_rest_is(&(struct hr_rest){ 1, 0 }, &idle));
	assert_true(hr_rest_is(&(struct hr_rest){ 3.2, 0.6 }, &busy));
	assert_false(hr_rest_is(&(struct hr_rest){ 4, 0.5 }, &busy));
	assert_false(hr_rest_is(&(struct hr_rest){ 3, 1 }, &busy));
	assert_true(hr_rest_is(&(struct hr_rest){ NAN, 0.02 }, &unknown));
	assert_false(hr_rest_is(&(struct hr_rest){ NAN, 0.2 }, &unknown));
	assert_false(hr_rest_is(&(struct hr_rest){ 1, 0 }, &unknown));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_numbers_in_the_order_in_which_they_are_given),
		cmocka_unit_test(a_level_that_is_none_is_named),
		cmocka_unit_test(placeholders_are_filled_in_and_all_else_is_left_as_it_is),
		cmocka_unit_test(a_value_is_not_looked_into_for_placeholders),
		cmocka_unit_test(a_load_command_has_a_level_or_a_rate),
		cmocka_unit_test(a_load_command_is_told_the_level_and_the_time_in_two_ways),
		cmocka_unit_test(output_is_kept_from_its_end_in_valid_text),
		cmocka_unit_test(a_character_that_was_cut_in_two_is_left_out),
		cmocka_unit_test(a_command_that_does_not_heed_is_killed_with_what_it_started),
		cmocka_unit_test(a_target_is_at_rest_when_it_is_as_before_the_load),
	};

	return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
