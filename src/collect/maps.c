/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/files.h"

#define TEXT_BYTES_MAX (16U << 20)
#define TEXT_BYTES_FIRST (64U << 10)

int hr_vma_parse(const char *line, struct hr_vma *ret)
{
	unsigned long long start, end, offset, inode;
	struct hr_vma vma = { 0 };
	char permissions[5];
	int path_at = -1;

	if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu%n", &start, &end, permissions, &offset, &vma.major, &vma.minor, &inode,
		   &path_at) < 7 || path_at < 0)
		return -EINVAL;
	if (start >= end || strlen(permissions) != 4)
		return -EINVAL;
	vma.start = start;
	vma.end = end;
	vma.offset = offset;
	vma.inode = inode;
	vma.is_code = permissions[2] == 'x';
	vma.is_shared = permissions[3] == 's';
	vma.path = line + path_at + strspn(line + path_at, " ");
	*ret = vma;
	return 0;
}

/* The whole file, ended by NUL, or what there is room for: up to its last whole line. */
static int read_text(int fd, char **ret_text)
{
	size_t room = TEXT_BYTES_FIRST, length = 0;
	char *text = malloc(room), *more;
	ssize_t count = 1;

	while (text && count > 0) {
		if (length == room - 1 && room < TEXT_BYTES_MAX) {
			room *= 2;
			more = realloc(text, room);
			if (!more) {
				free(text);
				return -ENOMEM;
			}
			text = more;
		}
		count = read(fd, text + length, room - 1 - length);
		if (count > 0)
			length += count;
	}
	if (!text)
		return -ENOMEM;
	if (count < 0) {
		int rc = -errno;

		free(text);
		return rc;
	}
	while (length && text[length - 1] != '\n')
		length--;
	text[length] = '\0';
	*ret_text = text;
	return length ? 0 : -ESRCH; /* a kernel thread, a zombie */
}

/* Cuts the text into lines. */
static int parse_text(struct hr_maps *maps)
{
	size_t lines = 0;

	for (const char *at = maps->text; (at = strchr(at, '\n')); at++)
		lines++;
	maps->rows = calloc(lines ? lines : 1, sizeof(*maps->rows));
	if (!maps->rows)
		return -ENOMEM;
	for (char *line = maps->text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (hr_vma_parse(line, &maps->rows[maps->count]) == 0)
			maps->count++;
	}
	return 0;
}

int hr_maps_read(const char *root, pid_t pid, struct hr_maps *ret)
{
	struct hr_maps maps = { 0 };
	char path[PATH_MAX];
	int fd, rc = hr_path(path, "%s/proc/%d/maps", root, pid);

	if (rc)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = read_text(fd, &maps.text);
	close(fd);
	if (!rc)
		rc = parse_text(&maps);
	if (rc)
		hr_maps_fini(&maps);
	else
		*ret = maps;
	return rc;
}

void hr_maps_fini(struct hr_maps *maps)
{
	free(maps->rows);
	free(maps->text);
	*maps = (struct hr_maps){ 0 };
}

static int by_address(const void *key, const void *element)
{
	uint64_t address = *(const uint64_t *)key;
	const struct hr_vma *vma = element;

	return address < vma->start ? -1 : address >= vma->end;
}

const struct hr_vma *hr_maps_find(const struct hr_maps *maps, uint64_t address)
{
	return maps->count ? bsearch(&address, maps->rows, maps->count, sizeof(*maps->rows), by_address) : NULL;
}
