/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/dwarf.h"

#include <string.h>

uint64_t hr_dwarf_fixed(struct hr_dwarf *cursor, size_t bytes)
{
	uint64_t value = 0;

	if (hr_dwarf_left(cursor) < bytes) {
		cursor->is_short = true;
		cursor->at = cursor->end;
		return 0;
	}
	memcpy(&value, cursor->at, bytes);
	cursor->at += bytes;
	return value;
}

static int64_t read_signed(struct hr_dwarf *cursor, size_t bytes)
{
	unsigned int unused_bits = 64 - 8 * (unsigned int)bytes;

	return (int64_t)(hr_dwarf_fixed(cursor, bytes) << unused_bits) >> unused_bits;
}

/* *ret_shift: how many bits were read. */
static uint64_t read_leb(struct hr_dwarf *cursor, unsigned int *ret_shift, bool *ret_is_negative)
{
	uint64_t value = 0, byte;
	unsigned int shift = 0;

	do {
		byte = hr_dwarf_fixed(cursor, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	*ret_shift = shift;
	*ret_is_negative = byte & 0x40;
	return value;
}

uint64_t hr_dwarf_uleb(struct hr_dwarf *cursor)
{
	unsigned int shift;
	bool is_negative;

	return read_leb(cursor, &shift, &is_negative);
}

int64_t hr_dwarf_sleb(struct hr_dwarf *cursor)
{
	unsigned int shift;
	bool is_negative;
	uint64_t value = read_leb(cursor, &shift, &is_negative);

	return (int64_t)(is_negative && shift < 64 ? value | ~(uint64_t)0 << shift : value);
}

void hr_dwarf_skip(struct hr_dwarf *cursor, uint64_t bytes)
{
	if (bytes > hr_dwarf_left(cursor)) {
		cursor->is_short = true;
		bytes = hr_dwarf_left(cursor);
	}
	cursor->at += bytes;
}

struct hr_dwarf hr_dwarf_part(struct hr_dwarf *cursor, uint64_t bytes)
{
	struct hr_dwarf part = { .at = cursor->at };

	hr_dwarf_skip(cursor, bytes);
	part.end = cursor->at;
	return part;
}

uint64_t hr_dwarf_encoded(struct hr_dwarf *cursor, uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8: return hr_dwarf_fixed(cursor, 8);
	case DW_EH_PE_uleb128: return hr_dwarf_uleb(cursor);
	case DW_EH_PE_sleb128: return (uint64_t)hr_dwarf_sleb(cursor);
	case DW_EH_PE_udata2: return hr_dwarf_fixed(cursor, 2);
	case DW_EH_PE_sdata2: return (uint64_t)read_signed(cursor, 2);
	case DW_EH_PE_udata4: return hr_dwarf_fixed(cursor, 4);
	case DW_EH_PE_sdata4: return (uint64_t)read_signed(cursor, 4);
	default: cursor->is_short = true; return 0;
	}
}
