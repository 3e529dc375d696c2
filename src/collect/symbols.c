/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/symbols.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/elffile.h"
#include "collect/files.h"
#include "collect/foreign.h"

/* Limits of what is kept of files; the one that was asked for longest ago goes first. Each has a file descriptor. */
#define FILES_MAX 64
#define BYTES_MAX (64U << 20)

#define ZEROS_MAX 8 /* areas of zeroed memory behind the last one of a file */
#define DELETED " (deleted)"

/*
 * A mangled name may refer to parts of itself, and stand for a text that doubles with each two that it refers to. It is not ours:
 * those that do so more often are left as they are.
 */
#define MANGLED_BYTES_MAX 480
#define MANGLED_REFERENCES_MAX 24
#define RUST_HASH_DIGITS 16

/* One file, by what tells it from all others; a number that is used again comes with another size or time. */
struct file_id {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct known_file {
	struct file_id id;
	struct hr_elf *elf; /* NULL: no ELF file */
	uint64_t used;	    /* when, in places that were asked for; 0: free */
};

struct hr_symbols {
	char root[256];
	struct known_file files[FILES_MAX];
	uint64_t now; /* likewise */
};

/* In libsupc++; the C++ ABI says what it does: NULL for what is no mangled name, else to be freed. */
char *__cxa_demangle(const char *mangled, char *buffer, size_t *length, int *status);

struct hr_symbols *hr_symbols_new(const char *root)
{
	struct hr_symbols *symbols = calloc(1, sizeof(*symbols));

	if (symbols)
		snprintf(symbols->root, sizeof(symbols->root), "%s", root);
	return symbols;
}

static void forget(struct known_file *file)
{
	hr_elf_close(file->elf);
	*file = (struct known_file){ 0 };
}

void hr_symbols_free(struct hr_symbols *symbols)
{
	for (int i = 0; symbols && i < FILES_MAX; i++)
		forget(&symbols->files[i]);
	free(symbols);
}

/* ---- files ---- */

static int open_host(const struct hr_symbols *symbols)
{
	return open(symbols->root[0] ? symbols->root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int hr_symbols_open(const struct hr_symbols *symbols, pid_t pid, const struct hr_vma *vma, struct stat *ret)
{
	char path[PATH_MAX];
	int fd = -1, root_fd;

	if (hr_path(path, "%s/proc/%d/map_files/%" PRIx64 "-%" PRIx64, symbols->root, pid, vma->start, vma->end) == 0)
		fd = hr_foreign_open(open(path, O_PATH | O_CLOEXEC), ret);
	if (fd >= 0)
		return fd;
	root_fd = hr_foreign_root(symbols->root, pid);
	if (root_fd < 0) /* it is gone */
		root_fd = open_host(symbols);
	fd = hr_foreign_open_below(root_fd, vma->path, ret);
	if (root_fd >= 0)
		close(root_fd);
	if (fd >= 0 && ret->st_ino != vma->inode) {
		close(fd);
		fd = -ENOENT;
	}
	return fd;
}

/* ---- debug files ---- */

/* Takes the file, if it is one. */
static bool take_debug(struct hr_elf *elf, int root_fd, const char *path)
{
	struct stat info;
	int fd = hr_foreign_open_below(root_fd, path, &info);

	return fd >= 0 && hr_elf_take_debug(elf, fd) == 0;
}

static bool take_by_build_id(struct hr_elf *elf, int root_fd)
{
	char path[PATH_MAX] = "/usr/lib/debug/.build-id/";
	size_t length, at = strlen(path);
	const uint8_t *id = hr_elf_build_id(elf, &length);

	if (length < 2)
		return false;
	for (size_t i = 0; i < length; i++)
		at += snprintf(path + at, sizeof(path) - at, i == 0 ? "%02x/" : "%02x", id[i]);
	snprintf(path + at, sizeof(path) - at, ".debug");
	return take_debug(elf, root_fd, path);
}

/* Where debuggers look for it: beside the file, and below the folder for such files. */
static bool take_by_name(struct hr_elf *elf, int root_fd, const char *path)
{
	static const char *const places[][2] = { { "", "" }, { "", "/.debug" }, { "/usr/lib/debug", "" } };
	const char *name = hr_elf_debug_link(elf), *slash = strrchr(path, '/');
	char candidate[PATH_MAX];

	for (size_t i = 0; name && slash && i < sizeof(places) / sizeof(*places); i++)
		if (hr_path(candidate, "%s%.*s%s/%s", places[i][0], (int)(slash - path), path, places[i][1], name) == 0 &&
		    take_debug(elf, root_fd, candidate))
			return true;
	return false;
}

/* A build id is the same everywhere: the host may have what the container lacks. */
static void find_debug(const struct hr_symbols *symbols, pid_t pid, const char *path, struct hr_elf *elf)
{
	int root_fd = hr_foreign_root(symbols->root, pid), host_fd;

	if (!take_by_build_id(elf, root_fd) && !take_by_name(elf, root_fd, path)) {
		host_fd = open_host(symbols);
		take_by_build_id(elf, host_fd);
		if (host_fd >= 0)
			close(host_fd);
	}
	if (root_fd >= 0)
		close(root_fd);
}

/* ---- what is kept ---- */

static bool same_file(const struct file_id *a, const struct file_id *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

static size_t bytes_of(const struct known_file *file)
{
	return file->elf ? hr_elf_bytes(file->elf) : 0;
}

/* The place of the file that was used longest ago, or of none. */
static struct known_file *oldest(struct hr_symbols *symbols)
{
	struct known_file *oldest = &symbols->files[0];

	for (int i = 1; i < FILES_MAX; i++)
		if (symbols->files[i].used < oldest->used)
			oldest = &symbols->files[i];
	return oldest;
}

/* Forget others until all together are within the limit, or there is only the one to be kept. */
static void shrink(struct hr_symbols *symbols, const struct known_file *keep)
{
	for (;;) {
		struct known_file *victim = NULL;
		size_t bytes = 0;

		for (int i = 0; i < FILES_MAX; i++) {
			struct known_file *file = &symbols->files[i];

			bytes += bytes_of(file);
			if (file != keep && file->elf && (!victim || file->used < victim->used))
				victim = file;
		}
		if (bytes <= BYTES_MAX || !victim)
			return;
		forget(victim);
	}
}

/* Takes the file descriptor over. */
static struct known_file *keep(struct hr_symbols *symbols, pid_t pid, const char *path, int fd, const struct file_id *id)
{
	struct known_file *file = oldest(symbols);

	forget(file);
	file->id = *id;
	if (hr_elf_open(fd, &file->elf) == 0 && hr_elf_is_stripped(file->elf))
		find_debug(symbols, pid, path, file->elf);
	shrink(symbols, file);
	return file;
}

/* The ELF file of an area; NULL: it is none, or cannot be read. Valid until the next call. */
static const struct hr_elf *elf_of(struct hr_symbols *symbols, pid_t pid, const struct hr_vma *vma)
{
	struct known_file *file = NULL;
	struct file_id id;
	struct stat info;
	int fd = hr_symbols_open(symbols, pid, vma, &info);

	if (fd < 0)
		return NULL;
	id = (struct file_id){ info.st_dev, info.st_ino, info.st_size, info.st_mtim };
	for (int i = 0; i < FILES_MAX && !file; i++)
		if (symbols->files[i].used && same_file(&symbols->files[i].id, &id))
			file = &symbols->files[i];
	if (file)
		close(fd);
	else
		file = keep(symbols, pid, vma->path, fd, &id);
	file->used = ++symbols->now;
	return file->elf;
}

/* ---- names ---- */

/* Rust ends its names with a hash that tells builds apart: "model::lock::h0123456789abcdef". */
static void cut_rust_hash(char *name)
{
	size_t length = strlen(name);
	char *hash = length > RUST_HASH_DIGITS + 3 ? name + length - RUST_HASH_DIGITS - 3 : NULL;

	if (hash && strncmp(hash, "::h", 3) == 0 && strspn(hash + 3, "0123456789abcdef") == RUST_HASH_DIGITS)
		*hash = '\0';
}

/* "S_", "S1_", "T_", "T1_", ...; a few more where an identifier looks like one. */
static int count_references(const char *mangled)
{
	int count = 0;

	for (const char *at = mangled; (at = strpbrk(at, "ST")); at++)
		count += at[1 + strspn(at + 1, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '_';
	return count;
}

static bool can_demangle(const char *name)
{
	return strncmp(name, "_Z", 2) == 0 && strlen(name) <= MANGLED_BYTES_MAX && count_references(name) <= MANGLED_REFERENCES_MAX;
}

/* As people write it. */
static void write_name(char *text, size_t size, const char *name)
{
	char *plain = NULL;
	int status;

	if (can_demangle(name))
		plain = __cxa_demangle(name, NULL, NULL, &status);
	if (plain)
		cut_rust_hash(plain);
	hr_text_clean(text, size, plain ? plain : name, SIZE_MAX);
	free(plain);
}

static void write_symbol(char text[HR_SYMBOL_BYTES], const char *name, uint64_t offset)
{
	size_t length;

	write_name(text, HR_SYMBOL_BYTES - sizeof("+0xffffffffffffffff"), name);
	length = strlen(text);
	if (offset)
		snprintf(text + length, HR_SYMBOL_BYTES - length, "+0x%" PRIx64, offset);
}

static bool has_file(const struct hr_vma *vma)
{
	return vma->inode && vma->path[0] == '/';
}

/*
 * The area of a file that this one goes with: itself, or the one in front of it, as what a program declares without a value lies
 * behind its data. NULL: none.
 */
static const struct hr_vma *module_of(const struct hr_maps *maps, const struct hr_vma *vma)
{
	for (int i = 0; i <= ZEROS_MAX; i++, vma--) {
		if (has_file(vma))
			return vma->is_shared ? NULL : vma;
		if (vma == maps->rows || vma[-1].end != vma->start)
			return NULL;
	}
	return NULL;
}

/* Where the first page of its file is: the nearest before. NULL: not mapped. */
static const struct hr_vma *first_of(const struct hr_maps *maps, const struct hr_vma *module)
{
	for (const struct hr_vma *vma = module;; vma--) {
		if (vma->inode == module->inode && vma->major == module->major && vma->minor == module->minor && !vma->offset)
			return vma;
		if (vma == maps->rows)
			return NULL;
	}
}

/* What lies at an address of a program or library. */
struct found {
	const struct hr_vma *module; /* an area of it */
	uint64_t in_file;	     /* the address, as the linker has it */
	char name[HR_ELF_NAME_BYTES]; /* of the symbol, as the linker spells it; "": none */
	uint64_t offset;	     /* in the symbol */
};

/* False: it lies in no program or library. */
static bool find(struct hr_symbols *symbols, pid_t pid, const struct hr_maps *maps, const struct hr_vma *vma, uint64_t address,
		 struct found *ret)
{
	const struct hr_vma *module = module_of(maps, vma), *first = module ? first_of(maps, module) : NULL;
	const struct hr_elf *elf = first ? elf_of(symbols, pid, module) : NULL;
	uint64_t file_offset = vma->offset + (address - vma->start);

	if (!elf)
		return false;
	ret->module = module;
	ret->in_file = address - first->start + hr_elf_base(elf);
	ret->name[0] = '\0';
	if (!hr_elf_holds(elf, ret->in_file, vma == module ? &file_offset : NULL))
		return false;
	if (!hr_elf_find(elf, ret->in_file, ret->name, &ret->offset))
		ret->name[0] = '\0';
	return true;
}

/* ---- mappings ---- */

/* Without " (deleted)", and as people call it. */
static void write_shared_name(char *text, size_t size, const char *path)
{
	size_t length = strlen(path), cut = strlen(DELETED);
	bool is_deleted = length > cut && strcmp(path + length - cut, DELETED) == 0;

	if (is_deleted)
		length -= cut;
	if (is_deleted && length == strlen("/dev/zero") && !strncmp(path, "/dev/zero", length))
		snprintf(text, size, "shared anonymous");
	else if (is_deleted && (!strncmp(path, "/memfd:", 7) || !strncmp(path, "/SYSV", 5)))
		hr_text_clean(text, size, path + 1, length - 1);
	else
		hr_text_clean(text, size, path, length);
}

static void write_mapping(char text[HR_MAPPING_BYTES], const struct hr_vma *vma, uint64_t address)
{
	char name[HR_MAPPING_BYTES - 80];

	if (vma->is_shared && vma->inode) {
		write_shared_name(name, sizeof(name), vma->path);
		snprintf(text, HR_MAPPING_BYTES, "%s+0x%" PRIx64 " (inode %" PRIu64 " of %x:%x)", name,
			 vma->offset + (address - vma->start), vma->inode, vma->major, vma->minor);
	} else {
		hr_text_clean(text, HR_MAPPING_BYTES, vma->path[0] ? vma->path : "anonymous", SIZE_MAX);
	}
}

void hr_symbols_place(struct hr_symbols *symbols, pid_t pid, const struct hr_maps *maps, uint64_t address, struct hr_place *ret)
{
	const struct hr_vma *vma = hr_maps_find(maps, address);
	struct found found;

	ret->symbol[0] = ret->mapping[0] = '\0';
	if (!vma)
		return;
	if (!find(symbols, pid, maps, vma, address, &found)) {
		write_mapping(ret->mapping, vma, address);
		return;
	}
	if (found.name[0])
		write_symbol(ret->symbol, found.name, found.offset);
	write_mapping(ret->mapping, found.module, address);
}

bool hr_symbols_function(struct hr_symbols *symbols, pid_t pid, const struct hr_maps *maps, uint64_t address, struct hr_function *ret)
{
	const struct hr_vma *vma = hr_maps_find(maps, address);
	struct found found;

	if (!vma || !find(symbols, pid, maps, vma, address, &found))
		return false;
	write_name(ret->name, sizeof(ret->name), found.name);
	write_mapping(ret->module, found.module, address);
	ret->in_module = found.in_file;
	return true;
}
