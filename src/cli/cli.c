/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/completion.h"
#include "cli/nearest.h"
#include "cli/terminal.h"

static void print_prefix(const char *verb)
{
	fputs("headroom: ", stderr);
	if (verb)
		fprintf(stderr, "%s: ", verb);
}

static __attribute__((format(printf, 2, 0)))
void print_sentence(const char *verb, const char *format, va_list arguments)
{
	print_prefix(verb);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

int hr_cli_fail(const char *verb, enum hr_exit code, const struct hr_err *err)
{
	print_prefix(verb);
	fprintf(stderr, "%s\n", err->text);
	return code;
}

int hr_cli_failf(const char *verb, enum hr_exit code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_sentence(verb, format, arguments);
	va_end(arguments);
	return code;
}

void hr_cli_say(const char *verb, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_sentence(verb, format, arguments);
	va_end(arguments);
}

static const struct hr_verb *find_verb(const struct hr_verb *const *verbs, const char *name)
{
	for (; *verbs; verbs++)
		if (!strcmp((*verbs)->name, name))
			return *verbs;
	return NULL;
}

static int unknown_verb(const struct hr_verb *const *verbs, const char *name)
{
	struct hr_nearest nearest = { .word = name };

	for (; *verbs; verbs++)
		hr_nearest_offer(&nearest, (*verbs)->name);
	hr_nearest_offer(&nearest, "help");
	hr_nearest_offer(&nearest, "completion");
	if (nearest.name)
		return hr_cli_failf(NULL, HR_EXIT_USAGE, "unknown command '%s'; did you mean '%s'?", name,
				    nearest.name);
	return hr_cli_failf(NULL, HR_EXIT_USAGE, "unknown command '%s'; `headroom help` lists the commands", name);
}

static void print_verbs(const struct hr_verb *const *verbs, FILE *out)
{
	fputs("usage: headroom COMMAND [OPTIONS] [ARGUMENTS]\n"
	      "\n"
	      "How far does a server scale on this host, and what stops it?\n"
	      "\n"
	      "commands:\n",
	      out);
	for (; *verbs; verbs++)
		fprintf(out, "  %-10s %s\n", (*verbs)->name, (*verbs)->summary);
	fputs("\n"
	      "`headroom help COMMAND` shows the options of one, `headroom --version` the version, and\n"
	      "`headroom completion bash|zsh` prints a completion script for a shell.\n",
	      out);
}

#define COLUMNS_MAX 100 /* beyond it lines are tiring */

/* What is a paragraph for people: its words in lines that fit the terminal. */
static void print_paragraphs(const char *text)
{
	int terminal = hr_terminal_columns(stdout, COLUMNS_MAX);
	size_t columns = terminal < COLUMNS_MAX ? (size_t)terminal : COLUMNS_MAX, used = 0;

	while (*text) {
		size_t length = strcspn(text, " \n");

		if (used && used + 1 + length > columns) {
			putchar('\n');
			used = 0;
		}
		used += (size_t)printf("%s%.*s", used ? " " : "", (int)length, text);
		text += length;
		text += strspn(text, " ");
		if (text[0] == '\n' && text[1] == '\n') {
			fputs("\n\n", stdout);
			used = 0;
		}
		text += strspn(text, "\n");
	}
	putchar('\n');
}

static void print_verb(const struct hr_verb *verb)
{
	printf("usage: headroom %s %s\n\n%s\n\noptions:\n", verb->name, verb->usage, verb->summary);
	hr_options_print(verb->options, stdout);
	if (verb->notes) {
		putchar('\n');
		print_paragraphs(verb->notes);
	}
	if (verb->examples)
		printf("\nexamples:\n%s", verb->examples);
}

/* Refuse what the rows accept and the verb does not. */
static int check_arguments(const struct hr_verb *verb, const struct hr_arguments *arguments)
{
	const char *surplus = arguments->count > verb->arguments_max ? arguments->given[verb->arguments_max] : NULL;

	if (surplus && verb->takes_command)
		return hr_cli_failf(verb->name, HR_EXIT_USAGE, "unexpected argument '%s'; a command goes after '--'",
				    surplus);
	if (surplus)
		return hr_cli_failf(verb->name, HR_EXIT_USAGE, "unexpected argument '%s'; it takes %s", surplus,
				    verb->arguments ? verb->arguments : "options only");
	if (arguments->command && !verb->takes_command)
		return hr_cli_failf(verb->name, HR_EXIT_USAGE, "'--' is for a command, and this takes none");
	if (arguments->command && !arguments->command[0])
		return hr_cli_failf(verb->name, HR_EXIT_USAGE, "no command follows '--'");
	return HR_EXIT_DONE;
}

static int run_verb(const struct hr_verb *verb, int argc, char **argv)
{
	struct hr_arguments arguments;
	struct hr_err err;
	void *values;
	int status;

	values = calloc(1, verb->values_bytes ? verb->values_bytes : 1);
	if (!values)
		return hr_cli_failf(verb->name, HR_EXIT_FAILED, "out of memory");
	if (verb->defaults)
		memcpy(values, verb->defaults, verb->values_bytes);
	if (hr_options_parse(verb->options, argc, argv, values, &arguments, &err)) {
		status = hr_cli_fail(verb->name, HR_EXIT_USAGE, &err);
	} else if (arguments.help) {
		print_verb(verb);
		status = HR_EXIT_DONE;
	} else {
		status = check_arguments(verb, &arguments);
		if (status == HR_EXIT_DONE)
			status = verb->run(values, &arguments);
	}
	free(values);
	return status;
}

static int run_help(const struct hr_verb *const *verbs, int argc, char **argv)
{
	const struct hr_verb *verb;

	if (argc < 2) {
		print_verbs(verbs, stdout);
		return HR_EXIT_DONE;
	}
	verb = find_verb(verbs, argv[1]);
	if (!verb && (!strcmp(argv[1], "help") || !strcmp(argv[1], "completion"))) {
		print_verbs(verbs, stdout);
		return HR_EXIT_DONE;
	}
	if (!verb)
		return unknown_verb(verbs, argv[1]);
	print_verb(verb);
	return HR_EXIT_DONE;
}

static int run_completion(const struct hr_verb *const *verbs, int argc, char **argv)
{
	hr_completion *write = argc == 2 ? hr_completion_find(argv[1]) : NULL;

	if (!write)
		return hr_cli_failf("completion", HR_EXIT_USAGE, "for which shell? `headroom completion bash`, or zsh");
	write(verbs, stdout);
	return HR_EXIT_DONE;
}

static int dispatch(const struct hr_verb *const *verbs, int argc, char **argv)
{
	const struct hr_verb *verb;

	if (argc < 2) {
		print_verbs(verbs, stderr);
		return HR_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return run_help(verbs, argc - 1, argv + 1);
	if (!strcmp(argv[1], "completion"))
		return run_completion(verbs, argc - 1, argv + 1);
	if (!strcmp(argv[1], "--version")) {
		puts("headroom " HR_VERSION);
		return HR_EXIT_DONE;
	}
	if (argv[1][0] == '-')
		return hr_cli_failf(NULL, HR_EXIT_USAGE, "'%s' stands before a command; write `headroom COMMAND %s`",
				    argv[1], argv[1]);
	verb = find_verb(verbs, argv[1]);
	return verb ? run_verb(verb, argc - 1, argv + 1) : unknown_verb(verbs, argv[1]);
}

int hr_cli_main(const struct hr_verb *const *verbs, int argc, char **argv)
{
	int status = dispatch(verbs, argc, argv);

	/* a full disk behind stdout shows only here */
	if ((fflush(stdout) || ferror(stdout)) && status == HR_EXIT_DONE)
		status = hr_cli_failf(NULL, HR_EXIT_FAILED, "cannot write to the standard output: %s", strerror(errno));
	return status;
}
