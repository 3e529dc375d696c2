/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Length of the valid UTF-8 sequence that begins at p, of n bytes at most, and its code point; 0: none begins there. */
static size_t decode(const unsigned char *p, size_t n, uint32_t *ret_code)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xC0 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF8 ? 4 : 0;
	uint32_t code;

	if (!length || length > n)
		return 0;
	code = length == 1 ? p[0] : p[0] & (0x7F >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3F);
	}
	if (code < lowest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	*ret_code = code;
	return length;
}

void hr_text_clean(char *dst, size_t size, const char *src, size_t n)
{
	const unsigned char *at = (const unsigned char *)src;
	const unsigned char *end = at + strnlen(src, n);
	size_t used = 0;

	while (at < end) {
		uint32_t code = 0;
		size_t length = decode(at, (size_t)(end - at), &code), wanted = length;
		const void *from = at;

		/* control characters of both sets would reach terminals and CSV files */
		if (!length || code < 0x20 || (code >= 0x7F && code < 0xA0)) {
			from = REPLACEMENT;
			wanted = 3;
		}
		if (used + wanted >= size)
			break;
		memcpy(dst + used, from, wanted);
		used += wanted;
		at += length ? length : 1;
	}
	if (size)
		dst[used] = '\0';
}

/* What a kernel returns to itself, seen at sys_exit before a restart, and a name that glibc spells otherwise. */
static const struct {
	int number;
	const char *name;
} kernel_errors[] = {
	{ EOPNOTSUPP, "EOPNOTSUPP" },
	{ 512, "ERESTARTSYS" },
	{ 513, "ERESTARTNOINTR" },
	{ 514, "ERESTARTNOHAND" },
	{ 515, "ENOIOCTLCMD" },
	{ 516, "ERESTART_RESTARTBLOCK" },
	{ 517, "EPROBE_DEFER" },
	{ 524, "ENOTSUPP" },
};

const char *hr_text_errno_name(int number, char buf[16])
{
	const char *name = NULL;

	for (size_t i = 0; i < sizeof(kernel_errors) / sizeof(kernel_errors[0]); i++)
		if (kernel_errors[i].number == number)
			return kernel_errors[i].name;
	if (number > 0)
		name = strerrorname_np(number);
	if (name)
		return name;
	snprintf(buf, 16, "E%d", number);
	return buf;
}

/* Write value, whose magnitude rounds to less than 1000, with three significant digits. */
static void three_digits(char buf[16], double value, const char *unit)
{
	int decimals = fabs(value) < 9.995 ? 2 : fabs(value) < 99.95 ? 1 : 0;

	snprintf(buf, 16, "%.*f %s", decimals, value, unit);
}

const char *hr_text_duration(uint64_t ns, char buf[16])
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "min", 6e10 }, { "h", 3.6e12 } };
	const size_t last = sizeof(units) / sizeof(units[0]) - 1;
	size_t unit = 0;

	if (ns < 1000) {
		snprintf(buf, 16, "%u ns", (unsigned int)ns);
		return buf;
	}
	while (unit < last && (double)ns / units[unit].ns >= 999.5)
		unit++;
	three_digits(buf, (double)ns / units[unit].ns, units[unit].name);
	return buf;
}

const char *hr_text_count(double value, char buf[16])
{
	static const char *const units[] = { "k", "M", "G", "T", "P", "E" };
	const size_t last = sizeof(units) / sizeof(units[0]) - 1;
	size_t unit = 0;

	if (isnan(value)) {
		snprintf(buf, 16, "not measured");
		return buf;
	}
	if (fabs(value) < 999.5 || fabs(value) >= 999.5e18) {
		snprintf(buf, 16, "%.3g", value);
		return buf;
	}
	value /= 1000;
	for (; unit < last && fabs(value) >= 999.5; unit++)
		value /= 1000;
	three_digits(buf, value, units[unit]);
	return buf;
}
