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

#include "cli/nearest.h"
#include "cli/options.h"

struct values {
	bool quiet, force;
	const char *output;
	uint64_t duration_ns;
	int64_t port, shift;
	int format;
};

static const struct hr_option rows[] = {
	HR_OPTION_FLAG(struct values, quiet, "quiet", 'q', "say nothing"),
	HR_OPTION_FLAG(struct values, force, "force", 0, "replace a run that exists"),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "FILE", "run file to write\n(default: run.db)"),
	HR_OPTION_CHOICE(struct values, format, "format", 'f', "text|json|html", "how"),
	HR_OPTION_DURATION(struct values, duration_ns, "duration", 'd', "DURATION", "length", 10000000, 3600000000000),
	HR_OPTION_INT(struct values, port, "port", 0, "PORT", "port", 1, 65535),
	HR_OPTION_INT(struct values, shift, "shift", 's', "N", "shift", -5, 5),
	HR_OPTIONS_END,
};

#define WORDS_MAX 16

/* The outcome of one command line. */
static struct outcome {
	char *argv[WORDS_MAX];
	struct values values;
	struct hr_arguments arguments;
	struct hr_err err;
	int result;
} outcome;

/* Parse the words, which end with NULL. */
static void parse(const char *first, ...)
{
	va_list words;
	int argc = 1;

	outcome = (struct outcome){ .argv = { "record" }, .values = { .duration_ns = 77, .output = "run.db" } };
	va_start(words, first);
	for (const char *word = first; word; word = va_arg(words, const char *))
		outcome.argv[argc++] = (char *)word;
	va_end(words);
	outcome.result = hr_options_parse(rows, argc, outcome.argv, &outcome.values, &outcome.arguments, &outcome.err);
}

#define PARSE(...) parse(__VA_ARGS__, (char *)NULL)

static void assert_refused(int code, const char *sentence)
{
	assert_int_equal(outcome.result, code);
	assert_string_equal(outcome.err.text, sentence);
}

static void defaults_stay_where_nothing_is_given(void **state)
{
	(void)state;
	parse(NULL);
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.values.duration_ns, 77);
	assert_string_equal(outcome.values.output, "run.db");
	assert_false(outcome.values.quiet);
	assert_int_equal(outcome.arguments.count, 0);
	assert_null(outcome.arguments.command);
}

static void a_choice_is_one_of_its_words(void **state)
{
	static const char *const others[] = { "jso", "jsonl", "text|json", "|", "JSON" };
	char sentence[128];

	(void)state;
	PARSE("--format", "text");
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.values.format, 0);
	PARSE("-fhtml");
	assert_int_equal(outcome.values.format, 2);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		PARSE("-f", others[i]);
		snprintf(sentence, sizeof(sentence), "unknown format '%s'; it is text, json or html", others[i]);
		assert_refused(-EINVAL, sentence);
	}
	PARSE("-f", "\033[1m");
	assert_refused(-EINVAL, "unknown format '\357\277\275[1m'; it is text, json or html");
}

static void an_argument_is_attached_or_follows(void **state)
{
	(void)state;
	PARSE("--duration=2s", "--output", "a.db", "--port=80");
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.values.duration_ns, 2000000000);
	assert_string_equal(outcome.values.output, "a.db");
	assert_int_equal(outcome.values.port, 80);
	PARSE("-d500ms", "-o", "b.db");
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.values.duration_ns, 500000000);
	assert_string_equal(outcome.values.output, "b.db");
}

static void flags_are_bundled_with_a_last_option_that_takes_an_argument(void **state)
{
	(void)state;
	PARSE("-qoc.db", "--force");
	assert_int_equal(outcome.result, 0);
	assert_true(outcome.values.quiet);
	assert_true(outcome.values.force);
	assert_string_equal(outcome.values.output, "c.db");
}

static void an_argument_may_contain_an_equals_sign(void **state)
{
	(void)state;
	PARSE("--output=a=b");
	assert_string_equal(outcome.values.output, "a=b");
}

static void a_word_that_looks_like_an_option_is_an_argument_only_if_attached(void **state)
{
	(void)state;
	PARSE("-o", "-d", "10s");
	assert_refused(-EINVAL, "option '--output' needs an argument: FILE");
	PARSE("--output=-d");
	assert_int_equal(outcome.result, 0);
	assert_string_equal(outcome.values.output, "-d");
	PARSE("-o", "-");
	assert_int_equal(outcome.result, 0);
	assert_string_equal(outcome.values.output, "-");
}

static void a_negative_number_is_an_argument_where_one_is_accepted(void **state)
{
	(void)state;
	PARSE("-s", "-3");
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.values.shift, -3);
	PARSE("--port", "-3");
	assert_refused(-EINVAL, "option '--port' needs an argument: PORT");
}

static void an_argument_that_is_missing_or_empty_is_asked_for(void **state)
{
	(void)state;
	PARSE("--output");
	assert_refused(-EINVAL, "option '--output' needs an argument: FILE");
	PARSE("--output=");
	assert_refused(-EINVAL, "option '--output' needs an argument: FILE");
	PARSE("--output", "--", "true");
	assert_refused(-EINVAL, "option '--output' needs an argument: FILE");
}

static void a_flag_refuses_an_argument(void **state)
{
	(void)state;
	PARSE("--quiet=yes");
	assert_refused(-EINVAL, "option '--quiet' takes no argument");
	PARSE("--help=me");
	assert_refused(-EINVAL, "option '--help' takes no argument");
}

static void a_repeated_option_is_refused(void **state)
{
	(void)state;
	PARSE("-o", "a.db", "--output=b.db");
	assert_refused(-EINVAL, "option '--output' is given twice");
	PARSE("-qq");
	assert_refused(-EINVAL, "option '--quiet' is given twice");
}

static void an_unknown_option_suggests_the_nearest(void **state)
{
	(void)state;
	PARSE("--durations", "1s");
	assert_refused(-EINVAL, "unknown option '--durations'; did you mean '--duration'?");
	PARSE("--dur=1s");
	assert_refused(-EINVAL, "unknown option '--dur'; did you mean '--duration'?");
	PARSE("--ouptut=x");
	assert_refused(-EINVAL, "unknown option '--ouptut'; did you mean '--output'?");
	PARSE("--zebra");
	assert_refused(-EINVAL, "unknown option '--zebra'; --help lists the options");
	PARSE("-x");
	assert_refused(-EINVAL, "unknown option '-x'; --help lists the options");
}

static void a_duration_needs_a_unit_and_must_be_in_its_bounds(void **state)
{
	(void)state;
	PARSE("-d", "10");
	assert_refused(-EINVAL, "--duration: duration '10' has no unit; write '10s' or '10ms'");
	PARSE("-d", "1ms");
	assert_refused(-ERANGE, "--duration: 1ms is not between 10ms and 1h");
	PARSE("-d", "1.1h");
	assert_refused(-ERANGE, "--duration: 1.1h is not between 10ms and 1h");
}

static void a_number_must_be_one_and_in_its_bounds(void **state)
{
	(void)state;
	PARSE("--port", "http");
	assert_refused(-EINVAL, "--port: 'http' is not a whole number");
	PARSE("--port", "65536");
	assert_refused(-ERANGE, "--port: 65536 is not between 1 and 65535");
}

static void what_is_no_option_is_given_in_its_order(void **state)
{
	(void)state;
	PARSE("a.db", "-q", "b.db", "-");
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.arguments.count, 3);
	assert_string_equal(outcome.arguments.given[0], "a.db");
	assert_string_equal(outcome.arguments.given[1], "b.db");
	assert_string_equal(outcome.arguments.given[2], "-");
	assert_true(outcome.values.quiet);
}

static void everything_after_two_dashes_is_the_command(void **state)
{
	(void)state;
	PARSE("a.db", "--", "sleep", "-q", "--", "1");
	assert_int_equal(outcome.result, 0);
	assert_false(outcome.values.quiet);
	assert_int_equal(outcome.arguments.count, 1);
	assert_string_equal(outcome.arguments.command[0], "sleep");
	assert_string_equal(outcome.arguments.command[1], "-q");
	assert_string_equal(outcome.arguments.command[2], "--");
	assert_string_equal(outcome.arguments.command[3], "1");
	assert_null(outcome.arguments.command[4]);
}

static void two_dashes_at_the_end_are_an_empty_command(void **state)
{
	(void)state;
	PARSE("--");
	assert_int_equal(outcome.result, 0);
	assert_non_null(outcome.arguments.command);
	assert_null(outcome.arguments.command[0]);
}

static void help_stops_the_reading_but_not_inside_a_command(void **state)
{
	(void)state;
	PARSE("--help", "--zebra");
	assert_int_equal(outcome.result, 0);
	assert_true(outcome.arguments.help);
	PARSE("-qh");
	assert_true(outcome.arguments.help);
	PARSE("--", "ls", "--help");
	assert_false(outcome.arguments.help);
}

static void the_help_is_aligned(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	hr_options_print(rows, out);
	fclose(out);
	assert_string_equal(text, "  -q, --quiet                 say nothing\n"
				  "      --force                 replace a run that exists\n"
				  "  -o, --output FILE           run file to write\n"
				  "                              (default: run.db)\n"
				  "  -f, --format text|json|html\n"
				  "                              how\n"
				  "  -d, --duration DURATION     length\n"
				  "      --port PORT             port\n"
				  "  -s, --shift N               shift\n"
				  "  -h, --help                  show this and exit\n");
	free(text);
}

static const char *nearest_of(const char *word, const char *const *names)
{
	struct hr_nearest nearest = { .word = word };

	for (; *names; names++)
		hr_nearest_offer(&nearest, *names);
	return nearest.name;
}

static void a_word_is_near_a_name_within_a_third_of_its_letters(void **state)
{
	static const char *const names[] = { "record", "report", "mark", "doctor", NULL };
	char long_word[200];

	(void)state;
	assert_string_equal(nearest_of("recrod", names), "record");
	assert_string_equal(nearest_of("repotr", names), "report");
	assert_string_equal(nearest_of("rep", names), "report");
	assert_string_equal(nearest_of("docktor", names), "doctor");
	assert_string_equal(nearest_of("mrak", names), "mark");
	assert_null(nearest_of("list", names));
	assert_null(nearest_of("", names));
	memset(long_word, 'r', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(nearest_of(long_word, names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_stay_where_nothing_is_given),
		cmocka_unit_test(a_choice_is_one_of_its_words),
		cmocka_unit_test(an_argument_is_attached_or_follows),
		cmocka_unit_test(flags_are_bundled_with_a_last_option_that_takes_an_argument),
		cmocka_unit_test(an_argument_may_contain_an_equals_sign),
		cmocka_unit_test(a_word_that_looks_like_an_option_is_an_argument_only_if_attached),
		cmocka_unit_test(a_negative_number_is_an_argument_where_one_is_accepted),
		cmocka_unit_test(an_argument_that_is_missing_or_empty_is_asked_for),
		cmocka_unit_test(a_flag_refuses_an_argument),
		cmocka_unit_test(a_repeated_option_is_refused),
		cmocka_unit_test(an_unknown_option_suggests_the_nearest),
		cmocka_unit_test(a_duration_needs_a_unit_and_must_be_in_its_bounds),
		cmocka_unit_test(a_number_must_be_one_and_in_its_bounds),
		cmocka_unit_test(what_is_no_option_is_given_in_its_order),
		cmocka_unit_test(everything_after_two_dashes_is_the_command),
		cmocka_unit_test(two_dashes_at_the_end_are_an_empty_command),
		cmocka_unit_test(help_stops_the_reading_but_not_inside_a_command),
		cmocka_unit_test(the_help_is_aligned),
		cmocka_unit_test(a_word_is_near_a_name_within_a_third_of_its_letters),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
