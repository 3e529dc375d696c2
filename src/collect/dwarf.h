/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_DWARF_H
#define HR_COLLECT_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Numbers as DWARF writes them ("DWARF Debugging Information Format" 5, §7.6) and as .eh_frame does ("Linux Standard Base" 5.0, §10.5),
 * little-endian, out of bytes that nobody vouches for.
 */

/* Bytes still to be read. What is missing reads as 0, and sets is_short. */
struct hr_dwarf {
	const uint8_t *at, *end;
	bool is_short;
};

static inline size_t hr_dwarf_left(const struct hr_dwarf *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

uint64_t hr_dwarf_fixed(struct hr_dwarf *cursor, size_t bytes); /* at most 8 */
uint64_t hr_dwarf_uleb(struct hr_dwarf *cursor);
int64_t hr_dwarf_sleb(struct hr_dwarf *cursor);
void hr_dwarf_skip(struct hr_dwarf *cursor, uint64_t bytes);

/* The next bytes as a cursor of their own. */
struct hr_dwarf hr_dwarf_part(struct hr_dwarf *cursor, uint64_t bytes);

/* How a pointer is encoded: the low four bits say as what, the high ones relative to what. */
enum {
	DW_EH_PE_absptr = 0x00, DW_EH_PE_uleb128 = 0x01, DW_EH_PE_udata2 = 0x02, DW_EH_PE_udata4 = 0x03,
	DW_EH_PE_udata8 = 0x04, DW_EH_PE_sleb128 = 0x09, DW_EH_PE_sdata2 = 0x0a, DW_EH_PE_sdata4 = 0x0b,
	DW_EH_PE_sdata8 = 0x0c, DW_EH_PE_pcrel = 0x10,
};

/* The value of a pointer, without what it is relative to. */
uint64_t hr_dwarf_encoded(struct hr_dwarf *cursor, uint8_t encoding);

#endif
