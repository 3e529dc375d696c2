/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/verb.h"
#include "collect/control.h"
#include "collect/control_client.h"
#include "collect/mark.h"

static const char verb[] = "mark";

#define TIMEOUT_NS 10000000000ULL /* a recording ends an interval within a fraction of that */
#define WORDS_MAX 64

struct values {
	const char *control;
};

/* "mark level=8 unit=rps" of the words. */
static int put_command(char *text, size_t size, const struct hr_arguments *arguments, struct hr_err *err)
{
	size_t used = (size_t)snprintf(text, size, "mark");

	for (int i = 0; i < arguments->count; i++) {
		const char *word = arguments->given[i];

		if (strpbrk(word, " \t\r\n"))
			return hr_err_set(err, -EINVAL, "a key=value has no spaces");
		used += (size_t)snprintf(text + used, size - used, " %s", word);
		if (used >= size)
			return hr_err_set(err, -E2BIG, "a mark has at most %zu bytes", size - 1);
	}
	return 0;
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	const struct values *values = options;
	char command[HR_CONTROL_LINE_BYTES];
	struct hr_mark mark;
	struct hr_err err;
	int ret;

	if (!values->control)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which recording? give the --control fifo:CTL[,ACK] that it was given");
	if (put_command(command, sizeof(command), arguments, &err) || hr_mark_parse(command + strlen("mark"), &mark, &err))
		return hr_cli_fail(verb, HR_EXIT_USAGE, &err);
	ret = hr_control_send(values->control, command, TIMEOUT_NS, &err);
	if (ret)
		return hr_cli_fail(verb, ret == -EINVAL ? HR_EXIT_USAGE : HR_EXIT_FAILED, &err);
	return HR_EXIT_DONE;
}

static const struct hr_option options[] = {
	HR_OPTION_TEXT(struct values, control, "control", 'c', "fifo:CTL[,ACK]",
		       "the FIFOs of the recording, as `headroom record --control` has them;\nwithout ACK it is not waited for"),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_mark = {
	.name = verb,
	.summary = "tell a recording which level of load begins",
	.usage = "--control fifo:CTL[,ACK] KEY=VALUE ...",
	.notes = "level=LABEL begins a level and ends the one before; level= ends it. warmup=2s says that so much from now on, and what the\n"
		 "level had before, does not count. unit=rps says that the label is a request rate and not a number of clients. All other\n"
		 "keys are kept with the level. Returns when the recording has done it. Needs no root.\n",
	.examples = "  headroom record --port 8000 --control fifo:ctl,ack -o run.db &\n"
		    "  headroom mark --control fifo:ctl,ack level=8 warmup=2s\n"
		    "  headroom mark --control fifo:ctl,ack level=\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.arguments_max = WORDS_MAX,
	.arguments = "at most 64 key=value",
	.run = run,
};
