/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/fit.h"
#include "analyse/model.h"
#include "analyse/random.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LEVELS_MAX 16
#define WINDOWS_MAX 200

/*
 * Published: SPEC SDM91 on a Sun SPARCcenter 2000, and a ray tracer (Gunther 2007, table 4.1), as the R package usl ships them; and
 * the example of its own tests, made of sigma 0.02, kappa 0.02, lambda 1.
 */
static const double sdm91_loads[] = { 1, 18, 36, 72, 108, 144, 216 };
static const double sdm91_rates[] = { 64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2 };
static const double ray_loads[] = { 1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64 };
static const double ray_rates[] = { 20, 78, 130, 170, 190, 200, 210, 230, 260, 280, 310 };
static const double made_loads[] = { 1, 2, 4, 6, 8, 10 };
static const double made_rates[] = { 1, 1.8868, 3.0769, 3.5294, 3.5398, 3.3557 };

static const double doubling[] = { 1, 2, 4, 8, 16, 32, 64, 128 };

static struct hr_fit fit_of(enum hr_model_kind kind, const double *loads, const double *rates, size_t count)
{
	struct hr_fit_point points[LEVELS_MAX];
	double scratch[HR_FIT_SCRATCH(LEVELS_MAX)];

	for (size_t i = 0; i < count; i++)
		points[i] = (struct hr_fit_point){ loads[i], rates[i], 1 };
	return hr_fit_points(kind, points, count, NULL, scratch);
}

static void assert_near(double value, double expected, double relative)
{
	if (!(fabs(value - expected) <= relative * fabs(expected)))
		fail_msg("%.9g is not %.9g within %g", value, expected, relative);
}

/* R 4.2.2, nls(algorithm = "port", lower = 0), tolerance 1e-12; the same as summary(usl()) of usl 3.0.3 prints. */
static void the_published_data_sets_give_the_published_coefficients(void **state)
{
	struct hr_fit sdm91 = fit_of(HR_MODEL_USL, sdm91_loads, sdm91_rates, COUNT_OF(sdm91_loads));
	struct hr_fit ray = fit_of(HR_MODEL_USL, ray_loads, ray_rates, COUNT_OF(ray_loads));
	struct hr_fit ray6 = fit_of(HR_MODEL_USL, ray_loads, ray_rates, 6);
	struct hr_fit made = fit_of(HR_MODEL_USL, made_loads, made_rates, COUNT_OF(made_loads));

	(void)state;
	assert_near(sdm91.lambda, 89.995230, 1e-6);
	assert_near(sdm91.sigma, 0.027728474, 1e-5);
	assert_near(sdm91.kappa, 1.0436549e-4, 1e-5);
	assert_near(sdm91.rss, 27453.72, 1e-6);
	assert_near(ray.lambda, 21.848840909, 1e-6);
	assert_near(ray.sigma, 0.057770772, 1e-5);
	assert_true(ray.kappa == 0);
	assert_near(ray.rss, 697.2378, 1e-6);
	assert_near(ray6.lambda, 20.8560456096, 1e-6);
	assert_near(ray6.sigma, 0.0244440447, 1e-5);
	assert_near(ray6.kappa, 0.0016268092, 1e-5);
	assert_near(made.lambda, 1.000005122, 1e-6);
	assert_near(made.sigma, 0.020005761, 1e-5);
	assert_near(made.kappa, 0.019999665, 1e-5);
}

/* R: sums of products for the line; for the cap, 200,001 knees between the first load and the last. */
static void the_line_and_the_cap_are_those_of_r_and_so_is_the_criterion(void **state)
{
	struct hr_fit line = fit_of(HR_MODEL_LINEAR, sdm91_loads, sdm91_rates, COUNT_OF(sdm91_loads));
	struct hr_fit cap = fit_of(HR_MODEL_CAP, sdm91_loads, sdm91_rates, COUNT_OF(sdm91_loads));
	struct hr_fit usl = fit_of(HR_MODEL_USL, sdm91_loads, sdm91_rates, COUNT_OF(sdm91_loads));

	(void)state;
	assert_near(line.lambda, 12.01598281, 1e-8);
	assert_near(line.rss, 4156849, 1e-6);
	assert_near(cap.lambda, 55.358, 1e-4);
	assert_near(cap.cap, 1762.34, 1e-4);
	assert_near(cap.rss, 28641.02, 1e-4);
	assert_near(hr_fit_aicc(&line, 7, 0), 100.0605, 1e-6);
	assert_near(hr_fit_aicc(&cap, 7, 0), 72.2168, 1e-4);
	assert_near(hr_fit_aicc(&usl, 7, 0), 85.92043, 1e-6);
}

/* By hand: 10 per client up to 4, then 40; the line through (1, 10) and (2, 20), the mean of 39, 40 and 41. */
static void a_cap_by_hand(void **state)
{
	static const double loads[] = { 1, 2, 8, 16, 32 }, rates[] = { 10, 20, 39, 40, 41 };
	struct hr_fit cap = fit_of(HR_MODEL_CAP, loads, rates, COUNT_OF(loads));

	(void)state;
	assert_near(cap.lambda, 10, 1e-12);
	assert_near(cap.cap, 40, 1e-12);
	assert_near(cap.rss, 2, 1e-9);
}

static void the_criterion_takes_two_points_more_than_parameters_and_variance(void **state)
{
	static const enum hr_model_kind kinds[] = { HR_MODEL_LINEAR, HR_MODEL_CAP, HR_MODEL_USL };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct hr_fit fit = { .kind = kinds[i], .rss = 1 };

		assert_true(isnan(hr_fit_aicc(&fit, 3 + i, 0)));
		assert_false(isnan(hr_fit_aicc(&fit, 4 + i, 0)));
	}
}

/* A run that was made up: levels of windows. */
struct made {
	struct hr_model_level levels[LEVELS_MAX];
	double rates[LEVELS_MAX][WINDOWS_MAX], seconds[WINDOWS_MAX];
	size_t count;
};

static double truth(const struct hr_fit *model, double load)
{
	return hr_fit_rate(model, load);
}

static void make(struct made *made, const struct hr_fit *model, const double *loads, size_t count, size_t windows, double noise,
		 struct hr_random *random)
{
	made->count = count;
	for (size_t i = 0; i < WINDOWS_MAX; i++)
		made->seconds[i] = 1;
	for (size_t level = 0; level < count; level++) {
		for (size_t i = 0; i < windows; i++)
			made->rates[level][i] = truth(model, loads[level]) * (1 + noise * hr_random_normal(random));
		made->levels[level] = (struct hr_model_level){ loads[level], made->rates[level], made->seconds, windows };
	}
}

static struct hr_model model_of(const struct made *made)
{
	struct hr_model model;

	assert_int_equal(hr_model_fit(made->levels, made->count, &model, NULL), 0);
	return model;
}

static struct hr_model published(const double *loads, const double *rates, size_t count)
{
	struct hr_model_level levels[LEVELS_MAX];
	static const double second = 1;
	struct hr_model model;

	for (size_t i = 0; i < count; i++)
		levels[i] = (struct hr_model_level){ loads[i], &rates[i], &second, 1 };
	assert_int_equal(hr_model_fit(levels, count, &model, NULL), 0);
	return model;
}

static const struct hr_fit retrograde = { HR_MODEL_USL, 1000, 0.03, 0.001, NAN, 0 };
static const struct hr_fit amdahl = { HR_MODEL_USL, 1000, 0.08, 0, NAN, 0 };
static const struct hr_fit capped = { HR_MODEL_CAP, 500, NAN, NAN, 6000, 0 };
static const struct hr_fit straight = { HR_MODEL_LINEAR, 250, NAN, NAN, NAN, 0 };

static void the_model_that_made_the_data_is_found(void **state)
{
	static const struct hr_fit *const truths[] = { &retrograde, &amdahl, &capped, &straight };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(truths); i++)
		for (size_t levels = 6; levels <= COUNT_OF(doubling); levels++) {
			struct hr_random random = { i * 100 + levels };
			struct made made;
			struct hr_model model;

			make(&made, truths[i], doubling, levels, 9, 0.02, &random);
			model = model_of(&made);
			assert_int_equal(model.kind, truths[i]->kind);
			assert_near(model.lambda, truths[i]->lambda, 0.05);
			assert_true(model.lambda_range.low <= model.lambda && model.lambda <= model.lambda_range.high);
			assert_true(model.r_squared > 0.98);
		}
}

static void the_peak_of_a_retrograde_run_is_where_it_was_put(void **state)
{
	struct hr_random random = { 7 };
	struct made made;
	struct hr_model model;
	double peak = sqrt((1 - retrograde.sigma) / retrograde.kappa);

	(void)state;
	make(&made, &retrograde, doubling, COUNT_OF(doubling), 9, 0.02, &random);
	model = model_of(&made);
	assert_true(model.peak_identified);
	assert_true(model.peak_measured);
	assert_near(model.peak_load, peak, 0.1);
	assert_near(model.peak_throughput_rps, hr_fit_rate(&retrograde, peak), 0.05);
	assert_true(model.peak_load_range.low < model.peak_load && model.peak_load < model.peak_load_range.high);
	assert_near(hr_model_throughput_rps(&model, model.peak_load), model.peak_throughput_rps, 1e-9);
}

static void a_run_that_does_not_fall_has_no_peak(void **state)
{
	struct hr_random random = { 11 };
	struct made made;
	struct hr_model model;

	(void)state;
	make(&made, &amdahl, doubling, COUNT_OF(doubling), 9, 0.02, &random);
	model = model_of(&made);
	assert_int_equal(model.kind, HR_MODEL_USL);
	assert_false(model.peak_identified);
	assert_true(isnan(model.peak_load) && isnan(model.peak_throughput_rps) && isnan(model.peak_load_range.high));

	/* curved, but measured short of the peak at 31 */
	make(&made, &retrograde, (const double[]){ 1, 2, 4, 6, 8, 12, 16, 20 }, 8, 9, 0.001, &random);
	model = model_of(&made);
	assert_int_equal(model.kind, HR_MODEL_USL);
	assert_false(model.peak_identified);

	model = published(ray_loads, ray_rates, COUNT_OF(ray_loads));
	assert_int_equal(model.kind, HR_MODEL_USL);
	assert_near(model.sigma, 0.057770772, 1e-4);
	assert_false(model.peak_identified);
}

static void a_cap_has_its_knee_for_a_peak(void **state)
{
	struct hr_random random = { 13 };
	struct made made;
	struct hr_model model;

	(void)state;
	make(&made, &capped, doubling, COUNT_OF(doubling), 9, 0.02, &random);
	model = model_of(&made);
	assert_int_equal(model.kind, HR_MODEL_CAP);
	assert_near(model.peak_load, 12, 0.05);
	assert_near(model.peak_throughput_rps, 6000, 0.02);
	assert_true(model.cap_range.low < 6000 && 6000 < model.cap_range.high);
	assert_near(hr_model_throughput_rps(&model, 1000), model.cap_rps, 1e-9);
}

/* usl: alpha 0.0277 (0.0091), lambda 90.0 (14.2), and 95 % is 2.78 of them at 4 degrees of freedom. */
static void single_windows_have_intervals_of_what_the_model_misses(void **state)
{
	struct hr_model model = published(ray_loads, ray_rates, 6);

	(void)state;
	assert_int_equal(model.kind, HR_MODEL_USL);
	assert_near(model.lambda, 20.8560456096, 1e-4);
	assert_near(model.kappa, 0.0016268092, 1e-4);
	/* R's standard error is 0.79 and 2.6e-4: 4 of them wide is 95 % of a normal distribution */
	assert_near(model.lambda_range.high - model.lambda_range.low, 4 * 0.7885, 0.25);
	assert_near(model.kappa_range.high - model.kappa_range.low, 4 * 2.614e-4, 0.25);
}

static void fewer_than_four_loads_have_no_model_and_say_so(void **state)
{
	struct hr_random random = { 17 };
	struct made made;
	struct hr_model model;

	(void)state;
	make(&made, &straight, doubling, 3, 9, 0.02, &random);
	made.count = 5; /* the same load again is no fourth */
	made.levels[3] = made.levels[4] = made.levels[0];
	model = model_of(&made);
	assert_int_equal(model.kind, HR_MODEL_NONE);
	assert_non_null(model.why);
	assert_int_equal(model.load_count, 3);
	assert_true(isnan(hr_model_throughput_rps(&model, 2)));
	assert_int_equal(hr_model_fit(NULL, 0, &model, NULL), 0);
	assert_int_equal(model.kind, HR_MODEL_NONE);
}

static void with_four_loads_the_windows_refute_a_line(void **state)
{
	struct hr_random random = { 19 };
	struct made made;
	struct hr_model model;

	(void)state;
	make(&made, &straight, doubling, 4, 9, 0.02, &random);
	model = model_of(&made);
	assert_int_equal(model.kind, HR_MODEL_LINEAR);
	assert_null(model.why);
	make(&made, &capped, (const double[]){ 4, 8, 16, 32 }, 4, 9, 0.02, &random);
	model = model_of(&made);
	assert_int_equal(model.kind, HR_MODEL_CAP);
	assert_true(isnan(model.aicc[HR_MODEL_CAP]));
	make(&made, &retrograde, (const double[]){ 2, 8, 32, 128 }, 4, 9, 0.02, &random);
	model = model_of(&made);
	assert_int_equal(model.kind, HR_MODEL_USL);
}

static void levels_of_one_load_are_one_in_any_order(void **state)
{
	struct hr_random random = { 23 };
	struct made made, turned;
	struct hr_model model, again;

	(void)state;
	make(&made, &retrograde, doubling, COUNT_OF(doubling), 10, 0.02, &random);
	model = model_of(&made);
	turned = made;
	turned.count = 2 * made.count;
	for (size_t i = 0; i < made.count; i++) {
		struct hr_model_level *first = &turned.levels[made.count - 1 - i], *second = &turned.levels[made.count + i];

		*first = *second = made.levels[i];
		first->window_count = 5;
		second->window_count = 5;
		second->throughput_rps += 5;
		second->seconds += 5;
	}
	again = model_of(&turned);
	assert_int_equal(again.load_count, made.count);
	assert_near(again.lambda, model.lambda, 1e-6);
	assert_near(again.kappa, model.kappa, 1e-6);
}

static void the_same_run_gives_the_same_intervals(void **state)
{
	struct hr_random random = { 29 };
	struct made made;
	struct hr_model model, again;

	(void)state;
	make(&made, &retrograde, doubling, COUNT_OF(doubling), 9, 0.05, &random);
	model = model_of(&made);
	again = model_of(&made);
	assert_true(model.sigma_range.low == again.sigma_range.low && model.sigma_range.high == again.sigma_range.high);
}

/* Levels that nobody would like to meet. */
static void assert_sane(const struct hr_model *model)
{
	if (model->kind == HR_MODEL_NONE) {
		assert_non_null(model->why);
		return;
	}
	assert_null(model->why);
	assert_true(isfinite(model->lambda) && isfinite(model->r_squared));
	assert_true(isfinite(model->lambda_range.low) && isfinite(model->lambda_range.high));
	assert_true(model->lambda_range.low <= model->lambda_range.high);
	if (model->kind == HR_MODEL_USL) {
		assert_true(model->sigma >= 0 && model->sigma <= 1 && model->kappa >= 0);
		assert_true(isfinite(model->sigma_range.high) && isfinite(model->kappa_range.high));
	}
	if (model->kind == HR_MODEL_CAP)
		assert_true(isfinite(model->cap_rps) && isfinite(model->cap_range.low) && isfinite(model->cap_range.high));
	if (model->peak_identified)
		assert_true(isfinite(model->peak_load) && isfinite(model->peak_throughput_rps) &&
			    isfinite(model->peak_load_range.high));
	for (double load = model->load_low; load <= model->load_high; load *= 2)
		assert_true(isfinite(hr_model_throughput_rps(model, load)));
}

static void nothing_that_can_be_measured_makes_a_number_of_the_model_none(void **state)
{
	static const double odd[] = { 0, 1e-300, 1e-3, 1, 7, 1e3, 1e11, 1e300, NAN, INFINITY, -1 };
	static const double loads[] = { 1, 2, 3, 4, 1e-6, 0.5, 64, 1e6, 1e11, 1e300, 0, NAN, INFINITY, -3 };
	struct hr_random random = { 31 };

	(void)state;
	for (int run = 0; run < 300; run++) {
		struct made made = { .count = hr_random_below(&random, LEVELS_MAX + 1) };
		struct hr_model model;

		for (size_t level = 0; level < made.count; level++) {
			size_t windows = hr_random_below(&random, 4);

			made.levels[level] = (struct hr_model_level){ loads[hr_random_below(&random, COUNT_OF(loads))],
								      made.rates[level], made.seconds, windows };
			for (size_t i = 0; i < windows; i++)
				made.rates[level][i] = odd[hr_random_below(&random, COUNT_OF(odd))];
		}
		for (size_t i = 0; i < WINDOWS_MAX; i++)
			made.seconds[i] = run % 2 ? 1 : odd[hr_random_below(&random, COUNT_OF(odd))];
		assert_int_equal(hr_model_fit(made.levels, made.count, &model, NULL), 0);
		assert_sane(&model);
	}
}

static void constant_zero_and_wild_throughput_are_borne(void **state)
{
	static const double constant[] = { 100, 100, 100, 100, 100, 100 }, zero[] = { 0, 0, 0, 0, 0, 0 };
	static const double wild[] = { 1, 1e9, 1, 1, 1, 1 }, first_zero[] = { 0, 0, 0, 100, 200, 300 };
	struct hr_model model = published(doubling, constant, 6);

	(void)state;
	assert_int_equal(model.kind, HR_MODEL_CAP);
	assert_near(model.cap_rps, 100, 1e-9);
	assert_near(model.peak_load, 1, 1e-9);
	assert_true(model.peak_measured && model.r_squared == 1);
	assert_sane(&model);
	model = published(doubling, zero, 6);
	assert_int_equal(model.kind, HR_MODEL_NONE);
	model = published(doubling, wild, 6);
	assert_sane(&model);
	model = published(doubling, first_zero, 6);
	assert_sane(&model);
}

/*
 * Runs are made up of a known truth, and its parameters looked for in the intervals: 95 in 100 are meant to hold them, and of 200
 * runs 180 to 199 are asked for. Windows are few and noisy, as those of a sweep.
 */
static void the_intervals_hold_the_truth_as_often_as_they_say(void **state)
{
	enum { RUNS = 200 };
	int lambda = 0, sigma = 0, kappa = 0, peak = 0, cap = 0;

	(void)state;
	for (int run = 0; run < RUNS; run++) {
		struct hr_random random = { 1000 + (uint64_t)run };
		struct made made;
		struct hr_model model;

		make(&made, &retrograde, doubling, COUNT_OF(doubling), 8, 0.05, &random);
		model = model_of(&made);
		assert_int_equal(model.kind, HR_MODEL_USL);
		lambda += model.lambda_range.low <= retrograde.lambda && retrograde.lambda <= model.lambda_range.high;
		sigma += model.sigma_range.low <= retrograde.sigma && retrograde.sigma <= model.sigma_range.high;
		kappa += model.kappa_range.low <= retrograde.kappa && retrograde.kappa <= model.kappa_range.high;
		peak += model.peak_load_range.low <= 31.145 && 31.145 <= model.peak_load_range.high;
		make(&made, &capped, doubling, COUNT_OF(doubling), 8, 0.05, &random);
		model = model_of(&made);
		cap += model.kind == HR_MODEL_CAP && model.cap_range.low <= capped.cap && capped.cap <= model.cap_range.high;
	}
	print_message("of %d runs the truth is in the interval of lambda %d, sigma %d, kappa %d, the peak's load %d, the cap %d times\n",
		      RUNS, lambda, sigma, kappa, peak, cap);
	assert_in_range(lambda, 180, 199);
	assert_in_range(sigma, 180, 199);
	assert_in_range(kappa, 180, 199);
	assert_in_range(peak, 180, 199);
	assert_in_range(cap, 180, 199);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_data_sets_give_the_published_coefficients),
		cmocka_unit_test(the_line_and_the_cap_are_those_of_r_and_so_is_the_criterion),
		cmocka_unit_test(a_cap_by_hand),
		cmocka_unit_test(the_criterion_takes_two_points_more_than_parameters_and_variance),
		cmocka_unit_test(the_model_that_made_the_data_is_found),
		cmocka_unit_test(the_peak_of_a_retrograde_run_is_where_it_was_put),
		cmocka_unit_test(a_run_that_does_not_fall_has_no_peak),
		cmocka_unit_test(a_cap_has_its_knee_for_a_peak),
		cmocka_unit_test(single_windows_have_intervals_of_what_the_model_misses),
		cmocka_unit_test(fewer_than_four_loads_have_no_model_and_say_so),
		cmocka_unit_test(with_four_loads_the_windows_refute_a_line),
		cmocka_unit_test(levels_of_one_load_are_one_in_any_order),
		cmocka_unit_test(the_same_run_gives_the_same_intervals),
		cmocka_unit_test(nothing_that_can_be_measured_makes_a_number_of_the_model_none),
		cmocka_unit_test(constant_zero_and_wild_throughput_are_borne),
		cmocka_unit_test(the_intervals_hold_the_truth_as_often_as_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
