/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/control_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "collect/control.h"

#define RETRY_NS 10000000

struct client {
	char commands[4096], answers[4096]; /* the paths; answers "": nobody answers */
	int command_fd, answer_fd;
	uint64_t until_ns;
	struct hr_err *err;
};

static int split(struct client *client, const char *spec)
{
	const char *path = strncmp(spec, "fifo:", 5) == 0 ? spec + 5 : spec, *comma = strchr(path, ',');
	size_t length = comma ? (size_t)(comma - path) : strlen(path);

	if (!length || length >= sizeof(client->commands) || (comma && strlen(comma + 1) >= sizeof(client->answers)))
		return hr_err_set(client->err, -EINVAL, "--control takes fifo:COMMANDS[,ACKS], not '%s'", spec);
	snprintf(client->commands, sizeof(client->commands), "%.*s", (int)length, path);
	snprintf(client->answers, sizeof(client->answers), "%s", comma ? comma + 1 : "");
	return 0;
}

static int nobody(struct client *client)
{
	return hr_err_set(client->err, -ENXIO, "no recording listens on '%s'", client->commands);
}

/* For writing, so that it fails where nobody reads; a plain file would take the words and keep them. */
static int open_fifo(struct client *client, const char *path, int flags, int *ret_fd)
{
	struct stat info;

	*ret_fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	if (*ret_fd < 0 && (errno == ENXIO || errno == ENOENT))
		return nobody(client);
	if (*ret_fd < 0)
		return hr_err_errno(client->err, -errno, "cannot open '%s'", path);
	if (fstat(*ret_fd, &info) || !S_ISFIFO(info.st_mode))
		return hr_err_set(client->err, -ENXIO, "'%s' is no FIFO, and no recording listens on it", path);
	return 0;
}

static int timed_out(struct client *client)
{
	return hr_err_set(client->err, -ETIMEDOUT, "the recording that listens on '%s' did not answer in time", client->commands);
}

/* Two at once would read each other's answers. */
static int wait_turn(struct client *client)
{
	while (flock(client->command_fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK || hr_clock_mono_ns() > client->until_ns)
			return timed_out(client);
		usleep(RETRY_NS / 1000);
	}
	return 0;
}

/* Answers that nobody took belong to earlier commands. */
static void drop_old_answers(struct client *client)
{
	char bytes[4096];

	while (read(client->answer_fd, bytes, sizeof(bytes)) > 0)
		continue;
}

static int send_line(struct client *client, const char *command)
{
	char line[HR_CONTROL_LINE_BYTES + 1];
	int length = snprintf(line, sizeof(line), "%s\n", command);

	if (length >= (int)sizeof(line) || strchr(command, '\n'))
		return hr_err_set(client->err, -EINVAL, "a command has one line of at most %d bytes", HR_CONTROL_LINE_BYTES - 1);
	/* short enough to be written as a whole or not at all */
	if (write(client->command_fd, line, (size_t)length) == length)
		return 0;
	return errno == EAGAIN ? timed_out(client) : errno == EPIPE ? nobody(client) :
				 hr_err_errno(client->err, -errno, "cannot write to '%s'", client->commands);
}

/* One line. */
static int read_answer(struct client *client, char *line, size_t size)
{
	size_t used = 0;

	for (;;) {
		uint64_t now_ns = hr_clock_mono_ns();
		struct pollfd wait = { .fd = client->answer_fd, .events = POLLIN };
		ssize_t n;

		if (now_ns >= client->until_ns)
			return timed_out(client);
		poll(&wait, 1, (int)((client->until_ns - now_ns) / 1000000 + 1));
		n = read(client->answer_fd, line + used, size - used - 1);
		if (n == 0)
			return hr_err_set(client->err, -EPIPE, "the recording that listened on '%s' ended before it answered", client->commands);
		if (n < 0)
			continue;
		used += (size_t)n;
		line[used] = '\0';
		if (strchr(line, '\n') || used + 1 == size) {
			line[strcspn(line, "\n")] = '\0';
			return 0;
		}
	}
}

static int await_answer(struct client *client)
{
	char line[1024], clean[sizeof(client->err->text)];
	int ret = read_answer(client, line, sizeof(line));

	if (ret || strcmp(line, "ack") == 0)
		return ret;
	hr_text_clean(clean, sizeof(clean), strncmp(line, "error: ", 7) ? line : line + 7, sizeof(line));
	return hr_err_set(client->err, -EPROTO, "%s", clean);
}

static int converse(struct client *client, const char *command)
{
	int ret = open_fifo(client, client->commands, O_WRONLY, &client->command_fd);

	if (!ret && client->answers[0])
		ret = open_fifo(client, client->answers, O_RDONLY, &client->answer_fd);
	if (!ret)
		ret = wait_turn(client);
	if (ret)
		return ret;
	if (client->answer_fd >= 0)
		drop_old_answers(client);
	ret = send_line(client, command);
	return ret || client->answer_fd < 0 ? ret : await_answer(client);
}

int hr_control_send(const char *spec, const char *command, uint64_t timeout_ns, struct hr_err *err)
{
	struct client client = {
		.command_fd = -1,
		.answer_fd = -1,
		.until_ns = hr_clock_mono_ns() + timeout_ns,
		.err = err,
	};
	int ret = split(&client, spec);

	if (!ret)
		ret = converse(&client, command);
	if (client.command_fd >= 0)
		close(client.command_fd);
	if (client.answer_fd >= 0)
		close(client.answer_fd);
	return ret;
}
