/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/elffile.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEGMENTS_MAX 32
#define DEBUG_LINK_BYTES 256
#define SECTION_BYTES_MAX (96U << 20) /* of a symbol table: four million symbols */
#define NOTE_BYTES_MAX (64U << 10)
#define NESTED_MAX 32 /* symbols that begin before an address are looked at, from the nearest, to find one that reaches it */
#define PAGE_BYTES 4096

struct segment {
	uint64_t start, end;
	uint64_t offset; /* in the file */
};

struct symbol {
	uint64_t start;
	uint32_t size;
	uint32_t name; /* where it begins in the names, in bytes */
	uint8_t rank;  /* of several at one address the highest is its name */
};

struct hr_elf {
	struct segment segments[SEGMENTS_MAX];
	size_t segment_count;
	uint8_t build_id[HR_BUILD_ID_BYTES];
	size_t build_id_length;
	char debug_link[DEBUG_LINK_BYTES];
	bool is_stripped;

	struct symbol *symbols; /* by start, then rank */
	size_t symbol_count;
	int names_fd;
	uint64_t names_at, names_bytes; /* in that file */
};

/* ---- what the file says ---- */

static void read_segments(struct hr_elf *elf, Elf *file)
{
	GElf_Phdr header;
	size_t count = 0;

	if (elf_getphdrnum(file, &count))
		return;
	for (size_t i = 0; i < count && elf->segment_count < SEGMENTS_MAX; i++) {
		if (!gelf_getphdr(file, (int)i, &header) || header.p_type != PT_LOAD)
			continue;
		if (header.p_vaddr + header.p_memsz > header.p_vaddr)
			elf->segments[elf->segment_count++] = (struct segment){
				.start = header.p_vaddr,
				.end = header.p_vaddr + header.p_memsz,
				.offset = header.p_offset,
			};
	}
}

/* The bytes of a small section; NULL: it has none, or too many. */
static Elf_Data *small_section(Elf_Scn *section, const GElf_Shdr *header)
{
	if (header->sh_type == SHT_NOBITS || header->sh_flags & SHF_COMPRESSED || header->sh_size > NOTE_BYTES_MAX)
		return NULL;
	return elf_getdata(section, NULL);
}

static void read_build_id(struct hr_elf *elf, Elf_Data *notes)
{
	size_t at = 0, next, name_at, id_at;
	GElf_Nhdr note;

	while (notes && (next = gelf_getnote(notes, at, &note, &name_at, &id_at))) {
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    !memcmp((const char *)notes->d_buf + name_at, "GNU", sizeof("GNU")) && note.n_descsz <= HR_BUILD_ID_BYTES) {
			memcpy(elf->build_id, (const char *)notes->d_buf + id_at, note.n_descsz);
			elf->build_id_length = note.n_descsz;
			return;
		}
		at = next;
	}
}

/* A name, its end, and a checksum that the build id makes needless. */
static void read_debug_link(struct hr_elf *elf, const Elf_Data *link)
{
	if (!link || !link->d_buf || !memchr(link->d_buf, '\0', link->d_size) || strchr(link->d_buf, '/') ||
	    strlen(link->d_buf) >= sizeof(elf->debug_link))
		return;
	strcpy(elf->debug_link, link->d_buf);
}

static Elf_Scn *section_of_type(Elf *file, GElf_Word type, GElf_Shdr *ret_header)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(file, section)))
		if (gelf_getshdr(section, ret_header) && ret_header->sh_type == type)
			return section;
	return NULL;
}

static void read_sections(struct hr_elf *elf, Elf *file)
{
	Elf_Scn *section = NULL;
	size_t names = 0;
	GElf_Shdr header;

	if (elf_getshdrstrndx(file, &names))
		return;
	while ((section = elf_nextscn(file, section))) {
		const char *name = gelf_getshdr(section, &header) ? elf_strptr(file, names, header.sh_name) : NULL;

		if (name && header.sh_type == SHT_NOTE && !elf->build_id_length)
			read_build_id(elf, small_section(section, &header));
		else if (name && strcmp(name, ".gnu_debuglink") == 0)
			read_debug_link(elf, small_section(section, &header));
	}
}

/* ---- symbols ---- */

/* Several may stand for one address: what others link to says more about it. */
static uint8_t rank_of(const GElf_Sym *symbol)
{
	switch (GELF_ST_BIND(symbol->st_info)) {
	case STB_GLOBAL: return 2;
	case STB_WEAK: return 1;
	default: return 0;
	}
}

static bool is_wanted(const GElf_Sym *symbol)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	return (type == STT_OBJECT || type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) && symbol->st_size &&
	       symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS && symbol->st_name;
}

static int by_start(const void *a, const void *b)
{
	const struct symbol *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	return left->name < right->name ? -1 : left->name > right->name;
}

static int copy_symbols(Elf_Data *data, size_t count, struct symbol **ret_symbols, size_t *ret_count)
{
	size_t wanted = 0;
	struct symbol *symbols;
	GElf_Sym symbol;

	for (size_t i = 0; i < count; i++)
		wanted += gelf_getsym(data, (int)i, &symbol) && is_wanted(&symbol);
	if (!wanted)
		return -ENOENT;
	symbols = calloc(wanted, sizeof(*symbols));
	if (!symbols)
		return -ENOMEM;
	*ret_count = 0;
	for (size_t i = 0; i < count; i++)
		if (gelf_getsym(data, (int)i, &symbol) && is_wanted(&symbol))
			symbols[(*ret_count)++] = (struct symbol){
				.start = symbol.st_value,
				.size = symbol.st_size < UINT32_MAX ? (uint32_t)symbol.st_size : UINT32_MAX,
				.name = symbol.st_name,
				.rank = rank_of(&symbol),
			};
	qsort(symbols, *ret_count, sizeof(*symbols), by_start);
	*ret_symbols = symbols;
	return 0;
}

/* Take the table of that type, if it has symbols, and leave `elf` as it is otherwise. Owns fd from then on. */
static int take_symbols(struct hr_elf *elf, Elf *file, int fd, GElf_Word type)
{
	GElf_Shdr header, names;
	Elf_Scn *section = section_of_type(file, type, &header);
	struct symbol *symbols = NULL;
	size_t count = 0;
	Elf_Data *data;
	int rc;

	if (!section || header.sh_flags & SHF_COMPRESSED || header.sh_size > SECTION_BYTES_MAX || !header.sh_entsize ||
	    !gelf_getshdr(elf_getscn(file, header.sh_link), &names) || names.sh_type != SHT_STRTAB ||
	    names.sh_flags & SHF_COMPRESSED || !(data = elf_getdata(section, NULL)))
		return -ENOENT;
	rc = copy_symbols(data, header.sh_size / header.sh_entsize, &symbols, &count);
	if (rc)
		return rc;
	free(elf->symbols);
	if (elf->names_fd >= 0 && elf->names_fd != fd)
		close(elf->names_fd);
	elf->symbols = symbols;
	elf->symbol_count = count;
	elf->names_fd = fd;
	elf->names_at = names.sh_offset;
	elf->names_bytes = names.sh_size;
	return 0;
}

/* ---- the file ---- */

static Elf *begin(int fd)
{
	Elf *file;

	elf_version(EV_CURRENT);
	file = elf_begin(fd, ELF_C_READ, NULL);
	if (file && elf_kind(file) != ELF_K_ELF) {
		elf_end(file);
		file = NULL;
	}
	return file;
}

int hr_elf_open(int fd, struct hr_elf **ret_elf)
{
	struct hr_elf *elf = calloc(1, sizeof(*elf));
	Elf *file = begin(fd);
	int rc = elf ? -ENOEXEC : -ENOMEM;

	if (elf && file) {
		elf->names_fd = -1;
		read_segments(elf, file);
		read_sections(elf, file);
		rc = take_symbols(elf, file, fd, SHT_SYMTAB);
		elf->is_stripped = rc == -ENOENT;
		if (elf->is_stripped)
			rc = take_symbols(elf, file, fd, SHT_DYNSYM);
		if (rc == -ENOENT) /* a debug file may still have them */
			rc = 0;
	}
	elf_end(file);
	if (rc || elf->names_fd < 0)
		close(fd);
	if (rc) {
		free(elf);
		return rc;
	}
	*ret_elf = elf;
	return 0;
}

int hr_elf_take_debug(struct hr_elf *elf, int fd)
{
	struct hr_elf debug = { .names_fd = -1 };
	Elf *file = begin(fd);
	int rc = -ENOENT;

	if (file)
		read_sections(&debug, file);
	if (debug.build_id_length && debug.build_id_length == elf->build_id_length &&
	    !memcmp(debug.build_id, elf->build_id, debug.build_id_length))
		rc = take_symbols(elf, file, fd, SHT_SYMTAB);
	elf_end(file);
	if (rc)
		close(fd);
	else
		elf->is_stripped = false;
	return rc;
}

void hr_elf_close(struct hr_elf *elf)
{
	if (!elf)
		return;
	if (elf->names_fd >= 0)
		close(elf->names_fd);
	free(elf->symbols);
	free(elf);
}

/* ---- questions ---- */

bool hr_elf_is_stripped(const struct hr_elf *elf)
{
	return elf->is_stripped;
}

const uint8_t *hr_elf_build_id(const struct hr_elf *elf, size_t *ret_length)
{
	*ret_length = elf->build_id_length;
	return elf->build_id;
}

const char *hr_elf_debug_link(const struct hr_elf *elf)
{
	return elf->debug_link[0] ? elf->debug_link : NULL;
}

uint64_t hr_elf_base(const struct hr_elf *elf)
{
	return elf->segment_count ? elf->segments[0].start & ~(uint64_t)(PAGE_BYTES - 1) : 0;
}

bool hr_elf_holds(const struct hr_elf *elf, uint64_t address, const uint64_t *file_offset)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct segment *segment = &elf->segments[i];

		if (address >= segment->start && address < segment->end)
			return !file_offset || *file_offset == segment->offset + (address - segment->start);
	}
	return false;
}

/* How many begin at or before the address. */
static size_t count_up_to(const struct hr_elf *elf, uint64_t address)
{
	size_t low = 0, high = elf->symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (elf->symbols[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool read_name(const struct hr_elf *elf, const struct symbol *symbol, char name[HR_ELF_NAME_BYTES])
{
	uint64_t left = elf->names_bytes > symbol->name ? elf->names_bytes - symbol->name : 0;
	size_t wanted = left < HR_ELF_NAME_BYTES - 1 ? left : HR_ELF_NAME_BYTES - 1;
	ssize_t length = pread(elf->names_fd, name, wanted, (off_t)(elf->names_at + symbol->name));

	name[length > 0 ? length : 0] = '\0';
	name[strcspn(name, "@")] = '\0'; /* "pthread_create@GLIBC_2.34" */
	return name[0];
}

bool hr_elf_find(const struct hr_elf *elf, uint64_t address, char name[HR_ELF_NAME_BYTES], uint64_t *ret_offset)
{
	size_t count = count_up_to(elf, address);

	for (size_t back = 1; back <= count && back <= NESTED_MAX; back++) {
		const struct symbol *symbol = &elf->symbols[count - back];

		if (address - symbol->start >= symbol->size)
			continue;
		*ret_offset = address - symbol->start;
		return read_name(elf, symbol, name);
	}
	return false;
}

size_t hr_elf_bytes(const struct hr_elf *elf)
{
	return sizeof(*elf) + elf->symbol_count * sizeof(*elf->symbols);
}
