/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_JSON_WRITE_H
#define HR_REPORT_JSON_WRITE_H

#include <jansson.h>
#include <stdio.h>

#include "base/err.h"

#define HR_JSON_REAL_DIGITS 12 /* a year in seconds to the millisecond, an hour to the nanosecond */

/*
 * Write a document: indented, ASCII, with a line end behind it, and flushed. Takes the reference; NULL: there was no memory to make it.
 * what: "the report", for the sentence of a failure. 0; -ENOMEM; another negative errno if `out` did not take everything.
 */
int hr_json_write(json_t *document, const char *what, FILE *out, struct hr_err *err);

#endif
