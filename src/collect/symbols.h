/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_SYMBOLS_H
#define HR_COLLECT_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "collect/maps.h"

/*
 * What lies at an address of a process. Programs and libraries are opened as the process has them mapped, so that containers, and
 * files that were replaced meanwhile, are no special case; where that is forbidden, by path below the process's own root, or if it
 * is gone the host's, and only if it is the same file. What was read of a file is kept, up to a limit over all files.
 */
struct hr_symbols;

#define HR_SYMBOL_BYTES 384
#define HR_MAPPING_BYTES 384

/* All text is valid UTF-8. */
struct hr_place {
	char symbol[HR_SYMBOL_BYTES]; /* "_PyRuntime+0x1a8", "model::lock"; "": none that is known */
	/*
	 * "/usr/bin/python3.11", "[heap]", "[stack]", "anonymous"; "": nothing is mapped there. Memory that processes share has the
	 * same text in each of them: "/dev/shm/x+0x40 (inode 5 of 0:27)", "memfd:x+0x40 (...)", "shared anonymous+0x40 (...)".
	 */
	char mapping[HR_MAPPING_BYTES];
};

/* root: to be put in front of /proc and of the host's /usr/lib/debug. NULL: out of memory. */
struct hr_symbols *hr_symbols_new(const char *root);
void hr_symbols_free(struct hr_symbols *symbols); /* takes NULL */

/* Open for reading the file that a process has mapped, whatever its path leads to by now. -errno. */
int hr_symbols_open(const struct hr_symbols *symbols, pid_t pid, const struct hr_vma *vma, struct stat *ret);

/* maps: of that process, as read by hr_maps_read(). What cannot be found out is "". */
void hr_symbols_place(struct hr_symbols *symbols, pid_t pid, const struct hr_maps *maps, uint64_t address, struct hr_place *ret);

/* All text is valid UTF-8. */
struct hr_function {
	char name[HR_SYMBOL_BYTES]; /* "std::vector<int>::push_back(int&&)"; "": none that is known */
	char module[HR_MAPPING_BYTES];
	uint64_t in_module; /* the address, as the linker has it */
};

/* The function of a program or library that an address lies in. False: it lies in none, or its file cannot be read. */
bool hr_symbols_function(struct hr_symbols *symbols, pid_t pid, const struct hr_maps *maps, uint64_t address, struct hr_function *ret);

#endif
