/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/activation.h"

#define SECOND 1000000000ULL
#define NOON (1700000000ULL / 86400 * 86400 + 43200) /* 2023-11-14 12:00:00 UTC */

static struct hr_activation parse_at(const char *text, uint64_t now_ns)
{
	struct hr_activation activation = { 77, 77 };
	struct hr_err err;

	if (hr_activation_parse(text, now_ns, &activation, &err))
		fail_msg("'%s' is refused: %s", text, err.text);
	return activation;
}

static void a_boundary_is_a_multiple_since_1970_that_leaves_time_for_the_probes(void **state)
{
	(void)state;
	for (uint64_t ms = 0; ms < 30000; ms += 777) {
		const uint64_t now_ns = NOON * SECOND + ms * 1000000;
		const uint64_t at_ns = parse_at("/10s", now_ns).at_ns;

		assert_int_equal(at_ns % (10 * SECOND), 0);
		assert_true(at_ns >= now_ns + HR_ACTIVATION_LEAD_NS);
		assert_true(at_ns < now_ns + HR_ACTIVATION_LEAD_NS + 10 * SECOND);
	}
	assert_int_equal(parse_at("/1h", NOON * SECOND + 1).at_ns, (NOON + 3600) * SECOND);
}

static void hosts_that_are_asked_within_one_period_take_the_same_boundary(void **state)
{
	(void)state;
	assert_int_equal(parse_at("/10s", NOON * SECOND + 1).at_ns, parse_at("/10s", (NOON + 7) * SECOND).at_ns);
}

static void a_boundary_that_was_missed_is_followed_by_the_next_and_another_moment_by_none(void **state)
{
	struct hr_activation boundary, moment;

	(void)state;
	boundary = parse_at("/10s", NOON * SECOND);
	moment = parse_at("+5s", NOON * SECOND);
	assert_int_equal(boundary.at_ns, (NOON + 10) * SECOND);
	assert_int_equal(hr_activation_at_ns(&boundary, (NOON + 9) * SECOND), (NOON + 10) * SECOND);
	assert_int_equal(hr_activation_at_ns(&boundary, (NOON + 11) * SECOND), (NOON + 20) * SECOND);
	assert_int_equal(hr_activation_at_ns(&moment, (NOON + 11) * SECOND), (NOON + 5) * SECOND);
}

static void a_time_of_day_is_the_next_one_here(void **state)
{
	const uint64_t now_ns = NOON * SECOND;

	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	assert_int_equal(parse_at("@12:30", now_ns).at_ns, (NOON + 1800) * SECOND);
	assert_int_equal(parse_at("@12:00:01", now_ns).at_ns, (NOON + 1) * SECOND);
	assert_int_equal(parse_at("@12:00", now_ns).at_ns, (NOON + 86400) * SECOND);
	assert_int_equal(parse_at("@11:59:59", now_ns).at_ns, (NOON + 86399) * SECOND);
	setenv("TZ", "EST5", 1);
	tzset();
	assert_int_equal(parse_at("@12:30", now_ns).at_ns, (NOON + 5 * 3600 + 1800) * SECOND);
	setenv("TZ", "UTC0", 1);
	tzset();
}

static void what_is_no_moment_is_refused(void **state)
{
	static const char *const words[] = { "",      "10s",	"/",	 "/0s",	   "/10",   "+",     "+5",	"@",
					     "@24:00", "@12:60", "@12", "@12:00x", "@1:2:60", "@12:00:", "@12:00:01:02" };
	struct hr_activation activation;
	struct hr_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (hr_activation_parse(words[i], NOON * SECOND, &activation, &err) != -EINVAL)
			fail_msg("'%s' is taken", words[i]);
	assert_int_equal(hr_activation_parse("+169h", NOON * SECOND, &activation, &err), -ERANGE);
}

static void the_wait_ends_at_the_moment_or_with_a_signal(void **state)
{
	const uint64_t at_ns = hr_clock_real_ns() + 30000000;
	struct hr_err err;
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(hr_activation_wait(at_ns, pipe_fds[0], &err), 0);
	assert_true(hr_clock_real_ns() >= at_ns);
	assert_int_equal(hr_activation_wait(1, pipe_fds[0], &err), 0);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	assert_int_equal(hr_activation_wait(at_ns + 3600 * SECOND, pipe_fds[0], &err), -EINTR);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boundary_is_a_multiple_since_1970_that_leaves_time_for_the_probes),
		cmocka_unit_test(hosts_that_are_asked_within_one_period_take_the_same_boundary),
		cmocka_unit_test(a_boundary_that_was_missed_is_followed_by_the_next_and_another_moment_by_none),
		cmocka_unit_test(a_time_of_day_is_the_next_one_here),
		cmocka_unit_test(what_is_no_moment_is_refused),
		cmocka_unit_test(the_wait_ends_at_the_moment_or_with_a_signal),
	};

	return cmocka_run_group_tests_name("activation", tests, NULL, NULL);
}
