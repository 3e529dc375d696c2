/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_CONTROL_CLIENT_H
#define HR_COLLECT_CONTROL_CLIENT_H

#include <stdint.h>

#include "base/err.h"

/*
 * The other side of collect/control.h: give a recording that listens on FIFOs one command, and wait until it is done. spec:
 * "fifo:COMMANDS[,ACKS]", "fifo:" may be left out. Several at once wait for each other.
 *
 * 0: acknowledged, or sent where there is no ACKS. With err set: -EINVAL: not a spec; -ENXIO: no recording listens there;
 * -EPROTO: it answered with an error, and err is its sentence; -ETIMEDOUT: no answer within timeout_ns; -EPIPE: it ended before it
 * answered; -ENOENT, -EACCES, ...: the FIFOs cannot be opened.
 */
int hr_control_send(const char *spec, const char *command, uint64_t timeout_ns, struct hr_err *err);

#endif
