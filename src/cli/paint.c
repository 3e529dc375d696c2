/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/paint.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOLD "\033[1m"
#define CYAN "\033[36m"
#define PLAIN "\033[0m"

bool hr_paint_wanted(void)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && terminal && strcmp(terminal, "dumb");
}

/* Titles of sections stand after an empty line, flush left, in capitals; all else there is a sentence or indented. */
static bool is_title(const char *line, bool after_empty)
{
	return after_empty && isupper((unsigned char)line[0]) && isupper((unsigned char)line[1]);
}

/* Bytes of the blocks of a bar (U+2588 to U+258F) that text begins with. */
static size_t bar_bytes(const char *text)
{
	size_t bytes = 0;

	while (!strncmp(text + bytes, "\xE2\x96", 2) && (unsigned char)text[bytes + 2] >= 0x88 &&
	       (unsigned char)text[bytes + 2] <= 0x8F)
		bytes += 3;
	return bytes;
}

static void paint_bars(const char *line, size_t length, FILE *out)
{
	for (size_t at = 0; at < length;) {
		const size_t bytes = bar_bytes(line + at);

		if (bytes)
			fprintf(out, CYAN "%.*s" PLAIN, (int)bytes, line + at);
		else
			fputc(line[at], out);
		at += bytes ? bytes : 1;
	}
}

void hr_paint_report(const char *text, FILE *out)
{
	bool after_empty = false;

	while (*text) {
		const size_t length = strcspn(text, "\n");

		if (is_title(text, after_empty))
			fprintf(out, BOLD "%.*s" PLAIN, (int)length, text);
		else
			paint_bars(text, length, out);
		after_empty = length == 0;
		text += length;
		if (*text)
			fputc(*text++, out);
	}
}
