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
		scratch_test(the_page_begins_with_the_verdict_and_no_label_reaches_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
