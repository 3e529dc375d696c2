/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_CAPTURE_H
#define HR_CLI_CAPTURE_H

#include <stddef.h>

#include "base/err.h"

/* What a command prints, kept: the end of it, if it is much. */
struct hr_capture;

#define HR_CAPTURE_BYTES 65536

/* A pipe. 0 and *ret_capture (free with hr_capture_close()), else -errno. */
int hr_capture_open(struct hr_capture **ret_capture, struct hr_err *err);
void hr_capture_close(struct hr_capture *capture);

/* The end that the command writes to. */
int hr_capture_write_fd(const struct hr_capture *capture);

/* The command has its end, and ours is closed: what it leaves is then seen. */
void hr_capture_started(struct hr_capture *capture);

/* Readable when there is more; -1: there will be no more. */
int hr_capture_fd(const struct hr_capture *capture);

/* Take what is there. Does not block. */
void hr_capture_read(struct hr_capture *capture);

/* Add text as if the command had printed it. */
void hr_capture_add(struct hr_capture *capture, const char *text);

/* The last HR_CAPTURE_BYTES of it as valid UTF-8 with its line ends and tabs, in memory that the caller frees; NULL: it was nothing, or no memory. */
char *hr_capture_text(const struct hr_capture *capture);

#endif
