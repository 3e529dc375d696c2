/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_LOAD_H
#define HR_CLI_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/capture.h"
#include "collect/command.h"

/* A load generator that is run once per level: the user's words with {level}, {rate}, {duration} and {seconds} filled in. */
struct hr_load {
	struct hr_command command;
	struct hr_capture *capture; /* of what it prints */
	char **argv;
	char text[1024]; /* argv with spaces between, in valid UTF-8; cut off if longer */
};

/* Is the label a request rate, by the placeholder that the words use? Neither {level} nor {rate}: -ENOENT; both: -EINVAL. */
int hr_load_is_rate(char *const *words, bool *ret_is_rate, struct hr_err *err);

/* Start it for a level, held until hr_command_release(). 0 (free with hr_load_fini(), which ends it), else -errno. */
int hr_load_start(char *const *words, const char *level, uint64_t duration_ns, struct hr_load *ret, struct hr_err *err);

/* Takes one of zeros. */
void hr_load_fini(struct hr_load *load);

#endif
