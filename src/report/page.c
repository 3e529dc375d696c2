/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CELL_BYTES (4 * HR_PAGE_COLUMNS + 4)

struct range {
	uint32_t first, last;
};

/* Unicode 15: invisible, or able to reorder what follows. C0 and C1 controls are in it, newlines included. */
static const struct range unsafe[] = {
	{ 0x00, 0x1F },	    { 0x7F, 0x9F },	{ 0xAD, 0xAD },	    { 0x61C, 0x61C },	{ 0x180E, 0x180E },
	{ 0x200B, 0x200F }, { 0x2028, 0x202E }, { 0x2060, 0x206F }, { 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB },
	{ 0xE0000, 0xE0FFF },
};

/* East Asian wide and fullwidth, emoji. */
static const struct range wide[] = {
	{ 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0xA4CF }, { 0xAC00, 0xD7A3 },	  { 0xF900, 0xFAFF },
	{ 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1FAFF }, { 0x20000, 0x3FFFD },
};

static bool is_in(uint32_t code, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* The code point at *text, which is moved behind it; '?' for a byte that begins none. */
static uint32_t next_code(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	int more = p[0] < 0x80 ? 0 : p[0] < 0xC2 ? -1 : p[0] < 0xE0 ? 1 : p[0] < 0xF0 ? 2 : p[0] < 0xF5 ? 3 : -1;
	uint32_t code = more > 0 ? p[0] & (0x3F >> more) : p[0];

	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			more = -1;
			break;
		}
		code = code << 6 | (p[i] & 0x3F);
	}
	*text += more < 0 ? 1 : more + 1;
	return more < 0 ? '?' : code;
}

/* Columns that the character at *text takes, which is moved behind it; ret_keep: it may be shown as it is. */
static int next_columns(const struct hr_page *page, const char **text, bool *ret_keep)
{
	const char *begin = *text;
	uint32_t code = next_code(text);

	*ret_keep = !is_in(code, unsafe, sizeof(unsafe) / sizeof(unsafe[0])) && (page->utf8 || code < 0x80) &&
		    (code != '?' || *begin == '?');
	return *ret_keep && is_in(code, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

static int columns_of(const struct hr_page *page, const char *text)
{
	int columns = 0;
	bool keep;

	while (*text)
		columns += next_columns(page, &text, &keep);
	return columns;
}

const char *hr_page_fit(const struct hr_page *page, char *dst, size_t size, const char *text, int columns)
{
	const char *mark = page->utf8 ? "\xE2\x80\xA6" : "~";
	bool cut = columns_of(page, text) > columns, keep;
	int room = columns - (cut ? 1 : 0), used = 0;
	size_t length = 0;

	while (*text) {
		const char *begin = text;
		int more = next_columns(page, &text, &keep);
		size_t bytes = keep ? (size_t)(text - begin) : 1;

		if (used + more > room || length + bytes + 4 > size)
			break;
		memcpy(dst + length, keep ? begin : "?", bytes);
		length += bytes;
		used += more;
	}
	if (cut && columns > 0 && length + 4 <= size) {
		memcpy(dst + length, mark, strlen(mark));
		length += strlen(mark);
	}
	dst[length] = '\0';
	return dst;
}

void hr_page_text(const struct hr_page *page, int width, const char *text)
{
	char cell[CELL_BYTES];
	int pad;

	hr_page_fit(page, cell, sizeof(cell), text, abs(width));
	pad = abs(width) - columns_of(page, cell);
	fprintf(page->out, "%*s%s%*s", width > 0 ? pad : 0, "", cell, width < 0 ? pad : 0, "");
}

void hr_page_duration(const struct hr_page *page, int width, double ns)
{
	char buf[16];

	hr_page_text(page, width, isnan(ns) ? "n/a" : ns <= 0 ? "-" : hr_text_duration((uint64_t)llround(ns), buf));
}

void hr_page_count(const struct hr_page *page, int width, double count)
{
	char buf[16];

	hr_page_text(page, width, isnan(count) ? "n/a" : count <= 0 ? "-" : hr_text_count(count, buf));
}

const char *hr_page_share_text(double share, char buf[16])
{
	if (isnan(share))
		return "n/a";
	if (share <= 0)
		return "-";
	if (share < 0.0005)
		return "<0.1 %";
	snprintf(buf, 16, "%.1f %%", 100 * share);
	return buf;
}

void hr_page_share(const struct hr_page *page, int width, double share)
{
	char buf[16];

	hr_page_text(page, width, hr_page_share_text(share, buf));
}

/* In UTF-8 the last column is filled by eighths. */
void hr_page_bar(const struct hr_page *page, int width, double share)
{
	int parts = page->utf8 ? 8 : 1, filled = isnan(share) ? 0 : (int)lround(share * width * parts), columns = 0;

	if (filled > width * parts)
		filled = width * parts;
	for (; filled >= parts; filled -= parts, columns++)
		fputs(page->utf8 ? "\xE2\x96\x88" : "#", page->out);
	if (filled > 0) {
		fprintf(page->out, "\xE2\x96%c", (char)(0x90 - filled));
		columns++;
	}
	fprintf(page->out, "%*s", width - columns, "");
}

void hr_page_last(const struct hr_page *page, int width, const char *text)
{
	char cell[CELL_BYTES];

	fprintf(page->out, "%s\n", hr_page_fit(page, cell, sizeof(cell), text, width));
}

double hr_page_ratio(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

void hr_page_title(const struct hr_page *page, const char *title, int at, const char *columns)
{
	fputc('\n', page->out);
	fprintf(page->out, "%-*s%s\n", *columns ? at : 0, title, columns);
}

#define UNIT_BYTES 5 /* "us", "%", "MiB/s" */

static bool ends_in_digit(const char *text, size_t length)
{
	return length && text[length - 1] >= '0' && text[length - 1] <= '9';
}

/* The length of the next word. A number takes its unit with it, so that no line begins with "ms". */
static size_t word_length(const char *text)
{
	size_t length = strcspn(text, " "), unit;

	while (ends_in_digit(text, length) && text[length]) {
		unit = strcspn(text + length + 1, " ");
		if (!unit || unit > UNIT_BYTES)
			break;
		length += 1 + unit;
	}
	return length;
}

void hr_page_paragraph(const struct hr_page *page, const char *head, int indent, const char *text)
{
	int used = indent;
	bool first = true;

	hr_page_text(page, -indent, head);
	while (*text) {
		size_t length = word_length(text);
		char word[CELL_BYTES], copy[CELL_BYTES];
		int columns;

		snprintf(copy, sizeof(copy), "%.*s", (int)length, text);
		hr_page_fit(page, word, sizeof(word), copy, HR_PAGE_COLUMNS - indent);
		columns = columns_of(page, word);
		if (!first && used + 1 + columns > HR_PAGE_COLUMNS) {
			fprintf(page->out, "\n%*s", indent, "");
			used = indent;
			first = true;
		}
		fprintf(page->out, "%s%s", first ? "" : " ", word);
		used += columns + (first ? 0 : 1);
		first = false;
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', page->out);
}
