/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/mark.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"

#define WORD_BYTES 256 /* of a key=value, as read; cleaned it may be three times as long */

static const char spaces[] = " \t\r\n";

static int read_level(struct hr_mark *mark, const char *value, struct hr_err *err)
{
	if (mark->has_level)
		return hr_err_set(err, -EINVAL, "a mark has one level, and this has two");
	mark->has_level = true;
	if (strlen(value) >= sizeof(mark->label))
		return hr_err_set(err, -E2BIG, "the label of a level has at most %zu bytes", sizeof(mark->label) - 1);
	memcpy(mark->label, value, strlen(value) + 1);
	return 0;
}

static int read_warmup(struct hr_mark *mark, const char *value, struct hr_err *err)
{
	struct hr_err why;
	int ret;

	if (mark->has_warmup)
		return hr_err_set(err, -EINVAL, "a mark has one warmup, and this has two");
	mark->has_warmup = true;
	mark->warmup_ns = 0;
	if (!strcmp(value, "0"))
		return 0;
	ret = hr_parse_duration_ns(value, &mark->warmup_ns, &why);
	return ret ? hr_err_set(err, -EINVAL, "warmup: %s", why.text) : 0;
}

static int add_note(struct hr_mark *mark, const char *word, struct hr_err *err)
{
	size_t used = strlen(mark->notes);
	int length = snprintf(mark->notes + used, sizeof(mark->notes) - used, "%s%s", used ? " " : "", word);

	if (length >= (int)(sizeof(mark->notes) - used))
		return hr_err_set(err, -E2BIG, "the notes of a level have at most %zu bytes", sizeof(mark->notes) - 1);
	return 0;
}

/* One key=value, in valid UTF-8. */
static int read_word(struct hr_mark *mark, const char *word, struct hr_err *err)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word)
		return hr_err_set(err, -EINVAL, "'%s' is not key=value, as in level=8", word);
	if (!strncmp(word, "level=", 6))
		return read_level(mark, equals + 1, err);
	if (!strncmp(word, "warmup=", 7))
		return read_warmup(mark, equals + 1, err);
	return add_note(mark, word, err);
}

int hr_mark_parse(const char *text, struct hr_mark *ret, struct hr_err *err)
{
	struct hr_mark mark = { 0 };
	char clean[3 * WORD_BYTES];
	size_t words = 0, length;
	int code;

	for (text += strspn(text, spaces); *text; text += length, text += strspn(text, spaces), words++) {
		length = strcspn(text, spaces);
		if (length >= WORD_BYTES)
			return hr_err_set(err, -E2BIG, "a key=value of a mark has at most %d bytes", WORD_BYTES - 1);
		hr_text_clean(clean, sizeof(clean), text, length);
		code = read_word(&mark, clean, err);
		if (code)
			return code;
	}
	if (!words)
		return hr_err_set(err, -EINVAL, "a mark needs key=value, as in level=8");
	if (mark.has_level && !mark.label[0] && words > 1)
		return hr_err_set(err, -EINVAL, "level= ends a level, and nothing else can be said with it");
	*ret = mark;
	return 0;
}

double hr_mark_number(const char *label)
{
	char *end;
	double number;

	if (!*label || strspn(label, "0123456789.eE+-") != strlen(label) || !strspn(label, "0123456789."))
		return NAN;
	number = strtod(label, &end);
	return *end || !isfinite(number) ? NAN : number;
}
