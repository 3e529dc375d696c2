/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_RECORDER_H
#define HR_CLI_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/progress.h"
#include "cli/textfile.h"
#include "collect/command.h"
#include "collect/control.h"
#include "collect/session.h"
#include "collect/target.h"

/* Runs a session until something ends it: the loop of `record`. Everything in it is the caller's. */

/* Why a recording ended. */
enum hr_end {
	HR_END_DURATION, /* as long as asked for */
	HR_END_SIGNAL,	 /* SIGINT or SIGTERM */
	HR_END_STOP,	 /* stop came by --control */
	HR_END_COMMAND,	 /* the command that was started has ended */
	HR_END_TARGET,	 /* no process of the target is left */
	HR_END_FAILURE,
};

struct hr_recorder {
	struct hr_session *session;
	struct hr_target *target;     /* looked at again for a cgroup; may be NULL */
	struct hr_command *command;   /* whose end ends the recording; may be NULL */
	struct hr_control *control;   /* may be NULL */
	struct hr_progress *progress;
	struct hr_textfile *textfile; /* written at the end of each interval; may be NULL */
	bool textfile_failed;	      /* that was said */
	int signal_fd;		      /* SIGINT and SIGTERM, blocked otherwise */
	uint64_t duration_ns;	      /* 0: until something else ends it */
	uint64_t interval_ns;
	uint64_t intervals;	      /* so far: written by the loop */
	uint64_t started_ns;
};

/* Record. On HR_END_FAILURE err is set, and the run file holds every interval before that. */
enum hr_end hr_recorder_run(struct hr_recorder *recorder, struct hr_err *err);

#endif
