/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define READS_MAX 64 /* at a time */

struct hr_capture {
	int read_fd, write_fd;
	bool is_cut; /* what came first is gone */
	size_t used;
	char bytes[2 * HR_CAPTURE_BYTES]; /* twice as many as are kept, so that they move seldom */
};

int hr_capture_open(struct hr_capture **ret_capture, struct hr_err *err)
{
	struct hr_capture *capture = calloc(1, sizeof(*capture));
	int fds[2];

	if (!capture)
		return hr_err_set(err, -ENOMEM, "out of memory");
	if (pipe2(fds, O_CLOEXEC)) {
		free(capture);
		return hr_err_errno(err, -errno, "cannot make a pipe");
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK); /* our end alone: a command does not expect that of its own */
	capture->read_fd = fds[0];
	capture->write_fd = fds[1];
	*ret_capture = capture;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void hr_capture_close(struct hr_capture *capture)
{
	if (!capture)
		return;
	close_fd(&capture->read_fd);
	close_fd(&capture->write_fd);
	free(capture);
}

int hr_capture_write_fd(const struct hr_capture *capture)
{
	return capture->write_fd;
}

void hr_capture_started(struct hr_capture *capture)
{
	close_fd(&capture->write_fd);
}

int hr_capture_fd(const struct hr_capture *capture)
{
	return capture->read_fd;
}

static void drop_first(struct hr_capture *capture)
{
	const size_t surplus = capture->used > HR_CAPTURE_BYTES ? capture->used - HR_CAPTURE_BYTES : 0;

	memmove(capture->bytes, capture->bytes + surplus, capture->used - surplus);
	capture->used -= surplus;
	capture->is_cut = capture->is_cut || surplus;
}

void hr_capture_add(struct hr_capture *capture, const char *text)
{
	size_t length = strnlen(text, HR_CAPTURE_BYTES);

	if (capture->used + length > sizeof(capture->bytes))
		drop_first(capture);
	memcpy(capture->bytes + capture->used, text, length);
	capture->used += length;
}

void hr_capture_read(struct hr_capture *capture)
{
	ssize_t n = 1;

	/* not for ever: it may print as fast as we read */
	for (int i = 0; i < READS_MAX && capture->read_fd >= 0 && n > 0; i++) {
		if (capture->used == sizeof(capture->bytes))
			drop_first(capture);
		n = read(capture->read_fd, capture->bytes + capture->used, sizeof(capture->bytes) - capture->used);
		if (n > 0)
			capture->used += (size_t)n;
	}
	if (n == 0)
		close_fd(&capture->read_fd);
}

/* Where to begin: a character that was cut in two is left out. */
static size_t first_whole(const struct hr_capture *capture)
{
	size_t at = capture->used > HR_CAPTURE_BYTES ? capture->used - HR_CAPTURE_BYTES : 0;

	for (int i = 0; i < 3 && (at || capture->is_cut) && at < capture->used && (capture->bytes[at] & 0xC0) == 0x80; i++)
		at++;
	return at;
}

/* Bytes from there on that are text of one line. */
static size_t line_length(const struct hr_capture *capture, size_t at)
{
	size_t length = 0;

	while (at + length < capture->used && !memchr("\n\r\t", capture->bytes[at + length], sizeof("\n\r\t")))
		length++;
	return length;
}

/* What stands for the byte at which a line was broken: NUL is among these. "\r\n" is one line end, "\r" alone is one too. */
static const char *break_at(const struct hr_capture *capture, size_t at)
{
	switch (capture->bytes[at]) {
	case '\0': return "\xEF\xBF\xBD";
	case '\t': return "\t";
	case '\r': return at + 1 < capture->used && capture->bytes[at + 1] == '\n' ? "" : "\n";
	default: return "\n";
	}
}

char *hr_capture_text(const struct hr_capture *capture)
{
	size_t at = first_whole(capture), used = 0, room = 3 * (capture->used - at) + 1;
	char *text = capture->used ? malloc(room) : NULL;

	if (!text)
		return NULL;
	*text = '\0';
	while (at < capture->used) {
		size_t length = line_length(capture, at);

		hr_text_clean(text + used, room - used, capture->bytes + at, length);
		used += strlen(text + used);
		at += length;
		if (at < capture->used)
			used = (size_t)(stpcpy(text + used, break_at(capture, at++)) - text);
	}
	return text;
}
