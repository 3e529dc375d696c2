/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_RECORDER_H
#define HR_CLI_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/capture.h"
#include "cli/progress.h"
#include "cli/textfile.h"
#include "collect/command.h"
#include "collect/control.h"
#include "collect/session.h"
#include "collect/target.h"

/* Runs a session until something ends it: the loop of `record` and `sweep`. Everything in it is the caller's. */

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
	struct hr_capture *capture;   /* what the command prints; may be NULL */
	struct hr_progress *progress;
	struct hr_textfile *textfile; /* written at the end of each interval; may be NULL */
	bool textfile_failed;	      /* that was said */
	int signal_fd;		      /* SIGINT and SIGTERM, blocked otherwise */
	uint64_t interval_ns;

	/* the loop's own */
	uint64_t intervals; /* so far */
	uint64_t started_ns, interval_end_ns, cost_end_ns;
};

/* The first interval begins. */
void hr_recorder_begin(struct hr_recorder *recorder);

/*
 * Record for so long; 0: until something else ends it. May be called again after HR_END_DURATION and HR_END_COMMAND, and goes on
 * where it left. On HR_END_FAILURE err is set, and the run file holds every interval before that.
 */
enum hr_end hr_recorder_run(struct hr_recorder *recorder, uint64_t for_ns, struct hr_err *err);

/* End the interval here; the next one begins and is as long as asked for. */
int hr_recorder_cut(struct hr_recorder *recorder, struct hr_err *err);

/* hr_session_mark(), and the next interval is as long as asked for. */
int hr_recorder_mark(struct hr_recorder *recorder, const struct hr_mark *mark, struct hr_err *err);

#endif
