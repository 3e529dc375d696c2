/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "base/states.h"

static void every_state_has_a_name_a_meaning_and_comes_back_from_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < HR_STATES; i++) {
		assert_non_null(hr_state_name(i));
		assert_non_null(hr_state_meaning(i));
		assert_string_not_equal(hr_state_name(i), "unknown");
		assert_true(strlen(hr_state_meaning(i)) > 5);
		assert_int_equal(hr_state_from_name(hr_state_name(i)), i);
	}
}

/* On disk: a name may be added, never changed. */
static void the_names_are_those_of_the_run_file(void **state)
{
	static const char *const names[HR_STATES] = {
		"user",	      "kernel", "runq", "preempted", "futex",	"poll",	 "net_recv", "net_send", "net_accept",
		"net_connect", "ipc",	"disk", "fault",     "reclaim", "klock", "sleep",    "device",	 "child",
		"stopped",    "other",
	};

	(void)state;
	for (int i = 0; i < HR_STATES; i++)
		assert_string_equal(hr_state_name(i), names[i]);
}

static void two_states_are_on_cpu_two_wait_for_one_and_all_others_are_blocked(void **state)
{
	(void)state;
	for (int i = 0; i < HR_STATES; i++) {
		enum hr_state_group expected = HR_GROUP_BLOCKED;

		if (i == HR_STATE_USER || i == HR_STATE_KERNEL)
			expected = HR_GROUP_ON_CPU;
		if (i == HR_STATE_RUNQ || i == HR_STATE_PREEMPTED)
			expected = HR_GROUP_RUNNABLE;
		assert_int_equal(hr_state_group(i), expected);
	}
	assert_string_equal(hr_state_group_name(HR_GROUP_RUNNABLE), "waiting for CPU");
}

static void every_owner_comes_back_from_its_name(void **state)
{
	static const char *const names[HR_OWNERS] = { "target", "other", "idle", "quota", "steal", "irq" };

	(void)state;
	for (int i = 0; i < HR_OWNERS; i++) {
		assert_string_equal(hr_owner_name(i), names[i]);
		assert_int_equal(hr_owner_from_name(names[i]), i);
		assert_true(strlen(hr_owner_meaning(i)) > 5);
	}
}

static void what_a_later_version_wrote_is_unknown(void **state)
{
	(void)state;
	assert_string_equal(hr_state_name((enum hr_state)HR_STATES), "unknown");
	assert_string_equal(hr_state_name((enum hr_state)-1), "unknown");
	assert_string_equal(hr_state_meaning((enum hr_state)HR_STATES), "unknown");
	assert_int_equal(hr_state_group((enum hr_state)HR_STATES), HR_GROUP_BLOCKED);
	assert_int_equal(hr_state_from_name("levitating"), -ENOENT);
	assert_int_equal(hr_state_from_name(""), -ENOENT);
	assert_string_equal(hr_owner_name((enum hr_cpu_owner)HR_OWNERS), "unknown");
	assert_int_equal(hr_owner_from_name("unknown"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_a_name_a_meaning_and_comes_back_from_its_name),
		cmocka_unit_test(the_names_are_those_of_the_run_file),
		cmocka_unit_test(two_states_are_on_cpu_two_wait_for_one_and_all_others_are_blocked),
		cmocka_unit_test(every_owner_comes_back_from_its_name),
		cmocka_unit_test(what_a_later_version_wrote_is_unknown),
	};

	return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
