/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/ehframe.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/cfi.h"

#define SECTION_BYTES_MAX (256U << 20)
#define PAGE_BYTES 4096

/* False: nothing is loaded. *ret_base: the lowest address of all that is. */
static bool read_segments(Elf *file, struct hr_ehframe *frames, uint64_t *ret_base)
{
	uint64_t base = UINT64_MAX;
	GElf_Phdr header;
	size_t count = 0;

	if (elf_getphdrnum(file, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(file, (int)i, &header) || header.p_type != PT_LOAD)
			continue;
		if (header.p_vaddr < base)
			base = header.p_vaddr;
		if (header.p_flags & PF_X && frames->segment_count < HR_EHFRAME_SEGMENTS)
			frames->segments[frames->segment_count++] = (struct hr_ehframe_segment){
				.offset = header.p_offset,
				.end = header.p_offset + header.p_filesz,
				.address = header.p_vaddr,
			};
	}
	*ret_base = base & ~(uint64_t)(PAGE_BYTES - 1);
	for (size_t i = 0; i < frames->segment_count; i++)
		frames->segments[i].address -= *ret_base;
	return frames->segment_count;
}

static Elf_Scn *section_called(Elf *file, const char *wanted, GElf_Shdr *ret_header)
{
	Elf_Scn *section = NULL;
	size_t names = 0;

	if (elf_getshdrstrndx(file, &names))
		return NULL;
	while ((section = elf_nextscn(file, section))) {
		const char *name = gelf_getshdr(section, ret_header) ? elf_strptr(file, names, ret_header->sh_name) : NULL;

		if (name && strcmp(name, wanted) == 0)
			return section;
	}
	return NULL;
}

static int read_rows(Elf *file, uint64_t base, size_t max, struct hr_ehframe *frames)
{
	GElf_Shdr header;
	Elf_Scn *section = section_called(file, ".eh_frame", &header);
	Elf_Data *data;

	if (!section || header.sh_type == SHT_NOBITS || header.sh_flags & SHF_COMPRESSED || header.sh_size > SECTION_BYTES_MAX)
		return -ENOENT;
	data = elf_rawdata(section, NULL);
	if (!data || !data->d_buf)
		return -ENOENT;
	return hr_cfi_rows(
		&(struct hr_cfi_section){
			.bytes = data->d_buf,
			.size = data->d_size,
			.address = header.sh_addr,
			.base = base,
		},
		max, &frames->rows, &frames->count);
}

static bool is_x86_64(Elf *file)
{
	GElf_Ehdr header;

	return elf_kind(file) == ELF_K_ELF && gelf_getclass(file) == ELFCLASS64 && gelf_getehdr(file, &header) &&
	       header.e_machine == EM_X86_64;
}

/* Ends the file, which may be NULL. */
static int read_file(Elf *file, size_t max, struct hr_ehframe *ret)
{
	struct hr_ehframe frames = { 0 };
	uint64_t base;
	int rc = -ENOEXEC;

	if (file && is_x86_64(file) && read_segments(file, &frames, &base))
		rc = read_rows(file, base, max, &frames);
	elf_end(file);
	if (!rc && !frames.count)
		rc = -ENOENT;
	if (!rc)
		*ret = frames;
	else
		hr_ehframe_fini(&frames);
	return rc;
}

int hr_ehframe_read(int fd, size_t max, struct hr_ehframe *ret)
{
	elf_version(EV_CURRENT);
	return read_file(elf_begin(fd, ELF_C_READ, NULL), max, ret);
}

int hr_ehframe_read_image(const void *image, size_t bytes, size_t max, struct hr_ehframe *ret)
{
	elf_version(EV_CURRENT);
	return read_file(elf_memory((char *)image, bytes), max, ret);
}

void hr_ehframe_fini(struct hr_ehframe *frames)
{
	free(frames->rows);
	*frames = (struct hr_ehframe){ 0 };
}

bool hr_ehframe_address(const struct hr_ehframe *frames, uint64_t offset, uint64_t *ret_address)
{
	for (size_t i = 0; i < frames->segment_count; i++) {
		const struct hr_ehframe_segment *segment = &frames->segments[i];

		/* areas are of whole pages */
		if (offset >= (segment->offset & ~(uint64_t)(PAGE_BYTES - 1)) && offset < segment->end) {
			*ret_address = segment->address + offset - segment->offset;
			return true;
		}
	}
	return false;
}
