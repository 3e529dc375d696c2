/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The sentence is made beside err, because its arguments may be err's own text: "cannot attach: %s". */
static __attribute__((format(printf, 2, 0)))
void write_sentence(struct hr_err *err, const char *format, va_list arguments)
{
	struct hr_err sentence;

	vsnprintf(sentence.text, sizeof(sentence.text), format, arguments);
	memcpy(err->text, sentence.text, strlen(sentence.text) + 1);
}

int hr_err_set(struct hr_err *err, int code, const char *format, ...)
{
	va_list arguments;

	if (!err)
		return code;
	va_start(arguments, format);
	write_sentence(err, format, arguments);
	va_end(arguments);
	return code;
}

int hr_err_errno(struct hr_err *err, int code, const char *format, ...)
{
	char buf[128];
	va_list arguments;
	size_t used;

	if (!err)
		return code;
	va_start(arguments, format);
	write_sentence(err, format, arguments);
	va_end(arguments);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror_r(-code, buf, sizeof(buf)));
	return code;
}
