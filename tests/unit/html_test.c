/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_run.h"

#include <errno.h>

#include "report/html.h"
#include "report/html_assets.h"

static const char hostile[] = "</script><script>alert(1)</script>&\xe2\x80\xa8\"'";

struct fixture {
	char path[64];
	struct hr_analysis *analysis;
	struct hr_series series;
	char *text;
};

static void write_hostile(const char *path)
{
	struct hr_writer *writer = NULL;
	struct hr_err err;

	if (hr_writer_create(path, true, (uid_t)-1, (gid_t)-1, &writer, &err))
		fail_msg("%s", err.text);
	SAMPLE(writer, run, .run_id = hostile, .host = hostile, .kernel = hostile, .arch = hostile, .cpus = 4,
	       .headroom_version = hostile, .target = hostile, .started_unix_ns = 1700000000250 * MS,
	       .asked_unix_ns = HR_NULL, .interval_ns = S, .ended_ns = S, .target_status = HR_NULL);
	SAMPLE(writer, intervals, 1, 0, S);
	SAMPLE(writer, processes, .process_id = 1, .pid = 100, .parent_pid = 1, .name = hostile, .command = hostile,
	       .last_ns = HR_NULL);
	SAMPLE(writer, threads, .thread_id = 1, .process_id = 1, .tid = 100, .name = hostile, .last_ns = S);
	SAMPLE(writer, thread_states, 1, 1, "user", S);
	SAMPLE(writer, levels, .level_id = 1, .level = hostile, .offered = 1, .end_ns = S, .notes = hostile,
	       .command = hostile, .output = hostile, .settled_ns = HR_NULL);
	SAMPLE(writer, frames, 1, hostile, hostile, HR_NULL);
	SAMPLE(writer, stacks, 1, 0, 1);
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 1, .state = "user", .user_stack_id = 1,
	       .kernel_stack_id = HR_NULL, .count = 1, .time_ns = S, .alone_ns = S);
	sample_end(writer, true);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct hr_reader *reader = NULL;
	struct hr_err err;

	*state = fixture;
	write_hostile(sample_path(fixture->path));
	if (hr_reader_open(fixture->path, &reader, &err) || hr_analysis_load(reader, &fixture->analysis, &err) ||
	    hr_series_load(reader, fixture->analysis->summary, &fixture->series, &err))
		fail_msg("%s", err.text);
	hr_reader_close(reader);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	free(fixture->text);
	hr_series_fini(&fixture->series);
	hr_analysis_free(fixture->analysis);
	sample_remove(fixture->path);
	free(fixture);
	return 0;
}

static int render(struct fixture *fixture, struct hr_err *err)
{
	size_t size;
	FILE *out = open_memstream(&fixture->text, &size);
	int ret = hr_report_html(fixture->analysis, &fixture->series, out, err);

	fclose(out);
	return ret;
}

/* A headroom without the charts refuses, in a sentence; the tests of a page have nothing to look at then. */
static char *page(struct fixture *fixture)
{
	struct hr_html_assets assets;
	struct hr_err err;

	if (!hr_html_assets(&assets))
		skip();
	if (render(fixture, &err))
		fail_msg("%s", err.text);
	return fixture->text;
}

/* Between the tags of an element of data; ends it there. */
static char *data_of(char *text, const char *id)
{
	char tag[80], *begin, *end;

	snprintf(tag, sizeof(tag), "<script type=\"application/json\" id=\"%s\">", id);
	begin = strstr(text, tag);
	assert_non_null(begin);
	begin += strlen(tag);
	end = strstr(begin, "</script>\n");
	assert_non_null(end);
	*end = '\0';
	return begin;
}

static void names_cannot_end_the_data_that_they_are_in(void **state)
{
	static const char *const ids[] = { "course", "report" }; /* the last first: each is cut off behind */
	char *text = page(*state);

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char *data = data_of(text, ids[i]);

		assert_non_null(strstr(data, "\\u003c/script\\u003e\\u003cscript\\u003ealert(1)"));
		assert_non_null(strstr(data, "\\u0026"));
		assert_null(strpbrk(data, "<>&"));
		for (const char *at = data; *at; at++)
			assert_true(*at >= ' ' && *at <= '~');
	}
}

static void names_are_in_the_data_and_nowhere_else(void **state)
{
	char *text = page(*state), *data = data_of(text, "course");

	assert_null(strstr(data + strlen(data) + 1, "alert(1)"));
	*strstr(text, "<script type=\"application/json\" id=\"report\">") = '\0';
	assert_null(strstr(text, "alert(1)"));
}

static void the_page_has_a_policy_that_names_its_own_script_and_style_alone(void **state)
{
	char *text = page(*state);

	assert_non_null(strstr(text, "content=\"default-src 'none'; script-src 'sha256-"));
	assert_non_null(strstr(text, "; style-src 'sha256-"));
	*strstr(text, "</head>") = '\0';
	assert_null(strstr(text, "unsafe"));
	assert_null(strstr(text, "http:"));
	assert_null(strstr(text, "https:"));
}

static void without_the_charts_it_says_how_to_get_them(void **state)
{
	struct hr_html_assets assets;
	struct hr_err err;

	if (hr_html_assets(&assets))
		skip();
	assert_int_equal(render(*state, &err), -ENOSYS);
	assert_non_null(strstr(err.text, "make charts"));
	assert_string_equal(((struct fixture *)*state)->text, "");
}

#define html_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		html_test(names_cannot_end_the_data_that_they_are_in),
		html_test(names_are_in_the_data_and_nowhere_else),
		html_test(the_page_has_a_policy_that_names_its_own_script_and_style_alone),
		html_test(without_the_charts_it_says_how_to_get_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
