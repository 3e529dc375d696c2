/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_CONTROL_H
#define HR_COLLECT_CONTROL_H

#include <stdbool.h>

#include "base/err.h"
#include "collect/mark.h"

/*
 * Commands from a script, a line each, through a FIFO: enable, disable, ping, mark, stop. Each is answered with a line, "ack" or
 * "error: ...", on a second FIFO if there is one. (The protocol of perf record --control.)
 */
struct hr_control;

#define HR_CONTROL_LINE_BYTES 1024 /* of a command, its line end included */

enum hr_control_command {
	HR_CONTROL_NONE = 0, /* no whole line yet */
	HR_CONTROL_ENABLE,
	HR_CONTROL_DISABLE,
	HR_CONTROL_PING,
	HR_CONTROL_STOP,
	HR_CONTROL_MARK, /* with what collect/mark.h reads */
};

/*
 * spec: "fifo:COMMANDS[,ACKS]". FIFOs that do not exist are made, for the user who called sudo, and removed at the close.
 * 0 and *ret_control (free with hr_control_close()); -EINVAL: not a spec; -EEXIST: something else has that name; ...
 */
int hr_control_open(const char *spec, struct hr_control **ret_control, struct hr_err *err);
void hr_control_close(struct hr_control *control);

/* Readable when a command may be there. */
int hr_control_fd(const struct hr_control *control);

/* The next command; *ret_mark belongs to HR_CONTROL_MARK. Lines that are none are answered here. Does not block. */
enum hr_control_command hr_control_read(struct hr_control *control, struct hr_mark *ret_mark);

/* Answer it; NULL: it was done. Nobody reading is no failure. */
void hr_control_answer(struct hr_control *control, const char *error);

#endif
