/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_PAGE_H
#define HR_REPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A page of plain text, HR_PAGE_COLUMNS wide. Cells have a width in columns; a negative one aligns to the left, as in
 * printf(). What is too long is cut and marked. Foreign text (names, paths, command lines) gets onto a page through
 * hr_page_fit() only, so that nothing in it reaches the terminal as a command.
 */
#define HR_PAGE_COLUMNS 100

struct hr_page {
	FILE *out;
	bool utf8; /* the terminal takes UTF-8; otherwise what is not ASCII becomes '?' */
};

/*
 * The text in at most `columns` columns, in dst, which is returned. Control characters and those that change the
 * direction of what follows become '?'. Wide characters count as two columns. size: at least 4 * columns + 4 bytes.
 */
const char *hr_page_fit(const struct hr_page *page, char *dst, size_t size, const char *text, int columns);

/* Cells. */
void hr_page_text(const struct hr_page *page, int width, const char *text);
void hr_page_duration(const struct hr_page *page, int width, double ns); /* "-" for 0, "n/a" for NAN */
void hr_page_count(const struct hr_page *page, int width, double count); /* likewise */
void hr_page_share(const struct hr_page *page, int width, double share); /* likewise; "<0.1 %" for very little */
void hr_page_bar(const struct hr_page *page, int width, double share);
void hr_page_last(const struct hr_page *page, int width, const char *text); /* ends the line: no blanks after it */

/* "61.3 %", "-", "<0.1 %" or "n/a", in buf, which is returned. */
const char *hr_page_share_text(double share, char buf[16]);

/* part / whole; NAN if the whole is 0. */
double hr_page_ratio(double part, double whole);

/* The title of a section, after an empty line: what it is, and what the columns are, which begin at column `at`. */
void hr_page_title(const struct hr_page *page, const char *title, int at, const char *columns);

/* A paragraph, its first line after `head` (an item's name, maybe empty), all others below the text. */
void hr_page_paragraph(const struct hr_page *page, const char *head, int indent, const char *text);

#endif
