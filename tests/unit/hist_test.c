/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "headroom/hist.h"

/* The two geometries that are in use: latencies, and requests with their finer slots. */
static const struct geometry {
	uint32_t bits, slots;
} geometries[] = { { HR_HIST_BITS, HR_HIST_SLOTS }, { 5, 1152 } };

#define FOR_EACH_GEOMETRY(g) \
	for (const struct geometry *g = geometries; g < geometries + sizeof(geometries) / sizeof(geometries[0]); g++)

static void the_lowest_value_of_every_slot_falls_into_it(void **state)
{
	(void)state;
	FOR_EACH_GEOMETRY(g)
		for (uint32_t slot = 0; slot < g->slots; slot++)
			assert_int_equal(hr_hist_slot(hr_hist_low(slot, g->bits), g->bits, g->slots), slot);
}

static void the_value_before_a_slot_falls_into_the_slot_before(void **state)
{
	(void)state;
	FOR_EACH_GEOMETRY(g)
		for (uint32_t slot = 1; slot < g->slots; slot++)
			assert_int_equal(hr_hist_slot(hr_hist_low(slot, g->bits) - 1, g->bits, g->slots), slot - 1);
}

static void slots_grow_without_gaps(void **state)
{
	(void)state;
	FOR_EACH_GEOMETRY(g)
		for (uint32_t slot = 1; slot < g->slots; slot++)
			assert_true(hr_hist_low(slot, g->bits) > hr_hist_low(slot - 1, g->bits));
}

static void values_below_two_to_the_bits_have_a_slot_each(void **state)
{
	(void)state;
	FOR_EACH_GEOMETRY(g)
		for (uint32_t value = 0; value < 1U << g->bits; value++)
			assert_int_equal(hr_hist_slot(value, g->bits, g->slots), value);
}

static void zero_is_the_first_slot(void **state)
{
	(void)state;
	assert_int_equal(hr_hist_slot(0, HR_HIST_BITS, HR_HIST_SLOTS), 0);
	assert_int_equal(hr_hist_low(0, HR_HIST_BITS), 0);
}

static void the_middle_of_a_slot_is_within_its_error_of_any_value_in_it(void **state)
{
	(void)state;
	FOR_EACH_GEOMETRY(g) {
		for (uint32_t slot = 1U << g->bits; slot + 1 < g->slots; slot++) {
			const double low = (double)hr_hist_low(slot, g->bits);
			const double high = (double)hr_hist_low(slot + 1, g->bits);

			/* the lowest value is the worst: the error is largest there and the value smallest */
			assert_true((high - low) / 2 <= low / (2U << g->bits));
		}
	}
}

static void the_error_of_a_latency_is_one_in_sixteen(void **state)
{
	(void)state;
	assert_int_equal(2U << HR_HIST_BITS, 16);
}

static void the_last_slot_begins_just_below_18_minutes_and_takes_all_that_is_longer(void **state)
{
	const uint32_t last = HR_HIST_SLOTS - 1;

	(void)state;
	assert_true(hr_hist_low(last, HR_HIST_BITS) < 1ULL << 40);
	assert_int_equal(hr_hist_low(last + 1, HR_HIST_BITS), 1ULL << 40);
	assert_int_equal(hr_hist_slot((1ULL << 40) - 1, HR_HIST_BITS, HR_HIST_SLOTS), last);
	assert_int_equal(hr_hist_slot(1ULL << 40, HR_HIST_BITS, HR_HIST_SLOTS), last);
	assert_int_equal(hr_hist_slot(UINT64_MAX, HR_HIST_BITS, HR_HIST_SLOTS), last);
}

static void the_logarithm_is_the_number_of_the_highest_bit(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 64; bit++) {
		assert_int_equal(hr_log2(1ULL << bit), bit);
		assert_int_equal(hr_log2((1ULL << bit) | ((1ULL << bit) - 1)), bit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_value_of_every_slot_falls_into_it),
		cmocka_unit_test(the_value_before_a_slot_falls_into_the_slot_before),
		cmocka_unit_test(slots_grow_without_gaps),
		cmocka_unit_test(values_below_two_to_the_bits_have_a_slot_each),
		cmocka_unit_test(zero_is_the_first_slot),
		cmocka_unit_test(the_middle_of_a_slot_is_within_its_error_of_any_value_in_it),
		cmocka_unit_test(the_error_of_a_latency_is_one_in_sixteen),
		cmocka_unit_test(the_last_slot_begins_just_below_18_minutes_and_takes_all_that_is_longer),
		cmocka_unit_test(the_logarithm_is_the_number_of_the_highest_bit),
	};

	return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
