/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_fixture.h"

#include <errno.h>
#include <math.h>

#include "report/page.h"
#include "report/profile.h"
#include "report/report.h"

static int set_up_profiled(void **state)
{
	return set_up_loaded(state, sample_write_profiled);
}

typedef int export(const struct hr_summary *summary, enum hr_export_side side, FILE *out, struct hr_err *err);

static const char *export_text(struct fixture *fixture, export *write, enum hr_export_side side)
{
	struct hr_err err;
	size_t size;
	FILE *out;

	free(fixture->text);
	fixture->text = NULL;
	out = open_memstream(&fixture->text, &size);
	assert_non_null(out);
	if (write(fixture->summary, side, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	return fixture->text;
}

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) < 1e-6))
		fail_msg("%.9f is not %.9f", value, expected);
}

/* ---- folded ---- */

#define BAD "\xEF\xBF\xBD" /* U+FFFD: what a new line in a name becomes */
#define FOLDED_POLL "nginx;nginx;main;process_events;epoll_wait;epoll_wait;[poll] 60\n"
#define FOLDED_WORK \
	"nginx;worker-*;libz.so.1+0x1234 2\n" \
	"nginx;worker-*;main;worker_loop;[unknown] 1\n" \
	"nginx;worker-*;main;worker_loop;handle:request" BAD " 40\n" \
	"nginx;worker-*;main;worker_loop;handle:request" BAD ";do_syscall_64_[k];copy_user_[k] 5\n"
#define FOLDED_FUTEX "nginx;worker-*;main;worker_loop;queue_pop;pthread_cond_wait;futex;[futex] 90\n"
#define FOLDED_SCRIPT "python3;python3;[no user stack] 3\n"
#define FOLDED_SLEEP "python3;python3;[no user stack];[sleep] 1\n"

static void folded_stacks_go_from_process_to_state_and_add_up_over_threads_and_intervals(void **state)
{
	assert_string_equal(export_text(*state, hr_export_folded, HR_EXPORT_ALL),
			    FOLDED_POLL FOLDED_WORK FOLDED_FUTEX FOLDED_SCRIPT FOLDED_SLEEP);
}

static void a_side_is_only_what_was_on_cpu_or_only_what_was_not(void **state)
{
	assert_string_equal(export_text(*state, hr_export_folded, HR_EXPORT_ON_CPU), FOLDED_WORK FOLDED_SCRIPT);
	assert_string_equal(export_text(*state, hr_export_folded, HR_EXPORT_OFF_CPU), FOLDED_POLL FOLDED_FUTEX FOLDED_SLEEP);
}

static void functions_of_one_name_in_two_files_are_one_folded_line(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	for (int64_t i = 1; i <= 2; i++) {
		SAMPLE(writer, frames, i, "main", i == 1 ? "/bin/a" : "/bin/b", HR_NULL);
		SAMPLE(writer, stacks, i, 0, i);
		SAMPLE(writer, samples, .interval_id = 1, .thread_id = 1, .state = "user", .user_stack_id = i,
		       .kernel_stack_id = HR_NULL, .count = 10 * i, .time_ns = 100 * i * MS, .alone_ns = 100 * i * MS);
	}
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_string_equal(export_text(fixture, hr_export_folded, HR_EXPORT_ALL), "nginx;nginx;main 30\n");
	assert_int_equal(fixture->summary->code.on_cpu_count, 2);
}

/* ---- speedscope ---- */

/* Keys of a JSON object: those that must be there and those that may; a type for each. */
struct key {
	const char *name;
	json_type type;
	bool optional;
};

static void assert_object(json_t *object, const struct key *keys, size_t count)
{
	const char *name;
	json_t *value;
	size_t known;

	assert_true(json_is_object(object));
	json_object_foreach(object, name, value) {
		for (known = 0; known < count && strcmp(keys[known].name, name); known++)
			;
		if (known == count)
			fail_msg("no key '%s' in the format", name);
		if (json_typeof(value) != keys[known].type)
			fail_msg("'%s' has another type", name);
	}
	for (size_t i = 0; i < count; i++)
		if (!keys[i].optional && !json_object_get(object, keys[i].name))
			fail_msg("'%s' is missing", keys[i].name);
}
#define ASSERT_OBJECT(object, keys) assert_object(object, keys, sizeof(keys) / sizeof((keys)[0]))

static void assert_samples(json_t *profile, size_t frame_count)
{
	json_t *samples = json_object_get(profile, "samples"), *weights = json_object_get(profile, "weights");
	double end = json_number_value(json_object_get(profile, "endValue")), sum = 0;

	assert_true(json_array_size(samples) > 0);
	assert_int_equal(json_array_size(samples), json_array_size(weights));
	for (size_t i = 0; i < json_array_size(samples); i++) {
		json_t *stack = json_array_get(samples, i), *weight = json_array_get(weights, i);

		assert_true(json_is_array(stack) && json_array_size(stack) > 0);
		for (size_t frame = 0; frame < json_array_size(stack); frame++) {
			assert_true(json_is_integer(json_array_get(stack, frame)));
			assert_in_range(json_integer_value(json_array_get(stack, frame)), 0, frame_count - 1);
		}
		assert_true(json_is_real(weight) && json_real_value(weight) > 0);
		sum += json_real_value(weight);
	}
	assert_near(sum, end);
}

/* What https://www.speedscope.app/file-format-schema.json asks of a file with sampled profiles, and no key beyond it. */
static void assert_speedscope(json_t *file)
{
	static const struct key file_keys[] = {
		{ "$schema", JSON_STRING, false }, { "shared", JSON_OBJECT, false }, { "profiles", JSON_ARRAY, false },
		{ "name", JSON_STRING, true }, { "activeProfileIndex", JSON_INTEGER, true }, { "exporter", JSON_STRING, true },
	};
	static const struct key shared_keys[] = { { "frames", JSON_ARRAY, false } };
	static const struct key frame_keys[] = {
		{ "name", JSON_STRING, false }, { "file", JSON_STRING, true },
		{ "line", JSON_INTEGER, true }, { "col", JSON_INTEGER, true },
	};
	static const struct key profile_keys[] = {
		{ "type", JSON_STRING, false }, { "name", JSON_STRING, false }, { "unit", JSON_STRING, false },
		{ "startValue", JSON_INTEGER, false }, { "endValue", JSON_REAL, false }, { "samples", JSON_ARRAY, false },
		{ "weights", JSON_ARRAY, false },
	};
	json_t *frames = json_object_get(json_object_get(file, "shared"), "frames"), *profiles = json_object_get(file, "profiles");

	ASSERT_OBJECT(file, file_keys);
	assert_string_equal(json_string_value(json_object_get(file, "$schema")), "https://www.speedscope.app/file-format-schema.json");
	ASSERT_OBJECT(json_object_get(file, "shared"), shared_keys);
	for (size_t i = 0; i < json_array_size(frames); i++)
		ASSERT_OBJECT(json_array_get(frames, i), frame_keys);
	assert_in_range(json_integer_value(json_object_get(file, "activeProfileIndex")), 0, json_array_size(profiles) - 1);
	for (size_t i = 0; i < json_array_size(profiles); i++) {
		json_t *profile = json_array_get(profiles, i);

		ASSERT_OBJECT(profile, profile_keys);
		assert_string_equal(json_string_value(json_object_get(profile, "type")), "sampled");
		assert_string_equal(json_string_value(json_object_get(profile, "unit")), "milliseconds");
		assert_int_equal(json_integer_value(json_object_get(profile, "startValue")), 0);
		assert_samples(profile, json_array_size(frames));
	}
}

static json_t *export_speedscope(struct fixture *fixture, enum hr_export_side side)
{
	json_error_t error;

	export_text(fixture, hr_export_speedscope, side);
	json_decref(fixture->json);
	fixture->json = json_loads(fixture->text, JSON_REJECT_DUPLICATES, &error);
	if (!fixture->json)
		fail_msg("line %d: %s in:\n%s", error.line, error.text, fixture->text);
	assert_speedscope(fixture->json);
	return json_object_get(fixture->json, "profiles");
}

static const char *name_of(json_t *profiles, size_t index)
{
	return json_string_value(json_object_get(json_array_get(profiles, index), "name"));
}

/* The names of a stack, outermost first, as "a;b;c". */
static void join_names(json_t *file, json_t *stack, char *text, size_t size)
{
	json_t *frames = json_object_get(json_object_get(file, "shared"), "frames");
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(stack) && length < size; i++) {
		json_t *frame = json_array_get(frames, (size_t)json_integer_value(json_array_get(stack, i)));

		length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ";" : "",
					   json_string_value(json_object_get(frame, "name")));
	}
}

static void a_speedscope_file_has_a_profile_per_group_and_side(void **state)
{
	static const struct {
		const char *name;
		double milliseconds;
		size_t stacks;
	} expected[] = {
		{ "nginx off CPU", 600, 1 }, { "python3 on CPU", 30, 1 }, { "python3 off CPU", 10, 1 },
		{ "nginx/worker-* on CPU", 480, 4 }, { "nginx/worker-* off CPU", 900, 1 },
	};
	const size_t count = sizeof(expected) / sizeof(expected[0]);
	json_t *profiles = export_speedscope(*state, HR_EXPORT_ALL);

	assert_int_equal(json_array_size(profiles), count);
	for (size_t i = 0; i < count; i++) {
		json_t *profile = json_array_get(profiles, i);

		assert_string_equal(name_of(profiles, i), expected[i].name);
		assert_near(json_real_value(json_object_get(profile, "endValue")), expected[i].milliseconds);
		assert_int_equal(json_array_size(json_object_get(profile, "samples")), expected[i].stacks);
	}
}

static void a_speedscope_stack_begins_outermost(void **state)
{
	struct fixture *fixture = *state;
	json_t *profiles = export_speedscope(fixture, HR_EXPORT_ON_CPU);
	char names[256];

	assert_int_equal(json_array_size(profiles), 2);
	assert_string_equal(name_of(profiles, 1), "nginx/worker-* on CPU");
	join_names(fixture->json, json_array_get(json_object_get(json_array_get(profiles, 1), "samples"), 0), names, sizeof(names));
	assert_string_equal(names, "main;worker_loop;handle;request" BAD);
	profiles = export_speedscope(fixture, HR_EXPORT_OFF_CPU);
	assert_int_equal(json_array_size(profiles), 3);
	join_names(fixture->json, json_array_get(json_object_get(json_array_get(profiles, 2), "samples"), 0), names, sizeof(names));
	assert_string_equal(names, "main;worker_loop;queue_pop;pthread_cond_wait;futex;[futex]");
}

static void a_full_disk_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	FILE *full = fopen("/dev/full", "w");
	struct hr_err err;

	assert_non_null(full);
	assert_int_equal(hr_export_folded(fixture->summary, HR_EXPORT_ALL, full, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "cannot write the stacks"));
	clearerr(full);
	assert_int_equal(hr_export_speedscope(fixture->summary, HR_EXPORT_ALL, full, &err), -ENOSPC);
	fclose(full);
}

/* ---- places ---- */

static void assert_place(const struct hr_code_place *place, const char *function, const char *module, uint64_t count, uint64_t time_ns,
			 uint64_t alone_ns)
{
	if (function)
		assert_string_equal(place->function, function);
	else
		assert_null(place->function);
	if (module)
		assert_string_equal(place->module, module);
	else
		assert_null(place->module);
	assert_int_equal(place->count, count);
	assert_int_equal(place->time_ns, time_ns);
	assert_int_equal(place->alone_ns, alone_ns);
}

static void on_cpu_a_sample_is_its_innermost_functions(void **state)
{
	struct fixture *fixture = *state;
	const struct hr_code *code = &fixture->summary->code;

	assert_int_equal(code->on_cpu_count, 5);
	assert_place(&code->on_cpu[0], "handle;request" BAD, "/usr/sbin/nginx", 40, 400 * MS, 220 * MS);
	assert_place(&code->on_cpu[1], NULL, NULL, 3, 30 * MS, 30 * MS);
	assert_false(code->on_cpu[1].has_stack);
	assert_place(&code->on_cpu[2], "copy_user", "[kernel]", 5, 50 * MS, 25 * MS);
	assert_true(code->on_cpu[2].is_kernel);
	assert_place(&code->on_cpu[3], NULL, "/usr/lib/libz.so.1", 2, 20 * MS, 20 * MS);
	assert_place(&code->on_cpu[4], NULL, NULL, 1, 10 * MS, 5 * MS);
	assert_true(code->on_cpu[4].has_stack);
	assert_int_equal(code->on_cpu_ns, 510 * MS);
	assert_int_equal(code->alone_ns, 300 * MS);
}

static void off_cpu_a_sample_is_its_innermost_function_that_is_not_the_c_librarys(void **state)
{
	struct fixture *fixture = *state;
	const struct hr_code *code = &fixture->summary->code;

	assert_int_equal(code->off_cpu_count, 3);
	assert_place(&code->off_cpu[0], "queue_pop", "/usr/sbin/nginx", 90, 900 * MS, 0);
	assert_int_equal(code->off_cpu[0].state, HR_STATE_FUTEX);
	assert_string_equal(code->off_cpu[0].syscall, "futex");
	assert_place(&code->off_cpu[1], "process_events", "/usr/sbin/nginx", 60, 600 * MS, 0);
	assert_string_equal(code->off_cpu[1].syscall, "epoll_wait");
	assert_place(&code->off_cpu[2], NULL, NULL, 1, 10 * MS, 0);
	assert_null(code->off_cpu[2].syscall);
	assert_int_equal(code->off_cpu_ns, 1510 * MS);
}

static void missing_and_short_stacks_are_counted(void **state)
{
	struct fixture *fixture = *state;
	const struct hr_code *code = &fixture->summary->code;

	assert_int_equal(code->samples, 202);
	assert_int_equal(code->samples_without_stack, 4);
	assert_int_equal(code->samples_with_short_stack, 2);
}

/* One thread that works alone for 9 s, and ten that then work together for 1 s. */
static void nine_seconds_alone_and_one_on_ten_threads_weigh_90_to_10(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 10 * S);
	const struct hr_code *code;

	SAMPLE(writer, intervals, 1, 0, 10 * S);
	SAMPLE(writer, processes, .process_id = 1, .pid = 100, .parent_pid = 1, .name = "server", .last_ns = HR_NULL);
	SAMPLE(writer, frames, 1, "merge", "/bin/server", HR_NULL);
	SAMPLE(writer, frames, 2, "map", "/bin/server", HR_NULL);
	SAMPLE(writer, stacks, 1, 0, 1);
	SAMPLE(writer, stacks, 2, 0, 2);
	for (int64_t thread = 1; thread <= 10; thread++) {
		char name[16];

		snprintf(name, sizeof(name), "worker-%d", (int)thread);
		SAMPLE(writer, threads, .thread_id = thread, .process_id = 1, .tid = 100 + thread, .name = name,
		       .last_ns = 10 * S);
		SAMPLE(writer, samples, .interval_id = 1, .thread_id = thread, .state = "user", .user_stack_id = 2,
		       .kernel_stack_id = HR_NULL, .count = 100, .time_ns = S, .alone_ns = S / 10);
	}
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 1, .state = "user", .user_stack_id = 1,
	       .kernel_stack_id = HR_NULL, .count = 900, .time_ns = 9 * S, .alone_ns = 9 * S);
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	code = &fixture->summary->code;
	assert_int_equal(code->on_cpu_count, 2);
	assert_place(&code->on_cpu[0], "merge", "/bin/server", 900, 9 * S, 9 * S);
	assert_place(&code->on_cpu[1], "map", "/bin/server", 1000, 10 * S, S);
	assert_near((double)code->on_cpu[0].alone_ns / (double)code->alone_ns, 0.9);
	assert_near((double)code->on_cpu[0].time_ns / (double)code->on_cpu_ns, 9.0 / 19);
}

static void the_view_of_hot_functions_says_the_same(void **state)
{
	struct fixture *fixture = *state;
	struct hr_reader *reader = NULL;
	struct hr_query *query = NULL;
	struct hr_err err;

	if (hr_reader_open(fixture->path, &reader, &err) ||
	    hr_query_open(reader, &query, &err, "SELECT process, function, module, samples, seconds, cpu_share, wall_share "
			  "FROM v_hot_functions", ""))
		fail_msg("%s", err.text);
	assert_int_equal(hr_query_next(query), 1);
	assert_string_equal(hr_query_text(query, 0), "nginx");
	assert_string_equal(hr_query_text(query, 1), "handle;request\n");
	assert_string_equal(hr_query_text(query, 2), "/usr/sbin/nginx");
	assert_int_equal(hr_query_int(query, 3), 40);
	assert_near(hr_query_real(query, 4), 0.4);
	assert_near(hr_query_real(query, 5), 400.0 / 510);
	assert_near(hr_query_real(query, 6), 220.0 / 300);
	assert_int_equal(hr_query_next(query), 1);
	assert_string_equal(hr_query_text(query, 0), "python3");
	assert_null(hr_query_text(query, 1));
	assert_int_equal(hr_query_int(query, 3), 3);
	assert_int_equal(hr_query_next(query), 1);
	assert_string_equal(hr_query_text(query, 1), "copy_user");
	hr_query_close(query);
	hr_reader_close(reader);
}

static void a_run_without_stacks_has_no_places(void **state)
{
	struct fixture *fixture = *state;

	sample_write(fixture->path);
	fixture->summary = sample_load(fixture->path);
	assert_int_equal(fixture->summary->profile.sample_count, 0);
	assert_int_equal(fixture->summary->code.samples, 0);
	assert_int_equal(fixture->summary->code.on_cpu_count, 0);
}

/* Ids that lead nowhere: a stack without rows, a frame that is not there, a thread that is not, a state of a later version. */
static void a_damaged_file_gives_unknown_frames_and_no_crash(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	SAMPLE(writer, stacks, 1, 0, 77);
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 1, .state = "user", .user_stack_id = 1,
	       .kernel_stack_id = HR_NULL, .count = 2, .time_ns = 20 * MS, .alone_ns = 20 * MS);
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 1, .state = "user", .user_stack_id = 5, .kernel_stack_id = 6,
	       .count = 3, .time_ns = 30 * MS, .alone_ns = 30 * MS);
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 99, .state = "user", .user_stack_id = 1,
	       .kernel_stack_id = HR_NULL, .count = 4, .time_ns = 40 * MS, .alone_ns = 40 * MS);
	SAMPLE(writer, samples, .interval_id = 1, .thread_id = 1, .state = "levitates", .syscall = "float",
	       .user_stack_id = 1, .kernel_stack_id = HR_NULL, .count = 5, .time_ns = 50 * MS, .alone_ns = HR_NULL);
	sample_end(writer, true);
	fixture->summary = sample_load(fixture->path);
	assert_string_equal(export_text(fixture, hr_export_folded, HR_EXPORT_ALL),
			    "nginx;nginx;[no user stack] 3\n"
			    "nginx;nginx;[unknown] 2\n"
			    "nginx;nginx;[unknown];float;[other] 5\n");
	export_speedscope(fixture, HR_EXPORT_ALL);
}

/* ---- in the reports ---- */

static int write_text(const struct hr_summary *summary, enum hr_export_side side, FILE *out, struct hr_err *err)
{
	(void)side;
	return hr_report_text(&(struct hr_analysis){ .summary = (struct hr_summary *)summary }, false, out, err);
}

static int write_json(const struct hr_summary *summary, enum hr_export_side side, FILE *out, struct hr_err *err)
{
	(void)side;
	return hr_report_json(&(struct hr_analysis){ .summary = (struct hr_summary *)summary }, out, err);
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no\n%s in:\n%s", line, text);
}

static void the_text_report_says_where_the_code_is_hot_and_where_it_waits(void **state)
{
	const char *text = export_text(*state, write_text, HR_EXPORT_ALL);

	assert_has(text,
		   "HOT CODE ON CPU           function                              module                  CPU    wall*\n"
		   "  nginx/worker-*          handle;request?                       nginx                78.4 %   73.3 %\n"
		   "  python3                 (no stack)                                                  5.9 %   10.0 %\n"
		   "  nginx/worker-*          copy_user                             [kernel]              9.8 %    8.3 %\n"
		   "  nginx/worker-*          (no symbol)                           libz.so.1             3.9 %    6.7 %\n"
		   "  nginx/worker-*          (no symbol)                                                 2.0 %    1.7 %\n");
	assert_has(text,
		   "HOT CODE OFF CPU          state       call           function*                 module        blocked\n"
		   "  nginx/worker-*          futex       futex          queue_pop                 nginx          59.6 %\n"
		   "  nginx                   poll        epoll_wait     process_events            nginx          39.7 %\n"
		   "  python3                 sleep       -              (no stack)                                0.7 %\n");
	assert_has(text, "  stacks  Of 202 samples, 2.0 % have no user stack and 1.0 % one of under 3 functions.\n");
	assert_null(strstr(text, "-fno-omit-frame-pointer")); /* too few to be worth an advice */
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, HR_PAGE_COLUMNS);
}

static void json_says_where_the_code_is_hot_and_where_it_waits(void **state)
{
	struct fixture *fixture = *state;
	json_t *code, *place;

	fixture->json = json_loads(export_text(fixture, write_json, HR_EXPORT_ALL), 0, NULL);
	code = json_object_get(fixture->json, "code");
	assert_int_equal(json_integer_value(json_object_get(code, "samples")), 202);
	assert_near(json_real_value(json_object_get(code, "without_stack_share")), 4.0 / 202);
	assert_near(json_real_value(json_object_get(code, "short_stack_share")), 2.0 / 202);
	assert_int_equal(json_array_size(json_object_get(code, "on_cpu")), 5);
	place = json_array_get(json_object_get(code, "on_cpu"), 0);
	assert_string_equal(json_string_value(json_object_get(place, "thread")), "worker-*");
	assert_string_equal(json_string_value(json_object_get(place, "function")), "handle;request" BAD);
	assert_near(json_real_value(json_object_get(place, "cpu_share")), 400.0 / 510);
	assert_near(json_real_value(json_object_get(place, "wall_share")), 220.0 / 300);
	place = json_array_get(json_object_get(code, "on_cpu"), 1);
	assert_true(json_is_null(json_object_get(place, "function")));
	assert_true(json_is_false(json_object_get(place, "has_stack")));
	place = json_array_get(json_object_get(code, "off_cpu"), 0);
	assert_string_equal(json_string_value(json_object_get(place, "syscall")), "futex");
	assert_near(json_real_value(json_object_get(place, "blocked_share")), 900.0 / 1510);
	place = json_array_get(json_object_get(code, "off_cpu"), 2);
	assert_true(json_is_null(json_object_get(place, "syscall")));
}

static void a_run_without_stacks_says_nothing_in_text_and_null_in_json(void **state)
{
	struct fixture *fixture = *state;

	sample_write(fixture->path);
	fixture->summary = sample_load(fixture->path);
	assert_null(strstr(export_text(fixture, write_text, HR_EXPORT_ALL), "HOT CODE"));
	fixture->json = json_loads(export_text(fixture, write_json, HR_EXPORT_ALL), 0, NULL);
	assert_true(json_is_null(json_object_get(fixture->json, "code")));
}

#define profiled_test(function) cmocka_unit_test_setup_teardown(function, set_up_profiled, tear_down)
#define other_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		profiled_test(folded_stacks_go_from_process_to_state_and_add_up_over_threads_and_intervals),
		profiled_test(a_side_is_only_what_was_on_cpu_or_only_what_was_not),
		other_test(functions_of_one_name_in_two_files_are_one_folded_line),
		profiled_test(a_speedscope_file_has_a_profile_per_group_and_side),
		profiled_test(a_speedscope_stack_begins_outermost),
		profiled_test(a_full_disk_is_an_error),
		profiled_test(on_cpu_a_sample_is_its_innermost_functions),
		profiled_test(off_cpu_a_sample_is_its_innermost_function_that_is_not_the_c_librarys),
		profiled_test(missing_and_short_stacks_are_counted),
		other_test(nine_seconds_alone_and_one_on_ten_threads_weigh_90_to_10),
		profiled_test(the_view_of_hot_functions_says_the_same),
		other_test(a_run_without_stacks_has_no_places),
		other_test(a_damaged_file_gives_unknown_frames_and_no_crash),
		profiled_test(the_text_report_says_where_the_code_is_hot_and_where_it_waits),
		profiled_test(json_says_where_the_code_is_hot_and_where_it_waits),
		other_test(a_run_without_stacks_says_nothing_in_text_and_null_in_json),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
