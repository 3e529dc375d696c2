/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/nearest.h"

#include <stddef.h>
#include <string.h>

#define LONGEST 63

static unsigned int smaller(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * How many letters must be put in, left out, changed or swapped with their neighbour to make b of a (optimal string
 * alignment distance). Both are at most LONGEST long.
 */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][LONGEST + 1];
	unsigned int *two_up = rows[0], *up = rows[1], *row = rows[2];
	const size_t length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		up[j] = (unsigned int)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned int *oldest = two_up;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= length; j++) {
			row[j] = smaller(up[j - 1] + (a[i - 1] != b[j - 1]), smaller(up[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = smaller(row[j], two_up[j - 2] + 1);
		}
		two_up = up;
		up = row;
		row = oldest;
	}
	return up[length];
}

void hr_nearest_offer(struct hr_nearest *nearest, const char *name)
{
	const size_t word_length = strlen(nearest->word);
	unsigned int apart;

	if (word_length == 0 || word_length > LONGEST || strlen(name) > LONGEST)
		return;
	/* an abbreviation is near, however much of the name is missing */
	if (word_length > 1 && !strncmp(nearest->word, name, word_length))
		apart = 0;
	else
		apart = distance(nearest->word, name);
	if (apart > 0 && apart * 3 > strlen(name) + 1)
		return;
	if (nearest->name && apart >= nearest->distance)
		return;
	nearest->name = name;
	nearest->distance = apart;
}
