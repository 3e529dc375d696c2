/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_RECORDING_H
#define HR_CLI_RECORDING_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "cli/activation.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/request_probe.h"
#include "cli/textfile.h"
#include "cli/verb.h"
#include "collect/features.h"
#include "collect/session.h"
#include "collect/target.h"
#include "store/writer.h"

/* What every verb that records has in common: the options, the target, the run file, the session, and how they come and go. */

#define HR_RECORDING_MS 1000000ULL
#define HR_RECORDING_HOUR (3600 * 1000 * HR_RECORDING_MS)

struct hr_recording_values {
	const char *pids, *comm, *cgroup, *output, *request_probe, *results, *textfile, *activate;
	int64_t port, ready_fd, stacks_hz;
	uint64_t interval_ns;
	bool no_stacks, force, strict, quiet;
};

/* The verb's defaults, but for the interval. */
#define HR_RECORDING_DEFAULTS .ready_fd = -1, .stacks_hz = 99

/* The rows, in two parts so that a verb's own stand between them. common: the member of type's that is a hr_recording_values. */
#define HR_RECORDING_TARGET_OPTIONS(type, common) \
	HR_OPTION_TEXT(type, common.pids, "pid", 'p', "PID[,PID]", "record these processes and their descendants"), \
	HR_OPTION_INT(type, common.port, "port", 0, "PORT", "record who listens on this TCP port", 1, 65535), \
	HR_OPTION_TEXT(type, common.comm, "comm", 0, "NAME", "record the process of this name"), \
	HR_OPTION_TEXT(type, common.cgroup, "cgroup", 0, "PATH", "record the processes of this cgroup (v1 or v2)")
#define HR_RECORDING_OUTPUT_OPTIONS(type, common, interval_help) \
	HR_OPTION_DURATION(type, common.interval_ns, "interval", 'i', "DURATION", interval_help, 10 * HR_RECORDING_MS, \
			   24 * HR_RECORDING_HOUR), \
	HR_OPTION_TEXT(type, common.output, "output", 'o', "RUN.db", "run file to write (default headroom-DATE-TIME.db)"), \
	HR_OPTION_FLAG(type, common.force, "force", 0, "replace the run file if it exists")
#define HR_RECORDING_OPTIONS(type, common) \
	HR_OPTION_TEXT(type, common.request_probe, "request-probe", 0, "BINARY:SYMBOL", \
		       "a call of this function is a request, from its entry to its return:\n" \
		       "for protocols whose requests sockets do not show"), \
	HR_OPTION_INT(type, common.stacks_hz, "stacks", 0, "HZ", "samples of stacks per second and CPU (default 99)", 1, 999), \
	HR_OPTION_FLAG(type, common.no_stacks, "no-stacks", 0, "sample no stacks"), \
	HR_OPTION_TEXT(type, common.results, "results", 0, "FILE.csv", \
		       "what the load generator measured, read at the end: a header with level and\n" \
		       "any of throughput_rps, errors, p50_ms, p90_ms, p99_ms, and a line per level"), \
	HR_OPTION_TEXT(type, common.activate, "activate", 0, "/10s|+5s|@14:30", \
		       "begin at the next multiple of 10 s on the clock, as other hosts do;\nin 5 s; at a time of day"), \
	HR_OPTION_TEXT(type, common.textfile, "textfile", 0, "FILE.prom", \
		       "write what was counted so far at each interval's end, for the textfile\n" \
		       "collector of Prometheus' node_exporter"), \
	HR_OPTION_INT(type, common.ready_fd, "ready-fd", 0, "N", "write a line to this descriptor when the probes are in", 0, 1 << 20), \
	HR_OPTION_FLAG(type, common.strict, "strict", 0, "end with status 3 if more data was lost than the numbers can bear"), \
	HR_OPTION_FLAG(type, common.quiet, "quiet", 'q', "say nothing but what fails")

struct hr_recording {
	const char *verb;
	const struct hr_recording_values *values;
	char name[64];	  /* of the run file that it gives itself */
	const char *path; /* of the run file */
	struct hr_target target;
	bool has_target;
	struct hr_features features; /* of this system */
	struct hr_request_probe request_probe;
	struct hr_writer *writer;
	struct hr_session *session;
	struct hr_progress progress;
	const char *command;		 /* path of the program that is recorded where there is no other target; NULL */
	struct hr_textfile *textfile;	 /* NULL: none was asked for */
	struct hr_activation activation; /* .at_ns is 0: the run begins at once */
	bool is_ready;			 /* --ready-fd was told */
	bool goes_first;		 /* see hr_priority_raise() */
	int signal_fd; /* SIGINT and SIGTERM, blocked otherwise */
	time_t created;	  /* when the run file was */
	bool results_failed; /* --results could not be taken, which was said; the run is as good without */
};

/*
 * The calls below stand in the order in which a verb makes them. Those that take err leave the saying to the verb; any may be
 * followed by hr_recording_give_up() and then hr_recording_fini().
 */

/* What can be said of the values before anything is touched; says it. One target at most, and it is counted. */
enum hr_exit hr_recording_check(const char *verb, const struct hr_recording_values *values, bool *ret_has_target);

/* Begin with zeros, and no signal_fd. Both pointers must outlive it. */
void hr_recording_init(struct hr_recording *recording, const char *verb, const struct hr_recording_values *values);

/* Take the signals that end a run, find the target if one was asked for, and see to what goes out beside the run file. */
enum hr_exit hr_recording_prepare(struct hr_recording *recording, struct hr_err *err);

/* See whether this system can be recorded, and make the run file. */
enum hr_exit hr_recording_create(struct hr_recording *recording, struct hr_err *err);

/*
 * Put the probes in. pid: a process to begin with, besides the target; 0: none. about: what is recorded, for the run file; NULL:
 * as the target describes itself.
 */
enum hr_exit hr_recording_open(struct hr_recording *recording, pid_t pid, const char *about, struct hr_err *err);

/*
 * Begin the run, if it did not at once, at the moment that was asked for: with --ready-fd told, and how near that moment it was
 * said. Write the textfile for the first time.
 */
enum hr_exit hr_recording_begin(struct hr_recording *recording, struct hr_err *err);

/* Tell --ready-fd, once. */
void hr_recording_say_ready(struct hr_recording *recording);

/* Write the textfile for the last time; says so if that fails. */
void hr_recording_end_textfile(struct hr_recording *recording);

/* Take --results, and end the run: see hr_session_finish(). */
int hr_recording_finish(struct hr_recording *recording, int64_t status, struct hr_err *err);

/*
 * The judgement on a finished run, which it says: HR_EXIT_FAILED without the results that were asked for, HR_EXIT_LOSSY under
 * --strict when the report would call it lossy.
 */
enum hr_exit hr_recording_judge(const struct hr_recording *recording);

/* Say why it never began, and leave no file. Returns code. */
int hr_recording_give_up(struct hr_recording *recording, int code, const struct hr_err *err);

/* Take the probes out, close the file. */
void hr_recording_fini(struct hr_recording *recording);

#endif
