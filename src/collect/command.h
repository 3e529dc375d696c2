/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_COMMAND_H
#define HR_COLLECT_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* A command that headroom starts: held before its exec until the probes are in, and run as the user who called sudo. */
struct hr_command {
	pid_t pid; /* 0: none */
	const char *name; /* its first word; not owned */
	int gate_fd, failure_fd, pid_fd;
	bool has_group; /* it leads a process group of its own: signals go to all of that */
	bool ended;
	int status; /* as shells show it: 128 + signal for one that a signal ended */
};

/*
 * Fork. The command waits; argv must live until it is released. -errno with err set.
 *
 * output_fd -1: it has headroom's own descriptors and terminal. Otherwise it writes to that, reads nothing, and leads a process
 * group, so that whatever it starts can be ended with it, and a Ctrl-C is left to headroom.
 */
int hr_command_start(char *const argv[], int output_fd, struct hr_command *ret, struct hr_err *err);

/*
 * Let it go. 0; -ENOENT, -EACCES, -EPIPE, ...: it could not be run, err says why, and status is 127 (not found) or 126.
 */
int hr_command_release(struct hr_command *command, struct hr_err *err);

/* Has it ended? Reaps it. */
bool hr_command_poll(struct hr_command *command);

/* Send it a signal, unless it has ended; with its group if it has one, which may have outlived it. */
void hr_command_signal(struct hr_command *command, int signal);

/* Ask it to end, and wait; one that leads a group and does not heed within grace_ns is killed, any other is left running. */
void hr_command_end(struct hr_command *command, uint64_t grace_ns);

/* Free what is held; one that was never released is ended, one that runs is left alone. Takes one of zeros. */
void hr_command_fini(struct hr_command *command);

#endif
