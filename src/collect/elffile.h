/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_ELFFILE_H
#define HR_COLLECT_ELFFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The functions and data objects of one ELF file, by address. The file is somebody else's, and may be cut short or written at any
 * time: it is read, never mapped. Their names stay in the file, which is kept open.
 */
struct hr_elf;

#define HR_ELF_NAME_BYTES 512
#define HR_BUILD_ID_BYTES 64

/*
 * Read the file's own symbols: those of the linker, or where it is stripped those that it exports. Takes the file descriptor over,
 * also on failure. 0 (free with hr_elf_close()); -ENOEXEC: no ELF file, or one that cannot be read; -ENOMEM.
 */
int hr_elf_open(int fd, struct hr_elf **ret_elf);
void hr_elf_close(struct hr_elf *elf); /* takes NULL */

/* It has only what it exports: a debug file may know more. */
bool hr_elf_is_stripped(const struct hr_elf *elf);

/* Its build id, *ret_length bytes of it; 0 bytes: it has none. */
const uint8_t *hr_elf_build_id(const struct hr_elf *elf, size_t *ret_length);

/* What the file says that its debug file is called, without folders; NULL: nothing. */
const char *hr_elf_debug_link(const struct hr_elf *elf);

/* Use the symbols of a debug file. Takes the file descriptor over. 0; -ENOENT: it is not this file's, or has no symbols; -ENOMEM. */
int hr_elf_take_debug(struct hr_elf *elf, int fd);

/* The lowest address of what is loaded of it, rounded down to a page: where the first page of the file goes. */
uint64_t hr_elf_base(const struct hr_elf *elf);

/*
 * Is something of it loaded at that address? file_offset: what of the file is said to be there; NULL: nothing, as with memory that
 * begins as zeros.
 */
bool hr_elf_holds(const struct hr_elf *elf, uint64_t address, const uint64_t *file_offset);

/*
 * The symbol that the address lies in, as the linker spells it, without its version, in name; *ret_offset: how far in.
 * False: none, or its name cannot be read.
 */
bool hr_elf_find(const struct hr_elf *elf, uint64_t address, char name[HR_ELF_NAME_BYTES], uint64_t *ret_offset);

/* How much memory it takes. */
size_t hr_elf_bytes(const struct hr_elf *elf);

#endif
