/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_ERR_H
#define HR_BASE_ERR_H

/*
 * One sentence about a failure, written where it is known and printed by src/cli/ only. Lower case, no full stop.
 * Storage is the caller's; every function that takes an err accepts NULL.
 */
struct hr_err {
	char text[640];
};

/* Write the sentence and return code, so that a failure and its code cannot part. code: a negative errno. */
int hr_err_set(struct hr_err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, with ": " and the text of the errno after the sentence. */
int hr_err_errno(struct hr_err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
