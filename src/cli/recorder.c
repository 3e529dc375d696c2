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

static int end_interval(struct hr_recorder *recorder, struct hr_err *err)
{
	const struct hr_drain_totals *totals;
	uint64_t interval_ns;
	int ret = hr_session_interval(recorder->session, err);

	if (ret)
		return ret;
	recorder->intervals++;
	totals = hr_session_totals(recorder->session, &interval_ns);
	write_textfile(recorder);
	hr_progress_show(recorder->progress, hr_clock_mono_ns() - recorder->started_ns, totals, interval_ns);
	return add_newcomers(recorder, err);
}

/* Carry out what came by --control; true: stop. */
static bool obey(struct hr_recorder *recorder)
{
	enum hr_control_command command;
	struct hr_err err;
	int ret;

	while ((command = hr_control_read(recorder->control)) != HR_CONTROL_NONE) {
		ret = 0;
		if (command == HR_CONTROL_ENABLE || command == HR_CONTROL_DISABLE)
			ret = hr_session_enable(recorder->session, command == HR_CONTROL_ENABLE, &err);
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
	};
	uint64_t now_ns = hr_clock_mono_ns(), wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	struct timespec timeout = { .tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000 };
	struct signalfd_siginfo info;

	*ret_signal = *ret_control = false;
	if (ppoll(fds, sizeof(fds) / sizeof(*fds), &timeout, NULL) <= 0)
		return;
	*ret_signal = fds[0].revents && read(recorder->signal_fd, &info, sizeof(info)) == sizeof(info);
	*ret_control = fds[1].revents;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

enum hr_end hr_recorder_run(struct hr_recorder *recorder, struct hr_err *err)
{
	uint64_t begin_ns = hr_clock_mono_ns(), interval_end_ns = begin_ns + recorder->interval_ns, cost_end_ns = UINT64_MAX;
	uint64_t end_ns = recorder->duration_ns ? begin_ns + recorder->duration_ns : UINT64_MAX;
	enum hr_end end = HR_END_FAILURE;
	bool signalled, asked;

	recorder->started_ns = begin_ns;
	hr_session_cost_begin(recorder->session);
	cost_end_ns = begin_ns + cost_window_ns(recorder);
	for (;;) {
		uint64_t now_ns = hr_clock_mono_ns();

		wait_until(recorder, earliest(earliest(interval_end_ns, end_ns), earliest(cost_end_ns, now_ns + LOOK_NS)),
			   &signalled, &asked);
		if (signalled)
			return HR_END_SIGNAL;
		if (asked && obey(recorder))
			return HR_END_STOP;
		if (has_ended(recorder, &end))
			return end;
		hr_session_mend(recorder->session);
		now_ns = hr_clock_mono_ns();
		if (now_ns >= cost_end_ns) {
			hr_session_cost_end(recorder->session);
			cost_end_ns = UINT64_MAX;
		}
		if (now_ns >= end_ns)
			return HR_END_DURATION;
		if (now_ns < interval_end_ns)
			continue;
		if (end_interval(recorder, err))
			return HR_END_FAILURE;
		/* a late interval does not make the next ones shorter than asked */
		interval_end_ns = interval_end_ns + recorder->interval_ns > now_ns ? interval_end_ns + recorder->interval_ns :
										     now_ns + recorder->interval_ns;
		if (has_cost_window(recorder->intervals)) {
			hr_session_cost_begin(recorder->session);
			cost_end_ns = hr_clock_mono_ns() + cost_window_ns(recorder);
		}
	}
}
