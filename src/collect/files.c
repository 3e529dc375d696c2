/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int path_from(char path[PATH_MAX], const char *format, va_list arguments)
{
	int length = vsnprintf(path, PATH_MAX, format, arguments);

	if (length >= 0 && length < PATH_MAX)
		return 0;
	path[0] = '\0';
	return -ENAMETOOLONG;
}

int hr_path(char path[PATH_MAX], const char *format, ...)
{
	va_list arguments;
	int rc;

	va_start(arguments, format);
	rc = path_from(path, format, arguments);
	va_end(arguments);
	return rc;
}

ssize_t hr_file_read(const char *path, char *buf, size_t size)
{
	size_t length = 0;
	ssize_t rc = 1;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (rc > 0 && length < size - 1) {
		rc = read(fd, buf + length, size - 1 - length);
		if (rc > 0)
			length += rc;
		else if (rc < 0)
			rc = -errno;
	}
	close(fd);
	buf[length] = '\0';
	return rc < 0 ? rc : (ssize_t)length;
}

ssize_t hr_file_readf(char *buf, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;
	int rc;

	va_start(arguments, format);
	rc = path_from(path, format, arguments);
	va_end(arguments);
	return rc ? rc : hr_file_read(path, buf, size);
}

ssize_t hr_link_readf(char *buf, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;
	ssize_t length;
	int rc;

	va_start(arguments, format);
	rc = path_from(path, format, arguments);
	va_end(arguments);
	if (rc)
		return rc;
	length = readlink(path, buf, size - 1);
	if (length < 0)
		return -errno;
	buf[length] = '\0';
	return length;
}

bool hr_file_value(const char *text, const char *name, uint64_t *ret)
{
	size_t length = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line ? 1 : 0)
		if (!strncmp(line, name, length) && line[length] == ' ')
			return sscanf(line + length, "%" SCNu64, ret) == 1;
	return false;
}
