/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/text.h"

struct fifo {
	char *path;
	int fd;
	bool made;
};

struct hr_control {
	struct fifo commands, answers;
	char line[HR_CONTROL_LINE_BYTES];
	size_t used;
	bool too_long;
};

static const struct {
	const char *name;
	enum hr_control_command command;
} commands[] = {
	{ "enable", HR_CONTROL_ENABLE },
	{ "disable", HR_CONTROL_DISABLE },
	{ "ping", HR_CONTROL_PING },
	{ "stop", HR_CONTROL_STOP },
};

static const char mark_word[] = "mark ";

/* By descriptor: whoever may write to the directory could have put another file in the path's place. */
static void give_to_caller(int fd)
{
	uid_t uid;
	gid_t gid;

	if (hr_caller(&uid, &gid) && fchown(fd, uid, gid))
		return; /* root can still use it */
}

/* Both ends at once: the reader never sees an end of file between two writers, and a write needs no reader. */
static int open_fifo(struct fifo *fifo, const char *path, size_t length, struct hr_err *err)
{
	struct stat info;

	fifo->path = strndup(path, length);
	if (!fifo->path)
		return hr_err_set(err, -ENOMEM, "out of memory");
	fifo->made = mkfifo(fifo->path, 0600) == 0;
	if (!fifo->made && errno != EEXIST)
		return hr_err_errno(err, -errno, "cannot make the FIFO '%s'", fifo->path);
	fifo->fd = open(fifo->path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fifo->fd < 0)
		return hr_err_errno(err, -errno, "cannot open the FIFO '%s'", fifo->path);
	if (fstat(fifo->fd, &info) || !S_ISFIFO(info.st_mode))
		return hr_err_set(err, -EEXIST, "'%s' exists and is no FIFO: name another path for --control", fifo->path);
	if (fifo->made)
		give_to_caller(fifo->fd);
	return 0;
}

int hr_control_open(const char *spec, struct hr_control **ret_control, struct hr_err *err)
{
	static const char prefix[] = "fifo:";
	struct hr_control *control;
	const char *path, *comma;
	int ret;

	if (strncmp(spec, prefix, sizeof(prefix) - 1) != 0 || !spec[sizeof(prefix) - 1] || spec[sizeof(prefix) - 1] == ',')
		return hr_err_set(err, -EINVAL, "--control takes fifo:COMMANDS[,ACKS], not '%s'", spec);
	control = calloc(1, sizeof(*control));
	if (!control)
		return hr_err_set(err, -ENOMEM, "out of memory");
	control->commands.fd = control->answers.fd = -1;
	path = spec + sizeof(prefix) - 1;
	comma = strchr(path, ',');
	ret = open_fifo(&control->commands, path, comma ? (size_t)(comma - path) : strlen(path), err);
	if (!ret && comma && comma[1])
		ret = open_fifo(&control->answers, comma + 1, strlen(comma + 1), err);
	if (ret)
		hr_control_close(control);
	else
		*ret_control = control;
	return ret;
}

static void close_fifo(struct fifo *fifo)
{
	if (fifo->fd >= 0)
		close(fifo->fd);
	if (fifo->made)
		unlink(fifo->path);
	free(fifo->path);
}

void hr_control_close(struct hr_control *control)
{
	if (!control)
		return;
	close_fifo(&control->commands);
	close_fifo(&control->answers);
	free(control);
}

int hr_control_fd(const struct hr_control *control)
{
	return control->commands.fd;
}

void hr_control_answer(struct hr_control *control, const char *error)
{
	char line[sizeof(((struct hr_err *)0)->text) + 16];
	int length = error ? snprintf(line, sizeof(line), "error: %s\n", error) : snprintf(line, sizeof(line), "ack\n");

	if (control->answers.fd >= 0 && write(control->answers.fd, line, length) < 0)
		return; /* full: nobody reads */
}

static enum hr_control_command understand(struct hr_control *control, struct hr_mark *ret_mark)
{
	char clean[184], error[300]; /* 60 bytes, each maybe a U+FFFD */
	struct hr_err why;

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!control->too_long && !strcmp(control->line, commands[i].name))
			return commands[i].command;
	if (!control->too_long && !strncmp(control->line, mark_word, sizeof(mark_word) - 1)) {
		if (!hr_mark_parse(control->line + sizeof(mark_word) - 1, ret_mark, &why))
			return HR_CONTROL_MARK;
		hr_control_answer(control, why.text);
		return HR_CONTROL_NONE;
	}
	hr_text_clean(clean, sizeof(clean), control->line, 60);
	snprintf(error, sizeof(error), "unknown command '%s'; there are enable, disable, ping, mark and stop", clean);
	hr_control_answer(control, error);
	return HR_CONTROL_NONE;
}

enum hr_control_command hr_control_read(struct hr_control *control, struct hr_mark *ret_mark)
{
	enum hr_control_command command;
	char byte;

	while (read(control->commands.fd, &byte, 1) == 1) {
		if (byte != '\n') {
			if (control->used + 1 < sizeof(control->line))
				control->line[control->used++] = byte;
			else
				control->too_long = true;
			continue;
		}
		control->line[control->used] = 0;
		if (control->used == 0)
			continue;
		command = understand(control, ret_mark);
		control->used = 0;
		control->too_long = false;
		if (command != HR_CONTROL_NONE)
			return command;
	}
	return HR_CONTROL_NONE;
}
