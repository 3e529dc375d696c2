/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/perfmap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES (64U << 10)
#define CHUNKS_PER_READ 64
#define SYMBOLS_MAX (1U << 18)
#define TEXT_BYTES_MAX (24U << 20)
#define NAME_BYTES_MAX 384 /* longer ones are cut off */
#define NESTED_MAX 32	   /* symbols that begin before an address are looked at, from the nearest, to find those that reach it */

struct symbol {
	uint64_t start;
	uint32_t size;
	uint32_t name;	/* where it begins in the text */
	uint32_t order; /* the last one counts */
};

struct hr_perfmap {
	dev_t device;
	ino_t inode;
	off_t at; /* read so far */
	struct symbol *symbols; /* by start, if is_sorted */
	size_t count, room;
	uint32_t last_order;
	bool is_sorted;
	char *text;
	size_t text_bytes, text_room;
};

struct hr_perfmap *hr_perfmap_new(void)
{
	return calloc(1, sizeof(struct hr_perfmap));
}

static void forget(struct hr_perfmap *map)
{
	free(map->symbols);
	free(map->text);
	*map = (struct hr_perfmap){ 0 };
}

void hr_perfmap_free(struct hr_perfmap *map)
{
	if (map)
		forget(map);
	free(map);
}

static int make_room(struct hr_perfmap *map, size_t name_bytes)
{
	size_t room = map->room ? 2 * map->room : 1024, text_room = map->text_room ? map->text_room : 64 << 10;
	struct symbol *symbols;
	char *text;

	if (map->count == map->room) {
		symbols = realloc(map->symbols, room * sizeof(*symbols));
		if (!symbols)
			return -ENOMEM;
		map->symbols = symbols;
		map->room = room;
	}
	while (text_room < map->text_bytes + name_bytes)
		text_room *= 2;
	if (text_room > map->text_room) {
		text = realloc(map->text, text_room);
		if (!text)
			return -ENOMEM;
		map->text = text;
		map->text_room = text_room;
	}
	return 0;
}

/* 1: a symbol; 0: none, or one too many; -ENOMEM. */
static int add_line(struct hr_perfmap *map, const char *line, size_t length)
{
	char *end, *name, *line_end = (char *)line + length;
	uint64_t start = strtoull(line, &end, 16), size;
	size_t name_bytes;

	if (end == line || *end != ' ')
		return 0;
	size = strtoull(end + 1, &name, 16);
	if (name == end + 1 || *name != ' ' || name + 1 >= line_end || !size || size > UINT32_MAX)
		return 0;
	name++;
	name_bytes = (size_t)(line_end - name) < NAME_BYTES_MAX ? (size_t)(line_end - name) : NAME_BYTES_MAX;
	if (map->count >= SYMBOLS_MAX || map->text_bytes + name_bytes + 1 > TEXT_BYTES_MAX)
		return 0;
	if (make_room(map, name_bytes + 1))
		return -ENOMEM;
	map->symbols[map->count++] = (struct symbol){ start, (uint32_t)size, (uint32_t)map->text_bytes, ++map->last_order };
	memcpy(map->text + map->text_bytes, name, name_bytes);
	map->text[map->text_bytes + name_bytes] = '\0';
	map->text_bytes += name_bytes + 1;
	return 1;
}

/* Take the whole lines of a chunk, which has a NUL behind it. Returns how many bytes they have; *ret_added: of them, symbols. */
static ssize_t add_lines(struct hr_perfmap *map, const char *chunk, size_t length, size_t *ret_added)
{
	const char *line = chunk, *end;
	int rc;

	while ((end = memchr(line, '\n', length - (size_t)(line - chunk)))) {
		rc = add_line(map, line, (size_t)(end - line));
		if (rc < 0)
			return rc;
		*ret_added += (size_t)rc;
		line = end + 1;
	}
	/* a line that fills the chunk is none of ours */
	return line == chunk && length == CHUNK_BYTES ? (ssize_t)length : line - chunk;
}

static int read_on(struct hr_perfmap *map, int fd, char *chunk, size_t *ret_added)
{
	for (int i = 0; i < CHUNKS_PER_READ; i++) {
		ssize_t length = pread(fd, chunk, CHUNK_BYTES, map->at), taken;

		if (length < 0)
			return -errno;
		chunk[length] = '\0';
		taken = add_lines(map, chunk, (size_t)length, ret_added);
		if (taken <= 0)
			return (int)taken;
		map->at += taken;
	}
	return 0;
}

int hr_perfmap_read(struct hr_perfmap *map, int fd, const struct stat *info)
{
	size_t added = 0;
	char *chunk;
	int rc;

	if (info->st_dev != map->device || info->st_ino != map->inode || info->st_size < map->at) {
		forget(map);
		map->device = info->st_dev;
		map->inode = info->st_ino;
	}
	if (info->st_size == map->at)
		return 0;
	chunk = malloc(CHUNK_BYTES + 1);
	rc = chunk ? read_on(map, fd, chunk, &added) : -ENOMEM;
	free(chunk);
	if (added)
		map->is_sorted = false;
	return rc ? rc : added > 0;
}

static int by_start(const void *a, const void *b)
{
	const struct symbol *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

/* Of those that begin at one address, the last one stays. */
static void sort(struct hr_perfmap *map)
{
	size_t kept = 0;

	qsort(map->symbols, map->count, sizeof(*map->symbols), by_start);
	for (size_t i = 0; i < map->count; i++) {
		kept -= kept && map->symbols[kept - 1].start == map->symbols[i].start;
		map->symbols[kept++] = map->symbols[i];
	}
	map->count = kept;
	map->is_sorted = true;
}

static size_t count_up_to(const struct hr_perfmap *map, uint64_t address)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->symbols[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *hr_perfmap_find(struct hr_perfmap *map, uint64_t address)
{
	const struct symbol *found = NULL;
	size_t count;

	if (!map->is_sorted && map->count)
		sort(map);
	count = count_up_to(map, address);
	for (size_t back = 1; back <= count && back <= NESTED_MAX; back++) {
		const struct symbol *symbol = &map->symbols[count - back];

		if (address - symbol->start < symbol->size && (!found || symbol->order > found->order))
			found = symbol;
	}
	return found ? map->text + found->name : NULL;
}

size_t hr_perfmap_bytes(const struct hr_perfmap *map)
{
	return sizeof(*map) + map->room * sizeof(*map->symbols) + map->text_room;
}
