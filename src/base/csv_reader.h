/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_CSV_READER_H
#define HR_BASE_CSV_READER_H

#include "base/err.h"

/* Reads CSV (RFC 4180) from memory: fields with commas between, in quotes if need be; lines end with or without a carriage return. */
struct hr_csv {
	char *at;	  /* what was not read yet: the caller's text, ended by NUL, which is changed */
	unsigned int line; /* in which the last record began, from 1; 0: none was read */
	unsigned int next_line;
};

/* Begin; a byte order mark is skipped. */
void hr_csv_init(struct hr_csv *csv, char *text);

/*
 * The fields of the next record that is not an empty line, at most max, as strings within the text. Their number; 0: there is no
 * more; -EINVAL: not CSV; -E2BIG: more than max. err names the line.
 */
int hr_csv_next(struct hr_csv *csv, char **fields, int max, struct hr_err *err);

#endif
