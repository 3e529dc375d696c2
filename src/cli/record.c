/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/recorder.h"
#include "cli/recording.h"
#include "cli/verb.h"

static const char verb[] = "record";

#define MS HR_RECORDING_MS
#define DURATION_MAX (30 * 24 * HR_RECORDING_HOUR)
#define COMMAND_GRACE_NS (3000 * MS) /* for a command to end after the signal that it was passed */

struct values {
	struct hr_recording_values common;
	const char *control;
	uint64_t duration_ns;
};

/* All that one run holds, so that one function lets it go. */
struct run {
	const struct values *values;
	char *const *argv; /* of the command, or NULL */
	struct hr_recording recording;
	struct hr_command command;
	struct hr_control *control;
};

/* What can be said before anything is touched. */
static int check_values(const struct values *values, char *const *argv)
{
	char interval[16], duration[16];
	bool has_target;
	int ret = hr_recording_check(verb, &values->common, &has_target);

	if (ret)
		return ret;
	if (!has_target && !argv)
		return hr_cli_failf(verb, HR_EXIT_USAGE,
				    "what is to be recorded? give -p PID, --port PORT, --comm NAME, --cgroup PATH or -- COMMAND");
	if (values->duration_ns && values->common.interval_ns > values->duration_ns)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "the interval (-i %s) is longer than the recording (-d %s): give a shorter -i",
				    hr_text_duration(values->common.interval_ns, interval),
				    hr_text_duration(values->duration_ns, duration));
	return HR_EXIT_DONE;
}

/* What is recorded when it is the command. */
static void describe_command(char *const *argv, char *text, size_t size)
{
	char command[200] = "";
	size_t used = 0;

	for (char *const *word = argv; *word && used < sizeof(command) - 1; word++)
		used += snprintf(command + used, sizeof(command) - used, "%s%s", used ? " " : "", *word);
	hr_text_clean(text, size, command, sizeof(command));
}

static enum hr_exit open_control(struct run *run, struct hr_err *err)
{
	int ret = run->values->control ? hr_control_open(run->values->control, &run->control, err) : 0;

	return !ret ? HR_EXIT_DONE : ret == -EINVAL ? HR_EXIT_USAGE : HR_EXIT_FAILED;
}

static enum hr_exit prepare(struct run *run, struct hr_err *err)
{
	struct hr_recording *recording = &run->recording;
	enum hr_exit ret = hr_recording_prepare(recording, err);
	char about[256];

	if (!ret)
		ret = open_control(run, err);
	if (!ret)
		ret = hr_recording_create(recording, err);
	if (!ret && run->argv && hr_command_start(run->argv, -1, &run->command, err))
		ret = HR_EXIT_FAILED;
	if (ret)
		return ret;
	if (!recording->has_target)
		describe_command(run->argv, about, sizeof(about));
	ret = recording->has_target ? hr_recording_open(recording, 0, NULL, err) :
				      hr_recording_open(recording, run->command.pid, about, err);
	return ret ? ret : hr_recording_begin(recording, err);
}

static void say_done(struct run *run, const struct hr_recorder *recorder, enum hr_end end)
{
	static const char *const why[] = {
		[HR_END_DURATION] = "",
		[HR_END_SIGNAL] = " (interrupted)",
		[HR_END_STOP] = " (stopped)",
		[HR_END_COMMAND] = " (the command ended)",
		[HR_END_TARGET] = " (the target ended)",
		[HR_END_FAILURE] = "",
	};
	char elapsed[16];

	if (run->recording.values->quiet)
		return;
	hr_cli_say(verb, "%s%s in %s; see headroom report %s",
		   hr_text_duration(hr_clock_mono_ns() - recorder->started_ns, elapsed), why[end], run->recording.path,
		   run->recording.path);
	if (run->command.pid && !hr_command_poll(&run->command))
		hr_cli_say(verb, "the command goes on as process %d", run->command.pid);
}

static int record(struct run *run, struct hr_err *err)
{
	struct hr_recording *recording = &run->recording;
	struct hr_recorder recorder = {
		.session = recording->session,
		.target = recording->has_target ? &recording->target : NULL,
		.command = run->argv ? &run->command : NULL,
		.control = run->control,
		.progress = &recording->progress,
		.textfile = recording->textfile,
		.signal_fd = recording->signal_fd,
		.interval_ns = recording->values->interval_ns,
	};
	int64_t status = HR_NULL;
	enum hr_end end;
	int ret;

	hr_recording_say_ready(recording);
	hr_recorder_begin(&recorder);
	end = hr_recorder_run(&recorder, run->values->duration_ns, err);
	hr_progress_clear(&recording->progress);
	if (end == HR_END_FAILURE) {
		hr_recording_end_textfile(recording);
		return hr_cli_fail(verb, HR_EXIT_FAILED, err);
	}
	if (end == HR_END_SIGNAL || end == HR_END_STOP)
		hr_command_end(&run->command, COMMAND_GRACE_NS);
	if (hr_command_poll(&run->command))
		status = run->command.status;
	ret = hr_recording_finish(recording, status, err);
	hr_recording_end_textfile(recording);
	if (run->control && end == HR_END_STOP)
		hr_control_answer(run->control, ret ? err->text : NULL);
	if (ret)
		return hr_cli_fail(verb, HR_EXIT_FAILED, err);
	say_done(run, &recorder, end);
	ret = hr_recording_judge(recording);
	if (ret == HR_EXIT_DONE && status != HR_NULL && end != HR_END_SIGNAL && end != HR_END_STOP)
		ret = status;
	return ret;
}

static int run_record(const void *options, const struct hr_arguments *arguments)
{
	struct run run = { .values = options, .argv = arguments->command };
	struct hr_err err = { "" };
	int ret = check_values(run.values, run.argv);

	if (ret)
		return ret;
	hr_recording_init(&run.recording, verb, &run.values->common);
	run.recording.command = run.argv ? run.argv[0] : NULL;
	ret = prepare(&run, &err);
	if (ret)
		ret = hr_recording_give_up(&run.recording, ret, &err);
	else if (run.command.pid && hr_command_release(&run.command, &err))
		ret = hr_recording_give_up(&run.recording, run.command.status, &err);
	else
		ret = record(&run, &err);
	hr_control_close(run.control);
	hr_command_fini(&run.command);
	hr_recording_fini(&run.recording);
	return ret;
}

static const struct hr_option options[] = {
	HR_RECORDING_TARGET_OPTIONS(struct values, common),
	HR_OPTION_DURATION(struct values, duration_ns, "duration", 'd', "DURATION",
			   "end after this long: 500ms, 10s, 2m\n(default: until the target or the command ends, or Ctrl-C)", 10 * MS,
			   DURATION_MAX),
	HR_RECORDING_OUTPUT_OPTIONS(struct values, common, "length of an interval (default 1s)"),
	HR_OPTION_TEXT(struct values, control, "control", 0, "fifo:CTL[,ACK]",
		       "take commands, a line each, from the FIFO CTL: enable, disable,\nping, mark, stop; answer \"ack\" on ACK"),
	HR_RECORDING_OPTIONS(struct values, common),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_record = {
	.name = verb,
	.summary = "record where the time of a server's threads goes",
	.usage = "[-p PID | --port PORT | --comm NAME | --cgroup PATH] [-d DURATION] [-o RUN.db] [-- COMMAND ...]",
	.notes = "Without a target the command itself is recorded; with one, the recording lasts as long as the command, a load\n"
		 "generator say. The command runs as the user who called sudo, and its status is passed on. Needs root.\n",
	.examples = "  headroom record --port 8000 -d 10s -o run.db\n"
		    "  headroom record --comm nginx -o run.db -- wrk -c16 -d10s http://127.0.0.1/\n"
		    "  headroom record -o run.db -- ./server --threads 4\n"
		    "  headroom record --port 8000 -i 15s --textfile /var/lib/prometheus/node-exporter/headroom.prom\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.defaults = &(const struct values){ .common = { .interval_ns = 1000 * MS, HR_RECORDING_DEFAULTS } },
	.takes_command = true,
	.run = run_record,
};
