/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyse/capacity.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void assert_near(double value, double expected, double relative)
{
	if (!(fabs(value - expected) <= relative * fabs(expected)))
		fail_msg("%.9g is not %.9g within %g", value, expected, relative);
}

/* A loop that takes 2 ms a request is full at 500 a second; 4 CPUs that spend 4 ms a request on it at 1000. */
static const struct hr_capacity_point loop[] = { { 1, 100, 0.2, 10 }, { 2, 200, 0.4, 10 }, { 4, 400, 0.8, 10 }, { 8, 495, 0.99, 10 } };
static const struct hr_capacity_point cpus[] = { { 1, 100, 0.1, 10 }, { 2, 200, 0.2, 10 }, { 4, 400, 0.4, 10 }, { 8, 495, 0.5, 10 } };

static void the_resource_with_the_most_demand_is_the_limit(void **state)
{
	const struct hr_capacity_resource resources[] = { { "CPUs", cpus, COUNT_OF(cpus), 0 }, { "loop", loop, COUNT_OF(loop), 0 } };
	struct hr_capacity capacity;

	(void)state;
	hr_capacity_limit(resources, COUNT_OF(resources), 2, &capacity);
	assert_int_equal(capacity.resource, 1);
	assert_int_equal(capacity.point_count, 2);
	assert_near(capacity.limit_rps, 500, 1e-9);
	assert_near(capacity.demand_s, 0.002, 1e-9);
	assert_near(capacity.demand_growth, 1, 1e-9);
	assert_near(capacity.range.low, 500, 1e-9);
	hr_capacity_of(&resources[0], INFINITY, &capacity);
	assert_int_equal(capacity.point_count, 4);
	assert_near(capacity.limit_rps, 1000, 0.02);
}

/* R: lm(U ~ X + 0): slope 1.0171429e-3, standard error 2.3847589e-5, confint() the inverse of these */
static void the_range_is_that_of_the_regression_through_the_origin(void **state)
{
	static const struct hr_capacity_point points[] = { { 1, 100, 0.105, 1 }, { 2, 200, 0.19, 1 }, { 3, 300, 0.32, 1 }, { 4, 350, 0.35, 1 } };
	const struct hr_capacity_resource resource = { "x", points, COUNT_OF(points), 0 };
	struct hr_capacity capacity;

	(void)state;
	hr_capacity_of(&resource, INFINITY, &capacity);
	assert_near(capacity.limit_rps, 983.14607, 1e-4);
	assert_near(capacity.range.low, 914.88251, 1e-3);
	assert_near(capacity.range.high, 1062.41792, 1e-3);
}

static void demand_that_drifts_is_in_the_range(void **state)
{
	static const struct hr_capacity_point points[] = { { 1, 100, 0.1, 1 }, { 2, 200, 0.21, 1 }, { 4, 380, 0.46, 1 } };
	const struct hr_capacity_resource resource = { "lock", points, COUNT_OF(points), 0.9 };
	struct hr_capacity capacity;

	(void)state;
	hr_capacity_of(&resource, INFINITY, &capacity);
	assert_near(capacity.demand_growth, 0.46 / 380 / 0.001, 1e-9);
	assert_true(capacity.range.low <= 0.9 * 380 / 0.46 && capacity.range.high >= 900);
	assert_true(capacity.range.low < capacity.limit_rps && capacity.limit_rps < capacity.range.high);
}

/* R: lm(U ~ X): 0.0515 + 9.95e-4 X, errors 2.94e-3 and 1.07e-5. A request costs less than U / X says. */
static void what_is_used_without_a_request_is_no_demand(void **state)
{
	static const struct hr_capacity_point points[] = { { 1, 100, 0.152, 1 }, { 2, 200, 0.248, 1 }, { 3, 300, 0.352, 1 }, { 4, 400, 0.449, 1 } };
	const struct hr_capacity_resource resource = { "CPUs", points, COUNT_OF(points), 0 };
	struct hr_capacity capacity;

	(void)state;
	hr_capacity_of(&resource, INFINITY, &capacity);
	assert_near(capacity.limit_rps, (1 - 0.0515) / 9.95e-4, 1e-6);
	assert_true(capacity.range.low < 1 / (0.449 / 400) && capacity.range.high > capacity.limit_rps);
	hr_capacity_of(&resource, 2, &capacity); /* two points are on any line */
	assert_near(capacity.limit_rps, 1 / ((100 * 0.152 + 200 * 0.248) / 50000), 1e-9);
}

static void a_line_is_as_sure_as_its_points(void **state)
{
	static const double x[] = { 1, 2, 3, 4 }, weights[] = { 1, 1, 1, 1 }, level[] = { 5, 3, 6, 4 }, rising[] = { 0.1, 2.1, 3.9, 6.1 };
	struct hr_line line = hr_line_fit(x, rising, weights, 4);

	(void)state;
	assert_true(hr_line_rises(&line) && !hr_line_starts_above(&line));
	assert_near(line.slope, 1.98, 1e-9);
	line = hr_line_fit(x, level, weights, 4);
	assert_true(!hr_line_rises(&line) && fabs(line.slope) < 1e-9);
	line = hr_line_fit(x, rising, weights, 2);
	assert_true(hr_line_rises(&line) && !hr_line_starts_above(&line) && isnan(line.slope_error));
	line = hr_line_fit(x, rising, weights, 1);
	assert_true(!hr_line_rises(&line) && isnan(line.slope));
}

static void what_was_not_measured_is_no_number_and_no_limit(void **state)
{
	static const struct hr_capacity_point points[] = { { 1, NAN, 0.1, 1 }, { 2, 200, NAN, 1 }, { 4, 0, 0.5, 1 }, { 4, 100, 0, 1 },
							   { NAN, 100, 0.1, NAN } };
	const struct hr_capacity_resource resource = { "x", points, COUNT_OF(points), 0 };
	struct hr_capacity capacity;

	(void)state;
	hr_capacity_of(&resource, 100, &capacity);
	assert_true(capacity.resource == SIZE_MAX && isnan(capacity.limit_rps) && isnan(capacity.range.low));
	hr_capacity_of(&resource, INFINITY, &capacity);
	assert_int_equal(capacity.point_count, 1);
	assert_near(capacity.limit_rps, 1000, 1e-9);
	assert_true(isnan(capacity.range.low) && isnan(capacity.demand_growth));
	hr_capacity_limit(NULL, 0, INFINITY, &capacity);
	assert_true(capacity.resource == SIZE_MAX && isnan(capacity.limit_rps));
}

static void the_knee_is_the_lowest_load_that_does_nearly_the_most(void **state)
{
	static const double loads[] = { 1, 2, 4, 8, 16, NAN }, rates[] = { 100, 200, 390, 480, 500, 900 };

	(void)state;
	assert_near(hr_capacity_knee_load(loads, rates, COUNT_OF(loads), 0.95), 8, 0);
	assert_near(hr_capacity_knee_load(loads, rates, COUNT_OF(loads), 0.75), 4, 0);
	assert_true(isnan(hr_capacity_knee_load(loads, rates, 0, 0.95)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_resource_with_the_most_demand_is_the_limit),
		cmocka_unit_test(the_range_is_that_of_the_regression_through_the_origin),
		cmocka_unit_test(demand_that_drifts_is_in_the_range),
		cmocka_unit_test(what_is_used_without_a_request_is_no_demand),
		cmocka_unit_test(a_line_is_as_sure_as_its_points),
		cmocka_unit_test(what_was_not_measured_is_no_number_and_no_limit),
		cmocka_unit_test(the_knee_is_the_lowest_load_that_does_nearly_the_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
