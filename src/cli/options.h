/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_OPTIONS_H
#define HR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/*
 * Options as rows. A verb declares a struct of values and one row per option; the row says where in the struct the
 * value goes. The kind fixes the member's type: bool, const char *, int (which of the words of a choice, counted from 0),
 * uint64_t (nanoseconds), int64_t; the macros refuse any other.
 *
 *	struct values { const char *output; int format; uint64_t interval_ns; };
 *	static const struct hr_option options[] = {
 *		HR_OPTION_TEXT(struct values, output, "output", 'o', "FILE", "run file to write"),
 *		HR_OPTION_CHOICE(struct values, format, "format", 'f', "text|json", "how it is written"),
 *		HR_OPTION_DURATION(struct values, interval_ns, "interval", 'i', "DURATION", "length of an interval",
 *				   10000000, 3600000000000),
 *		HR_OPTIONS_END,
 *	};
 */
enum hr_option_kind { HR_OPTION_IS_FLAG, HR_OPTION_IS_TEXT, HR_OPTION_IS_CHOICE, HR_OPTION_IS_DURATION, HR_OPTION_IS_INT };

struct hr_option {
	const char *name;     /* long name without the dashes; NULL ends the rows */
	const char *argument; /* what the help calls its argument, "text|json" where it is one of these; NULL for a flag */
	const char *help;     /* lower case, no full stop; lines after the first are set below it */
	size_t offset;	      /* of the value in the verb's struct, in bytes */
	int64_t low, high;    /* first and last value accepted: nanoseconds for a duration */
	enum hr_option_kind kind;
	char letter;	      /* 0: none */
};

#define HR_OPTION_ROW(type, member, c_type, name, letter, argument, kind, help, low, high) \
	{ name, argument, help, _Generic(((type *)0)->member, c_type: offsetof(type, member)), low, high, kind, letter }
#define HR_OPTION_FLAG(type, member, name, letter, help) \
	HR_OPTION_ROW(type, member, bool, name, letter, NULL, HR_OPTION_IS_FLAG, help, 0, 0)
#define HR_OPTION_TEXT(type, member, name, letter, argument, help) \
	HR_OPTION_ROW(type, member, const char *, name, letter, argument, HR_OPTION_IS_TEXT, help, 0, 0)
#define HR_OPTION_CHOICE(type, member, name, letter, argument, help) \
	HR_OPTION_ROW(type, member, int, name, letter, argument, HR_OPTION_IS_CHOICE, help, 0, 0)
#define HR_OPTION_DURATION(type, member, name, letter, argument, help, low_ns, high_ns) \
	HR_OPTION_ROW(type, member, uint64_t, name, letter, argument, HR_OPTION_IS_DURATION, help, low_ns, high_ns)
#define HR_OPTION_INT(type, member, name, letter, argument, help, low, high) \
	HR_OPTION_ROW(type, member, int64_t, name, letter, argument, HR_OPTION_IS_INT, help, low, high)
#define HR_OPTIONS_END { 0 }

/* What is left of a command line once its options are read. The strings and arrays are those of argv. */
struct hr_arguments {
	int count;	/* of `given` */
	char **given;	/* what is no option, before "--" */
	char **command; /* what follows "--", ended by NULL, maybe empty; NULL: there was no "--" */
	bool help;	/* --help or -h: the rest was not looked at */
};

/*
 * Read argv[1..argc-1] into the struct at values, which holds the defaults: --name=VALUE, --name VALUE, -lVALUE, -l
 * VALUE, flags also bundled (-vq). argv is reordered and must end with NULL, as that of main() does.
 *
 * 0; -EINVAL: unknown option (err suggests the nearest name), missing or surplus argument, repeated option, not a value
 * of that kind, none of the words of a choice; -ERANGE: out of bounds. On failure the values may be half written. Does not print.
 */
int hr_options_parse(const struct hr_option *options, int argc, char **argv, void *values,
		     struct hr_arguments *ret_arguments, struct hr_err *err);

/* Print the rows, one option a line, the help aligned. */
void hr_options_print(const struct hr_option *options, FILE *out);

/* The option that every verb has beside its rows: --help. */
extern const struct hr_option hr_option_help;

#endif
