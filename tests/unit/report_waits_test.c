/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_fixture.h"

#include <inttypes.h>

#include "sample_waits.h"

/* What the reports say of who waited for whom. */

/* A plain page has nothing that is no text. */
static void assert_fits_in_ascii(const char *text)
{
	assert_fits(text);
	for (; *text; text++)
		assert_true((*text >= ' ' && *text < 0x7F) || *text == '\n');
}

static double number(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_number(value))
		fail_msg("%s is no number", key);
	return json_number_value(value);
}

static void assert_near(double actual, double expected)
{
	if (!(fabs(actual - expected) < 1e-3))
		fail_msg("%.12g is not %.12g", actual, expected);
}

static void assert_string(json_t *object, const char *key, const char *expected)
{
	const char *value = json_string_value(json_object_get(object, key));

	if (!value || strcmp(value, expected) != 0)
		fail_msg("%s is %s, not %s", key, value ? value : "no text", expected);
}

static void chains_are_told_in_words_and_followed_to_their_end(void **state)
{
	struct fixture *fixture = *state;

	sample_write_waits(fixture->path);
	assert_has(render_text(fixture, false),
		   "\nWHO WAITS FOR WHOM\n"
		   "  4 model/worker-* threads wait 60.0 % of their time for futex model_lock, released by\n"
		   "  model/worker-*, which, its own wait aside, was 80.0 % on CPU and 20.0 % in disk\n"
		   "  4 model/worker-* threads wait 12.0 % of their time in disk for file log, woken by jbd2\n"
		   "  Followed to its end, 29.4 s of waiting is due to model/worker-* on CPU (65.4 %), to the disk, for\n"
		   "  model/worker-* (32.7 %). Left out as idle, waiting for work: 23.0 s. wPerf's knot, a cross-check\n"
		   "  by the graph alone, says otherwise: disk, logger.\n"
		   "\nLOCKS*                        process       threads   waited contended  queue handover  released by\n"
		   "  model_lock                  model               4   24.0 s    99.0 %      3   100 us  worker-*\n"
		   "  * contended: ");
	assert_null(strstr(fixture->text, "0x5600")); /* a queue is no lock */
	assert_fits_in_ascii(fixture->text);
}

static void a_run_without_waits_says_nothing_of_them(void **state)
{
	struct fixture *fixture = *state;

	sample_write(fixture->path);
	render_text(fixture, false);
	assert_null(strstr(fixture->text, "WHO WAITS"));
	assert_null(strstr(fixture->text, "LOCKS"));
}

static void a_run_that_only_waited_for_work_says_that(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	SAMPLE(writer, edges, .edge_id = 1, .thread_id = 2, .state = "poll", .source = "interrupt",
	       .waker_thread_id = HR_NULL);
	SAMPLE(writer, waits, 1, 1, 100, 1500 * MS, 0, 0);
	sample_end(writer, true);
	assert_has(render_text(fixture, false), "\nWHO WAITS FOR WHOM\n  All waiting, 1.50 s, is for work.\n\n");
}

static void what_is_known_of_little_of_the_time_is_said_to_be_so(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	SAMPLE(writer, edges, .edge_id = 1, .thread_id = 3, .state = "futex", .subject_kind = "futex", .subject = "0x10",
	       .source = "thread", .waker_thread_id = 2, .waker = "nginx (101)");
	SAMPLE(writer, waits, 1, 1, 100, 2000 * MS, 0, 500 * MS);
	SAMPLE(writer, wait_windows, 1, 1, "user", 400 * MS);
	SAMPLE(writer, wait_windows, 1, 1, "runq", 100 * MS);
	sample_end(writer, true);
	assert_has(render_text(fixture, false),
		   "  2 nginx/worker-* threads wait 33.3 % of their time for futex 0x10, woken by nginx, which meanwhile\n"
		   "  was 80.0 % on CPU and 20.0 % waiting for a CPU\n"
		   "  Followed to its end, 2.00 s of waiting is due to nginx on CPU (80.0 %), to nginx waiting for a CPU\n"
		   "  (20.0 %). What threads did that others waited for is known for 25.0 % of that time; the rest is\n"
		   "  taken to be alike.\n");
}

static void circles_are_owned_up_to(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);

	sample_intervals(writer);
	sample_threads(writer);
	for (int64_t i = 1; i <= 3; i++) {
		SAMPLE(writer, edges, .edge_id = i, .thread_id = i < 3 ? i + 1 : 4, .state = i < 3 ? "ipc" : "disk",
		       .source = i < 3 ? "thread" : "interrupt", .waker_thread_id = i < 3 ? 4 - i : HR_NULL);
		SAMPLE(writer, waits, 1, i, 100, 1000 * MS, 0, 1000 * MS);
		if (i < 3)
			SAMPLE(writer, wait_windows, 1, i, "ipc", 1000 * MS);
	}
	sample_end(writer, true);
	assert_has(render_text(fixture, false),
		   "  Followed to its end, 1.00 s of waiting is due to the disk, for nginx/worker-* (100.0 %). Without\n"
		   "  an end, as in circles in which nobody runs: 2.00 s.\n");
}

static void hostile_names_stay_in_their_place(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = sample_begin(fixture->path, 4 * S);
	char name[400];

	memset(name, '/', sizeof(name));
	snprintf(name + 300, sizeof(name) - 300, "\033[2J%%s%%n\u202e\n");
	sample_intervals(writer);
	sample_threads(writer);
	for (int64_t edge = 1; edge <= 40; edge++) {
		SAMPLE(writer, edges, .edge_id = edge, .thread_id = 3, .state = "ipc", .subject_kind = "pipe",
		       .subject = edge > 20 ? name : "%s%n", .source = "other", .waker_thread_id = HR_NULL,
		       .waker = edge % 2 ? name : "%n (");
		SAMPLE(writer, waits, 1, edge, 100, 60 * MS, 0, 0);
		SAMPLE(writer, edges, .edge_id = 100 + edge, .thread_id = 4, .state = "klock", .subject_kind = "kernel_lock",
		       .subject = name + edge, .source = "thread", .waker_thread_id = 3);
		SAMPLE(writer, waits, 1, 100 + edge, 100, 70 * MS, 0, 0);
	}
	sample_end(writer, true);
	assert_fits_in_ascii(render_text(fixture, false));
	assert_has(fixture->text, "\nWHO WAITS FOR WHOM\n");
	assert_has(fixture->text, "  and 32 more\n"); /* locks */
	assert_non_null(render_json(fixture));
}

static void json_has_the_waits_their_ends_and_the_locks(void **state)
{
	struct fixture *fixture = *state;
	json_t *root, *wait, *blame, *end, *lock;

	sample_write_waits(fixture->path);
	root = render_json(fixture);
	wait = json_array_get(json_object_get(root, "waits"), 0);
	assert_string(wait, "waiter", "model/worker-*");
	assert_string(wait, "state", "futex");
	assert_string(wait, "subject_kind", "futex");
	assert_string(wait, "subject", "model_lock");
	assert_string(wait, "source", "thread");
	assert_string(wait, "waker", "model/worker-*");
	assert_near(number(wait, "threads"), 4);
	assert_near(number(wait, "count"), 400);
	assert_near(number(wait, "seconds"), 24);
	assert_near(number(wait, "share_of_time"), 0.6);
	assert_near(number(wait, "handover_us"), 100);
	assert_near(number(wait, "p50_us"), 1114.1115);
	assert_near(number(json_object_get(wait, "waker_states"), "user"), 0.2);
	assert_int_equal(json_object_size(json_object_get(wait, "waker_states")), 3);
	assert_int_equal(json_array_size(json_object_get(root, "waits")), 8);
	blame = json_object_get(root, "blame");
	assert_near(number(blame, "waited_s"), 52.35);
	assert_near(number(blame, "idle_s"), 23);
	assert_near(number(blame, "residual_share"), 0);
	end = json_array_get(json_object_get(blame, "ends"), 0);
	assert_string(end, "waiter", "model/worker-*");
	assert_string(end, "terminal", "on_cpu");
	assert_string(end, "owner", "model/worker-*");
	assert_true(fabs(number(end, "share") - 19.2 / 29.35) < 0.001);
	assert_int_equal(json_array_size(json_object_get(blame, "knots")), 2);
	lock = json_array_get(json_object_get(root, "locks"), 0);
	assert_string(lock, "name", "model_lock");
	assert_string(lock, "kind", "lock");
	assert_near(number(lock, "contended_share"), 0.99);
	assert_near(number(lock, "longest_queue"), 3);
	assert_string(lock, "released_by", "model/worker-*");
	lock = json_array_get(json_object_get(root, "locks"), 1);
	assert_string(lock, "kind", "kernel");
	assert_true(json_is_null(json_object_get(lock, "contended_share")));
	assert_string(json_array_get(json_object_get(root, "locks"), 2), "kind", "queue");
}

static void json_is_null_where_nothing_is_known_and_empty_where_nothing_waited(void **state)
{
	static const char *const keys[] = { "waits", "blame", "locks" };
	struct fixture *fixture = *state;
	json_t *root;

	sample_write_empty(fixture->path);
	root = render_json(fixture);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_true(json_is_null(json_object_get(root, keys[i])));
	json_decref(root);
	hr_summary_free(fixture->summary);
	fixture->summary = NULL;
	sample_remove(fixture->path);
	sample_write(fixture->path);
	root = render_json(fixture);
	assert_int_equal(json_array_size(json_object_get(root, "waits")), 0);
	assert_true(json_is_array(json_object_get(root, "locks")));
	assert_true(json_is_null(json_object_get(json_object_get(root, "blame"), "residual_share")));
	assert_near(number(json_object_get(root, "blame"), "waited_s"), 0);
}

static void json_satisfies_its_schema(void **state)
{
	struct fixture *fixture = *state;
	char path[64], command[256];
	FILE *out;

	if (system("/usr/bin/python3 -c 'import jsonschema' 2>/dev/null") || access("docs/report.schema.json", R_OK)) {
		print_message("SKIP: needs python3-jsonschema, and the project's folder as the working directory\n");
		skip();
	}
	sample_write_waits(fixture->path);
	render_json(fixture);
	snprintf(path, sizeof(path), "/tmp/headroom-waits-%d.json", (int)getpid());
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(fixture->text, out);
	fclose(out);
	snprintf(command, sizeof(command), "/usr/bin/python3 -W ignore -m jsonschema -i %s docs/report.schema.json", path);
	assert_int_equal(system(command), 0);
	unlink(path);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chains_are_told_in_words_and_followed_to_their_end),
		TEST(a_run_without_waits_says_nothing_of_them),
		TEST(a_run_that_only_waited_for_work_says_that),
		TEST(what_is_known_of_little_of_the_time_is_said_to_be_so),
		TEST(circles_are_owned_up_to),
		TEST(hostile_names_stay_in_their_place),
		TEST(json_has_the_waits_their_ends_and_the_locks),
		TEST(json_is_null_where_nothing_is_known_and_empty_where_nothing_waited),
		TEST(json_satisfies_its_schema),
	};

	return cmocka_run_group_tests_name("report_waits", tests, NULL, NULL);
}
