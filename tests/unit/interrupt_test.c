/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <time.h>

#include "../bench/long_run.h"
#include "cli/cli.h"
#include "run_fixture.h"

/* An export that is ended half-way leaves nothing behind, and its status says what ended it. */

#define SECONDS 60 /* 180,000 rows: an export of them takes far longer than to see it begin */
#define TRIES 5

static const struct hr_verb *const verbs[] = { &hr_verb_export, NULL };

static void write_run(const char *path)
{
	struct bench bench = { .seconds = SECONDS, .threads = 500, .writer = create_run(path) };

	add_cast(&bench);
	for (int64_t i = 1; i <= SECONDS; i++)
		add_second(&bench, i);
	assert_int_equal(hr_writer_finish(bench.writer, &bench.err), 0);
	hr_writer_close(bench.writer);
}

static pid_t start_export(const struct scratch *scratch, const char *tree)
{
	char *argv[] = { (char *)"headroom", (char *)"export", (char *)scratch->run, (char *)"--format", (char *)"csv", (char *)"-o",
			 (char *)tree, NULL };
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		_exit(hr_cli_main(verbs, 7, argv));
	}
	return child;
}

/* A file of it is there, or its process is gone. */
static void wait_for_a_file(pid_t child, const char *tree)
{
	char command[256];
	siginfo_t gone = { .si_pid = 0 };

	snprintf(command, sizeof(command), "find '%s' -name '*.csv' 2>/dev/null | grep -q .", tree);
	while (!gone.si_pid && system(command) != 0)
		assert_int_equal(waitid(P_PID, (id_t)child, &gone, WEXITED | WNOHANG | WNOWAIT), 0);
}

static void check_signal(const struct scratch *scratch, int signal_number, bool tree_is_there)
{
	const char *tree = in(scratch, "tree");
	const int before = files_in(scratch->folder) + tree_is_there;
	int status = 0;

	for (int i = 0; i < TRIES && !WIFSIGNALED(status); i++) {
		pid_t child;

		if (tree_is_there)
			mkdir(tree, 0755);
		child = start_export(scratch, tree);
		wait_for_a_file(child, tree);
		kill(child, signal_number);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status)) /* it was done before */
			nftw(tree, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal_number);
	assert_int_equal(files_in(scratch->folder), before);
	if (!tree_is_there)
		return;
	assert_int_equal(files_in(tree), 0);
	assert_int_equal(rmdir(tree), 0);
}

static void an_export_that_is_ended_leaves_nothing(void **state)
{
	const struct scratch *scratch = *state;

	write_run(scratch->run);
	check_signal(scratch, SIGINT, false);
	check_signal(scratch, SIGTERM, true);
	check_signal(scratch, SIGHUP, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(an_export_that_is_ended_leaves_nothing),
	};

	return cmocka_run_group_tests_name("interrupt", tests, NULL, NULL);
}
