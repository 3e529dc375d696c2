/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/texts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct hr_text {
	struct hr_text *next;
	char text[];
};

const char *hr_texts_keep(struct hr_text **texts, const char *text)
{
	size_t length, size;
	struct hr_text *copy;

	if (!text)
		return NULL;
	length = strlen(text);
	size = 3 * length + 1; /* each byte becomes at most one U+FFFD */
	copy = malloc(sizeof(*copy) + size);
	if (!copy)
		return NULL;
	hr_text_clean(copy->text, size, text, length);
	copy->next = *texts;
	*texts = copy;
	return copy->text;
}

const char *hr_texts_print(struct hr_text **texts, const char *format, ...)
{
	const char *kept;
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return NULL;
	kept = hr_texts_keep(texts, text);
	free(text);
	return kept;
}

void hr_texts_free(struct hr_text **texts)
{
	while (*texts) {
		struct hr_text *text = *texts;

		*texts = text->next;
		free(text);
	}
}
