/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_LEVEL_LIST_H
#define HR_CLI_LEVEL_LIST_H

#include <stddef.h>

#include "base/err.h"

/* The levels that --levels names: "1,2,4,8". Any order; one that is named again is measured again. */
#define HR_LEVEL_LIST_MAX 1000
#define HR_LEVEL_LIST_LABEL_BYTES 16

struct hr_level_list {
	size_t count;
	char labels[HR_LEVEL_LIST_MAX][HR_LEVEL_LIST_LABEL_BYTES]; /* numbers above 0, as they were typed */
};

/* Read one. 0; -EINVAL: it is none, and err says where; -E2BIG: too many. *ret is then undefined. */
int hr_level_list_parse(const char *text, struct hr_level_list *ret, struct hr_err *err);

#endif
