/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/sentence.h"

#include <stdarg.h>
#include <stdio.h>

void hr_say(struct hr_sentence *sentence, const char *format, ...)
{
	size_t room = sizeof(sentence->text) - sentence->length;
	va_list args;
	int more;

	va_start(args, format);
	more = vsnprintf(sentence->text + sentence->length, room, format, args);
	va_end(args);
	if (more > 0)
		sentence->length += (size_t)more < room ? (size_t)more : room - 1;
}

const char *hr_plural(size_t n)
{
	return n == 1 ? "" : "s";
}
