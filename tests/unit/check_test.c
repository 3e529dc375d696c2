/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/verb.h"
#include "report/forecast.h"
#include "run_fixture.h"

#define PREDICTION(change) "{\"change\":\"" change "\",\"words\":\"x\",\"throughput_rps\":2000,\"low_rps\":1800,\"high_rps\":2200,\"limit\":null}"
#define REPORT(predictions) \
	"{\"schema\":\"headroom.report/1\",\"verdict\":{\"throughput_rps\":1000,\"load\":16,\"prediction\":[" predictions "]}}"

/* What reading the text as a report gives. */
static int read_text(const struct scratch *scratch, const char *text, const char *change, struct hr_forecast *ret, struct hr_err *err)
{
	char path[96];
	FILE *out;

	snprintf(path, sizeof(path), "%s/report.json", scratch->folder);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	err->text[0] = '\0';
	return hr_forecast_read(path, change, ret, err);
}

static void the_only_prediction_is_taken_and_of_several_the_one_that_is_named(void **state)
{
	struct hr_forecast forecast;
	struct hr_err err;

	assert_int_equal(read_text(*state, REPORT(PREDICTION("twice_workers")), NULL, &forecast, &err), 0);
	assert_int_equal(forecast.change, HR_CHANGE_TWICE_WORKERS);
	assert_true(forecast.throughput_rps == 2000 && forecast.range.low == 1800 && forecast.range.high == 2200);
	assert_true(forecast.base_throughput_rps == 1000 && forecast.base_load == 16);
	assert_int_equal(read_text(*state, REPORT(PREDICTION("twice_cpus") "," PREDICTION("cause_removed")), NULL, &forecast, &err), 0);
	assert_int_equal(forecast.change, HR_CHANGE_CAUSE_REMOVED);
	assert_int_equal(read_text(*state, REPORT(PREDICTION("twice_cpus") "," PREDICTION("cause_removed")), "twice_cpus", &forecast, &err),
			 0);
	assert_int_equal(forecast.change, HR_CHANGE_TWICE_CPUS);
	assert_true(read_text(*state, REPORT(PREDICTION("twice_cpus") "," PREDICTION("twice_replicas")), NULL, &forecast, &err) < 0);
	assert_non_null(strstr(err.text, "twice_cpus, twice_replicas"));
	assert_true(read_text(*state, REPORT(PREDICTION("twice_cpus")), "cause_removed", &forecast, &err) < 0);
}

static void whatever_is_no_report_is_refused_with_one_sentence(void **state)
{
	static const char *const wrong[] = {
		"", "{", "null", "[]", "1", "\"headroom.report/1\"", "{}", "{\"schema\":1}", "{\"schema\":\"headroom.report/2\"}",
		"{\"schema\":\"headroom.report/1\"}", "{\"schema\":\"headroom.report/1\",\"verdict\":null}",
		"{\"schema\":\"headroom.report/1\",\"verdict\":[]}", "{\"schema\":\"headroom.report/1\",\"verdict\":{\"prediction\":7}}",
		REPORT(""), REPORT("1"), REPORT("null,null"), REPORT("[]"), REPORT("{\"change\":null}"), REPORT("{\"change\":\"twice_moons\"}"),
		REPORT("{\"change\":\"twice_cpus\"}"), REPORT("{\"change\":\"twice_cpus\",\"throughput_rps\":\"2000\"}"),
		REPORT("{\"change\":\"twice_cpus\",\"throughput_rps\":-1,\"low_rps\":1,\"high_rps\":2}"),
		REPORT("{\"change\":\"twice_cpus\",\"throughput_rps\":10,\"low_rps\":3,\"high_rps\":2}"),
		REPORT("{\"change\":\"twice_cpus\",\"throughput_rps\":1e999,\"low_rps\":1,\"high_rps\":2}"),
		REPORT("{\"change\":\"twice_cpus\",\"change\":\"twice_cpus\"}"), "\xff\xfe", "{\"\\u0000\":1}",
	};
	struct hr_forecast forecast = { .change = HR_CHANGE_COUNT };
	char *deep = malloc(100001);
	struct hr_err err;

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (read_text(*state, wrong[i], NULL, &forecast, &err) >= 0)
			fail_msg("taken: %s", wrong[i]);
		assert_true(err.text[0] && !strchr(err.text, '\n') && !strchr(err.text, '\x1b'));
		assert_int_equal(forecast.change, HR_CHANGE_COUNT);
	}
	assert_non_null(deep);
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	assert_true(read_text(*state, deep, NULL, &forecast, &err) < 0);
	free(deep);
	assert_true(read_text(*state, "SQLite format 3", NULL, &forecast, &err) < 0);
	assert_non_null(strstr(err.text, "headroom report RUN.db --format json"));
	assert_int_equal(hr_forecast_read("/nonexistent", NULL, &forecast, &err), -ENOENT);
	assert_true(hr_forecast_read("/dev/zero", NULL, &forecast, &err) < 0);
	assert_true(hr_forecast_read("/tmp", NULL, &forecast, &err) < 0);
}

/* A later run of two levels. */
struct later {
	struct hr_analysis analysis;
	struct hr_level levels[2];
	struct hr_summary *summaries;
};

static struct later *make_later(double low_rps, double high_rps)
{
	struct later *later = calloc(1, sizeof(*later));

	assert_non_null(later);
	later->summaries = calloc(3, sizeof(*later->summaries));
	assert_non_null(later->summaries);
	for (int i = 0; i < 2; i++) {
		later->summaries[i].requests.throughput_rps = i ? high_rps : low_rps;
		later->levels[i] = (struct hr_level){ .load = i ? 8 : 1, .summary = &later->summaries[i],
						      .client = { NAN, NAN, NAN, NAN, NAN } };
	}
	later->analysis.summary = &later->summaries[2];
	later->analysis.axis = (struct hr_axis){ HR_AXIS_MARKED, later->levels, 2, NULL };
	return later;
}

static void drop_later(struct later *later)
{
	free(later->summaries);
	free(later);
}

static const struct hr_forecast twice = { HR_CHANGE_TWICE_CPUS, 2000, { 1800, 2200 }, 1000, 8 };

static void the_highest_throughput_is_a_hit_inside_the_interval_and_a_miss_outside(void **state)
{
	static const struct {
		double low_rps, high_rps, measured, error;
		bool hit;
	} cases[] = {
		{ 500, 2100, 2100, -100.0 / 2100, true }, { 500, 1800, 1800, 200.0 / 1800, true }, { 500, 1799, 1799, 201.0 / 1799, false },
		{ 2300, 100, 2300, -300.0 / 2300, false }, { NAN, 2000, 2000, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct later *later = make_later(cases[i].low_rps, cases[i].high_rps);
		struct hr_grade grade;

		assert_int_equal(hr_check(&twice, &later->analysis, &grade, NULL), 0);
		assert_int_equal(grade.hit, cases[i].hit);
		assert_true(grade.throughput_rps == cases[i].measured && fabs(grade.error_share - cases[i].error) < 1e-12);
		assert_true(grade.load == (cases[i].low_rps > cases[i].high_rps ? 1 : 8));
		assert_false(grade.less_load);
		drop_later(later);
	}
}

static void less_load_than_before_and_no_requests_are_said(void **state)
{
	struct later *later = make_later(500, 1000), *none = make_later(NAN, 0);
	struct hr_forecast forecast = twice;
	struct hr_grade grade;
	struct hr_err err = { "" };

	(void)state;
	forecast.base_load = 16;
	assert_int_equal(hr_check(&forecast, &later->analysis, &grade, NULL), 0);
	assert_true(grade.less_load && !grade.hit);
	assert_true(hr_check(&twice, &none->analysis, &grade, &err) < 0);
	assert_non_null(strstr(err.text, "no requests"));
	drop_later(later);
	drop_later(none);
}

static char *rendered(int (*render)(const struct hr_grade *, FILE *, struct hr_err *), const struct hr_grade *grade)
{
	char *written = NULL;
	size_t size;
	FILE *out = open_memstream(&written, &size);

	assert_non_null(out);
	assert_int_equal(render(grade, out, NULL), 0);
	fclose(out);
	return written;
}

static int text(const struct hr_grade *grade, FILE *out, struct hr_err *err)
{
	return hr_grade_text(grade, true, out, err);
}

static void the_grade_is_written_for_people_and_for_programs(void **state)
{
	const struct scratch *scratch = *state;
	struct later *later = make_later(500, 2100);
	struct hr_grade grade;
	char *written, command[256];
	FILE *out;

	assert_int_equal(hr_check(&twice, &later->analysis, &grade, NULL), 0);
	written = rendered(text, &grade);
	assert_non_null(strstr(written, "Hit: "));
	assert_non_null(strstr(written, "With twice the CPUs 2.00 k requests/s were predicted [1.80 k .. 2.20 k], +100.0 %"));
	assert_non_null(strstr(written, "4.8 % too low"));
	free(written);
	written = rendered(hr_grade_json, &grade);
	assert_non_null(strstr(written, "\"hit\": true"));
	snprintf(command, sizeof(command), "%s/check.json", scratch->folder);
	out = fopen(command, "w");
	assert_non_null(out);
	fputs(written, out);
	fclose(out);
	free(written);
	drop_later(later);
	if (system("python3 -c 'import jsonschema' 2>/dev/null") || access("docs/check.schema.json", R_OK)) {
		print_message("SKIP: needs python3-jsonschema, and the project's folder as the working directory\n");
		skip();
	}
	snprintf(command, sizeof(command), "python3 -W ignore -m jsonschema -i %s/check.json docs/check.schema.json", scratch->folder);
	assert_int_equal(system(command), 0);
}

static void changes_are_chosen_by_their_names_in_their_order(void **state)
{
	char words[256] = "";

	(void)state;
	for (enum hr_change change = 0; change < HR_CHANGE_COUNT; change++) {
		strcat(words, change ? "|" : "");
		strcat(words, hr_change_name(change));
	}
	assert_string_equal(hr_verb_check.options[0].name, "change");
	assert_string_equal(hr_verb_check.options[0].argument, words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_only_prediction_is_taken_and_of_several_the_one_that_is_named, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(whatever_is_no_report_is_refused_with_one_sentence, scratch_setup, scratch_teardown),
		cmocka_unit_test(the_highest_throughput_is_a_hit_inside_the_interval_and_a_miss_outside),
		cmocka_unit_test(changes_are_chosen_by_their_names_in_their_order),
		cmocka_unit_test(less_load_than_before_and_no_requests_are_said),
		cmocka_unit_test_setup_teardown(the_grade_is_written_for_people_and_for_programs, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
