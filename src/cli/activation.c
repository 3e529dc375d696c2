/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/activation.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"

#define SECOND_NS 1000000000ULL

static uint64_t boundary_ns(uint64_t every_ns, uint64_t from_ns)
{
	return (from_ns + every_ns - 1) / every_ns * every_ns;
}

/* "HH:MM", "HH:MM:SS", nothing behind it. */
static bool read_clock(const char *text, struct tm *clock)
{
	int end = 0, hour, minute, second = 0;

	if (sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || !end)
		return false;
	if (text[end] == ':') {
		text += end;
		end = 0;
		if (sscanf(text, ":%2d%n", &second, &end) != 1 || !end)
			return false;
	}
	if (text[end] || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
		return false;
	clock->tm_hour = hour;
	clock->tm_min = minute;
	clock->tm_sec = second;
	clock->tm_isdst = -1;
	return true;
}

/* Today, or where that is over tomorrow. */
static int parse_clock(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	time_t now = (time_t)(now_ns / SECOND_NS), at;
	struct tm today, clock;

	localtime_r(&now, &today);
	for (int days = 0; days < 2; days++) {
		clock = today;
		if (!read_clock(text, &clock))
			return -EINVAL;
		clock.tm_mday += days;
		at = mktime(&clock);
		if (at > now)
			break;
	}
	*ret_ns = (uint64_t)at * SECOND_NS;
	return 0;
}

int hr_activation_parse(const char *text, uint64_t now_ns, struct hr_activation *ret_activation, struct hr_err *err)
{
	struct hr_activation activation = { 0 };
	uint64_t duration_ns = 0;
	int ret = -EINVAL;

	if (*text == '/' || *text == '+')
		ret = hr_parse_duration_ns(text + 1, &duration_ns, NULL);
	else if (*text == '@')
		ret = parse_clock(text + 1, now_ns, &activation.at_ns);
	if (ret || (*text == '/' && !duration_ns))
		return hr_err_set(err, -EINVAL, "--activate: '%s' is none of /10s (a boundary), +5s (from now) and @14:30 (a time)", text);
	if (duration_ns > HR_ACTIVATION_LATEST_NS)
		return hr_err_set(err, -ERANGE, "--activate: '%s' is more than a week away", text);
	if (*text == '/') {
		activation.every_ns = duration_ns;
		activation.at_ns = boundary_ns(duration_ns, now_ns + HR_ACTIVATION_LEAD_NS);
	} else if (*text == '+') {
		activation.at_ns = now_ns + duration_ns;
	}
	*ret_activation = activation;
	return 0;
}

uint64_t hr_activation_at_ns(const struct hr_activation *activation, uint64_t now_ns)
{
	if (!activation->every_ns || activation->at_ns >= now_ns)
		return activation->at_ns;
	return boundary_ns(activation->every_ns, now_ns);
}

int hr_activation_wait(uint64_t at_ns, int signal_fd, struct hr_err *err)
{
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(at_ns / SECOND_NS), .tv_nsec = (long)(at_ns % SECOND_NS) } };
	int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC), ret = 0;
	struct pollfd fds[] = { { .fd = timer, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };

	if (timer < 0 || timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL)) {
		ret = hr_err_errno(err, -errno, "--activate: cannot wait");
		goto out;
	}
	while (!fds[0].revents && !ret) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			ret = hr_err_errno(err, -errno, "--activate: cannot wait");
		else if (fds[1].revents)
			ret = hr_err_set(err, -EINTR, "interrupted before the recording began");
	}
out:
	if (timer >= 0)
		close(timer);
	return ret;
}

const char *hr_activation_clock(uint64_t at_ns, char buf[32])
{
	time_t at = (time_t)(at_ns / SECOND_NS);
	struct tm clock;
	size_t length;

	localtime_r(&at, &clock);
	length = strftime(buf, 32, "%H:%M:%S", &clock);
	snprintf(buf + length, 32 - length, ".%03u", (unsigned int)(at_ns % SECOND_NS / 1000000));
	return buf;
}
