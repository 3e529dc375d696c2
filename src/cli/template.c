/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/template.h"

#include <stdlib.h>
#include <string.h>

/* Does {name} stand there? Its length with the braces, else 0. */
static size_t match(const char *text, const char *name)
{
	const size_t length = strlen(name);

	return text[0] == '{' && !strncmp(text + 1, name, length) && text[1 + length] == '}' ? length + 2 : 0;
}

bool hr_template_has(char *const *words, const char *name)
{
	for (; *words; words++)
		for (const char *at = strchr(*words, '{'); at; at = strchr(at + 1, '{'))
			if (match(at, name))
				return true;
	return false;
}

/* Write the word filled in, with its NUL, unless `to` is NULL. Its bytes. */
static size_t fill_word(const char *word, const struct hr_placeholder *placeholders, size_t count, char *to)
{
	size_t used = 0;

	while (*word) {
		const char *from = word;
		size_t taken = 1, wanted = 1;

		for (size_t i = 0; i < count; i++) {
			const size_t length = match(word, placeholders[i].name);

			if (!length)
				continue;
			from = placeholders[i].value;
			wanted = strlen(from);
			taken = length;
		}
		if (to)
			memcpy(to + used, from, wanted);
		used += wanted;
		word += taken;
	}
	if (to)
		to[used] = '\0';
	return used + 1;
}

char **hr_template_fill(char *const *words, const struct hr_placeholder *placeholders, size_t count)
{
	size_t word_count = 0, bytes = 0;
	char **filled, *to;

	for (; words[word_count]; word_count++)
		bytes += fill_word(words[word_count], placeholders, count, NULL);
	filled = malloc((word_count + 1) * sizeof(*filled) + bytes);
	if (!filled)
		return NULL;
	to = (char *)(filled + word_count + 1);
	for (size_t i = 0; i < word_count; i++) {
		filled[i] = to;
		to += fill_word(words[i], placeholders, count, to);
	}
	filled[word_count] = NULL;
	return filled;
}
