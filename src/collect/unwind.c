/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/unwind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/ehframe.h"
#include "collect/idmap.h"
#include "headroom/accounts.h"
#include "headroom/unwind.h"

#define FILES_MAX 4096

/* A file that was read. */
struct known_file {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
	struct hr_ehframe frames; /* without its rows */
	uint32_t first, rows;	  /* in the table; 0 rows: left to frame pointers */
};

struct hr_unwind {
	struct hr_unwind_tables tables;
	struct hr_symbols *symbols;
	struct known_file *files;
	size_t file_count;
	struct known_file vdso; /* what the kernel maps into every process: ours is theirs */
	uint32_t rows; /* in the table so far; the first is never used */
	struct {
		uint64_t hash; /* of the areas */
		uint32_t users; /* processes; 0: free */
	} spaces[HR_UNWIND_SPACES];
	uint32_t held[HR_PROCESS_SLOTS]; /* space of the process in a slot, as counted in its users */
	struct hr_unwind_space next;	 /* where one is put together */
};

static bool is_vdso(const struct hr_vma *vma)
{
	return strcmp(vma->path, "[vdso]") == 0;
}

/* ---- files ---- */

static struct known_file *find_file(const struct hr_unwind *unwind, const struct stat *info)
{
	for (size_t i = 0; i < unwind->file_count; i++) {
		struct known_file *file = &unwind->files[i];

		if (file->inode == info->st_ino && file->device == info->st_dev && file->size == info->st_size &&
		    file->changed.tv_sec == info->st_mtim.tv_sec && file->changed.tv_nsec == info->st_mtim.tv_nsec)
			return file;
	}
	return NULL;
}

/* Its rows go behind those that are there. */
static void take_rows(struct hr_unwind *unwind, struct known_file *file)
{
	file->first = unwind->rows;
	file->rows = (uint32_t)file->frames.count;
	memcpy(unwind->tables.rows + unwind->rows, file->frames.rows, file->frames.count * sizeof(*file->frames.rows));
	unwind->rows += file->rows;
	free(file->frames.rows);
	file->frames.rows = NULL;
}

/* NULL: no memory, or too many files. */
static struct known_file *add_file(struct hr_unwind *unwind, const struct stat *info, int fd)
{
	struct known_file *files, *file;

	if (unwind->file_count == FILES_MAX)
		return NULL;
	files = realloc(unwind->files, (unwind->file_count + 1) * sizeof(*files));
	if (!files)
		return NULL;
	unwind->files = files;
	file = &files[unwind->file_count++];
	*file = (struct known_file){
		.device = info->st_dev,
		.inode = info->st_ino,
		.size = info->st_size,
		.changed = info->st_mtim,
	};
	if (!hr_ehframe_read(fd, unwind->tables.row_max - unwind->rows, &file->frames))
		take_rows(unwind, file);
	return file;
}

static void read_vdso(struct hr_unwind *unwind)
{
	struct hr_maps maps;

	if (hr_maps_read("", getpid(), &maps))
		return;
	for (size_t i = 0; i < maps.count; i++) {
		const struct hr_vma *vma = &maps.rows[i];

		if (is_vdso(vma) && !hr_ehframe_read_image((const void *)(uintptr_t)vma->start, vma->end - vma->start,
							   unwind->tables.row_max - unwind->rows, &unwind->vdso.frames))
			take_rows(unwind, &unwind->vdso);
	}
	hr_maps_fini(&maps);
}

/* ---- life ---- */

struct hr_unwind *hr_unwind_new(const struct hr_unwind_tables *tables, struct hr_symbols *symbols)
{
	struct hr_unwind *unwind = calloc(1, sizeof(*unwind));

	if (!unwind)
		return NULL;
	unwind->tables = *tables;
	unwind->symbols = symbols;
	unwind->rows = 1; /* 0 is none */
	if (tables->row_max)
		read_vdso(unwind);
	return unwind;
}

void hr_unwind_free(struct hr_unwind *unwind)
{
	if (unwind)
		free(unwind->files);
	free(unwind);
}

/* ---- address spaces ---- */

static bool has_code_of_file(const struct hr_vma *vma)
{
	return vma->is_code && vma->inode && vma->path[0] == '/' && !vma->is_shared;
}

/* What is known of the file of an area, which is read if it is new. NULL: nothing. */
static const struct known_file *file_of(struct hr_unwind *unwind, pid_t pid, const struct hr_vma *vma)
{
	const struct known_file *file;
	struct stat info;
	int fd;

	if (is_vdso(vma))
		return &unwind->vdso;
	if (!has_code_of_file(vma))
		return NULL;
	fd = hr_symbols_open(unwind->symbols, pid, vma, &info);
	if (fd < 0)
		return NULL;
	file = find_file(unwind, &info);
	if (!file)
		file = add_file(unwind, &info, fd);
	close(fd);
	return file;
}

static void add_area(struct hr_unwind *unwind, pid_t pid, const struct hr_vma *vma)
{
	struct hr_unwind_space *space = &unwind->next;
	const struct known_file *file = space->areas < HR_UNWIND_AREAS ? file_of(unwind, pid, vma) : NULL;
	uint64_t address;

	if (!file || !file->rows || !hr_ehframe_address(&file->frames, vma->offset, &address))
		return;
	space->area[space->areas++] = (struct hr_unwind_area){
		.start = vma->start,
		.end = vma->end,
		.base = vma->start - address,
		.first = file->first,
		.rows = file->rows,
	};
}

static uint64_t hash_of(const struct hr_unwind_space *space)
{
	uint64_t hash = space->areas;

	for (uint64_t i = 0; i < space->areas; i++) {
		hash = hr_hash_word(hash, space->area[i].start);
		hash = hr_hash_word(hash, space->area[i].end);
		hash = hr_hash_word(hash, space->area[i].base);
		hash = hr_hash_word(hash, space->area[i].first);
	}
	return hash;
}

/* One that is the same, or else a free one, as what was put together. 0: all are taken. */
static uint32_t enter_space(struct hr_unwind *unwind)
{
	uint64_t hash = hash_of(&unwind->next);
	uint32_t space = 0;

	for (uint32_t i = HR_UNWIND_SPACES - 1; i > 0; i--) {
		if (unwind->spaces[i].users && unwind->spaces[i].hash == hash)
			return i;
		if (!unwind->spaces[i].users)
			space = i;
	}
	if (space) {
		unwind->spaces[space].hash = hash;
		memcpy(&unwind->tables.spaces[space], &unwind->next, sizeof(unwind->next));
	}
	return space;
}

/* Nobody unwinds by a space that is written: what is let go is free from the next call on. */
static void point(struct hr_unwind *unwind, uint32_t slot, struct hr_unwind_process to)
{
	uint32_t before = unwind->held[slot];

	unwind->spaces[to.space].users++;
	unwind->tables.processes[slot] = to;
	unwind->held[slot] = to.space;
	if (before)
		unwind->spaces[before].users--;
}

void hr_unwind_set(struct hr_unwind *unwind, const struct hr_code_process *process, const struct hr_maps *maps)
{
	struct hr_unwind_process entry = { .pid = (uint32_t)process->pid, .execs = process->execs };

	if (!unwind->tables.row_max)
		return;
	unwind->next.areas = 0;
	for (size_t i = 0; i < maps->count; i++)
		add_area(unwind, process->pid, &maps->rows[i]);
	if (unwind->next.areas)
		entry.space = enter_space(unwind);
	point(unwind, process->slot, entry);
}

void hr_unwind_forget(struct hr_unwind *unwind, uint32_t slot)
{
	if (unwind->held[slot])
		point(unwind, slot, (struct hr_unwind_process){ 0 });
}

/* ---- questions ---- */

static const struct hr_unwind_area *find_area(const struct hr_unwind_space *space, uint64_t address)
{
	for (uint64_t i = 0; i < space->areas; i++)
		if (address >= space->area[i].start && address < space->area[i].end)
			return &space->area[i];
	return NULL;
}

/* How many begin at or before the offset. */
static uint32_t count_up_to(const struct hr_unwind_row *rows, uint32_t count, uint64_t offset)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rows[middle].start <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool hr_unwind_begin(const struct hr_unwind *unwind, uint32_t slot, uint64_t address, uint64_t *ret_begin)
{
	uint32_t space = unwind->held[slot];
	const struct hr_unwind_area *area = space ? find_area(&unwind->tables.spaces[space], address) : NULL;
	const struct hr_unwind_row *rows = area ? &unwind->tables.rows[area->first] : NULL;

	for (uint32_t i = area ? count_up_to(rows, area->rows, address - area->base) : 0; i > 0; i--) {
		if (rows[i - 1].rule & HR_UNWIND_BEGINS) {
			*ret_begin = area->base + rows[i - 1].start;
			return true;
		}
		if (rows[i - 1].rule == HR_UNWIND_UNKNOWN) /* behind its end */
			return false;
	}
	return false;
}
