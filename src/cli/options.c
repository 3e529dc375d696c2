/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/options.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "cli/nearest.h"
#include "cli/terminal.h"

#define HELP_COLUMN 30

/* --help is no row of any verb's, and an option of all. */
const struct hr_option hr_option_help = { .name = "help", .letter = 'h', .help = "show this and exit" };

/* A command line while it is read. */
struct scan {
	const struct hr_option *rows;
	char **argv;
	int argc, next;	    /* next: the first argument that was not read yet */
	uint64_t seen;	    /* bit per row */
	void *values;
	struct hr_err *err;
};

static const struct hr_option *find_letter(const struct hr_option *rows, char letter)
{
	if (letter == hr_option_help.letter)
		return &hr_option_help;
	for (; rows->name; rows++)
		if (letter && rows->letter == letter)
			return rows;
	return NULL;
}

static const struct hr_option *find_name(const struct hr_option *rows, const char *name, size_t length)
{
	if (strlen(hr_option_help.name) == length && !memcmp(hr_option_help.name, name, length))
		return &hr_option_help;
	for (; rows->name; rows++)
		if (strlen(rows->name) == length && !memcmp(rows->name, name, length))
			return rows;
	return NULL;
}

static int unknown_name(const struct hr_option *rows, const char *name, size_t length, struct hr_err *err)
{
	char word[64];
	struct hr_nearest nearest = { .word = word };

	hr_text_clean(word, sizeof(word), name, length);
	hr_nearest_offer(&nearest, hr_option_help.name);
	for (; rows->name; rows++)
		hr_nearest_offer(&nearest, rows->name);
	if (nearest.name)
		return hr_err_set(err, -EINVAL, "unknown option '--%s'; did you mean '--%s'?", word, nearest.name);
	return hr_err_set(err, -EINVAL, "unknown option '--%s'; --help lists the options", word);
}

/* An exact duration as one would type it: "10ms", "1500us". */
static const char *typed_duration(int64_t ns, char buf[32])
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{ "h", 3600000000000 }, { "m", 60000000000 }, { "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns && ns % units[i].ns == 0) {
			snprintf(buf, 32, "%lld%s", (long long)(ns / units[i].ns), units[i].name);
			return buf;
		}
	}
	snprintf(buf, 32, "%lldns", (long long)ns);
	return buf;
}

static int store_duration(struct scan *scan, const struct hr_option *row, const char *text)
{
	char low[32], high[32];
	struct hr_err why;
	uint64_t ns;
	int result;

	result = hr_parse_duration_ns(text, &ns, &why);
	if (result)
		return hr_err_set(scan->err, result, "--%s: %s", row->name, why.text);
	if (ns < (uint64_t)row->low || ns > (uint64_t)row->high)
		return hr_err_set(scan->err, -ERANGE, "--%s: %s is not between %s and %s", row->name, text,
				  typed_duration(row->low, low), typed_duration(row->high, high));
	memcpy((char *)scan->values + row->offset, &ns, sizeof(ns));
	return 0;
}

static int store_int(struct scan *scan, const struct hr_option *row, const char *text)
{
	struct hr_err why;
	int64_t value;
	int result;

	result = hr_parse_int(text, row->low, row->high, &value, &why);
	if (result)
		return hr_err_set(scan->err, result, "--%s: %s", row->name, why.text);
	memcpy((char *)scan->values + row->offset, &value, sizeof(value));
	return 0;
}

/* The words of a choice are those between the bars of what the help calls its argument; a refusal lists them: "a, b or c". */
static int store_choice(struct scan *scan, const struct hr_option *row, const char *text)
{
	char word[64], list[192] = "";
	size_t length, used = 0;
	int which = 0;

	for (const char *choice = row->argument;; choice += length + 1, which++) {
		length = strcspn(choice, "|");
		if (strlen(text) == length && !memcmp(choice, text, length)) {
			memcpy((char *)scan->values + row->offset, &which, sizeof(which));
			return 0;
		}
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%.*s",
						 !which ? "" : choice[length] ? ", " : " or ", (int)length, choice);
		if (!choice[length])
			break;
	}
	hr_text_clean(word, sizeof(word), text, strlen(text));
	return hr_err_set(scan->err, -EINVAL, "unknown %s '%s'; it is %s", row->name, word, list);
}

/* Store an option's argument; NULL for a flag. */
static int store(struct scan *scan, const struct hr_option *row, const char *text)
{
	const uint64_t bit = 1ULL << (row - scan->rows);

	if (scan->seen & bit)
		return hr_err_set(scan->err, -EINVAL, "option '--%s' is given twice", row->name);
	scan->seen |= bit;
	switch (row->kind) {
	case HR_OPTION_IS_FLAG: *(bool *)((char *)scan->values + row->offset) = true; return 0;
	case HR_OPTION_IS_TEXT: memcpy((char *)scan->values + row->offset, &text, sizeof(text)); return 0;
	case HR_OPTION_IS_CHOICE: return store_choice(scan, row, text);
	case HR_OPTION_IS_DURATION: return store_duration(scan, row, text);
	case HR_OPTION_IS_INT: return store_int(scan, row, text);
	}
	return -EINVAL;
}

/*
 * The argument of an option that has none attached: the next word, unless that looks like an option. "-o -d 10s" is a
 * forgotten file name, and not a file named "-d"; a negative number is an argument where one is accepted.
 */
static const char *next_word(struct scan *scan, const struct hr_option *row)
{
	const char *word = scan->next < scan->argc ? scan->argv[scan->next] : NULL;
	bool number = row->kind == HR_OPTION_IS_INT && row->low < 0;

	if (!word || (word[0] == '-' && word[1] && !(number && word[1] >= '0' && word[1] <= '9')))
		return NULL;
	scan->next++;
	return word;
}

/* An option with what is attached to it (NULL: nothing). */
static int take(struct scan *scan, const struct hr_option *row, const char *attached)
{
	if (!row->argument) {
		if (attached)
			return hr_err_set(scan->err, -EINVAL, "option '--%s' takes no argument", row->name);
		return store(scan, row, NULL);
	}
	if (!attached)
		attached = next_word(scan, row);
	if (!attached || !*attached)
		return hr_err_set(scan->err, -EINVAL, "option '--%s' needs an argument: %s", row->name, row->argument);
	return store(scan, row, attached);
}

/* "--name", "--name=value". 1: help was asked for. */
static int take_long(struct scan *scan, const char *text)
{
	const size_t length = strcspn(text, "=");
	const struct hr_option *row = find_name(scan->rows, text, length);

	if (!row)
		return unknown_name(scan->rows, text, length, scan->err);
	if (row == &hr_option_help && !text[length])
		return 1;
	return take(scan, row, text[length] ? text + length + 1 : NULL);
}

/* "-l", "-lvalue", "-abc". 1: help was asked for. */
static int take_letters(struct scan *scan, const char *text)
{
	for (; *text; text++) {
		const struct hr_option *row = find_letter(scan->rows, *text);
		char word[8];
		int result;

		if (!row) {
			hr_text_clean(word, sizeof(word), text, 1);
			return hr_err_set(scan->err, -EINVAL, "unknown option '-%s'; --help lists the options", word);
		}
		if (row == &hr_option_help)
			return 1;
		if (row->argument)
			return take(scan, row, text[1] ? text + 1 : NULL);
		result = take(scan, row, NULL);
		if (result)
			return result;
	}
	return 0;
}

int hr_options_parse(const struct hr_option *options, int argc, char **argv, void *values,
		     struct hr_arguments *ret_arguments, struct hr_err *err)
{
	struct scan scan = { .rows = options, .argv = argv, .argc = argc, .next = 1, .values = values, .err = err };
	struct hr_arguments arguments = { .given = argv + 1 };

	while (scan.next < argc && !arguments.help) {
		char *word = argv[scan.next++];
		int result = 0;

		if (!strcmp(word, "--")) {
			arguments.command = argv + scan.next;
			break;
		}
		if (word[0] != '-' || !word[1])
			arguments.given[arguments.count++] = word;
		else if (word[1] == '-')
			result = take_long(&scan, word + 2);
		else
			result = take_letters(&scan, word + 1);
		if (result < 0)
			return result;
		arguments.help = result == 1;
	}
	*ret_arguments = arguments;
	return 0;
}

#define HELP_WIDTH 105 /* of the longest line as it is written */

/* Print text from column on; its further lines begin there too. On a narrow terminal its words are laid out anew. */
static void print_help(const char *text, FILE *out)
{
	const int columns = hr_terminal_columns(out, HELP_WIDTH), width = columns > 2 * HELP_COLUMN ? columns : 2 * HELP_COLUMN;
	const char *const ends = columns < HELP_WIDTH ? " \n" : "\n";
	int used = HELP_COLUMN;

	for (bool first = true; *text; first = false) {
		const int length = (int)strcspn(text, ends);

		if (!first && (columns >= HELP_WIDTH || used + 1 + length > width))
			used = fprintf(out, "\n%*s", HELP_COLUMN, "") - 1;
		else if (!first)
			used += fprintf(out, " ");
		used += fprintf(out, "%.*s", length, text);
		text += length + (text[length] != '\0');
	}
	fputc('\n', out);
}

static void print_row(const struct hr_option *row, FILE *out)
{
	int used;

	if (row->letter)
		used = fprintf(out, "  -%c, --%s", row->letter, row->name);
	else
		used = fprintf(out, "      --%s", row->name);
	if (row->argument)
		used += fprintf(out, " %s", row->argument);
	if (used > HELP_COLUMN - 2) {
		fputc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - used, "");
	print_help(row->help, out);
}

void hr_options_print(const struct hr_option *options, FILE *out)
{
	for (; options->name; options++)
		print_row(options, out);
	print_row(&hr_option_help, out);
}
