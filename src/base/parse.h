/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_PARSE_H
#define HR_BASE_PARSE_H

#include <stdint.h>

#include "base/err.h"

/*
 * Read a duration: a decimal and a unit (ns, us, ms, s, m, h), "250us", "1.5s". A bare number is refused: no unit is right
 * for every option.
 *
 * Writes nanoseconds to *ret_ns and returns 0; -EINVAL: not a duration; -ERANGE: over INT64_MAX ns. On failure *ret_ns is
 * untouched and err says what was read. Does not log.
 */
int hr_parse_duration_ns(const char *text, uint64_t *ret_ns, struct hr_err *err);

/* Read a whole decimal number in [low, high]. 0; -EINVAL: not a number; -ERANGE: outside. */
int hr_parse_int(const char *text, int64_t low, int64_t high, int64_t *ret, struct hr_err *err);

#endif
