/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_TEXTS_H
#define HR_ANALYSE_TEXTS_H

/* Texts that live as long as the result which they belong to: a list, begun as NULL. */
struct hr_text;

/* A clean copy (hr_text_clean()): valid UTF-8 without control characters. NULL: no memory, or text was NULL. */
const char *hr_texts_keep(struct hr_text **texts, const char *text);

/* The same of what is printed. */
const char *hr_texts_print(struct hr_text **texts, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Free them all; *texts is NULL then. */
void hr_texts_free(struct hr_text **texts);

#endif
