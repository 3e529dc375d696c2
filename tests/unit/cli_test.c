/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"

struct values {
	const char *output;
	int64_t status;
};

static const struct hr_option rows[] = {
	HR_OPTION_TEXT(struct values, output, "output", 'o', "FILE", "file to write"),
	HR_OPTION_INT(struct values, status, "status", 's', "N", "status to end with", 0, 255),
	HR_OPTIONS_END,
};

static struct {
	int runs;
	struct values values;
	struct hr_arguments arguments;
} seen;

static int run_fake(const void *values, const struct hr_arguments *arguments)
{
	seen.runs++;
	seen.values = *(const struct values *)values;
	seen.arguments = *arguments;
	return (int)seen.values.status;
}

static int run_failing(const void *values, const struct hr_arguments *arguments)
{
	struct hr_err err;

	(void)values;
	(void)arguments;
	hr_err_set(&err, -ESRCH, "no process listens on port %d", 8000);
	hr_cli_say("report", "about to fail");
	return hr_cli_fail("report", HR_EXIT_FAILED, &err);
}

static const struct hr_verb record = {
	.name = "record", .summary = "record a run", .usage = "[-- CMD ...]", .examples = "  headroom record\n",
	.options = rows, .values_bytes = sizeof(struct values),
	.defaults = &(const struct values){ .output = "run.db" },
	.takes_command = true,
	.run = run_fake,
};
static const struct hr_verb report = {
	.name = "report", .summary = "show a run", .usage = "RUN.db", .options = rows,
	.values_bytes = sizeof(struct values),
	.arguments_max = 1, .arguments = "one run file", .run = run_fake,
};
static const struct hr_verb failing = {
	.name = "failing", .summary = "fail", .usage = "", .options = rows, .values_bytes = sizeof(struct values),
	.run = run_failing,
};
static const struct hr_verb *const verbs[] = { &record, &report, &failing, NULL };

static char out_text[4096], err_text[4096];

/* Send a stream to a file, or back. */
static int redirect(FILE *stream, int to)
{
	int before;

	fflush(stream);
	before = dup(fileno(stream));
	dup2(to, fileno(stream));
	close(to);
	return before;
}

static int scratch_file(void)
{
	FILE *file = tmpfile();
	int fd = dup(fileno(file));

	fclose(file);
	return fd;
}

static void read_back(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* Run a command line, which ends with NULL, and keep what it prints. Its output goes to out_fd if that is not -1. */
static int run_to(int out_fd, const char *first, ...)
{
	static char *argv[16]; /* the arguments that a verb sees point into it */
	int argc = 1, status, out = out_fd >= 0 ? out_fd : scratch_file(), err = scratch_file();
	const int keep_out = dup(out), keep_err = dup(err);
	va_list words;

	va_start(words, first);
	for (const char *word = first; word; word = va_arg(words, const char *))
		argv[argc++] = (char *)word;
	va_end(words);
	argv[0] = (char *)"headroom";
	argv[argc] = NULL;
	memset(&seen, 0, sizeof(seen));
	out = redirect(stdout, out);
	err = redirect(stderr, err);
	status = hr_cli_main(verbs, argc, argv);
	redirect(stdout, out);
	redirect(stderr, err);
	clearerr(stdout);
	read_back(keep_out, out_text, sizeof(out_text));
	read_back(keep_err, err_text, sizeof(err_text));
	return status;
}

#define RUN(...) run_to(-1, __VA_ARGS__, (char *)NULL)

static void a_verb_gets_its_values_and_its_status_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(RUN("record", "-s", "42", "--", "sleep", "1"), 42);
	assert_int_equal(seen.runs, 1);
	assert_string_equal(seen.values.output, "run.db");
	assert_string_equal(seen.arguments.command[0], "sleep");
	assert_int_equal(RUN("report", "-o", "x", "a.db"), 0);
	assert_string_equal(seen.values.output, "x");
	assert_string_equal(seen.arguments.given[0], "a.db");
}

static void a_failure_is_one_sentence_on_stderr(void **state)
{
	(void)state;
	assert_int_equal(RUN("failing"), HR_EXIT_FAILED);
	assert_string_equal(err_text, "headroom: report: about to fail\n"
				      "headroom: report: no process listens on port 8000\n");
	assert_string_equal(out_text, "");
}

static void bad_usage_is_one_sentence_and_nothing_runs(void **state)
{
	static const struct {
		const char *words[4], *sentence;
	} lines[] = {
		{ { "recrod" }, "headroom: unknown command 'recrod'; did you mean 'record'?\n" },
		{ { "zebra" }, "headroom: unknown command 'zebra'; `headroom help` lists the commands\n" },
		{ { "help", "recrod" }, "headroom: unknown command 'recrod'; did you mean 'record'?\n" },
		{ { "-o", "x" }, "headroom: '-o' stands before a command; write `headroom COMMAND -o`\n" },
		{ { "record", "--outptu=x" },
		  "headroom: record: unknown option '--outptu'; did you mean '--output'?\n" },
		{ { "record", "sleep" }, "headroom: record: unexpected argument 'sleep'; a command goes after '--'\n" },
		{ { "record", "--" }, "headroom: record: no command follows '--'\n" },
		{ { "report", "a", "b" }, "headroom: report: unexpected argument 'b'; it takes one run file\n" },
		{ { "report", "--", "a" }, "headroom: report: '--' is for a command, and this takes none\n" },
		{ { "failing", "a" }, "headroom: failing: unexpected argument 'a'; it takes options only\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(RUN(lines[i].words[0], lines[i].words[1], lines[i].words[2]), HR_EXIT_USAGE);
		assert_string_equal(err_text, lines[i].sentence);
		assert_string_equal(out_text, "");
		assert_int_equal(seen.runs, 0);
	}
}

static void no_command_at_all_shows_the_commands_as_an_error(void **state)
{
	(void)state;
	assert_int_equal(run_to(-1, NULL), HR_EXIT_USAGE);
	assert_non_null(strstr(err_text, "  record     record a run\n  report     show a run\n"));
	assert_string_equal(out_text, "");
}

static void help_is_data(void **state)
{
	(void)state;
	assert_int_equal(RUN("help"), HR_EXIT_DONE);
	assert_non_null(strstr(out_text, "  record     record a run\n"));
	assert_string_equal(err_text, "");
	assert_int_equal(RUN("--help"), HR_EXIT_DONE);
	assert_non_null(strstr(out_text, "commands:"));
}

static void help_of_a_verb_shows_usage_options_and_examples(void **state)
{
	static const char expected[] = "usage: headroom record [-- CMD ...]\n"
				       "\n"
				       "record a run\n"
				       "\n"
				       "options:\n"
				       "  -o, --output FILE           file to write\n"
				       "  -s, --status N              status to end with\n"
				       "  -h, --help                  show this and exit\n"
				       "\n"
				       "examples:\n"
				       "  headroom record\n";

	(void)state;
	assert_int_equal(RUN("record", "--help"), HR_EXIT_DONE);
	assert_string_equal(out_text, expected);
	assert_int_equal(RUN("help", "record"), HR_EXIT_DONE);
	assert_string_equal(out_text, expected);
	assert_int_equal(seen.runs, 0);
}

static void the_version_is_one_line(void **state)
{
	(void)state;
	assert_int_equal(RUN("--version"), HR_EXIT_DONE);
	assert_string_equal(out_text, "headroom " HR_VERSION "\n");
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(run_to(open("/dev/full", O_WRONLY), "help", (char *)NULL), HR_EXIT_FAILED);
	assert_string_equal(err_text, "headroom: cannot write to the standard output: No space left on device\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verb_gets_its_values_and_its_status_is_passed_on),
		cmocka_unit_test(a_failure_is_one_sentence_on_stderr),
		cmocka_unit_test(bad_usage_is_one_sentence_and_nothing_runs),
		cmocka_unit_test(no_command_at_all_shows_the_commands_as_an_error),
		cmocka_unit_test(help_is_data),
		cmocka_unit_test(help_of_a_verb_shows_usage_options_and_examples),
		cmocka_unit_test(the_version_is_one_line),
		cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
