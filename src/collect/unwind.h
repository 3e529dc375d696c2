/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_UNWIND_H
#define HR_COLLECT_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/code.h"
#include "collect/maps.h"
#include "collect/probes.h"
#include "collect/symbols.h"

/*
 * Tells the samplers how to unwind the code of the target's processes: reads each file that they execute once, and writes what they
 * have mapped where. A file for which there is no room, or which says nothing, is left to frame pointers.
 */
struct hr_unwind;

/* tables, symbols: stay the caller's. NULL: out of memory. */
struct hr_unwind *hr_unwind_new(const struct hr_unwind_tables *tables, struct hr_symbols *symbols);
void hr_unwind_free(struct hr_unwind *unwind); /* takes NULL */

/* What a process has mapped by now. */
void hr_unwind_set(struct hr_unwind *unwind, const struct hr_code_process *process, const struct hr_maps *maps);

/* Where the function at an address of the process in a slot begins. False: not known. */
bool hr_unwind_begin(const struct hr_unwind *unwind, uint32_t slot, uint64_t address, uint64_t *ret_begin);

/* Nobody is in this slot, or somebody else. */
void hr_unwind_forget(struct hr_unwind *unwind, uint32_t slot);

#endif
