/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_TEMPLATE_H
#define HR_CLI_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

/* A command with {names} in its words, and what stands for them. Braces with anything else in them are left as they are. */
struct hr_placeholder {
	const char *name; /* without the braces */
	const char *value;
};

/* Does a word have {name}? words end with NULL. */
bool hr_template_has(char *const *words, const char *name);

/* The words filled in, ended by NULL, in one piece of memory that the caller frees. NULL: no memory. */
char **hr_template_fill(char *const *words, const struct hr_placeholder *placeholders, size_t count);

#endif
