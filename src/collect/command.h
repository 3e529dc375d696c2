/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_COMMAND_H
#define HR_COLLECT_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* A command that headroom starts: held before its exec until the probes are in, and run as the user who called sudo. */
struct hr_command {
	pid_t pid; /* 0: none */
	const char *name; /* its first word; not owned */
	int gate_fd, failure_fd, pid_fd;
	bool ended;
	int status; /* as shells show it: 128 + signal for one that a signal ended */
};

/* Fork. The command waits; argv must live until it is released. -errno with err set. */
int hr_command_start(char *const argv[], struct hr_command *ret, struct hr_err *err);

/*
 * Let it go. 0; -ENOENT, -EACCES, -EPIPE, ...: it could not be run, err says why, and status is 127 (not found) or 126.
 */
int hr_command_release(struct hr_command *command, struct hr_err *err);

/* Has it ended? Reaps it. */
bool hr_command_poll(struct hr_command *command);

/* Send it a signal, unless it has ended. */
void hr_command_signal(struct hr_command *command, int signal);

/* Free what is held; one that was never released is ended, one that runs is left alone. Takes one of zeros. */
void hr_command_fini(struct hr_command *command);

#endif
