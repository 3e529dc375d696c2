/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/recorder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

#define LOOK_NS 50000000ULL	/* how soon the end of a target is seen */
#define COST_EVERY 4		/* intervals from one sample of the programs' cost to the next */
#define COST_WINDOW_NS 50000000ULL

/* Which interval has a cost sample: the first, so that a short run has one, and then every fourth. */
static bool has_cost_window(uint64_t interval)
{
	return interval % COST_EVERY == 0;
}

static uint64_t cost_window_ns(const struct hr_recorder *recorder)
{
	return recorder->interval_ns / 4 < COST_WINDOW_NS ? recorder->interval_ns / 4 : COST_WINDOW_NS;
}

static int add_newcomers(struct hr_recorder *recorder, struct hr_err *err)
{
	pid_t *pids = NULL;
	size_t count = 0;
	int ret;

	if (!recorder->target || !recorder->target->cgroup[0])
		return 0;
	ret = hr_target_more(recorder->target, &pids, &count, err);
	if (!ret)
		ret = hr_session_add(recorder->session, pids, count, err);
	free(pids);
	return ret;
}

/* A disk that is full for a while is no reason to end a recording. */
static void write_textfile(struct hr_recorder *recorder)
{
	struct hr_err err;

	if (!recorder->textfile || !hr_textfile_write(recorder->textfile, hr_session_live(recorder->session), true, &err))
		return;
	if (!recorder->textfile_failed)
		hr_cli_say(NULL, "%s", err.text);
	recorder->textfile_failed = true;
}

static void show(struct hr_recorder *recorder)
{
	uint64_t interval_ns;
	const struct hr_drain_totals *totals = hr_session_totals(recorder->session, &interval_ns);

	recorder->progress->is_warmup = hr_session_warmup_end_ns(recorder->session) != UINT64_MAX;
	hr_progress_show(recorder->progress, hr_clock_mono_ns() - recorder->started_ns, totals, interval_ns);
}

static int end_interval(struct hr_recorder *recorder, struct hr_err *err)
{
	int ret = hr_session_interval(recorder->session, err);

	if (ret)
		return ret;
	recorder->intervals++;
	write_textfile(recorder);
	show(recorder);
	return add_newcomers(recorder, err);
}

/* The session has ended the interval by itself: the next one is not to be a short one for that. */
static void begin_interval(struct hr_recorder *recorder)
{
	recorder->interval_end_ns = hr_clock_mono_ns() + recorder->interval_ns;
}

int hr_recorder_cut(struct hr_recorder *recorder, struct hr_err *err)
{
	int ret = end_interval(recorder, err);

	begin_interval(recorder);
	return ret;
}

int hr_recorder_mark(struct hr_recorder *recorder, const struct hr_mark *mark, struct hr_err *err)
{
	int ret = hr_session_mark(recorder->session, mark, err);

	if (!ret && hr_levels_cuts(mark))
		begin_interval(recorder);
	return ret;
}

static int end_warmup(struct hr_recorder *recorder, struct hr_err *err)
{
	int ret = hr_session_measure(recorder->session, err);

	begin_interval(recorder);
	return ret;
}

/* Carry out what came by --control; true: stop. */
static bool obey(struct hr_recorder *recorder)
{
	enum hr_control_command command;
	struct hr_mark mark;
	struct hr_err err;
	int ret;

	while ((command = hr_control_read(recorder->control, &mark)) != HR_CONTROL_NONE) {
		ret = 0;
		if (command == HR_CONTROL_ENABLE || command == HR_CONTROL_DISABLE)
			ret = hr_session_enable(recorder->session, command == HR_CONTROL_ENABLE, &err);
		if (command == HR_CONTROL_MARK)
			ret = hr_recorder_mark(recorder, &mark, &err);
		if (command == HR_CONTROL_STOP)
			return true; /* answered when the run file is complete */
		hr_control_answer(recorder->control, ret ? err.text : NULL);
	}
	return false;
}

/* A command that is recorded itself has ended when it is reaped, and not before: its status is passed on. */
static bool has_ended(struct hr_recorder *recorder, enum hr_end *ret_end)
{
	if (recorder->command && hr_command_poll(recorder->command))
		*ret_end = HR_END_COMMAND;
	else if (recorder->target && !recorder->target->cgroup[0] && !hr_session_alive(recorder->session))
		*ret_end = HR_END_TARGET;
	else
		return false;
	return true;
}

/* Sleep until then, or until somebody wants something. */
static void wait_until(struct hr_recorder *recorder, uint64_t until_ns, bool *ret_signal, bool *ret_control)
{
	struct pollfd fds[] = {
		{ .fd = recorder->signal_fd, .events = POLLIN },
		{ .fd = recorder->control ? hr_control_fd(recorder->control) : -1, .events = POLLIN },
		{ .fd = recorder->command ? recorder->command->pid_fd : -1, .events = POLLIN },
		{ .fd = recorder->capture ? hr_capture_fd(recorder->capture) : -1, .events = POLLIN },
	};
	uint64_t now_ns = hr_clock_mono_ns(), wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	struct timespec timeout = { .tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000 };
	struct signalfd_siginfo info;

	*ret_signal = *ret_control = false;
	if (ppoll(fds, sizeof(fds) / sizeof(*fds), &timeout, NULL) <= 0)
		return;
	*ret_signal = fds[0].revents && read(recorder->signal_fd, &info, sizeof(info)) == sizeof(info);
	*ret_control = fds[1].revents;
	if (fds[3].revents)
		hr_capture_read(recorder->capture);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When there is something to do, if nobody wants anything before. */
static uint64_t next_ns(const struct hr_recorder *recorder, uint64_t end_ns)
{
	uint64_t ns = earliest(recorder->interval_end_ns, recorder->cost_end_ns);

	ns = earliest(ns, hr_session_warmup_end_ns(recorder->session));
	return earliest(earliest(ns, end_ns), hr_clock_mono_ns() + LOOK_NS);
}

static void begin_cost_window(struct hr_recorder *recorder)
{
	hr_session_cost_begin(recorder->session);
	recorder->cost_end_ns = hr_clock_mono_ns() + cost_window_ns(recorder);
}

static void end_cost_window(struct hr_recorder *recorder)
{
	hr_session_cost_end(recorder->session);
	recorder->cost_end_ns = UINT64_MAX;
}

/* What is due at now_ns. */
static int keep_time(struct hr_recorder *recorder, uint64_t now_ns, struct hr_err *err)
{
	if (now_ns >= recorder->cost_end_ns)
		end_cost_window(recorder);
	if (now_ns >= hr_session_warmup_end_ns(recorder->session))
		return end_warmup(recorder, err);
	if (now_ns < recorder->interval_end_ns)
		return 0;
	if (end_interval(recorder, err))
		return -1;
	/* a late interval does not make the next ones shorter than asked */
	recorder->interval_end_ns += recorder->interval_ns;
	if (recorder->interval_end_ns <= now_ns)
		recorder->interval_end_ns = now_ns + recorder->interval_ns;
	if (has_cost_window(recorder->intervals))
		begin_cost_window(recorder);
	return 0;
}

void hr_recorder_begin(struct hr_recorder *recorder)
{
	recorder->started_ns = hr_clock_mono_ns();
	recorder->interval_end_ns = recorder->started_ns + recorder->interval_ns;
	begin_cost_window(recorder);
}

enum hr_end hr_recorder_run(struct hr_recorder *recorder, uint64_t for_ns, struct hr_err *err)
{
	uint64_t end_ns = for_ns ? hr_clock_mono_ns() + for_ns : UINT64_MAX, now_ns;
	enum hr_end end = HR_END_FAILURE;
	bool signalled, asked;

	for (;;) {
		wait_until(recorder, next_ns(recorder, end_ns), &signalled, &asked);
		if (signalled)
			return HR_END_SIGNAL;
		if (asked && obey(recorder))
			return HR_END_STOP;
		if (has_ended(recorder, &end))
			return end;
		hr_session_mend(recorder->session);
		now_ns = hr_clock_mono_ns();
		if (now_ns >= end_ns)
			return HR_END_DURATION;
		if (keep_time(recorder, now_ns, err))
			return HR_END_FAILURE;
	}
}
