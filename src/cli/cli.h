/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_CLI_H
#define HR_CLI_CLI_H

#include "base/err.h"
#include "cli/verb.h"

/*
 * What the verbs say on stderr: "headroom: record: no process listens on port 8000". With verb NULL: "headroom: ...".
 */

/* Print err and return code, so that a verb ends with `return hr_cli_fail("record", HR_EXIT_FAILED, &err);`. */
int hr_cli_fail(const char *verb, enum hr_exit code, const struct hr_err *err);

/* The same with a sentence of its own. */
int hr_cli_failf(const char *verb, enum hr_exit code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Say something that is no failure. */
void hr_cli_say(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Run the command line against a table of verbs ended by NULL; returns the exit status. main() without the process. */
int hr_cli_main(const struct hr_verb *const *verbs, int argc, char **argv);

#endif
