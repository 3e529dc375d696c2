/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_NEAREST_H
#define HR_CLI_NEAREST_H

/* Which of several names was meant by a word that is none of them. Set `word`, offer every name, then read `name`. */
struct hr_nearest {
	const char *word;
	const char *name;	/* the nearest so far; NULL: none is near enough to be suggested */
	unsigned int distance;	/* of name */
};

/* Names of up to 63 bytes are compared; longer ones are never near. */
void hr_nearest_offer(struct hr_nearest *nearest, const char *name);

#endif
