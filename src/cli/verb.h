/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_VERB_H
#define HR_CLI_VERB_H

#include <stddef.h>

#include "cli/options.h"

/* What the program's exit status says. */
enum hr_exit {
	HR_EXIT_DONE = 0,
	HR_EXIT_FAILED = 1,
	HR_EXIT_USAGE = 2,
	HR_EXIT_LOSSY = 3, /* data was lost, under --strict */
	HR_EXIT_GATE = 99, /* a gate that was asked for failed */
};

/*
 * One verb of the command line, in src/cli/<name>.c. main() reads the options, prints --help and refuses what the rows
 * refuse, then calls run() with the values and what is left.
 *
 * run() returns the exit status (enum hr_exit, or that of a command that was run); it says what failed with
 * hr_cli_fail().
 */
struct hr_verb {
	const char *name;
	const char *summary;	 /* one line for `headroom help` */
	const char *usage;	 /* what follows "headroom NAME": "[TARGET] [-d DURATION] [-- CMD ...]" */
	const char *notes;	 /* paragraphs below the options, whole lines; NULL: none */
	const char *examples;	 /* whole lines, each ended; NULL: none */
	const struct hr_option *options;
	size_t values_bytes;	 /* size of the values struct that the rows write to */
	const void *defaults;	 /* a values struct; NULL: all zero */
	int arguments_max;	 /* how many arguments that are no options it takes: main() refuses more */
	const char *arguments;	 /* what those are, for the refusal: "one run file"; NULL when there are none */
	bool takes_command;	 /* "-- CMD ..." is allowed */
	int (*run)(const void *values, const struct hr_arguments *arguments);
};

extern const struct hr_verb hr_verb_record, hr_verb_sweep, hr_verb_mark, hr_verb_report, hr_verb_export, hr_verb_compare, hr_verb_plan,
	hr_verb_check, hr_verb_doctor;

/* All of them, in the order of the help; NULL ends it. */
extern const struct hr_verb *const hr_verbs[];

#endif
