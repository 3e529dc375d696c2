/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_CFI_H
#define HR_COLLECT_CFI_H

#include <stddef.h>
#include <stdint.h>

#include "headroom/unwind.h"

/*
 * Call frame information of x86-64, as a table of what it comes to for the stack pointer, the frame pointer and the return address:
 * "DWARF Debugging Information Format" 5, §6.4; .eh_frame differs from it as the "Linux Standard Base" 5.0, §10.6, says.
 */

/* A section .eh_frame. It is somebody else's: nothing in it is believed. */
struct hr_cfi_section {
	const uint8_t *bytes;
	size_t size;
	uint64_t address; /* of its first byte, as the linker has it */
	uint64_t base;	  /* rows count from there; code that begins before it, or 4 GiB behind it, has none */
};

/*
 * All rows of a section, by address, at most max of them. What cannot be said in a row is HR_UNWIND_UNKNOWN, and what cannot be
 * read is left out. 0, *ret_rows (free with free(); NULL: there are none) and *ret_count; -ENOSPC: there are more; -ENOMEM.
 */
int hr_cfi_rows(const struct hr_cfi_section *section, size_t max, struct hr_unwind_row **ret_rows, size_t *ret_count);

#endif
