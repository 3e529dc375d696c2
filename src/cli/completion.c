/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/completion.h"

#include <stddef.h>
#include <string.h>

/* What an option's argument is, as far as a shell can know it. */
enum kind { KIND_NONE, KIND_FREE, KIND_CHOICE, KIND_FILE, KIND_PID };

static enum kind kind_of(const struct hr_option *row)
{
	static const struct {
		const char *part; /* of what the help calls the argument */
		enum kind kind;
	} kinds[] = {
		{ "PID", KIND_PID },   { "FILE", KIND_FILE }, { "PATH", KIND_FILE },	{ "DIR", KIND_FILE },
		{ ".db", KIND_FILE }, { ".json", KIND_FILE }, { "BINARY", KIND_FILE },
	};

	if (!row->argument)
		return KIND_NONE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strstr(row->argument, kinds[i].part))
			return kinds[i].kind;
	return strchr(row->argument, '|') ? KIND_CHOICE : KIND_FREE;
}

/* "text|json" as "text json". */
static void put_choices(const char *argument, FILE *out)
{
	for (; *argument; argument++)
		fputc(*argument == '|' ? ' ' : *argument, out);
}

static void put_verb_names(const struct hr_verb *const *verbs, FILE *out)
{
	for (; *verbs; verbs++)
		fprintf(out, "%s ", (*verbs)->name);
	fputs("help completion", out);
}

/* The rows of a verb, and then --help; NULL ends them. */
static const struct hr_option *next_row(const struct hr_option *row)
{
	if (row == &hr_option_help)
		return NULL;
	return (row + 1)->name ? row + 1 : &hr_option_help;
}

static const struct hr_option *first_row(const struct hr_verb *verb)
{
	return verb->options->name ? verb->options : &hr_option_help;
}

/* One branch of a case: the option's names, and how its argument is completed. */
static void bash_option(const struct hr_verb *verb, const struct hr_option *row, FILE *out)
{
	static const char *const actions[] = {
		[KIND_FREE] = "return",
		[KIND_FILE] = "_headroom_files \"$word\"; return",
		[KIND_PID] = "_headroom_words \"$(cd /proc && echo [0-9]*)\" \"$word\"; return",
	};
	const enum kind kind = kind_of(row);

	if (kind == KIND_NONE)
		return;
	fprintf(out, "\t'%s --%s'", verb->name, row->name);
	if (row->letter)
		fprintf(out, " | '%s -%c'", verb->name, row->letter);
	fputs(") ", out);
	if (kind == KIND_CHOICE) {
		fputs("_headroom_words '", out);
		put_choices(row->argument, out);
		fputs("' \"$word\"; return", out);
	} else {
		fputs(actions[kind], out);
	}
	fputs(" ;;\n", out);
}

static void bash_names(const struct hr_verb *verb, FILE *out)
{
	fprintf(out, "\t%s) _headroom_words '", verb->name);
	for (const struct hr_option *row = first_row(verb); row; row = next_row(row)) {
		fprintf(out, "--%s ", row->name);
		if (row->letter)
			fprintf(out, "-%c ", row->letter);
	}
	fputs("' \"$word\" ;;\n", out);
}

static void write_bash(const struct hr_verb *const *verbs, FILE *out)
{
	fputs("# Completion of headroom's command lines in bash, by `headroom completion bash`\n"
	      "_headroom_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$2\"); }\n"
	      "_headroom_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$1\"); }\n"
	      "\n"
	      "_headroom()\n"
	      "{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} i\n"
	      "\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\t_headroom_words '",
	      out);
	put_verb_names(verbs, out);
	fputs(" --help --version' \"$word\"\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	      "\t\t[ \"${COMP_WORDS[i]}\" = -- ] || continue\n"
	      "\t\tif declare -F _command_offset >/dev/null; then\n"
	      "\t\t\t_command_offset $((i + 1))\n"
	      "\t\telif [ $((i + 1)) -eq \"$COMP_CWORD\" ]; then\n"
	      "\t\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$word\")\n"
	      "\t\telse\n"
	      "\t\t\t_headroom_files \"$word\"\n"
	      "\t\tfi\n"
	      "\t\treturn\n"
	      "\tdone\n"
	      "\t# --name=value comes in three words\n"
	      "\tif [ \"$word\" = = ]; then\n"
	      "\t\tword=\n"
	      "\telif [ \"$option\" = = ]; then\n"
	      "\t\toption=${COMP_WORDS[COMP_CWORD - 2]}\n"
	      "\tfi\n"
	      "\tcase \"$verb $option\" in\n",
	      out);
	for (const struct hr_verb *const *verb = verbs; *verb; verb++)
		for (const struct hr_option *row = first_row(*verb); row; row = next_row(row))
			bash_option(*verb, row, out);
	fputs("\tesac\n"
	      "\tif [[ $word != -* ]]; then\n"
	      "\t\tcase $verb in\n"
	      "\t\thelp) _headroom_words '",
	      out);
	put_verb_names(verbs, out);
	fputs("' \"$word\" ;;\n"
	      "\t\tcompletion) _headroom_words 'bash zsh' \"$word\" ;;\n",
	      out);
	for (const struct hr_verb *const *verb = verbs; *verb; verb++)
		if ((*verb)->arguments_max)
			fprintf(out, "\t\t%s) _headroom_files \"$word\" ;;\n", (*verb)->name);
	fputs("\t\tesac\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase $verb in\n",
	      out);
	for (const struct hr_verb *const *verb = verbs; *verb; verb++)
		bash_names(*verb, out);
	fputs("\tesac\n"
	      "}\n"
	      "complete -F _headroom headroom\n",
	      out);
}

/* Text between single quotes; what `special` has means something to _arguments or _describe there. Lines are joined. */
static void zsh_text(const char *text, const char *special, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (*text == '\n')
			fputc(' ', out);
		else if (strchr(special, *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

/* '(-p --pid)'{-p+,--pid=}'[what it does]:PID:_pids' */
static void zsh_option(const struct hr_option *row, FILE *out)
{
	static const char *const actions[] = { [KIND_FREE] = " ", [KIND_FILE] = "_files", [KIND_PID] = "_pids" };
	const enum kind kind = kind_of(row);

	fputs(" \\\n\t\t\t", out);
	if (row->letter)
		fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}'", row->letter, row->name, row->letter, row->argument ? "+" : "", row->name,
			row->argument ? "=" : "");
	else
		fprintf(out, "'--%s%s", row->name, row->argument ? "=" : "");
	fputc('[', out);
	zsh_text(row->help, "[]\\", out);
	fputc(']', out);
	if (row->argument) {
		fputc(':', out);
		zsh_text(row->argument, ":\\", out);
		fputc(':', out);
		if (kind == KIND_CHOICE) {
			fputc('(', out);
			put_choices(row->argument, out);
			fputc(')', out);
		} else {
			fputs(actions[kind], out);
		}
	}
	fputc('\'', out);
}

static void zsh_verb(const struct hr_verb *verb, FILE *out)
{
	fprintf(out, "\t%s)\n\t\t_arguments -s", verb->name);
	for (const struct hr_option *row = first_row(verb); row; row = next_row(row))
		zsh_option(row, out);
	if (verb->takes_command)
		fputs(" \\\n\t\t\t'*::command:_normal'", out);
	else if (verb->arguments_max)
		fputs(" \\\n\t\t\t'*:file:_files'", out);
	fputs("\n\t\t;;\n", out);
}

static void write_zsh(const struct hr_verb *const *verbs, FILE *out)
{
	fputs("#compdef headroom\n"
	      "# Completion of headroom's command lines in zsh, by `headroom completion zsh`\n"
	      "_headroom()\n"
	      "{\n"
	      "\tlocal -a verbs\n"
	      "\n"
	      "\tverbs=(\n",
	      out);
	for (const struct hr_verb *const *verb = verbs; *verb; verb++) {
		fprintf(out, "\t\t'%s:", (*verb)->name);
		zsh_text((*verb)->summary, ":\\", out);
		fputs("'\n", out);
	}
	fputs("\t\t'help:show the commands, or the options of one'\n"
	      "\t\t'completion:print a completion script for a shell'\n"
	      "\t)\n"
	      "\tif (( CURRENT == 2 )); then\n"
	      "\t\t_describe -t commands command verbs\n"
	      "\t\t_arguments '--help[show the commands]' '--version[print the version]'\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tshift words\n"
	      "\t(( CURRENT-- ))\n"
	      "\tcase $words[1] in\n"
	      "\thelp) (( CURRENT == 2 )) && _describe -t commands command verbs ;;\n"
	      "\tcompletion) _arguments ':shell:(bash zsh)' ;;\n",
	      out);
	for (const struct hr_verb *const *verb = verbs; *verb; verb++)
		zsh_verb(*verb, out);
	fputs("\tesac\n"
	      "}\n"
	      "if [ \"$funcstack[1]\" = _headroom ]; then\n"
	      "\t_headroom \"$@\"\n"
	      "else\n"
	      "\tcompdef _headroom headroom\n"
	      "fi\n",
	      out);
}

hr_completion *hr_completion_find(const char *shell)
{
	static const struct {
		const char *shell;
		hr_completion *write;
	} shells[] = { { "bash", write_bash }, { "zsh", write_zsh } };

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(shells[i].shell, shell) == 0)
			return shells[i].write;
	return NULL;
}
