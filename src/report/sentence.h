/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_SENTENCE_H
#define HR_REPORT_SENTENCE_H

#include <stddef.h>

/* The answers above the tables: paragraphs of a few sentences, each with a word in front that says what they are about. */
#define HR_HEAD_COLUMNS 9     /* "target   " */
#define HR_WORTH_SAYING 0.05  /* shares below it are no part of an answer */
#define HR_SENTENCE_BYTES 1024

/* A text that grows at its end and is cut at its size. Begins as { "", 0 }. */
struct hr_sentence {
	char text[HR_SENTENCE_BYTES];
	size_t length;
};

void hr_say(struct hr_sentence *sentence, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What follows a noun of which there are n. */
const char *hr_plural(size_t n);

#endif
