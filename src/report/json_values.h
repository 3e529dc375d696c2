/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_JSON_VALUES_H
#define HR_REPORT_JSON_VALUES_H

#include <jansson.h>
#include <math.h>
#include <stdint.h>

#include "store/tables.h"

/*
 * Jansson takes NULL for a value as a failure of the whole object, so an allocation that fails anywhere ends in a NULL
 * report: nothing here needs a check of its own.
 */

static inline json_t *real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static inline json_t *whole(int64_t value)
{
	return value == HR_NULL ? json_null() : json_integer(value);
}

static inline json_t *count(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static inline json_t *text(const char *value)
{
	return value ? json_string(value) : json_null();
}

static inline json_t *seconds(uint64_t ns)
{
	return json_real((double)ns / 1e9);
}

static inline json_t *known_seconds(int64_t ns)
{
	return ns == HR_NULL ? json_null() : json_real((double)ns / 1e9);
}

static inline json_t *micros(double ns)
{
	return real(ns / 1e3);
}

static inline double ratio(double part, double all)
{
	return all > 0 ? part / all : NAN;
}

/* Append, and drop the array if that fails. */
static inline json_t *append(json_t *array, json_t *item)
{
	if (array && json_array_append_new(array, item) == 0)
		return array;
	json_decref(array);
	return NULL;
}

static inline json_t *with(json_t *object, const char *key, json_t *value)
{
	if (object && json_object_set_new(object, key, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

#endif
