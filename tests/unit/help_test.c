/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>

#include "cli/completion.h"
#include "cli/verb.h"

/* Help, manual page and completion know all verbs and options. Run from the root of the checkout, as `make unit` does. */

#define PAGE "docs/headroom.1"

static char *page; /* the manual page, with "-" for "\-" */

static int set_up(void **state)
{
	FILE *file = fopen(PAGE, "re");
	size_t room = 0;
	char *to;

	(void)state;
	if (!file)
		fail_msg("cannot open '%s': unit tests run from the root of the checkout", PAGE);
	if (getdelim(&page, &room, '\0', file) < 0)
		fail_msg("'%s' is empty", PAGE);
	fclose(file);
	to = page;
	for (const char *from = page; *from; from++)
		if (from[0] != '\\' || from[1] != '-')
			*to++ = *from;
	*to = '\0';
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(page);
	return 0;
}

/* The page's section about a verb, in memory that the caller frees. */
static char *section_of(const char *verb)
{
	char heading[64];
	const char *begin, *next;

	snprintf(heading, sizeof(heading), "\n.SS %s\n", verb);
	begin = strstr(page, heading);
	if (!begin)
		fail_msg("%s has no section '.SS %s'", PAGE, verb);
	begin += strlen(heading);
	next = strstr(begin, "\n.S");
	return strndup(begin, next ? (size_t)(next - begin) : strlen(begin));
}

static bool is_name_letter(char letter)
{
	return isalnum((unsigned char)letter) || letter == '-';
}

/* The name with nothing of a name before or behind it. */
static bool has_word(const char *text, const char *word)
{
	const size_t length = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at++)
		if ((at == text || !is_name_letter(at[-1])) && !is_name_letter(at[length]))
			return true;
	return false;
}

static bool has_row(const struct hr_verb *verb, const char *name, size_t length)
{
	for (const struct hr_option *row = verb->options; row->name; row++)
		if (strlen(row->name) == length && !strncmp(row->name, name, length))
			return true;
	return length == 4 && !strncmp(name, "help", 4);
}

static void each_verb_has_a_summary_and_examples_that_begin_with_the_program(void **state)
{
	(void)state;
	for (const struct hr_verb *const *verb = hr_verbs; *verb; verb++) {
		assert_true((*verb)->summary[0]);
		assert_non_null((*verb)->examples);
		assert_non_null(strstr((*verb)->examples, "headroom "));
		assert_non_null(strstr((*verb)->examples, (*verb)->name));
		assert_int_equal((*verb)->examples[strlen((*verb)->examples) - 1], '\n');
	}
}

static void each_verb_is_in_the_synopsis_of_the_manual_page(void **state)
{
	const char *synopsis = strstr(page, ".SH SYNOPSIS"), *end = strstr(page, ".SH DESCRIPTION");
	char line[64];

	(void)state;
	for (const struct hr_verb *const *verb = hr_verbs; *verb; verb++) {
		const char *at;

		snprintf(line, sizeof(line), "\n.B headroom %s\n", (*verb)->name);
		at = strstr(synopsis, line);
		if (!at || at > end)
			fail_msg("the synopsis of %s lacks '%s'", PAGE, (*verb)->name);
	}
}

static void each_option_is_in_the_manual_page_under_its_verb(void **state)
{
	char word[64];

	(void)state;
	for (const struct hr_verb *const *verb = hr_verbs; *verb; verb++) {
		char *section = section_of((*verb)->name);

		for (const struct hr_option *row = (*verb)->options; row->name; row++) {
			snprintf(word, sizeof(word), "--%s", row->name);
			if (!has_word(section, word))
				fail_msg("%s lacks %s of %s", PAGE, word, (*verb)->name);
			snprintf(word, sizeof(word), "-%c", row->letter);
			if (row->letter && !has_word(section, word))
				fail_msg("%s lacks %s of %s", PAGE, word, (*verb)->name);
		}
		free(section);
	}
}

/* The tag of an item is the line after ".TP". */
static void each_option_that_the_manual_page_explains_is_there(void **state)
{
	(void)state;
	for (const struct hr_verb *const *verb = hr_verbs; *verb; verb++) {
		char *section = section_of((*verb)->name);

		for (char *item = section; (item = strstr(item, "\n.TP\n")); item++) {
			const char *tag = item + 5, *name = strstr(tag, "--");
			size_t length = 0;

			if (!name || name > tag + strcspn(tag, "\n"))
				continue;
			name += 2;
			while (is_name_letter(name[length]))
				length++;
			if (length && !has_row(*verb, name, length))
				fail_msg("%s explains --%.*s of %s, which is not there", PAGE, (int)length, name,
					 (*verb)->name);
		}
		free(section);
	}
}

static char *completion_of(const char *shell)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	hr_completion_find(shell)(hr_verbs, out);
	fclose(out);
	return text;
}

static void each_verb_and_option_is_in_the_completion_of_each_shell(void **state)
{
	static const char *const shells[] = { "bash", "zsh" };
	char word[64];

	(void)state;
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		char *text = completion_of(shells[i]);

		for (const struct hr_verb *const *verb = hr_verbs; *verb; verb++) {
			char *branch;

			snprintf(word, sizeof(word), "\t%s)", (*verb)->name);
			branch = strstr(text, word);
			/* the last one: in bash those of arguments come first */
			for (char *next = branch; next; next = strstr(next + 1, word))
				branch = next;
			if (!branch)
				fail_msg("completion of %s lacks %s", shells[i], (*verb)->name);
			branch = strndup(branch, (size_t)(strstr(branch, ";;") - branch));
			for (const struct hr_option *row = (*verb)->options; row->name; row++) {
				snprintf(word, sizeof(word), "--%s", row->name);
				if (!has_word(branch, word))
					fail_msg("completion of %s lacks %s of %s", shells[i], word, (*verb)->name);
			}
			free(branch);
		}
		free(text);
	}
	assert_null(hr_completion_find("fish"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verb_has_a_summary_and_examples_that_begin_with_the_program),
		cmocka_unit_test(each_verb_is_in_the_synopsis_of_the_manual_page),
		cmocka_unit_test(each_option_is_in_the_manual_page_under_its_verb),
		cmocka_unit_test(each_option_that_the_manual_page_explains_is_there),
		cmocka_unit_test(each_verb_and_option_is_in_the_completion_of_each_shell),
	};

	return cmocka_run_group_tests_name("help", tests, set_up, tear_down);
}
