/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_run.h"

#include "cli/cli.h"

/* The verb export as users call it: what it writes where, and what it refuses. */

static const struct hr_verb *const verbs[] = { &hr_verb_export, NULL };

struct fixture {
	char run[64], output[80];
	char said[1024], written[4096]; /* to the standard error, to the output file */
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	sample_path(fixture->run);
	snprintf(fixture->output, sizeof(fixture->output), "%s.export", fixture->run);
	sample_write_profiled(fixture->run);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->output);
	sample_remove(fixture->run);
	free(fixture);
	return 0;
}

static void read_all(FILE *file, char *text, size_t size)
{
	size_t length = file ? fread(text, 1, size - 1, file) : 0;

	text[length] = '\0';
	if (file)
		fclose(file);
}

/* Runs "headroom export WORDS..."; its status. */
static int run(struct fixture *fixture, const char *const *words)
{
	char *argv[12] = { (char *)"headroom", (char *)"export" };
	FILE *talk = tmpfile();
	int argc = 2, keep = dup(STDERR_FILENO), status;

	assert_non_null(talk);
	for (; *words; words++)
		argv[argc++] = (char *)*words;
	fflush(stderr);
	dup2(fileno(talk), STDERR_FILENO);
	status = hr_cli_main(verbs, argc, argv);
	fflush(stderr);
	dup2(keep, STDERR_FILENO);
	close(keep);
	rewind(talk);
	read_all(talk, fixture->said, sizeof(fixture->said));
	read_all(fopen(fixture->output, "r"), fixture->written, sizeof(fixture->written));
	return status;
}
#define RUN(fixture, ...) run(fixture, (const char *const[]){ __VA_ARGS__, NULL })

static void assert_begins(const char *text, const char *with)
{
	if (strncmp(text, with, strlen(with)))
		fail_msg("'%s' does not begin with '%s'", text, with);
}

static void each_format_is_written_to_a_file(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(RUN(fixture, fixture->run, "--format", "folded", "-o", fixture->output), HR_EXIT_DONE);
	assert_begins(fixture->written, "nginx;nginx;main;process_events;epoll_wait;epoll_wait;[poll] 60\n");
	assert_string_equal(fixture->said, "");
	assert_int_equal(RUN(fixture, fixture->run, "--format", "speedscope", "-o", fixture->output, "--force"), HR_EXIT_DONE);
	assert_begins(fixture->written, "{\"$schema\": \"https://www.speedscope.app/file-format-schema.json\",\n");
}

static void the_state_chooses_the_stacks(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(RUN(fixture, fixture->run, "-f", "folded", "--state=off-cpu", "-o", fixture->output), HR_EXIT_DONE);
	assert_null(strstr(fixture->written, "worker_loop;handle"));
	assert_non_null(strstr(fixture->written, ";futex;[futex] 90\n"));
	assert_int_equal(RUN(fixture, fixture->run, "-f", "folded", "--state=on-cpu", "-o", fixture->output, "--force"), HR_EXIT_DONE);
	assert_non_null(strstr(fixture->written, "worker_loop;handle"));
	assert_null(strstr(fixture->written, "[futex]"));
}

static void a_file_that_exists_is_kept_and_a_run_is_never_replaced(void **state)
{
	struct fixture *fixture = *state;
	struct hr_summary *summary;

	assert_int_equal(RUN(fixture, fixture->run, "-f", "folded", "-o", fixture->output), HR_EXIT_DONE);
	assert_int_equal(RUN(fixture, fixture->run, "-f", "speedscope", "-o", fixture->output), HR_EXIT_FAILED);
	assert_non_null(strstr(fixture->said, "--force replaces it\n"));
	assert_begins(fixture->written, "nginx;");
	assert_int_equal(RUN(fixture, fixture->run, "-f", "folded", "-o", fixture->run, "--force"), HR_EXIT_FAILED);
	assert_non_null(strstr(fixture->said, "is a run of headroom"));
	unlink(fixture->output);
	sample_write_profiled(fixture->output); /* another run, of which nothing is made here */
	assert_int_equal(RUN(fixture, fixture->run, "-f", "folded", "-o", fixture->output, "--force"), HR_EXIT_FAILED);
	assert_int_equal(RUN(fixture, "--ddl", "duckdb", "-o", fixture->output, "--force"), HR_EXIT_FAILED);
	assert_non_null(strstr(fixture->said, "is a run of headroom"));
	assert_begins(fixture->written, "SQLite format 3");
	summary = sample_load(fixture->run);
	hr_summary_free(summary);
}

static void what_is_wrong_is_one_sentence(void **state)
{
	static const struct {
		const char *words[5];
		enum hr_exit status;
		const char *sentence;
	} lines[] = {
		{ { NULL }, HR_EXIT_USAGE, "headroom: export: which format? --format csv, --format folded or --format speedscope\n" },
		{ { "-f", "folded", "-t", "traffic" }, HR_EXIT_USAGE, "headroom: export: --table goes with --format csv\n" },
		{ { "-f", "flame" }, HR_EXIT_USAGE, "headroom: export: unknown format 'flame'; it is csv, folded or speedscope\n" },
		{ { "-f", "folded", "--state=on" }, HR_EXIT_USAGE,
		  "headroom: export: unknown state 'on'; it is on-cpu, off-cpu or all\n" },
		{ { "-f", "folded" }, HR_EXIT_USAGE,
		  "headroom: export: which run? name its file: headroom export RUN.db --format folded\n" },
		{ { "-f", "folded", "a", "b" }, HR_EXIT_USAGE, "headroom: export: one run at a time; only --format csv takes several\n" },
		{ { "-f", "folded", "/none.db" }, HR_EXIT_FAILED, "headroom: export: " },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(run(fixture, lines[i].words), lines[i].status);
		assert_begins(fixture->said, lines[i].sentence);
		assert_ptr_equal(strchr(fixture->said, '\n'), fixture->said + strlen(fixture->said) - 1);
	}
}

static void a_run_without_stacks_is_no_empty_file(void **state)
{
	struct fixture *fixture = *state;

	sample_write(fixture->run);
	assert_int_equal(RUN(fixture, fixture->run, "-f", "folded", "-o", fixture->output), HR_EXIT_FAILED);
	assert_non_null(strstr(fixture->said, "has no sampled stacks\n"));
	assert_int_not_equal(access(fixture->output, F_OK), 0);
}

#define export_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		export_test(each_format_is_written_to_a_file),
		export_test(the_state_chooses_the_stacks),
		export_test(a_file_that_exists_is_kept_and_a_run_is_never_replaced),
		export_test(what_is_wrong_is_one_sentence),
		export_test(a_run_without_stacks_is_no_empty_file),
	};

	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
