/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/template.h"

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define NUMBER_BYTES 32

int hr_load_is_rate(char *const *words, bool *ret_is_rate, struct hr_err *err)
{
	const bool has_level = hr_template_has(words, "level"), has_rate = hr_template_has(words, "rate");

	if (!has_level && !has_rate)
		return hr_err_set(err, -ENOENT, "the load command has no {level}, so that all levels would be the same: put it where "
						"the command takes its number of clients, or {rate} where it takes a rate");
	if (has_level && has_rate)
		return hr_err_set(err, -EINVAL, "the load command has {level} and {rate}: a level is a number of clients or a rate");
	*ret_is_rate = has_rate;
	return 0;
}

/* A unit that every load generator knows, where that is possible. */
static void put_duration(char text[NUMBER_BYTES], uint64_t ns)
{
	if (ns % SECOND == 0)
		snprintf(text, NUMBER_BYTES, "%" PRIu64 "s", ns / SECOND);
	else
		snprintf(text, NUMBER_BYTES, "%" PRIu64 "ms", ns / MS);
}

static void put_seconds(char text[NUMBER_BYTES], uint64_t ns)
{
	if (ns % SECOND == 0)
		snprintf(text, NUMBER_BYTES, "%" PRIu64, ns / SECOND);
	else
		snprintf(text, NUMBER_BYTES, "%.3f", (double)ns / SECOND);
}

static void put_text(char *text, size_t size, char *const *argv)
{
	size_t used = 0;

	for (*text = '\0'; *argv && used + 2 < size; argv++) {
		if (used)
			text[used++] = ' ';
		hr_text_clean(text + used, size - used, *argv, strlen(*argv));
		used += strlen(text + used);
	}
}

int hr_load_start(char *const *words, const char *level, uint64_t duration_ns, struct hr_load *ret, struct hr_err *err)
{
	char duration[NUMBER_BYTES], seconds[NUMBER_BYTES];
	const struct hr_placeholder placeholders[] = {
		{ "level", level }, { "rate", level }, { "duration", duration }, { "seconds", seconds },
	};
	int code;

	put_duration(duration, duration_ns);
	put_seconds(seconds, duration_ns);
	*ret = (struct hr_load){ .argv = hr_template_fill(words, placeholders, sizeof(placeholders) / sizeof(*placeholders)) };
	if (!ret->argv)
		return hr_err_set(err, -ENOMEM, "out of memory");
	put_text(ret->text, sizeof(ret->text), ret->argv);
	code = hr_capture_open(&ret->capture, err);
	if (!code)
		code = hr_command_start(ret->argv, hr_capture_write_fd(ret->capture), &ret->command, err);
	if (code)
		hr_load_fini(ret);
	else
		hr_capture_started(ret->capture);
	return code;
}

void hr_load_fini(struct hr_load *load)
{
	hr_command_fini(&load->command);
	hr_capture_close(load->capture);
	free(load->argv);
	*load = (struct hr_load){ 0 };
}
