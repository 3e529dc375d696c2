/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_COMPLETION_H
#define HR_CLI_COMPLETION_H

#include <stdio.h>

#include "cli/verb.h"

/*
 * What a shell needs to complete headroom's command lines: a script made of the verbs and their options, so that it knows them
 * all. An argument that is one of several words is completed by these, the name of a file by files, a pid by pids.
 */
typedef void hr_completion(const struct hr_verb *const *verbs, FILE *out);

/* The shells by name: "bash", "zsh". NULL: not one of them. */
hr_completion *hr_completion_find(const char *shell);

#endif
