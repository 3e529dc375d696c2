/* SPDX-License-Identifier: BSD-2-Clause */
#include "axis_run.h"

#include <jansson.h>

#include "report/report.h"

/* What the reports say of levels, model and verdict. */

static struct hr_analysis *two_levels(const struct scratch *scratch)
{
	struct hr_writer *writer = begin(scratch);

	for (int64_t i = 1; i <= 4; i++)
		add_second(writer, i, i <= 2 ? 100 : 400, i <= 2 ? 1 : 4);
	mark(writer, "1", 1, 0, 0, 2, NULL);
	mark(writer, "4\x1b[31m", NAN, 2, 2, 4, NULL);
	ADD(writer, load_results, { "1", 99.5, 2, HR_NULL, HR_NULL, 12000000 });
	return end(writer, scratch);
}

/* Two levels of one second. Of 1 ms and of 4 ms, 0.25 and 3.25 are before the first read, 0.5 are service and 0.25 after it. */
static struct hr_analysis *two_levels_of_stages(const struct scratch *scratch)
{
	struct hr_writer *writer = begin(scratch);

	for (int64_t i = 1; i <= 2; i++) {
		const int64_t n = 100 * i, total_ns = i == 1 ? 1000000 : 4000000;

		add_second(writer, i, n, (double)i);
		ADD(writer, request_stages, { i, 1, "queue", n, n * (total_ns - 750000) });
		ADD(writer, request_stages, { i, 1, "service", n, n * 500000 });
		ADD(writer, request_stages, { i, 1, "stream", n, n * 250000 });
		ADD(writer, request_stages, { i, 1, "total", n, n * total_ns });
		ADD(writer, request_states, { i, 1, "user", n * 120000 });
		ADD(writer, request_states, { i, 1, "disk", n * 40000 });
		ADD(writer, request_states, { i, 1, "handoff", n * 60000 });
		ADD(writer, request_states, { i, 1, "futex", n * 20000 });
		mark(writer, i == 1 ? "1" : "2", (double)i, i - 1, i - 1, i, NULL);
	}
	return end(writer, scratch);
}

static char *render(const struct hr_analysis *analysis, bool json)
{
	struct hr_err err = { "" };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (json ? hr_report_json(analysis, out, &err) : hr_report_text(analysis, false, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	return text;
}

static void assert_valid(const struct scratch *scratch, const char *json)
{
	char command[256];

	if (access("/usr/bin/python3", X_OK) || system("/usr/bin/python3 -c 'import jsonschema' 2>/dev/null") ||
	    access("docs/report.schema.json", R_OK)) {
		print_message("SKIP: needs python3-jsonschema, and the project's folder as the working directory\n");
		skip();
	}
	write_file(in(scratch, "report.json"), json, strlen(json));
	snprintf(command, sizeof(command), "/usr/bin/python3 -W ignore -m jsonschema -i %s docs/report.schema.json",
		 in(scratch, "report.json"));
	assert_int_equal(system(command), 0);
}

static void levels_and_verdict_fit_the_schema(void **state)
{
	struct hr_analysis *analysis = two_levels(*state);
	char *json = render(analysis, true);

	hr_analysis_free(analysis);
	assert_valid(*state, json);
	free(json);
}

static void a_run_of_one_level_fits_the_schema(void **state)
{
	struct hr_writer *writer = begin(*state);
	struct hr_analysis *analysis;
	char *json;

	add_second(writer, 1, 100, 1);
	analysis = end(writer, *state);
	json = render(analysis, true);
	hr_analysis_free(analysis);
	assert_valid(*state, json);
	free(json);
}

static void json_has_each_level_with_what_the_client_measured(void **state)
{
	struct hr_analysis *analysis = two_levels(*state);
	char *text = render(analysis, true);
	json_t *json = json_loads(text, 0, NULL), *levels = json_object_get(json, "levels"), *first = json_array_get(levels, 0);

	assert_int_equal(json_array_size(levels), 2);
	assert_string_equal(json_string_value(json_object_get(first, "level")), "1");
	assert_near(json_real_value(json_object_get(first, "offered")), 1);
	assert_near(json_real_value(json_object_get(json_object_get(first, "client"), "throughput_rps")), 99.5);
	assert_true(json_is_null(json_object_get(json_object_get(first, "client"), "p50_ms")));
	assert_true(json_is_null(json_object_get(json_array_get(levels, 1), "offered")));
	assert_near(json_real_value(json_object_get(json_object_get(json, "total"), "throughput_rps")), 250);
	json_decref(json);
	free(text);
	hr_analysis_free(analysis);
}

static double number_at(json_t *json, const char *a, const char *b, const char *c)
{
	return json_number_value(json_object_get(json_object_get(json_object_get(json, a), b), c));
}

static void json_has_the_stages_of_each_level(void **state)
{
	struct hr_analysis *analysis = two_levels_of_stages(*state);
	char *text = render(analysis, true);
	json_t *json = json_loads(text, 0, NULL), *levels = json_object_get(json, "levels");

	assert_valid(*state, text);
	for (size_t i = 0; i < 2; i++) {
		json_t *level = json_array_get(levels, i), *stages = json_object_get(level, "stages_ms");

		assert_near(number_at(level, "stages_ms", "queue", "mean"), i ? 3.25 : 0.25);
		assert_near(number_at(level, "stages_ms", "service", "mean"), 0.5);
		assert_near(number_at(level, "stages_ms", "stream", "mean"), 0.25);
		assert_near(number_at(level, "stages_ms", "total", "mean"), i ? 4 : 1);
		assert_int_equal(number_at(level, "stages_ms", "queue", "count"), i ? 200 : 100);
		assert_true(json_is_null(json_object_get(stages, "accept")));
	}
	json_decref(json);
	free(text);
	hr_analysis_free(analysis);
}

/* 240 us of the states that are known of a request divide its 500 us of service. */
static void the_page_divides_a_requests_time_by_level(void **state)
{
	struct hr_analysis *analysis = two_levels_of_stages(*state);
	char *text = render(analysis, false);

	assert_non_null(strstr(text, "\nA REQUEST'S TIME*        mean    queue   on CPU  for CPU     handoff        disk     rest   stream\n"
				     "  1                   1.00 ms   250 us   250 us        -      125 us     83.3 us  41.7 us   250 us\n"
				     "  2                   4.00 ms  3.25 ms   250 us        -      125 us     83.3 us  41.7 us   250 us\n"));
	free(text);
	hr_analysis_free(analysis);
}

static void a_page_without_stages_divides_no_request(void **state)
{
	struct hr_analysis *analysis = two_levels(*state);
	char *text = render(analysis, false);

	assert_null(strstr(text, "A REQUEST'S TIME*"));
	free(text);
	hr_analysis_free(analysis);
}

static void the_page_begins_with_the_verdict_and_no_label_reaches_the_terminal(void **state)
{
	struct hr_analysis *analysis = two_levels(*state);
	char *text = render(analysis, false), *verdict = strstr(text, "\nVERDICT");

	assert_non_null(verdict);
	assert_true(verdict < strstr(text, "\nLEVELS"));
	assert_true(verdict < strstr(text, "\nWHERE THE TIME WENT"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	hr_analysis_free(analysis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(levels_and_verdict_fit_the_schema),
		scratch_test(a_run_of_one_level_fits_the_schema),
		scratch_test(json_has_each_level_with_what_the_client_measured),
		scratch_test(json_has_the_stages_of_each_level),
		scratch_test(the_page_divides_a_requests_time_by_level),
		scratch_test(a_page_without_stages_divides_no_request),
		scratch_test(the_page_begins_with_the_verdict_and_no_label_reaches_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
