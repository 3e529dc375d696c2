/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "made_run.h"
#include "report/compare.h"

#define MS 1e6

static void compare(const struct made_run *base, const struct made_run *new, struct hr_comparison *ret)
{
	struct hr_err err;

	if (hr_compare(&base->run, 1, &new->run, 1, ret, &err))
		fail_msg("%s", err.text);
}

static void assert_near(double seen, double expected, double share)
{
	if (!(fabs(seen / expected - 1) <= share))
		fail_msg("%g is not %g", seen, expected);
}

static void a_change_beyond_the_spread_of_windows_is_found_with_its_range(void **state)
{
	struct made_run base, new;
	struct hr_comparison comparison;
	const struct hr_difference *throughput, *p99;

	(void)state;
	made_begin(&base, "a", 1);
	made_begin(&new, "b", 2);
	made_level(&base, "8", 12, 1000, 10 * MS, 0.02, HR_STATE_FUTEX, 0.5);
	made_level(&new, "8", 12, 800, 13 * MS, 0.02, HR_STATE_FUTEX, 0.5);
	compare(&base, &new, &comparison);
	assert_int_equal(comparison.level_count, 1);
	throughput = &comparison.levels[0].measures[HR_MEASURE_THROUGHPUT];
	assert_near(throughput->change, -0.2, 0.1);
	assert_true(throughput->beyond_noise);
	assert_true(throughput->range.low < throughput->change && throughput->change < throughput->range.high);
	assert_true(throughput->range.high < -0.15 && throughput->range.low > -0.25);
	p99 = &comparison.levels[0].measures[HR_MEASURE_P99];
	assert_near(p99->change, 0.3, 0.2);
	assert_true(p99->beyond_noise);
	assert_true(hr_comparison_fails(&comparison.levels[0], HR_MEASURE_THROUGHPUT, 0.05));
	assert_true(hr_comparison_fails(&comparison.levels[0], HR_MEASURE_P99, 0.05));
	assert_false(hr_comparison_fails(&comparison.levels[0], HR_MEASURE_THROUGHPUT, 0.5));
	/* what is asked of one is not asked of all */
	assert_false(hr_comparison_fails(&comparison.levels[0], HR_MEASURE_P50, 0.05));
	hr_comparison_fini(&comparison);
	/* the other way round it is better, and no failure */
	compare(&new, &base, &comparison);
	assert_true(comparison.levels[0].measures[HR_MEASURE_THROUGHPUT].beyond_noise);
	assert_false(hr_comparison_fails(&comparison.levels[0], HR_MEASURE_THROUGHPUT, 0.05));
	assert_false(hr_comparison_fails(&comparison.levels[0], HR_MEASURE_P99, 0.05));
	hr_comparison_fini(&comparison);
	made_end(&base);
	made_end(&new);
}

static void runs_of_the_same_rarely_differ_beyond_noise(void **state)
{
	int beyond = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct made_run base, new;
		struct hr_comparison comparison;

		made_begin(&base, "a", 1000 + seed);
		made_begin(&new, "b", 2000 + seed);
		made_level(&base, "8", 6, 1000, 10 * MS, 0.3, HR_STATE_FUTEX, 0.5);
		made_level(&new, "8", 6, 1000, 10 * MS, 0.3, HR_STATE_FUTEX, 0.5);
		compare(&base, &new, &comparison);
		beyond += comparison.levels[0].measures[HR_MEASURE_THROUGHPUT].beyond_noise;
		hr_comparison_fini(&comparison);
		made_end(&base);
		made_end(&new);
	}
	/* 2 of 40 on average; over 6 in one of 300 */
	assert_in_range(beyond, 0, 6);
}

static void two_windows_of_one_run_do_not_tell_the_noise(void **state)
{
	struct made_run base, new;
	struct hr_comparison comparison;

	(void)state;
	made_begin(&base, "a", 1);
	made_begin(&new, "b", 2);
	made_level(&base, "8", 2, 1000, 10 * MS, 0.02, HR_STATE_FUTEX, 0.5);
	made_level(&new, "8", 12, 500, 10 * MS, 0.02, HR_STATE_FUTEX, 0.5);
	compare(&base, &new, &comparison);
	assert_near(comparison.levels[0].measures[HR_MEASURE_THROUGHPUT].change, -0.5, 0.1);
	assert_true(isnan(comparison.levels[0].measures[HR_MEASURE_THROUGHPUT].range.low));
	assert_false(hr_comparison_fails(&comparison.levels[0], HR_MEASURE_THROUGHPUT, 0.05));
	hr_comparison_fini(&comparison);
	made_end(&base);
	made_end(&new);
}

/* Windows that hardly vary, but runs that do: what is sure with one run a side is not with several. */
static void the_spread_between_runs_is_noise_too(void **state)
{
	struct made_run made[4];
	struct hr_run runs[4];
	struct hr_comparison comparison;
	struct hr_err err;
	static const double rps[] = { 1000, 1200, 900, 1150 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		made_begin(&made[i], "run", (uint64_t)i + 1);
		made_level(&made[i], "8", 10, rps[i], 10 * MS, 0.001, HR_STATE_FUTEX, 0.5);
		runs[i] = made[i].run;
	}
	assert_int_equal(hr_compare(&runs[0], 1, &runs[2], 1, &comparison, &err), 0);
	assert_true(comparison.levels[0].measures[HR_MEASURE_THROUGHPUT].beyond_noise);
	hr_comparison_fini(&comparison);
	assert_int_equal(hr_compare(&runs[0], 2, &runs[2], 2, &comparison, &err), 0);
	assert_int_equal(comparison.levels[0].base.runs, 2);
	assert_near(comparison.levels[0].measures[HR_MEASURE_THROUGHPUT].base, 1100, 0.01);
	assert_false(comparison.levels[0].measures[HR_MEASURE_THROUGHPUT].beyond_noise);
	hr_comparison_fini(&comparison);
	for (int i = 0; i < 4; i++)
		made_end(&made[i]);
}

static void the_parts_of_a_request_add_up_and_the_largest_change_comes_first(void **state)
{
	struct made_run base, new;
	struct hr_comparison comparison;
	enum hr_part parts[HR_PARTS];
	double sum_ns = 0;
	size_t count;

	(void)state;
	made_begin(&base, "a", 1);
	made_begin(&new, "b", 2);
	made_level(&base, "8", 5, 1000, 10 * MS, 0, HR_STATE_FUTEX, 0.5); /* 5 ms in futex, 5 ms in the queue */
	made_level(&new, "8", 5, 1000, 20 * MS, 0, HR_STATE_FUTEX, 0.7);  /* 14 ms and 6 ms */
	compare(&base, &new, &comparison);
	for (int part = 0; part < HR_PARTS; part++)
		sum_ns += comparison.levels[0].new.part_ns[part];
	assert_near(sum_ns, 20 * MS, 1e-6);
	count = hr_comparison_parts(&comparison.levels[0], parts);
	assert_int_equal(count, 2);
	assert_int_equal(parts[0], HR_STATE_FUTEX);
	assert_int_equal(parts[1], HR_PART_QUEUE);
	assert_near(comparison.levels[0].new.part_ns[HR_STATE_FUTEX] - comparison.levels[0].base.part_ns[HR_STATE_FUTEX], 9 * MS, 1e-3);
	assert_string_equal(hr_part_name(parts[1]), "queue");
	hr_comparison_fini(&comparison);
	made_end(&base);
	made_end(&new);
}

static void levels_are_aligned_by_label_and_those_of_one_side_are_named(void **state)
{
	struct made_run base, new;
	struct hr_comparison comparison;

	(void)state;
	made_begin(&base, "a", 1);
	made_begin(&new, "b", 2);
	made_level(&base, "1", 3, 100, 10 * MS, 0.1, HR_STATE_FUTEX, 0.5);
	made_level(&base, "4", 3, 400, 10 * MS, 0.1, HR_STATE_FUTEX, 0.5);
	made_level(&new, "4", 3, 400, 10 * MS, 0.1, HR_STATE_FUTEX, 0.5);
	made_level(&new, "16", 3, 900, 10 * MS, 0.1, HR_STATE_FUTEX, 0.5);
	compare(&base, &new, &comparison);
	assert_int_equal(comparison.level_count, 1);
	assert_string_equal(comparison.levels[0].label, "4");
	assert_int_equal(comparison.base_only_count, 1);
	assert_string_equal(comparison.base_only[0], "1");
	assert_int_equal(comparison.new_only_count, 1);
	assert_string_equal(comparison.new_only[0], "16");
	hr_comparison_fini(&comparison);
	/* nothing in common: the whole runs */
	base.analysis.axis.kind = HR_AXIS_GROUPED;
	base.whole.requests = base.summaries[0].requests;
	new.whole.requests = new.summaries[1].requests;
	compare(&base, &new, &comparison);
	assert_int_equal(comparison.level_count, 1);
	assert_null(comparison.levels[0].label);
	assert_true(comparison.levels[0].load_differs);
	hr_comparison_fini(&comparison);
	made_end(&base);
	made_end(&new);
}

static char *rendered(const struct hr_comparison *comparison, bool json)
{
	const struct hr_compare_gate gate = { .share = NAN };
	char *text = NULL;
	struct hr_err err;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(json ? hr_compare_json(comparison, &gate, out, &err) : hr_compare_text(comparison, &gate, false, out, &err), 0);
	fclose(out);
	return text;
}

static void assert_noise(const struct hr_comparison *comparison, const char *json, const char *words)
{
	char *text = rendered(comparison, true);
	json_t *root = json_loads(text, 0, NULL);

	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(root, "levels"), 0), "noise")), json);
	json_decref(root);
	free(text);
	text = rendered(comparison, false);
	assert_non_null(strstr(text, words));
	free(text);
}

static void what_the_noise_is_of_is_said(void **state)
{
	struct made_run made[4];
	struct hr_run runs[4];
	struct hr_comparison comparison;
	struct hr_err err;

	(void)state;
	for (int i = 0; i < 4; i++) {
		made_begin(&made[i], "run", (uint64_t)i + 1);
		made_level(&made[i], "8", 10, 1000, 10 * MS, 0.1, HR_STATE_FUTEX, 0.5);
		runs[i] = made[i].run;
	}
	assert_int_equal(hr_compare(&runs[0], 1, &runs[2], 1, &comparison, &err), 0);
	assert_noise(&comparison, "within_runs", "noise    A side has one run");
	hr_comparison_fini(&comparison);
	assert_int_equal(hr_compare(&runs[0], 2, &runs[2], 1, &comparison, &err), 0);
	assert_noise(&comparison, "within_runs", "noise    A side has one run");
	hr_comparison_fini(&comparison);
	assert_int_equal(hr_compare(&runs[0], 2, &runs[2], 2, &comparison, &err), 0);
	assert_noise(&comparison, "between_runs", "noise    How runs of a side differ");
	hr_comparison_fini(&comparison);
	for (int i = 0; i < 4; i++)
		made_end(&made[i]);
}

static void a_comparison_of_whole_runs_says_so_and_why(void **state)
{
	struct made_run base, new;
	struct hr_comparison comparison;
	char *text;

	(void)state;
	made_begin(&base, "a", 1);
	made_begin(&new, "b", 2);
	made_level(&base, "4", 3, 400, 10 * MS, 0.1, HR_STATE_FUTEX, 0.5);
	made_level(&new, "16", 3, 900, 10 * MS, 0.1, HR_STATE_FUTEX, 0.5);
	base.whole.requests = base.summaries[0].requests;
	new.whole.requests = new.summaries[0].requests;
	compare(&base, &new, &comparison);
	text = rendered(&comparison, false);
	assert_non_null(strstr(text, "THE WHOLE RUNS"));
	assert_non_null(strstr(text, "  The sides have no level in common, so all of each run is compared"));
	assert_non_null(strstr(text, "THE LOAD WAS NOT THE SAME"));
	free(text);
	hr_comparison_fini(&comparison);
	base.analysis.axis.kind = new.analysis.axis.kind = HR_AXIS_GROUPED;
	compare(&base, &new, &comparison);
	text = rendered(&comparison, false);
	assert_non_null(strstr(text, "  Nobody marked levels of load"));
	free(text);
	hr_comparison_fini(&comparison);
	made_end(&base);
	made_end(&new);
}

static void what_is_not_known_is_null_in_json_and_na_in_text(void **state)
{
	struct made_run base, new;
	struct hr_comparison comparison;
	struct hr_err err;
	char *text = NULL;
	size_t size;
	FILE *out;
	json_t *root, *level;

	(void)state;
	made_begin(&base, "a", 1);
	made_begin(&new, "b", 2);
	made_level(&base, "8", 0, 0, 0, 0, HR_STATE_FUTEX, 0.5);
	made_level(&new, "8", 5, 1000, 10 * MS, 0.1, HR_STATE_FUTEX, 0.5);
	compare(&base, &new, &comparison);
	out = open_memstream(&text, &size);
	assert_int_equal(hr_compare_json(&comparison, &(struct hr_compare_gate){ .share = NAN }, out, &err), 0);
	fclose(out);
	root = json_loads(text, 0, NULL);
	level = json_array_get(json_object_get(root, "levels"), 0);
	assert_true(json_is_null(json_object_get(json_object_get(json_object_get(level, "measures"), "throughput_rps"), "base")));
	assert_true(json_is_null(json_object_get(json_object_get(json_object_get(level, "measures"), "throughput_rps"), "beyond_noise")));
	assert_true(json_is_null(json_object_get(json_object_get(level, "base"), "request_us")));
	assert_true(json_is_object(json_object_get(json_object_get(level, "new"), "request_us")));
	assert_true(json_is_null(json_object_get(root, "gate")));
	json_decref(root);
	free(text);
	out = open_memstream(&text, &size);
	assert_int_equal(hr_compare_text(&comparison, &(struct hr_compare_gate){ .share = NAN }, false, out, &err), 0);
	fclose(out);
	assert_non_null(strstr(text, "n/a"));
	assert_non_null(strstr(text, "noise not known"));
	assert_null(strstr(text, "nan"));
	free(text);
	hr_comparison_fini(&comparison);
	made_end(&base);
	made_end(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_beyond_the_spread_of_windows_is_found_with_its_range),
		cmocka_unit_test(runs_of_the_same_rarely_differ_beyond_noise),
		cmocka_unit_test(two_windows_of_one_run_do_not_tell_the_noise),
		cmocka_unit_test(the_spread_between_runs_is_noise_too),
		cmocka_unit_test(the_parts_of_a_request_add_up_and_the_largest_change_comes_first),
		cmocka_unit_test(levels_are_aligned_by_label_and_those_of_one_side_are_named),
		cmocka_unit_test(what_the_noise_is_of_is_said),
		cmocka_unit_test(a_comparison_of_whole_runs_says_so_and_why),
		cmocka_unit_test(what_is_not_known_is_null_in_json_and_na_in_text),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
