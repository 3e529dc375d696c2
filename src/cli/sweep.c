/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/level_list.h"
#include "cli/load.h"
#include "cli/recorder.h"
#include "cli/recording.h"
#include "cli/settle.h"
#include "cli/verb.h"

static const char verb[] = "sweep";

#define MS HR_RECORDING_MS
#define SECOND (1000 * MS)
#define DURATION_MAX (24 * HR_RECORDING_HOUR)
#define COMMAND_GRACE_NS (3 * SECOND) /* for a load command to end after it was asked to */
#define PATIENCE 3		      /* times --duration, and the load command is ended */
#define WARMUP_PART 5		      /* of --duration, where --warmup is not given */
#define BETWEEN_NS (500 * MS)	      /* what a level takes besides its command, until that is known */
#define WORDS_LINES 5		      /* of a failed command that are shown */
#define LINE_BYTES 400		      /* of each of these */
#define UNSET UINT64_MAX

struct values {
	struct hr_recording_values common;
	const char *levels;
	uint64_t duration_ns, warmup_ns, settle_ns;
	bool keep_going;
};

struct sweep {
	const struct values *values;
	char *const *words; /* of the load command */
	bool is_rate;
	uint64_t warmup_ns;
	struct hr_level_list list;
	struct hr_recording recording;
	struct hr_recorder recorder;
	struct hr_rest rest; /* the target before any load */
	uint64_t begin_ns;   /* of the first level */
	char doing[64];	     /* for the progress line */
	bool has_failed;     /* a load command did, or the target ended */
	bool never_began;    /* the first command could not be run: there is nothing to keep */
};

static int check_values(struct sweep *sweep)
{
	const struct values *values = sweep->values;
	bool has_target;
	struct hr_err err;
	int ret = hr_recording_check(verb, &values->common, &has_target);

	if (ret)
		return ret;
	if (!has_target)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "what is to be recorded? give -p PID, --port PORT, --comm NAME or --cgroup PATH");
	if (!values->levels)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which levels? give --levels 1,2,4,8");
	if (hr_level_list_parse(values->levels, &sweep->list, &err))
		return hr_cli_fail(verb, HR_EXIT_USAGE, &err);
	if (!sweep->words)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "what makes the load? give -- COMMAND, with {level} in it");
	if (hr_load_is_rate(sweep->words, &sweep->is_rate, &err))
		return hr_cli_fail(verb, HR_EXIT_USAGE, &err);
	sweep->warmup_ns = values->warmup_ns == UNSET ? values->duration_ns / WARMUP_PART : values->warmup_ns;
	if (sweep->warmup_ns >= values->duration_ns)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "the warm-up is as long as the level: give a --duration that is longer than --warmup");
	if (values->common.interval_ns > values->duration_ns - sweep->warmup_ns)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "an interval (-i) is longer than what is left of a level after its warm-up");
	return HR_EXIT_DONE;
}

/* For the progress line: where it is, and when it will be done if the levels take as long as those before. */
static void show_where(struct sweep *sweep, size_t level)
{
	const uint64_t now_ns = hr_clock_mono_ns();
	uint64_t each_ns = sweep->values->duration_ns + BETWEEN_NS;

	if (level > 0)
		each_ns = (now_ns - sweep->begin_ns) / level;
	snprintf(sweep->doing, sizeof(sweep->doing), "level %zu of %zu: %s", level + 1, sweep->list.count, sweep->list.labels[level]);
	sweep->recording.progress.doing = sweep->doing;
	sweep->recording.progress.end_ns = now_ns + (sweep->list.count - level) * each_ns;
}

/* The last lines of what it printed. */
static void say_last_words(const char *text)
{
	size_t length = strlen(text), begin;
	char line[LINE_BYTES];

	while (length && text[length - 1] == '\n')
		length--;
	begin = length;
	for (int lines = 0; begin && (text[begin - 1] != '\n' || ++lines < WORDS_LINES);)
		begin--;
	while (begin < length) {
		const size_t line_length = strcspn(text + begin, "\n");

		hr_text_clean(line, sizeof(line), text + begin, line_length);
		fprintf(stderr, "    %s\n", line);
		begin += line_length + 1;
	}
}

/*
 * End a command that did not end by itself. The recording goes on beside it, unless that is over too. Returns why the level ended,
 * all told: somebody may have lost patience meanwhile.
 */
static enum hr_end stop_load(struct sweep *sweep, struct hr_load *load, enum hr_end end, struct hr_err *err)
{
	enum hr_end then = HR_END_COMMAND;

	hr_command_signal(&load->command, SIGTERM);
	if (end == HR_END_DURATION)
		then = hr_recorder_run(&sweep->recorder, COMMAND_GRACE_NS, err);
	hr_command_end(&load->command, end == HR_END_DURATION || end == HR_END_FAILURE ? 0 : COMMAND_GRACE_NS);
	return then == HR_END_COMMAND || then == HR_END_DURATION ? end : then;
}

/* What is noted of a level whose command did not end by itself. */
static const char *const notes_of[] = {
	[HR_END_DURATION] = "ended=overdue",
	[HR_END_SIGNAL] = "ended=interrupted",
	[HR_END_TARGET] = "ended=target",
	[HR_END_FAILURE] = NULL, /* the last */
};

/* Say what did not go as it should; words: what the command printed, or NULL. */
static void say_end(struct sweep *sweep, const char *label, const struct hr_load *load, enum hr_end end, const char *words)
{
	const char *name = load->argv[0];

	hr_progress_clear(&sweep->recording.progress);
	if (end == HR_END_DURATION)
		hr_cli_say(verb, "level %s: '%s' was not done after %d times --duration, and was ended", label, name, PATIENCE);
	if (end == HR_END_TARGET)
		hr_cli_say(verb, "level %s: the target ended", label);
	if (end == HR_END_COMMAND && load->command.status) {
		hr_cli_say(verb, "level %s: '%s' ended with status %d%s", label, name, load->command.status,
			   words ? "; its last words:" : " and said nothing");
		if (words)
			say_last_words(words);
	}
}

/* Note what came of the command of a level that is closed. */
static int note_load(struct sweep *sweep, const char *label, struct hr_load *load, enum hr_end end, struct hr_err *err)
{
	struct hr_level_result result = {
		.status = end == HR_END_COMMAND ? load->command.status : HR_NULL,
		.notes = notes_of[end],
	};
	char *output;
	int ret;

	sweep->has_failed = sweep->has_failed || end == HR_END_TARGET || (end == HR_END_COMMAND && result.status);
	hr_capture_read(load->capture);
	result.output = output = hr_capture_text(load->capture);
	say_end(sweep, label, load, end, output);
	ret = hr_session_level_result(sweep->recording.session, &result, err);
	free(output);
	return ret;
}

static int open_level(struct sweep *sweep, const char *label, const char *command, struct hr_err *err)
{
	struct hr_mark mark = {
		.has_level = true,
		.has_warmup = sweep->warmup_ns > 0,
		.warmup_ns = sweep->warmup_ns,
		.command = command,
		.follows_load = true,
	};

	snprintf(mark.label, sizeof(mark.label), "%s", label);
	if (sweep->is_rate)
		snprintf(mark.notes, sizeof(mark.notes), "unit=rps");
	return hr_recorder_mark(&sweep->recorder, &mark, err);
}

static int close_level(struct sweep *sweep, const char *label, struct hr_err *err)
{
	const struct hr_mark mark = { .has_level = true };

	if (hr_session_warmup_end_ns(sweep->recording.session) != UINT64_MAX) {
		hr_progress_clear(&sweep->recording.progress);
		hr_cli_say(verb, "level %s: it ended in its warm-up, so nothing of it counts: give a longer --duration", label);
	}
	return hr_recorder_mark(&sweep->recorder, &mark, err);
}

/* The level lasts as long as the command runs. */
static enum hr_end run_load(struct sweep *sweep, const char *label, struct hr_load *load, struct hr_err *err)
{
	struct hr_recorder *recorder = &sweep->recorder;
	enum hr_end end;

	if (open_level(sweep, label, load->text, err))
		return HR_END_FAILURE;
	if (hr_command_release(&load->command, err)) {
		sweep->never_began = sweep->list.labels[0] == label;
		if (sweep->never_began)
			return HR_END_FAILURE;
		hr_capture_add(load->capture, err->text); /* as if it had said so itself */
	}
	recorder->command = &load->command;
	recorder->capture = load->capture;
	end = hr_recorder_run(recorder, PATIENCE * sweep->values->duration_ns + sweep->warmup_ns, err);
	if (end != HR_END_FAILURE && close_level(sweep, label, err))
		end = HR_END_FAILURE;
	if (end != HR_END_COMMAND)
		end = stop_load(sweep, load, end, err);
	recorder->command = NULL;
	recorder->capture = NULL;
	if (end == HR_END_FAILURE || note_load(sweep, label, load, end, err))
		return HR_END_FAILURE;
	return end;
}

/* Wait until nothing of the level is left in the target. */
static enum hr_end settle(struct sweep *sweep, const char *label, struct hr_err *err)
{
	char limit[16];
	uint64_t settled_ns;
	bool settled;
	enum hr_end end = hr_rest_wait(&sweep->recorder, &sweep->rest, sweep->values->settle_ns, &settled, &settled_ns, err);

	if (end != HR_END_DURATION)
		return end;
	if (settled)
		return hr_session_level_settled(sweep->recording.session, settled_ns, err) ? HR_END_FAILURE : end;
	if (!sweep->values->common.quiet && sweep->values->settle_ns) {
		hr_progress_clear(&sweep->recording.progress);
		hr_cli_say(verb, "level %s: the target was not at rest %s after it", label,
			   hr_text_duration(sweep->values->settle_ns, limit));
	}
	return end;
}

/* One level. HR_END_COMMAND: go on with the next. */
static enum hr_end run_level(struct sweep *sweep, size_t level, struct hr_err *err)
{
	const char *label = sweep->list.labels[level];
	struct hr_load load = { 0 };
	enum hr_end end;

	show_where(sweep, level);
	if (hr_load_start(sweep->words, label, sweep->values->duration_ns, &load, err))
		return HR_END_FAILURE;
	end = run_load(sweep, label, &load, err);
	hr_load_fini(&load);
	if (end != HR_END_COMMAND && end != HR_END_DURATION)
		return end;
	if (sweep->has_failed && !sweep->values->keep_going)
		return end;
	end = settle(sweep, label, err);
	if (end == HR_END_TARGET && level + 1 < sweep->list.count) {
		sweep->has_failed = true;
		hr_cli_say(verb, "the target ended after level %s", label);
	}
	return end == HR_END_DURATION ? HR_END_COMMAND : end;
}

static enum hr_end run_levels(struct sweep *sweep, struct hr_err *err)
{
	enum hr_end end = hr_rest_measure(&sweep->recorder, &sweep->rest, err);

	if (end != HR_END_DURATION)
		return end;
	end = HR_END_COMMAND;
	sweep->begin_ns = hr_clock_mono_ns();
	for (size_t level = 0; level < sweep->list.count && end == HR_END_COMMAND; level++) {
		end = run_level(sweep, level, err);
		if (sweep->has_failed && !sweep->values->keep_going)
			break;
	}
	return end;
}

static void say_done(const struct sweep *sweep, enum hr_end end)
{
	char elapsed[16];

	if (!sweep->values->common.quiet)
		hr_cli_say(verb, "%s%s in %s; see headroom report %s",
			   hr_text_duration(hr_clock_mono_ns() - sweep->recorder.started_ns, elapsed),
			   end == HR_END_SIGNAL ? " (interrupted)" : "", sweep->recording.path, sweep->recording.path);
}

static int run_sweep(struct sweep *sweep, struct hr_err *err)
{
	struct hr_recording *recording = &sweep->recording;
	enum hr_end end;
	int ret;

	sweep->recorder = (struct hr_recorder){
		.session = recording->session,
		.target = &recording->target,
		.progress = &recording->progress,
		.textfile = recording->textfile,
		.signal_fd = recording->signal_fd,
		.interval_ns = recording->values->interval_ns,
	};
	hr_recording_say_ready(recording);
	hr_recorder_begin(&sweep->recorder);
	end = run_levels(sweep, err);
	hr_progress_clear(&recording->progress);
	if (sweep->never_began)
		return hr_recording_give_up(recording, HR_EXIT_FAILED, err);
	ret = end == HR_END_FAILURE || hr_recording_finish(recording, HR_NULL, err);
	hr_recording_end_textfile(recording);
	if (ret)
		return hr_cli_fail(verb, HR_EXIT_FAILED, err);
	say_done(sweep, end);
	ret = hr_recording_judge(recording);
	return sweep->has_failed ? HR_EXIT_FAILED : ret;
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	struct sweep sweep = { .values = options, .words = arguments->command };
	struct hr_err err = { "" };
	int ret = check_values(&sweep);

	if (ret)
		return ret;
	hr_recording_init(&sweep.recording, verb, &sweep.values->common);
	ret = hr_recording_prepare(&sweep.recording, &err);
	if (!ret)
		ret = hr_recording_create(&sweep.recording, &err);
	if (!ret)
		ret = hr_recording_open(&sweep.recording, 0, NULL, &err);
	if (!ret)
		ret = hr_recording_begin(&sweep.recording, &err);
	ret = ret ? hr_recording_give_up(&sweep.recording, ret, &err) : run_sweep(&sweep, &err);
	hr_recording_fini(&sweep.recording);
	return ret;
}

static const struct hr_option options[] = {
	HR_RECORDING_TARGET_OPTIONS(struct values, common),
	HR_OPTION_TEXT(struct values, levels, "levels", 'l', "LEVEL,...", "levels of the load, in the order in which they are run: 1,2,4,8"),
	HR_OPTION_DURATION(struct values, duration_ns, "duration", 'd', "DURATION",
			   "what the load command is told to last (default 10s);\none that runs three times as long is ended", 100 * MS,
			   DURATION_MAX),
	HR_OPTION_DURATION(struct values, warmup_ns, "warmup", 'w', "DURATION",
			   "begin of each level that does not count (default: a fifth of\n--duration)", 0, DURATION_MAX),
	HR_OPTION_DURATION(struct values, settle_ns, "settle", 0, "DURATION",
			   "how long to wait after a level until the target is at rest (default 10s)", 0, HR_RECORDING_HOUR),
	HR_OPTION_FLAG(struct values, keep_going, "keep-going", 'k', "go on with the next level when a load command fails"),
	HR_RECORDING_OUTPUT_OPTIONS(struct values, common, "length of an interval (default 250ms)"),
	HR_RECORDING_OPTIONS(struct values, common),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_sweep = {
	.name = verb,
	.summary = "record a server while a load generator goes through levels of load",
	.usage = "-p PID | --port PORT | --comm NAME | --cgroup PATH  --levels 1,2,4,8 [-d DURATION] [-o RUN.db] -- COMMAND ...",
	.notes = "The command is run once per level. In its words {level} stands for the level, {duration} for --duration as in 10s, and\n"
		 "{seconds} for its number of seconds; {rate} instead of {level} says that the levels are requests per second. A level lasts\n"
		 "as long as its command, which runs as the user who called sudo; what it prints is kept in the run file. Needs root.\n",
	.examples = "  headroom sweep --port 8000 --levels 1,2,4,8,16 -d 10s -o run.db -- \\\n"
		    "      wrk -t1 -c{level} -d{duration} http://127.0.0.1:8000/\n"
		    "  headroom sweep --comm nginx --levels 100,200,400 -o run.db -- ./load.sh {rate} {seconds}\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.defaults = &(const struct values){ .common = { .interval_ns = 250 * MS, HR_RECORDING_DEFAULTS },
					    .duration_ns = 10 * SECOND,
					    .warmup_ns = UNSET,
					    .settle_ns = 10 * SECOND },
	.takes_command = true,
	.run = run,
};
