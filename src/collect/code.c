/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/files.h"
#include "collect/foreign.h"
#include "collect/kallsyms.h"
#include "collect/maps.h"
#include "collect/perfmap.h"
#include "headroom/accounts.h"

/* Of address spaces and symbols of compilers; those of the process that was asked for longest ago go first. */
#define BYTES_MAX (64U << 20)
#define VMA_BYTES 128 /* an area, with its text, about */

#define KERNEL "[kernel]"

/* What is known of the code of a process. */
struct known {
	int64_t id;
	uint32_t execs;
	uint32_t generation;
	struct hr_maps maps;
	struct hr_perfmap *perfmap;	     /* NULL: not read, or there is none */
	char perfmap_path[32];		     /* in the process's own root */
	uint32_t maps_version;		     /* 0: never read */
	uint32_t maps_pass, perfmap_pass;    /* when they were last looked at; 0: never */
	uint64_t used;
};

struct hr_code {
	char root[256];
	struct known *processes[HR_PROCESS_SLOTS]; /* by slot; NULL: never asked for */
	struct hr_symbols *symbols;
	struct hr_kallsyms *kernel; /* NULL: not read, or hidden */
	bool has_read_kernel;
	uint32_t pass, last_generation, last_version;
	uint64_t now; /* in addresses that were asked for */
};

struct hr_code *hr_code_new(const char *root)
{
	struct hr_code *code = calloc(1, sizeof(*code));

	if (!code)
		return NULL;
	snprintf(code->root, sizeof(code->root), "%s", root);
	code->pass = 1;
	code->symbols = hr_symbols_new(root);
	if (code->symbols)
		return code;
	free(code);
	return NULL;
}

/* Its files can be read again. */
static void shed(struct known *known)
{
	hr_maps_fini(&known->maps);
	hr_perfmap_free(known->perfmap);
	known->perfmap = NULL;
}

void hr_code_free(struct hr_code *code)
{
	if (!code)
		return;
	for (uint32_t slot = 0; slot < HR_PROCESS_SLOTS; slot++) {
		if (code->processes[slot])
			shed(code->processes[slot]);
		free(code->processes[slot]);
	}
	hr_symbols_free(code->symbols);
	hr_kallsyms_free(code->kernel);
	free(code);
}

void hr_code_next_pass(struct hr_code *code)
{
	code->pass++;
}

uint32_t hr_code_generation(const struct hr_code *code, uint32_t slot)
{
	return slot < HR_PROCESS_SLOTS && code->processes[slot] ? code->processes[slot]->generation : 0;
}

/* ---- what is kept ---- */

static size_t bytes_of(const struct known *known)
{
	return known->maps.count * VMA_BYTES + (known->perfmap ? hr_perfmap_bytes(known->perfmap) : 0);
}

/* Until all together are within the limit, or there is only the one to be kept. */
static void shrink(struct hr_code *code, const struct known *keep)
{
	for (;;) {
		struct known *victim = NULL;
		size_t bytes = 0;

		for (uint32_t slot = 0; slot < HR_PROCESS_SLOTS; slot++) {
			struct known *known = code->processes[slot];

			bytes += known ? bytes_of(known) : 0;
			if (known && known != keep && bytes_of(known) && (!victim || known->used < victim->used))
				victim = known;
		}
		if (bytes <= BYTES_MAX || !victim)
			return;
		shed(victim);
	}
}

/* NULL: out of memory. */
static struct known *known_of(struct hr_code *code, const struct hr_code_process *process)
{
	struct known **known = &code->processes[process->slot];

	if (!*known && !(*known = calloc(1, sizeof(**known))))
		return NULL;
	if (!(*known)->generation || (*known)->id != process->id || (*known)->execs != process->execs) {
		shed(*known);
		**known = (struct known){ .id = process->id, .execs = process->execs, .generation = ++code->last_generation };
	}
	(*known)->used = ++code->now;
	return *known;
}

/* Once in a pass. */
static void read_maps(struct hr_code *code, struct known *known, pid_t pid)
{
	struct hr_maps maps;

	if (!pid || known->maps_pass == code->pass)
		return;
	known->maps_pass = code->pass;
	if (hr_maps_read(code->root, pid, &maps))
		return;
	hr_maps_fini(&known->maps);
	known->maps = maps;
	known->maps_version = ++code->last_version;
	shrink(code, known);
}

/* The area of an address. The address space is read again if it was not known then. */
static const struct hr_vma *area_of(struct hr_code *code, struct known *known, pid_t pid, uint64_t address)
{
	const struct hr_vma *area = hr_maps_find(&known->maps, address);

	if (area)
		return area;
	read_maps(code, known, pid);
	return hr_maps_find(&known->maps, address);
}

/* ---- just-in-time compilers ---- */

/* What /proc says of a process: its pid in its own namespace, and whose it is. */
static bool read_identity(const char *root, pid_t pid, pid_t *ret_inner, uid_t *ret_uid)
{
	char text[4096], *line, *last;

	if (hr_file_readf(text, sizeof(text), "%s/proc/%d/status", root, pid) <= 0)
		return false;
	line = strstr(text, "\nUid:");
	if (!line || sscanf(line, " Uid: %u", ret_uid) != 1)
		return false;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return false;
	line += strlen("\nNSpid:");
	line[strcspn(line, "\n")] = '\0';
	last = strrchr(line, '\t');
	return sscanf(last ? last : line, "%d", ret_inner) == 1;
}

/* In a folder that everybody may write to: what a stranger put there is not believed. -errno. */
static int open_perfmap(struct hr_code *code, struct known *known, pid_t pid, struct stat *ret)
{
	int root_fd, fd;
	pid_t inner;
	uid_t uid;

	if (!read_identity(code->root, pid, &inner, &uid))
		return -1;
	snprintf(known->perfmap_path, sizeof(known->perfmap_path), "/tmp/perf-%d.map", inner);
	root_fd = hr_foreign_root(code->root, pid);
	fd = hr_foreign_open_below(root_fd, known->perfmap_path, ret);
	if (root_fd >= 0)
		close(root_fd);
	if (fd >= 0 && ret->st_uid != uid && ret->st_uid != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Once in a pass. */
static void read_perfmap(struct hr_code *code, struct known *known, pid_t pid)
{
	struct stat info;
	int fd;

	if (!pid || known->perfmap_pass == code->pass)
		return;
	known->perfmap_pass = code->pass;
	fd = open_perfmap(code, known, pid, &info);
	if (fd < 0)
		return;
	if (!known->perfmap)
		known->perfmap = hr_perfmap_new();
	if (known->perfmap && hr_perfmap_read(known->perfmap, fd, &info) > 0)
		known->generation = ++code->last_generation;
	close(fd);
	shrink(code, known);
}

static void name_jit(struct hr_code *code, struct known *known, pid_t pid, uint64_t address, struct hr_code_frame *ret)
{
	const char *name;

	read_perfmap(code, known, pid);
	name = known->perfmap ? hr_perfmap_find(known->perfmap, address) : NULL;
	if (!name)
		return;
	hr_text_clean(ret->name, sizeof(ret->name), name, SIZE_MAX);
	snprintf(ret->module, sizeof(ret->module), "%s", known->perfmap_path);
}

/* ---- questions ---- */

static void name_area(const struct hr_vma *area, uint64_t address, struct hr_code_frame *ret)
{
	hr_text_clean(ret->module, sizeof(ret->module), area->path[0] ? area->path : "anonymous", SIZE_MAX);
	if (area->inode || strcmp(area->path, "[vdso]") == 0)
		ret->offset = (int64_t)(area->offset + (address - area->start));
}

void hr_code_user(struct hr_code *code, const struct hr_code_process *process, uint64_t address, struct hr_code_frame *ret)
{
	struct known *known = known_of(code, process);
	const struct hr_vma *area = known ? area_of(code, known, process->pid, address) : NULL;
	struct hr_function function;

	*ret = (struct hr_code_frame){ .offset = -1 };
	if (!area) {
		ret->is_code = known && !known->maps.count; /* for all that is known */
		return;
	}
	ret->is_code = area->is_code;
	if (!ret->is_code)
		return;
	if (area->inode && hr_symbols_function(code->symbols, process->pid, &known->maps, address, &function)) {
		memcpy(ret->name, function.name, sizeof(ret->name));
		memcpy(ret->module, function.module, sizeof(ret->module));
		ret->offset = function.name[0] ? -1 : (int64_t)function.in_module;
		return;
	}
	name_area(area, address, ret);
	if (strcmp(area->path, "[vdso]") == 0)
		return;
	ret->may_change = true;
	name_jit(code, known, process->pid, address, ret);
	if (ret->name[0])
		ret->offset = -1;
}

const struct hr_maps *hr_code_maps(struct hr_code *code, const struct hr_code_process *process, uint32_t *ret_version)
{
	struct known *known = known_of(code, process);

	if (!known)
		return NULL;
	if (!known->maps_version)
		read_maps(code, known, process->pid);
	*ret_version = known->maps_version;
	return known->maps.count ? &known->maps : NULL;
}

struct hr_symbols *hr_code_symbols(struct hr_code *code)
{
	return code->symbols;
}

void hr_code_read_kernel(struct hr_code *code)
{
	if (!code->has_read_kernel && hr_kallsyms_read(code->root, HR_KALLSYMS_FUNCTIONS, &code->kernel))
		code->kernel = NULL;
	code->has_read_kernel = true;
}

void hr_code_kernel(struct hr_code *code, uint64_t address, struct hr_code_frame *ret)
{
	const char *name, *module;

	*ret = (struct hr_code_frame){ .module = KERNEL, .offset = -1, .is_code = true };
	hr_code_read_kernel(code);
	if (!code->kernel || !hr_kallsyms_find(code->kernel, address, &name, &module))
		return;
	hr_text_clean(ret->name, sizeof(ret->name), name, SIZE_MAX);
	hr_text_clean(ret->module, sizeof(ret->module), module, SIZE_MAX);
}
