/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/level_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* 8, 0.5, 2.50: the same number is to be the same label, so "08" is none. */
static int is_level(const char *word)
{
	size_t whole = strspn(word, "0123456789"), fraction = 0;

	if (word[whole] == '.')
		fraction = 1 + strspn(word + whole + 1, "0123456789");
	if (!whole || word[whole + fraction] || fraction == 1)
		return 0;
	return (word[0] != '0' || whole == 1) && strtod(word, NULL) > 0;
}

int hr_level_list_parse(const char *text, struct hr_level_list *ret, struct hr_err *err)
{
	char clean[64];

	ret->count = 0;
	for (;;) {
		const size_t length = strcspn(text, ",");
		char *label = ret->labels[ret->count];

		if (ret->count == HR_LEVEL_LIST_MAX)
			return hr_err_set(err, -E2BIG, "--levels: more than %d levels", HR_LEVEL_LIST_MAX);
		hr_text_clean(clean, sizeof(clean), text, length);
		if (!length)
			return hr_err_set(err, -EINVAL, "--levels: a level is missing; they are numbers with commas between, as in 1,2,4,8");
		if (length >= HR_LEVEL_LIST_LABEL_BYTES)
			return hr_err_set(err, -EINVAL, "--levels: '%s' is too long for a level", clean);
		memcpy(label, text, length);
		label[length] = '\0';
		if (!is_level(label))
			return hr_err_set(err, -EINVAL, "--levels: '%s' is not a number above 0, as in 1,2,4,8", clean);
		ret->count++;
		if (!text[length])
			return 0;
		text += length + 1;
	}
}
