/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a thread's record: its totals at a moment, and what of them is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/thread_totals.h"

static const uint64_t no_owners[HR_OWNERS_KERNEL];

static struct hr_thread_totals at(const struct hr_thread *thread, uint64_t now_ns)
{
	struct hr_thread_totals totals;

	hr_thread_totals_at(thread, now_ns, no_owners, &totals);
	return totals;
}

static uint64_t sum_ns(const struct hr_thread_totals *totals)
{
	uint64_t sum = 0;

	for (int state = 0; state < HR_STATES; state++)
		sum += totals->state_ns[state];
	return sum;
}

static void a_wait_that_goes_on_is_charged_up_to_now(void **state)
{
	const struct hr_thread thread = { .mode = HR_MODE_BLOCKED, .state = HR_STATE_FUTEX, .since_ns = 100, .state_ns = { [HR_STATE_FUTEX] = 7 } };
	struct hr_thread_totals totals = at(&thread, 150);

	(void)state;
	assert_int_equal(totals.state_ns[HR_STATE_FUTEX], 57);
	assert_int_equal(sum_ns(&totals), 57);
	totals = at(&thread, 90);
	assert_int_equal(totals.state_ns[HR_STATE_FUTEX], 7);
}

static void from_its_wake_up_on_a_thread_waits_for_a_cpu(void **state)
{
	const struct hr_thread thread = { .mode = HR_MODE_BLOCKED, .state = HR_STATE_POLL, .since_ns = 100, .wake_ns = 120 };
	struct hr_thread_totals totals = at(&thread, 150);

	(void)state;
	assert_int_equal(totals.state_ns[HR_STATE_POLL], 20);
	assert_int_equal(totals.state_ns[HR_STATE_RUNQ], 30);
}

static void who_has_the_cpu_is_charged_since_the_thread_waits_for_it(void **state)
{
	const uint64_t owners[HR_OWNERS_KERNEL] = { [HR_OWNER_TARGET] = 1000, [HR_OWNER_OTHER] = 540 };
	struct hr_thread thread = { .mode = HR_MODE_QUEUED, .state = HR_STATE_PREEMPTED, .since_ns = 100,
				    .queue_owner_ns = { [HR_OWNER_TARGET] = 1000, [HR_OWNER_OTHER] = 500 } };
	struct hr_thread_totals totals;

	(void)state;
	hr_thread_totals_at(&thread, 140, owners, &totals);
	assert_int_equal(totals.owner_ns[1][HR_OWNER_OTHER], 40);
	assert_int_equal(totals.owner_ns[1][HR_OWNER_TARGET], 0);
	thread.throttled = 1;
	hr_thread_totals_at(&thread, 140, owners, &totals);
	assert_int_equal(totals.owner_ns[1][HR_OWNER_QUOTA], 40);
	assert_int_equal(totals.owner_ns[1][HR_OWNER_OTHER], 0);
}

static void what_was_written_is_never_taken_back_and_the_states_add_up(void **state)
{
	const struct hr_thread_totals early = { .state_ns = { [HR_STATE_FUTEX] = 100 } };
	const struct hr_thread_totals late = { .state_ns = { [HR_STATE_FUTEX] = 60, [HR_STATE_POLL] = 90 } };
	struct hr_thread_written written = { .mixed_carry_ns = 0 };
	struct hr_thread_totals delta;

	(void)state;
	hr_thread_totals_advance(&written, &early, &delta);
	assert_int_equal(delta.state_ns[HR_STATE_FUTEX], 100);
	hr_thread_totals_advance(&written, &late, &delta);
	assert_int_equal(delta.state_ns[HR_STATE_FUTEX], 0);
	assert_int_equal(delta.state_ns[HR_STATE_POLL], 50);
	assert_int_equal(sum_ns(&delta), 50);
}

static void mixed_time_is_split_by_the_calls_that_were_timed(void **state)
{
	const struct hr_thread_totals first = { .mixed_ns = 100, .mixed_kernel_ns = 150 };
	const struct hr_thread_totals second = { .mixed_ns = 300, .mixed_kernel_ns = 160 };
	struct hr_thread_written written = { .mixed_carry_ns = 0 };
	struct hr_thread_totals delta;

	(void)state;
	hr_thread_totals_advance(&written, &first, &delta);
	assert_int_equal(delta.state_ns[HR_STATE_KERNEL], 100); /* all that there is; 50 are the next interval's */
	assert_int_equal(delta.state_ns[HR_STATE_USER], 0);
	hr_thread_totals_advance(&written, &second, &delta);
	assert_int_equal(delta.state_ns[HR_STATE_KERNEL], 60);
	assert_int_equal(delta.state_ns[HR_STATE_USER], 140);
}

static void time_in_user_mode_that_turns_out_mixed_is_written_once(void **state)
{
	const struct hr_thread_totals early = { .state_ns = { [HR_STATE_USER] = 80 } };
	const struct hr_thread_totals late = { .mixed_ns = 120, .mixed_kernel_ns = 10 };
	struct hr_thread_written written = { .mixed_carry_ns = 0 };
	struct hr_thread_totals delta;

	(void)state;
	hr_thread_totals_advance(&written, &early, &delta);
	assert_int_equal(delta.state_ns[HR_STATE_USER], 80);
	hr_thread_totals_advance(&written, &late, &delta);
	assert_int_equal(sum_ns(&delta), 40);
	assert_int_equal(delta.state_ns[HR_STATE_KERNEL], 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_that_goes_on_is_charged_up_to_now),
		cmocka_unit_test(from_its_wake_up_on_a_thread_waits_for_a_cpu),
		cmocka_unit_test(who_has_the_cpu_is_charged_since_the_thread_waits_for_it),
		cmocka_unit_test(what_was_written_is_never_taken_back_and_the_states_add_up),
		cmocka_unit_test(mixed_time_is_split_by_the_calls_that_were_timed),
		cmocka_unit_test(time_in_user_mode_that_turns_out_mixed_is_written_once),
	};

	return cmocka_run_group_tests_name("thread_totals", tests, NULL, NULL);
}
