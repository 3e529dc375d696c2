/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Of the digits after the point 15 are looked at: more cannot make a nanosecond of an hour. */
#define FRACTION_SCALE 1000000000000000

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint64_t unit_ns(const char *name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(units[i].name, name))
			return units[i].ns;
	return 0;
}

/* Reads digits at *text and moves it behind them. False: the number does not fit in 64 bits. */
static bool read_digits(const char **text, uint64_t *ret)
{
	uint64_t value = 0;
	bool fits = true;

	for (; is_digit(**text); ++*text)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, **text - '0', &value))
			fits = false;
	*ret = value;
	return fits;
}

int hr_parse_duration_ns(const char *text, uint64_t *ret_ns, struct hr_err *err)
{
	unsigned __int128 fraction = 0, scale = 1, total;
	const char *at = text;
	uint64_t whole, unit;
	bool fits;

	fits = read_digits(&at, &whole);
	if (at == text)
		goto malformed;
	if (*at == '.') {
		if (!is_digit(at[1]))
			goto malformed;
		for (at++; is_digit(*at); at++) {
			if (scale == FRACTION_SCALE)
				continue;
			fraction = fraction * 10 + (unsigned int)(*at - '0');
			scale *= 10;
		}
	}
	if (!*at)
		return hr_err_set(err, -EINVAL, "duration '%s' has no unit; write '%ss' or '%sms'", text, text, text);
	unit = unit_ns(at);
	if (!unit)
		goto malformed;
	total = (unsigned __int128)whole * unit + fraction * unit / scale;
	if (!fits || total > INT64_MAX)
		return hr_err_set(err, -ERANGE, "duration '%s' is longer than 292 years", text);
	*ret_ns = (uint64_t)total;
	return 0;
malformed:
	return hr_err_set(err, -EINVAL,
			  "'%s' is not a duration; write a number and ns, us, ms, s, m or h, like '500ms'", text);
}

int hr_parse_int(const char *text, int64_t low, int64_t high, int64_t *ret, struct hr_err *err)
{
	bool negative = *text == '-', fits;
	const char *at = text + negative, *digits = at;
	uint64_t magnitude;
	int64_t value;

	fits = read_digits(&at, &magnitude);
	if (at == digits || *at)
		return hr_err_set(err, -EINVAL, "'%s' is not a whole number", text);
	if (!fits || magnitude > (uint64_t)INT64_MAX)
		goto outside;
	value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	if (value < low || value > high)
		goto outside;
	*ret = value;
	return 0;
outside:
	return hr_err_set(err, -ERANGE, "%s is not between %lld and %lld", text, (long long)low, (long long)high);
}
