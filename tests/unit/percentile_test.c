/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyse/percentile.h"
#include "headroom/hist.h"

static void no_values_have_no_percentile(void **state)
{
	const struct hr_slot empty[] = { { 8, 9, 0 }, { 9, 10, 0 } };
	struct hr_latency latency = hr_slots_latency(empty, 2);

	(void)state;
	assert_true(isnan(hr_slots_percentile(NULL, 0, 0.5)));
	assert_int_equal(latency.count, 0);
	assert_true(isnan(latency.p50_ns) && isnan(latency.p90_ns) && isnan(latency.p99_ns));
}

static void a_slot_of_one_value_is_that_value(void **state)
{
	const struct hr_slot slots[] = { { 0, 1, 1 }, { 3, 4, 1 } };

	(void)state;
	assert_true(hr_slots_percentile(slots, 2, 0.5) == 0.0);
	assert_true(hr_slots_percentile(slots, 2, 1.0) == 3.0);
}

static void the_percentile_is_the_value_of_its_nearest_rank(void **state)
{
	/* 100 values: ranks 1..50, 51..98, 99, 100 */
	const struct hr_slot slots[] = { { 1, 2, 50 }, { 2, 3, 48 }, { 3, 4, 1 }, { 4, 5, 1 } };
	struct hr_latency latency = hr_slots_latency(slots, 4);

	(void)state;
	assert_int_equal(latency.count, 100);
	assert_true(latency.p50_ns == 1.0);
	assert_true(hr_slots_percentile(slots, 4, 0.51) == 2.0);
	assert_true(latency.p90_ns == 2.0);
	assert_true(latency.p99_ns == 3.0);
	assert_true(hr_slots_percentile(slots, 4, 1.0) == 4.0);
}

static void empty_slots_between_are_passed_over(void **state)
{
	const struct hr_slot slots[] = { { 1, 2, 1 }, { 2, 3, 0 }, { 3, 4, 0 }, { 10, 11, 1 } };

	(void)state;
	assert_true(hr_slots_percentile(slots, 4, 0.75) == 10.0);
}

/* Every value from 1 ns to 18 minutes comes back within 1/16. */
static void the_error_is_at_most_a_sixteenth(void **state)
{
	(void)state;
	for (uint64_t value = 1; value < 1ULL << 40; value += 1 + value / 37) {
		uint32_t index = hr_hist_slot(value, HR_HIST_BITS, HR_HIST_SLOTS);
		uint64_t low = hr_hist_low(index, HR_HIST_BITS), high = hr_hist_low(index + 1, HR_HIST_BITS);
		double found = hr_slots_percentile(&(struct hr_slot){ low, high, 1 }, 1, 0.5);

		assert_true(fabs(found - (double)value) <= (double)value / 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_values_have_no_percentile),
		cmocka_unit_test(a_slot_of_one_value_is_that_value),
		cmocka_unit_test(the_percentile_is_the_value_of_its_nearest_rank),
		cmocka_unit_test(empty_slots_between_are_passed_over),
		cmocka_unit_test(the_error_is_at_most_a_sixteenth),
	};

	return cmocka_run_group_tests_name("percentile", tests, NULL, NULL);
}
