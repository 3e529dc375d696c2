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
#include "cli/textfile.h"
#include "cli/verb.h"

static const char verb[] = "record";

#define MS HR_RECORDING_MS
#define DURATION_MAX (30 * 24 * HR_RECORDING_HOUR)
#define COMMAND_GRACE_NS (3000 * MS) /* for a command to end after the signal that it was passed */

struct values {
	struct hr_recording_values common;
	const char *control, *textfile;
	uint64_t duration_ns;
};

/* All that one run holds, so that one function lets it go. */
struct run {
	const struct values *values;
	char *const *argv; /* of the command, or NULL */
	struct hr_recording recording;
	struct hr_command command;
	struct hr_control *control;
	struct hr_textfile *textfile;
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

/* What was asked for, which stays the same from run to run, so that it makes a label. */
static void label(const struct run *run, char *text, size_t size)
{
	const struct hr_recording_values *values = &run->values->common;
	char port[8];
	const struct {
		const char *kind, *name;
	} asked[] = {
		{ "port", values->port ? port : NULL }, { "comm", values->comm }, { "cgroup", values->cgroup },
		{ "pid", values->pids }, { "command", run->argv ? basename(run->argv[0]) : NULL },
	};
	char words[256];

	snprintf(port, sizeof(port), "%" PRId64, values->port);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (asked[i].name) {
			snprintf(words, sizeof(words), "%s %s", asked[i].kind, asked[i].name);
			break;
		}
	hr_text_clean(text, size, words, sizeof(words));
}

static int open_textfile(struct run *run, struct hr_err *err)
{
	char target[256];

	if (!run->values->textfile)
		return 0;
	label(run, target, sizeof(target));
	return hr_textfile_open(run->values->textfile, target, &run->textfile, err);
}

/* The first version says that the run begins; what cannot be written now will not be later. */
static enum hr_exit start_textfile(struct run *run, struct hr_err *err)
{
	if (!run->textfile)
		return HR_EXIT_DONE;
	hr_textfile_start(run->textfile);
	return hr_textfile_write(run->textfile, hr_session_live(run->recording.session), true, err) ? HR_EXIT_FAILED : HR_EXIT_DONE;
}

static void end_textfile(struct run *run)
{
	struct hr_err err;

	if (run->textfile && hr_textfile_write(run->textfile, hr_session_live(run->recording.session), false, &err))
		hr_cli_say(verb, "%s", err.text);
}

/* What goes out of the run, or into it, beside the run file. */
static enum hr_exit open_others(struct run *run, struct hr_err *err)
{
	int ret = run->values->control ? hr_control_open(run->values->control, &run->control, err) : 0;

	if (!ret)
		ret = open_textfile(run, err);
	return !ret ? HR_EXIT_DONE : ret == -EINVAL ? HR_EXIT_USAGE : HR_EXIT_FAILED;
}

static enum hr_exit prepare(struct run *run, struct hr_err *err)
{
	struct hr_recording *recording = &run->recording;
	enum hr_exit ret = hr_recording_prepare(recording, err);
	char about[256];

	if (!ret)
		ret = open_others(run, err);
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
	return ret ? ret : start_textfile(run, err);
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
		.textfile = run->textfile,
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
		end_textfile(run);
		return hr_cli_fail(verb, HR_EXIT_FAILED, err);
	}
	if (end == HR_END_SIGNAL || end == HR_END_STOP)
		hr_command_end(&run->command, COMMAND_GRACE_NS);
	if (hr_command_poll(&run->command))
		status = run->command.status;
	ret = hr_recording_finish(recording, status, err);
	end_textfile(run);
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
	ret = prepare(&run, &err);
	if (ret)
		ret = hr_recording_give_up(&run.recording, ret, &err);
	else if (run.command.pid && hr_command_release(&run.command, &err))
		ret = hr_recording_give_up(&run.recording, run.command.status, &err);
	else
		ret = record(&run, &err);
	hr_control_close(run.control);
	hr_command_fini(&run.command);
	hr_textfile_close(run.textfile);
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
	HR_OPTION_TEXT(struct values, textfile, "textfile", 0, "FILE.prom",
		       "write what was counted so far at each interval's end, for the textfile\ncollector of Prometheus' node_exporter"),
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
