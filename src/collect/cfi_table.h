/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_CFI_TABLE_H
#define HR_COLLECT_CFI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/cfi.h"

/* Rows in the making: what call frame information has said so far of a frame, and the table that it becomes. Of cfi.c only. */

/* Numbers of registers in the System V ABI, x86-64 supplement, §3.6.2. */
#define HR_CFI_REG_BP 6
#define HR_CFI_REG_SP 7
#define HR_CFI_REG_RA 16

enum hr_cfi_where { HR_CFI_KEPT, HR_CFI_AT_CFA, HR_CFI_ELSEWHERE, HR_CFI_NOWHERE, HR_CFI_AT_BP };

/* Where the caller's value of a register is. */
struct hr_cfi_place {
	enum hr_cfi_where where;
	int64_t offset; /* HR_CFI_AT_CFA: from there; HR_CFI_AT_BP: from the frame pointer */
};

enum hr_cfi_cfa { HR_CFI_CFA_REGISTER, HR_CFI_CFA_AT_BP, HR_CFI_CFA_PLT, HR_CFI_CFA_OTHER };

struct hr_cfi_state {
	enum hr_cfi_cfa cfa;
	uint64_t cfa_register;
	int64_t cfa_offset;
	struct hr_cfi_place bp, ra;
};

/* A table that grows. What cannot be added says why in `error`, a negative errno, and ends it. */
struct hr_cfi_table {
	struct hr_unwind_row *at;
	size_t count, room, max;
	int error;
};

/* From that address on it is so; an address out of reach of the section's base is left out. -ENOSPC: far more rows than max; -ENOMEM. */
void hr_cfi_table_add(struct hr_cfi_table *table, const struct hr_cfi_section *section, uint64_t address, struct hr_unwind_row row);

/* A frame's state as a row; HR_UNWIND_UNKNOWN: a row cannot say it. */
struct hr_unwind_row hr_cfi_encode(const struct hr_cfi_state *state, bool is_signal);

/* By address, one at each, and none that says what the one before it says of the same function. -ENOSPC in `error`: more than max. */
void hr_cfi_table_settle(struct hr_cfi_table *table);

#endif
