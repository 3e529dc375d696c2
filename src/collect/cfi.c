/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cfi.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "collect/cfi_table.h"
#include "collect/dwarf.h"

#define REMEMBERED_MAX 8

/* Numbers of DWARF 5, §7.7.1 and §7.24. */
enum {
	DW_CFA_nop = 0x00, DW_CFA_set_loc = 0x01, DW_CFA_advance_loc1 = 0x02, DW_CFA_advance_loc2 = 0x03,
	DW_CFA_advance_loc4 = 0x04, DW_CFA_offset_extended = 0x05, DW_CFA_restore_extended = 0x06, DW_CFA_undefined = 0x07,
	DW_CFA_same_value = 0x08, DW_CFA_register = 0x09, DW_CFA_remember_state = 0x0a, DW_CFA_restore_state = 0x0b,
	DW_CFA_def_cfa = 0x0c, DW_CFA_def_cfa_register = 0x0d, DW_CFA_def_cfa_offset = 0x0e,
	DW_CFA_def_cfa_expression = 0x0f, DW_CFA_expression = 0x10, DW_CFA_offset_extended_sf = 0x11,
	DW_CFA_def_cfa_sf = 0x12, DW_CFA_def_cfa_offset_sf = 0x13, DW_CFA_val_offset = 0x14, DW_CFA_val_offset_sf = 0x15,
	DW_CFA_val_expression = 0x16, DW_CFA_GNU_args_size = 0x2e, DW_CFA_GNU_negative_offset_extended = 0x2f,
	DW_CFA_advance_loc = 0x40, DW_CFA_offset = 0x80, DW_CFA_restore = 0xc0,
};
enum {
	DW_OP_deref = 0x06, DW_OP_and = 0x1a, DW_OP_plus = 0x22, DW_OP_shl = 0x24, DW_OP_ge = 0x2a, DW_OP_lit3 = 0x33,
	DW_OP_lit11 = 0x3b, DW_OP_lit15 = 0x3f, DW_OP_breg6 = 0x76, DW_OP_breg7 = 0x77, DW_OP_breg16 = 0x80,
};

/* What several frames have in common. */
struct cie {
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding; /* of pointers to code */
	bool has_augmentation, is_signal;
	struct hr_cfi_state state;
};

struct program {
	const struct hr_cfi_section *section;
	const struct cie *cie;
	struct hr_cfi_state state, remembered[REMEMBERED_MAX];
	size_t remembered_count;
	uint64_t begin, location, end; /* addresses */
	struct hr_cfi_table *table;	/* NULL: of a CIE */
	bool failed;
};

/* An address of code. */
static uint64_t read_pointer(struct hr_dwarf *cursor, const struct hr_cfi_section *section, uint8_t encoding)
{
	uint64_t here = section->address + (uint64_t)(cursor->at - section->bytes), value = hr_dwarf_encoded(cursor, encoding);

	switch (encoding & 0xf0) {
	case DW_EH_PE_absptr: return value;
	case DW_EH_PE_pcrel: return here + value;
	default: cursor->is_short = true; return 0; /* as nobody writes it for code */
	}
}

static void add_state(struct program *program)
{
	struct hr_unwind_row row;

	if (!program->table || program->location >= program->end)
		return;
	row = hr_cfi_encode(&program->state, program->cie->is_signal);
	if (program->location == program->begin)
		row.rule |= HR_UNWIND_BEGINS;
	hr_cfi_table_add(program->table, program->section, program->location, row);
}

/* ---- expressions ---- */

/* "DW_OP_breg7 8; DW_OP_breg16 0; DW_OP_lit15; DW_OP_and; DW_OP_lit11; DW_OP_ge; DW_OP_lit3; DW_OP_shl; DW_OP_plus": a linker's. */
static bool is_plt(const struct hr_dwarf *expression)
{
	static const uint8_t plt[] = { DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit11,
				       DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus };

	return hr_dwarf_left(expression) == sizeof(plt) && !memcmp(expression->at, plt, sizeof(plt));
}

/* "DW_OP_breg6 N", and behind it `last`, or nothing if that is 0. */
static bool is_at_bp(struct hr_dwarf expression, uint8_t last, int64_t *ret_offset)
{
	bool is_bp = hr_dwarf_fixed(&expression, 1) == DW_OP_breg6;

	*ret_offset = hr_dwarf_sleb(&expression);
	if (last && hr_dwarf_fixed(&expression, 1) != last)
		return false;
	return is_bp && !expression.is_short && !hr_dwarf_left(&expression);
}

static void set_cfa_expression(struct hr_cfi_state *state, struct hr_dwarf expression)
{
	state->cfa = HR_CFI_CFA_OTHER;
	if (is_plt(&expression))
		state->cfa = HR_CFI_CFA_PLT;
	else if (is_at_bp(expression, DW_OP_deref, &state->cfa_offset))
		state->cfa = HR_CFI_CFA_AT_BP;
}

/* ---- instructions ---- */

static struct hr_cfi_place *place_of(struct hr_cfi_state *state, uint64_t number)
{
	return number == HR_CFI_REG_BP ? &state->bp : number == HR_CFI_REG_RA ? &state->ra : NULL;
}

static void set_place(struct program *program, uint64_t number, enum hr_cfi_where where, int64_t offset)
{
	struct hr_cfi_place *place = place_of(&program->state, number);

	if (place)
		*place = (struct hr_cfi_place){ where, offset };
}

static void restore(struct program *program, uint64_t number)
{
	struct hr_cfi_state initial = program->cie->state;
	struct hr_cfi_place *place = place_of(&program->state, number), *before = place_of(&initial, number);

	if (place)
		*place = *before;
}

static void set_cfa(struct program *program, uint64_t number, int64_t offset)
{
	program->state.cfa = HR_CFI_CFA_REGISTER;
	program->state.cfa_register = number;
	program->state.cfa_offset = offset;
}

static void advance(struct program *program, uint64_t to)
{
	if (to <= program->location)
		return;
	add_state(program);
	program->location = to;
}

static void remember(struct program *program)
{
	if (program->remembered_count == REMEMBERED_MAX)
		program->failed = true;
	else
		program->remembered[program->remembered_count++] = program->state;
}

static void recall(struct program *program)
{
	if (!program->remembered_count)
		program->failed = true;
	else
		program->state = program->remembered[--program->remembered_count];
}

static void set_expression(struct program *program, struct hr_dwarf *code)
{
	uint64_t number = hr_dwarf_uleb(code);
	struct hr_dwarf expression = hr_dwarf_part(code, hr_dwarf_uleb(code));
	int64_t offset;

	if (is_at_bp(expression, 0, &offset))
		set_place(program, number, HR_CFI_AT_BP, offset);
	else
		set_place(program, number, HR_CFI_ELSEWHERE, 0);
}

static int64_t factored(const struct program *program, uint64_t offset)
{
	return (int64_t)(offset * (uint64_t)program->cie->data_align);
}

static int64_t factored_sf(const struct program *program, struct hr_dwarf *code)
{
	return factored(program, (uint64_t)hr_dwarf_sleb(code));
}

/* Those that have all of the first byte to themselves. */
static void run_extended(struct program *program, struct hr_dwarf *code, uint8_t instruction)
{
	const struct cie *cie = program->cie;
	uint64_t number;

	switch (instruction) {
	case DW_CFA_nop: break;
	case DW_CFA_set_loc: advance(program, read_pointer(code, program->section, cie->encoding)); break;
	case DW_CFA_advance_loc1: advance(program, program->location + hr_dwarf_fixed(code, 1) * cie->code_align); break;
	case DW_CFA_advance_loc2: advance(program, program->location + hr_dwarf_fixed(code, 2) * cie->code_align); break;
	case DW_CFA_advance_loc4: advance(program, program->location + hr_dwarf_fixed(code, 4) * cie->code_align); break;
	case DW_CFA_offset_extended:
		number = hr_dwarf_uleb(code);
		set_place(program, number, HR_CFI_AT_CFA, factored(program, hr_dwarf_uleb(code)));
		break;
	case DW_CFA_offset_extended_sf:
		number = hr_dwarf_uleb(code);
		set_place(program, number, HR_CFI_AT_CFA, factored_sf(program, code));
		break;
	case DW_CFA_GNU_negative_offset_extended:
		number = hr_dwarf_uleb(code);
		set_place(program, number, HR_CFI_AT_CFA, -factored(program, hr_dwarf_uleb(code)));
		break;
	case DW_CFA_restore_extended: restore(program, hr_dwarf_uleb(code)); break;
	case DW_CFA_undefined: set_place(program, hr_dwarf_uleb(code), HR_CFI_NOWHERE, 0); break;
	case DW_CFA_same_value: set_place(program, hr_dwarf_uleb(code), HR_CFI_KEPT, 0); break;
	case DW_CFA_register:
	case DW_CFA_val_offset:
		number = hr_dwarf_uleb(code);
		hr_dwarf_uleb(code);
		set_place(program, number, HR_CFI_ELSEWHERE, 0);
		break;
	case DW_CFA_val_offset_sf:
		number = hr_dwarf_uleb(code);
		hr_dwarf_sleb(code);
		set_place(program, number, HR_CFI_ELSEWHERE, 0);
		break;
	case DW_CFA_remember_state: remember(program); break;
	case DW_CFA_restore_state: recall(program); break;
	case DW_CFA_def_cfa:
		number = hr_dwarf_uleb(code);
		set_cfa(program, number, (int64_t)hr_dwarf_uleb(code));
		break;
	case DW_CFA_def_cfa_sf:
		number = hr_dwarf_uleb(code);
		set_cfa(program, number, factored_sf(program, code));
		break;
	case DW_CFA_def_cfa_register: set_cfa(program, hr_dwarf_uleb(code), program->state.cfa_offset); break;
	case DW_CFA_def_cfa_offset: program->state.cfa_offset = (int64_t)hr_dwarf_uleb(code); break;
	case DW_CFA_def_cfa_offset_sf: program->state.cfa_offset = factored_sf(program, code); break;
	case DW_CFA_def_cfa_expression: set_cfa_expression(&program->state, hr_dwarf_part(code, hr_dwarf_uleb(code))); break;
	case DW_CFA_expression: set_expression(program, code); break;
	case DW_CFA_val_expression:
		number = hr_dwarf_uleb(code);
		hr_dwarf_part(code, hr_dwarf_uleb(code));
		set_place(program, number, HR_CFI_ELSEWHERE, 0);
		break;
	case DW_CFA_GNU_args_size: hr_dwarf_uleb(code); break;
	default: program->failed = true;
	}
}

static void run(struct program *program, struct hr_dwarf code)
{
	while (hr_dwarf_left(&code) && !program->failed && !code.is_short) {
		uint8_t byte = (uint8_t)hr_dwarf_fixed(&code, 1), operand = byte & 0x3f;

		switch (byte & 0xc0) {
		case DW_CFA_advance_loc: advance(program, program->location + operand * program->cie->code_align); break;
		case DW_CFA_offset: set_place(program, operand, HR_CFI_AT_CFA, factored(program, hr_dwarf_uleb(&code))); break;
		case DW_CFA_restore: restore(program, operand); break;
		default: run_extended(program, &code, byte);
		}
	}
	program->failed |= code.is_short;
}

/* ---- entries ---- */

/* "zR", "zPLR", "zRS": 'z' first, else there is no telling what the others take. */
static void read_augmentation(struct hr_dwarf *entry, const char *letters, struct cie *cie)
{
	struct hr_dwarf data = hr_dwarf_part(entry, hr_dwarf_uleb(entry));

	cie->has_augmentation = true;
	for (const char *letter = letters + 1; *letter; letter++)
		switch (*letter) {
		case 'R': cie->encoding = (uint8_t)hr_dwarf_fixed(&data, 1); break;
		case 'P': hr_dwarf_encoded(&data, (uint8_t)hr_dwarf_fixed(&data, 1)); break;
		case 'L': hr_dwarf_fixed(&data, 1); break;
		case 'S': cie->is_signal = true; break;
		default: return;
		}
}

/* entry: behind its id. False: what follows from it cannot be read. */
static bool read_cie(const struct hr_cfi_section *section, struct hr_dwarf entry, struct cie *ret)
{
	uint8_t version = (uint8_t)hr_dwarf_fixed(&entry, 1);
	const char *letters = (const char *)entry.at;
	struct program program = { .section = section, .cie = ret };

	*ret = (struct cie){ .state = { .cfa = HR_CFI_CFA_OTHER } };
	if ((version != 1 && version != 3) || !memchr(letters, '\0', hr_dwarf_left(&entry)))
		return false;
	hr_dwarf_skip(&entry, strlen(letters) + 1);
	ret->code_align = hr_dwarf_uleb(&entry);
	ret->data_align = hr_dwarf_sleb(&entry);
	if ((version == 1 ? hr_dwarf_fixed(&entry, 1) : hr_dwarf_uleb(&entry)) != HR_CFI_REG_RA)
		return false;
	if (letters[0] == 'z')
		read_augmentation(&entry, letters, ret);
	else if (letters[0])
		return false;
	program.state = ret->state;
	run(&program, entry);
	ret->state = program.state;
	return !entry.is_short && !program.failed;
}

/* An entry's content, from its id on; at moves behind it. False: the last one, or not to be read. */
static bool next_entry(struct hr_dwarf *at, struct hr_dwarf *ret)
{
	uint64_t length = hr_dwarf_fixed(at, 4);

	if (length == 0xffffffff)
		length = hr_dwarf_fixed(at, 8);
	if (!length || at->is_short)
		return false;
	*ret = hr_dwarf_part(at, length);
	return !at->is_short;
}

/* The CIE that the id of an entry leads back to. The last one is kept: most entries have the same. */
static bool find_cie(const struct hr_cfi_section *section, const uint8_t *id_at, uint64_t id, struct cie *cie, const uint8_t **cie_at)
{
	struct hr_dwarf at = { .end = section->bytes + section->size }, entry;

	if (id > (uint64_t)(id_at - section->bytes))
		return false;
	at.at = id_at - id;
	if (at.at == *cie_at)
		return true;
	*cie_at = NULL;
	if (!next_entry(&at, &entry) || hr_dwarf_fixed(&entry, 4) != 0 || !read_cie(section, entry, cie))
		return false;
	*cie_at = id_at - id;
	return true;
}

/* entry: behind its id. */
static void read_fde(const struct hr_cfi_section *section, struct hr_dwarf entry, const struct cie *cie, struct hr_cfi_table *table)
{
	struct program program = { .section = section, .cie = cie, .state = cie->state, .table = table };

	program.begin = program.location = read_pointer(&entry, section, cie->encoding);
	program.end = program.location + hr_dwarf_encoded(&entry, cie->encoding & 0x0f);
	if (cie->has_augmentation)
		hr_dwarf_skip(&entry, hr_dwarf_uleb(&entry));
	if (entry.is_short || program.end <= program.location)
		return;
	run(&program, entry);
	if (program.failed)
		program.state = (struct hr_cfi_state){ .cfa = HR_CFI_CFA_OTHER };
	add_state(&program);
	hr_cfi_table_add(table, section, program.end, (struct hr_unwind_row){ .rule = HR_UNWIND_UNKNOWN });
}

static void read_entries(const struct hr_cfi_section *section, struct hr_cfi_table *table)
{
	struct hr_dwarf at = { .at = section->bytes, .end = section->bytes + section->size }, entry;
	const uint8_t *cie_at = NULL, *id_at;
	struct cie cie;
	uint64_t id;

	while (!table->error && next_entry(&at, &entry)) {
		id_at = entry.at;
		id = hr_dwarf_fixed(&entry, 4);
		if (id && !entry.is_short && find_cie(section, id_at, id, &cie, &cie_at))
			read_fde(section, entry, &cie, table);
	}
}

int hr_cfi_rows(const struct hr_cfi_section *section, size_t max, struct hr_unwind_row **ret_rows, size_t *ret_count)
{
	struct hr_cfi_table table = { .max = max };

	read_entries(section, &table);
	if (!table.error)
		hr_cfi_table_settle(&table);
	if (table.error) {
		free(table.at);
		return table.error;
	}
	*ret_rows = table.at;
	*ret_count = table.count;
	return 0;
}
