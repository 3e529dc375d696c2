/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "collect/levels.h"
#include "run_fixture.h"

static struct hr_mark mark;
static struct hr_err err;

static void assert_refused(const char *text, int code, const char *words)
{
	mark.warmup_ns = 77;
	assert_int_equal(hr_mark_parse(text, &mark, &err), code);
	if (!strstr(err.text, words))
		fail_msg("'%s' says not '%s'", err.text, words);
	assert_int_equal(mark.warmup_ns, 77);
}

static void a_mark_has_a_label_a_warmup_and_notes(void **state)
{
	(void)state;
	assert_int_equal(hr_mark_parse(" level=8  unit=rps warmup=1.5s\tnote=a=b\r", &mark, &err), 0);
	assert_true(mark.has_level && mark.has_warmup);
	assert_string_equal(mark.label, "8");
	assert_string_equal(mark.notes, "unit=rps note=a=b");
	assert_int_equal(mark.warmup_ns, 1500000000);
	assert_null(mark.command);
}

static void an_empty_level_ends_one_and_a_mark_without_level_is_of_the_open_one(void **state)
{
	(void)state;
	assert_int_equal(hr_mark_parse("level=", &mark, &err), 0);
	assert_true(mark.has_level && !mark.has_warmup && !mark.label[0] && hr_levels_cuts(&mark));
	assert_int_equal(hr_mark_parse("warmup=0", &mark, &err), 0);
	assert_true(!mark.has_level && mark.has_warmup && !mark.warmup_ns && hr_levels_cuts(&mark));
	assert_int_equal(hr_mark_parse("a=b", &mark, &err), 0);
	assert_true(!mark.has_level && !mark.has_warmup && !hr_levels_cuts(&mark));
}

static void what_is_no_mark_is_refused_with_its_reason(void **state)
{
	char text[600] = "a=";

	(void)state;
	assert_refused("", -EINVAL, "a mark needs key=value");
	assert_refused("  ", -EINVAL, "a mark needs key=value");
	assert_refused("level", -EINVAL, "'level' is not key=value");
	assert_refused("=8", -EINVAL, "'=8' is not key=value");
	assert_refused("level=8 \x1b[31m", -EINVAL, "'\xEF\xBF\xBD[31m' is not key=value");
	assert_refused("level=8 level=9", -EINVAL, "one level");
	assert_refused("level=8 warmup=1s warmup=1s", -EINVAL, "one warmup");
	assert_refused("level=8 warmup=2", -EINVAL, "warmup: ");
	assert_refused("level=8 warmup=-2s", -EINVAL, "warmup: ");
	assert_refused("level= note=x", -EINVAL, "nothing else");
	memset(text + 2, 'x', 300);
	assert_refused(text, -E2BIG, "255 bytes");
	memset(text, 0, sizeof(text));
	memset(text, 'x', 70);
	memcpy(text, "level=", 6);
	assert_refused(text, -E2BIG, "63 bytes");
	for (size_t i = 0; i < 3; i++) {
		memset(text + i * 200, 'x', 199);
		text[i * 200 + 1] = '=';
		text[i * 200 + 199] = i < 2 ? ' ' : '\0';
	}
	assert_refused(text, -E2BIG, "511 bytes");
}

static void a_label_that_is_a_number_is_offered(void **state)
{
	(void)state;
	assert_true(hr_mark_number("8") == 8 && hr_mark_number("0.5") == 0.5 && hr_mark_number("1e3") == 1000);
	assert_true(isnan(hr_mark_number("")) && isnan(hr_mark_number("low")) && isnan(hr_mark_number("8 users")));
	assert_true(isnan(hr_mark_number("inf")) && isnan(hr_mark_number("nan")) && isnan(hr_mark_number("0x10")));
	assert_true(isnan(hr_mark_number("1e999")) && isnan(hr_mark_number("-1")) && isnan(hr_mark_number("8-9")));
}

/* The rows */

struct levels {
	struct hr_levels levels;
	struct hr_writer *writer;
};

static void make_mark(struct levels *run, const char *text, int64_t now_ns)
{
	assert_int_equal(hr_mark_parse(text, &mark, &err), 0);
	if (hr_levels_check(&run->levels, &mark, &err) || hr_levels_mark(&run->levels, run->writer, &mark, now_ns, &err))
		fail_msg("%s", err.text);
}

static void assert_levels(const struct scratch *scratch, struct levels *run, const char *expected)
{
	struct hr_reader *reader;
	struct hr_query *query;

	assert_int_equal(hr_writer_commit(run->writer, &err), 0);
	reader = open_run(scratch->run);
	if (hr_query_open(reader, &query, &err,
			  "SELECT group_concat(concat, ';') FROM (SELECT level_id || ' ' || level || ' ' || ifnull(offered, '-') || ' ' || "
			  "start_ns || ' ' || measured_ns || ' ' || ifnull(end_ns, '-') || ' ' || ifnull(notes, '-') AS concat "
			  "FROM levels ORDER BY level_id)", ""))
		fail_msg("%s", err.text);
	assert_int_equal(hr_query_next(query), 1);
	if (!expected)
		assert_true(hr_query_is_null(query, 0));
	else
		assert_string_equal(hr_query_text(query, 0), expected);
	hr_query_close(query);
	hr_reader_close(reader);
}

static struct levels begin(const struct scratch *scratch)
{
	return (struct levels){ .writer = create_run(scratch->run) };
}

static void a_level_is_in_the_file_from_its_begin_and_the_next_one_ends_it(void **state)
{
	const struct scratch *scratch = *state;
	struct levels run = begin(scratch);

	assert_levels(scratch, &run, NULL);
	make_mark(&run, "level=1 warmup=2us unit=rps", 1000);
	assert_true(run.levels.is_warming);
	assert_levels(scratch, &run, "1 1 1.0 1000 3000 - unit=rps");
	assert_int_equal(hr_levels_measure(&run.levels, run.writer, 3010, &err), 0);
	assert_false(run.levels.is_warming);
	make_mark(&run, "level=high", 9000);
	assert_levels(scratch, &run, "1 1 1.0 1000 3010 9000 unit=rps;2 high - 9000 9000 - -");
	make_mark(&run, "level=", 9500);
	assert_levels(scratch, &run, "1 1 1.0 1000 3010 9000 unit=rps;2 high - 9000 9000 9500 -");
	assert_int_equal(hr_levels_end(&run.levels, run.writer, 9900, &err), 0);
	assert_levels(scratch, &run, "1 1 1.0 1000 3010 9000 unit=rps;2 high - 9000 9000 9500 -");
	hr_writer_close(run.writer);
}

static void a_level_that_ends_in_its_warmup_has_nothing_that_counts(void **state)
{
	const struct scratch *scratch = *state;
	struct levels run = begin(scratch);

	make_mark(&run, "level=1 warmup=2us", 1000);
	assert_int_equal(hr_levels_end(&run.levels, run.writer, 1500, &err), 0);
	assert_levels(scratch, &run, "1 1 1.0 1000 1500 1500 -");
	hr_writer_close(run.writer);
}

/* Intervals of 10 from the level's begin at 100 on: 'b' busy, '.' idle. */
static void pass_intervals(struct levels *run, const char *intervals)
{
	for (int i = 0; intervals[i]; i++)
		assert_int_equal(hr_levels_interval(&run->levels, run->writer, 100 + 10 * i, 110 + 10 * i, intervals[i] == '.', &err), 0);
}

/* A level from 100 on with those intervals, as sweep marks it. */
static void assert_followed(const struct scratch *scratch, uint64_t warmup_ns, const char *intervals, const char *expected)
{
	struct levels run;

	unlink(scratch->run);
	run = begin(scratch);
	mark = (struct hr_mark){ .has_level = true, .label = "1", .warmup_ns = warmup_ns, .follows_load = true };
	assert_int_equal(hr_levels_mark(&run.levels, run.writer, &mark, 100, &err), 0);
	pass_intervals(&run, intervals);
	mark = (struct hr_mark){ .has_level = true };
	assert_int_equal(hr_levels_mark(&run.levels, run.writer, &mark, 100 + 10 * (int64_t)strlen(intervals), &err), 0);
	assert_levels(scratch, &run, expected);
	hr_writer_close(run.writer);
}

static void the_level_of_a_load_counts_from_its_first_request_on(void **state)
{
	assert_followed(*state, 20, "bbbbbb", "1 1 1.0 100 120 160 -");
	assert_followed(*state, 20, "..bbbb", "1 1 1.0 100 140 160 -");
	assert_followed(*state, 5, "..bbbb", "1 1 1.0 100 130 160 -"); /* where an interval ends */
	assert_followed(*state, 0, "..bbbb", "1 1 1.0 100 120 160 -");
	assert_followed(*state, 0, "b..bbb", "1 1 1.0 100 100 160 -");
}

static void the_level_of_a_load_ends_with_its_last_request(void **state)
{
	assert_followed(*state, 20, "bbbb..", "1 1 1.0 100 120 130 -"); /* it ended somewhere in the fourth */
	assert_followed(*state, 20, "b.b.bb", "1 1 1.0 100 120 160 -");
	assert_followed(*state, 20, "bbb...", "1 1 1.0 100 120 130 -"); /* no more is left than the third */
}

static void the_level_of_a_load_without_visible_requests_is_as_marked(void **state)
{
	assert_followed(*state, 20, "......", "1 1 1.0 100 120 160 -");
}

static void a_mark_does_not_follow_the_load(void **state)
{
	const struct scratch *scratch = *state;
	struct levels run = begin(scratch);

	make_mark(&run, "level=1", 100);
	pass_intervals(&run, "..bb..");
	make_mark(&run, "level=", 160);
	assert_levels(scratch, &run, "1 1 1.0 100 100 160 -");
	hr_writer_close(run.writer);
}

static void more_can_be_said_of_an_open_level(void **state)
{
	const struct scratch *scratch = *state;
	struct levels run = begin(scratch);

	make_mark(&run, "level=1 a=b", 1000);
	make_mark(&run, "c=d", 0);
	make_mark(&run, "warmup=0", 4000);
	assert_levels(scratch, &run, "1 1 1.0 1000 4000 - a=b c=d");
	make_mark(&run, "warmup=1us", 5000);
	assert_levels(scratch, &run, "1 1 1.0 1000 6000 - a=b c=d");
	hr_writer_close(run.writer);
}

static void what_nothing_is_open_for_changes_nothing(void **state)
{
	static const char *const texts[] = { "level=", "warmup=1s", "a=b" };
	const struct scratch *scratch = *state;
	struct levels run = begin(scratch);

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(hr_mark_parse(texts[i], &mark, &err), 0);
		assert_int_equal(hr_levels_check(&run.levels, &mark, &err), -EINVAL);
		assert_non_null(strstr(err.text, "no level is open"));
	}
	assert_levels(scratch, &run, NULL);
	hr_writer_close(run.writer);
}

static void notes_that_do_not_fit_are_refused_and_not_cut(void **state)
{
	const struct scratch *scratch = *state;
	struct levels run = begin(scratch);
	char text[250] = "a=";

	memset(text + 2, 'x', 240);
	make_mark(&run, "level=1", 0);
	make_mark(&run, text, 0);
	make_mark(&run, text, 0);
	assert_int_equal(hr_mark_parse(text, &mark, &err), 0);
	assert_int_equal(hr_levels_check(&run.levels, &mark, &err), -E2BIG);
	assert_int_equal(strlen(run.levels.notes), 2 * 242 + 1);
	hr_writer_close(run.writer);
}

static void the_result_of_a_command_stands_with_its_level(void **state)
{
	const struct hr_level_result result = { .status = 3, .output = "a\nb", .notes = "ended=overdue" };
	const struct scratch *scratch = *state;
	struct levels run = begin(scratch);
	struct hr_reader *reader;

	make_mark(&run, "level=1 unit=rps", 0);
	make_mark(&run, "level=", 10);
	assert_int_equal(hr_levels_result(&run.levels, run.writer, &result, &err), 0);
	assert_int_equal(hr_levels_settled(&run.levels, run.writer, 42, &err), 0);
	assert_levels(scratch, &run, "1 1 1.0 0 0 10 unit=rps ended=overdue");
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT status * 1000 + settled_ns FROM levels WHERE output = 'a' || char(10) || 'b'"), 3042);
	hr_reader_close(reader);
	hr_writer_close(run.writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_has_a_label_a_warmup_and_notes),
		cmocka_unit_test(an_empty_level_ends_one_and_a_mark_without_level_is_of_the_open_one),
		cmocka_unit_test(what_is_no_mark_is_refused_with_its_reason),
		cmocka_unit_test(a_label_that_is_a_number_is_offered),
		scratch_test(a_level_is_in_the_file_from_its_begin_and_the_next_one_ends_it),
		scratch_test(a_level_that_ends_in_its_warmup_has_nothing_that_counts),
		scratch_test(the_level_of_a_load_counts_from_its_first_request_on),
		scratch_test(the_level_of_a_load_ends_with_its_last_request),
		scratch_test(the_level_of_a_load_without_visible_requests_is_as_marked),
		scratch_test(a_mark_does_not_follow_the_load),
		scratch_test(more_can_be_said_of_an_open_level),
		scratch_test(what_nothing_is_open_for_changes_nothing),
		scratch_test(notes_that_do_not_fit_are_refused_and_not_cut),
		scratch_test(the_result_of_a_command_stands_with_its_level),
	};

	return cmocka_run_group_tests_name("marks", tests, NULL, NULL);
}
