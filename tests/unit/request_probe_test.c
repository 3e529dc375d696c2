/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/request_probe.h"
#include "run_fixture.h"

static struct hr_request_probe probe;
static struct hr_err err;

static void assert_refused(const char *text, int code, const char *words)
{
	assert_int_equal(hr_request_probe_parse(text, &probe, &err), code);
	if (!strstr(err.text, words))
		fail_msg("'%s' says not '%s'", err.text, words);
}

static void the_last_colon_is_before_the_symbol(void **state)
{
	const struct scratch *scratch = *state;
	char text[PATH_MAX + 64];

	write_file(in(scratch, "a:b"), "", 0);
	snprintf(text, sizeof(text), "%s:handle_request", in(scratch, "a:b"));
	assert_int_equal(hr_request_probe_parse(text, &probe, &err), 0);
	assert_string_equal(probe.binary, in(scratch, "a:b"));
	assert_string_equal(probe.symbol, "handle_request");
	assert_string_equal(probe.text, text);
	hr_request_probe_fini(&probe);
}

static void a_name_without_a_folder_is_a_file_of_this_one(void **state)
{
	const struct scratch *scratch = *state;
	char before[PATH_MAX];

	assert_non_null(getcwd(before, sizeof(before)));
	write_file(in(scratch, "server"), "", 0);
	assert_int_equal(chdir(scratch->folder), 0);
	assert_int_equal(hr_request_probe_parse("server:f", &probe, &err), 0);
	assert_int_equal(chdir(before), 0);
	assert_string_equal(probe.binary, in(scratch, "server"));
	assert_string_equal(probe.text, "server:f");
	hr_request_probe_fini(&probe);
}

static void a_missing_part_is_a_matter_of_usage(void **state)
{
	(void)state;
	assert_refused("server", -EINVAL, "--request-probe: 'server' is not BINARY:SYMBOL");
	assert_refused(":symbol", -EINVAL, "is not BINARY:SYMBOL");
	assert_refused("server:", -EINVAL, "is not BINARY:SYMBOL");
	assert_refused(":", -EINVAL, "is not BINARY:SYMBOL");
}

static void a_file_that_is_not_there_is_named(void **state)
{
	const struct scratch *scratch = *state;
	char text[PATH_MAX + 64];

	snprintf(text, sizeof(text), "%s:f", in(scratch, "missing"));
	assert_refused(text, -ENOENT, in(scratch, "missing"));
	snprintf(text, sizeof(text), "%s:f", scratch->folder);
	assert_refused(text, -ENOEXEC, "is not a file");
}

static void hostile_bytes_do_not_reach_the_run_file(void **state)
{
	const struct scratch *scratch = *state;
	char text[PATH_MAX + 64];

	write_file(in(scratch, "a"), "", 0);
	snprintf(text, sizeof(text), "%s:\x1b\xff", in(scratch, "a"));
	assert_int_equal(hr_request_probe_parse(text, &probe, &err), 0);
	assert_non_null(strstr(probe.text, ":\xEF\xBF\xBD\xEF\xBF\xBD"));
	assert_string_equal(probe.symbol, "\x1b\xff");
	hr_request_probe_fini(&probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(the_last_colon_is_before_the_symbol),
		scratch_test(a_name_without_a_folder_is_a_file_of_this_one),
		scratch_test(a_missing_part_is_a_matter_of_usage),
		scratch_test(a_file_that_is_not_there_is_named),
		scratch_test(hostile_bytes_do_not_reach_the_run_file),
	};

	return cmocka_run_group_tests_name("request probe", tests, NULL, NULL);
}
