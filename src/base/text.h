/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_TEXT_H
#define HR_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Copy at most n bytes of src (up to its NUL) into dst of size bytes as valid UTF-8: each byte that is no part of a valid
 * sequence, and each control character, becomes U+FFFD. Thread names and paths are other people's text. Always terminates dst.
 */
void hr_text_clean(char *dst, size_t size, const char *src, size_t n);

/* The error's name, "EAGAIN", or "E<number>" in buf for one that has none. number is positive. */
const char *hr_text_errno_name(int number, char buf[16]);

/* "12.3 ms", "4.00 s", "850 ns", "16.7 min": three significant digits, in buf, which is returned. */
const char *hr_text_duration(uint64_t ns, char buf[16]);

/* "999", "12.3 k", "4.56 M": three significant digits, or "not measured" for NAN, in buf, which is returned. */
const char *hr_text_count(double value, char buf[16]);

#endif
