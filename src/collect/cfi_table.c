/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cfi_table.h"

#include <errno.h>
#include <stdlib.h>

static bool fits(int64_t offset, int64_t units_min, int64_t units_max)
{
	return offset % HR_UNWIND_BYTES == 0 && offset / HR_UNWIND_BYTES >= units_min && offset / HR_UNWIND_BYTES <= units_max;
}

static bool encode_bp(const struct hr_cfi_place *bp, __s8 *ret)
{
	switch (bp->where) {
	case HR_CFI_KEPT: *ret = HR_UNWIND_BP_KEPT; return true;
	case HR_CFI_AT_CFA:
		if (!bp->offset || !fits(bp->offset, -127, 127))
			return false;
		*ret = (__s8)(bp->offset / HR_UNWIND_BYTES);
		return true;
	case HR_CFI_AT_BP: *ret = HR_UNWIND_BP_AT_BP; return bp->offset == 0;
	default: return false;
	}
}

static uint8_t rule_of(const struct hr_cfi_state *state, bool is_signal)
{
	if (is_signal)
		return HR_UNWIND_SIGNAL;
	if (state->ra.where == HR_CFI_NOWHERE)
		return HR_UNWIND_END;
	if (state->ra.where != HR_CFI_AT_CFA || state->ra.offset != -8)
		return HR_UNWIND_UNKNOWN;
	switch (state->cfa) {
	case HR_CFI_CFA_PLT: return HR_UNWIND_PLT;
	case HR_CFI_CFA_AT_BP: return HR_UNWIND_AT_BP;
	case HR_CFI_CFA_REGISTER:
		if (state->cfa_register == HR_CFI_REG_SP)
			return HR_UNWIND_BY_SP;
		return state->cfa_register == HR_CFI_REG_BP ? HR_UNWIND_BY_BP : HR_UNWIND_UNKNOWN;
	case HR_CFI_CFA_OTHER: break;
	}
	return HR_UNWIND_UNKNOWN;
}

struct hr_unwind_row hr_cfi_encode(const struct hr_cfi_state *state, bool is_signal)
{
	struct hr_unwind_row row = { .rule = rule_of(state, is_signal) };
	bool has_offset = row.rule == HR_UNWIND_BY_SP || row.rule == HR_UNWIND_BY_BP || row.rule == HR_UNWIND_AT_BP;

	if (row.rule == HR_UNWIND_UNKNOWN || row.rule == HR_UNWIND_SIGNAL || row.rule == HR_UNWIND_END)
		return row;
	if (!encode_bp(&state->bp, &row.bp) || (has_offset && !fits(state->cfa_offset, INT16_MIN, INT16_MAX)))
		return (struct hr_unwind_row){ .rule = HR_UNWIND_UNKNOWN };
	if (has_offset)
		row.cfa = (__s16)(state->cfa_offset / HR_UNWIND_BYTES);
	return row;
}

void hr_cfi_table_add(struct hr_cfi_table *table, const struct hr_cfi_section *section, uint64_t address, struct hr_unwind_row row)
{
	size_t room = table->room ? 2 * table->room : 1024;
	struct hr_unwind_row *grown;

	if (table->error || address < section->base || address - section->base > UINT32_MAX)
		return;
	row.start = (__u32)(address - section->base);
	if (table->count == table->room) {
		grown = realloc(table->at, room * sizeof(*grown));
		if (!grown) {
			table->error = -ENOMEM;
			return;
		}
		table->at = grown;
		table->room = room;
	}
	table->at[table->count++] = row;
	/* twice as many: some will turn out to be the same as their neighbours */
	if (table->count > 2 * table->max)
		table->error = -ENOSPC;
}

/* The end of one function may be the beginning of another: what says something comes last. */
static int by_start(const void *a, const void *b)
{
	const struct hr_unwind_row *left_row = a, *right_row = b;

	if (left_row->start != right_row->start)
		return left_row->start < right_row->start ? -1 : 1;
	return (left_row->rule != HR_UNWIND_UNKNOWN) - (right_row->rule != HR_UNWIND_UNKNOWN);
}

static bool says_the_same(const struct hr_unwind_row *a, const struct hr_unwind_row *b)
{
	return (a->rule & HR_UNWIND_RULES) == (b->rule & HR_UNWIND_RULES) && a->cfa == b->cfa && a->bp == b->bp;
}

void hr_cfi_table_settle(struct hr_cfi_table *table)
{
	size_t kept = 0;

	if (table->count)
		qsort(table->at, table->count, sizeof(*table->at), by_start);
	for (size_t i = 0; i < table->count; i++) {
		if (i + 1 < table->count && table->at[i + 1].start == table->at[i].start)
			continue;
		if (kept && !(table->at[i].rule & HR_UNWIND_BEGINS) && says_the_same(&table->at[kept - 1], &table->at[i]))
			continue;
		table->at[kept++] = table->at[i];
	}
	table->count = kept;
	if (kept > table->max)
		table->error = -ENOSPC;
}
