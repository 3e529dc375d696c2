/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cfi.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of registers in the System V ABI, x86-64 supplement, §3.6.2. */
#define REG_BP 6
#define REG_SP 7
#define REG_RA 16

#define REMEMBERED_MAX 8

/* Numbers of DWARF 5, §7.7.1 and §7.24, and of the Linux Standard Base. */
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
enum {
	DW_EH_PE_absptr = 0x00, DW_EH_PE_uleb128 = 0x01, DW_EH_PE_udata2 = 0x02, DW_EH_PE_udata4 = 0x03,
	DW_EH_PE_udata8 = 0x04, DW_EH_PE_sleb128 = 0x09, DW_EH_PE_sdata2 = 0x0a, DW_EH_PE_sdata4 = 0x0b,
	DW_EH_PE_sdata8 = 0x0c, DW_EH_PE_pcrel = 0x10,
};

/* ---- reading ---- */

/* Bytes still to be read. What is missing reads as 0, and sets is_short. */
struct cursor {
	const uint8_t *at, *end;
	bool is_short;
};

static size_t left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

static uint64_t read_fixed(struct cursor *cursor, size_t bytes)
{
	uint64_t value = 0;

	if (left(cursor) < bytes) {
		cursor->is_short = true;
		cursor->at = cursor->end;
		return 0;
	}
	memcpy(&value, cursor->at, bytes);
	cursor->at += bytes;
	return value;
}

static int64_t read_signed(struct cursor *cursor, size_t bytes)
{
	unsigned int unused_bits = 64 - 8 * (unsigned int)bytes;

	return (int64_t)(read_fixed(cursor, bytes) << unused_bits) >> unused_bits;
}

/* *ret_shift: how many bits were read. */
static uint64_t read_leb(struct cursor *cursor, unsigned int *ret_shift, bool *ret_is_negative)
{
	uint64_t value = 0, byte;
	unsigned int shift = 0;

	do {
		byte = read_fixed(cursor, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	*ret_shift = shift;
	*ret_is_negative = byte & 0x40;
	return value;
}

static uint64_t read_uleb(struct cursor *cursor)
{
	unsigned int shift;
	bool is_negative;

	return read_leb(cursor, &shift, &is_negative);
}

static int64_t read_sleb(struct cursor *cursor)
{
	unsigned int shift;
	bool is_negative;
	uint64_t value = read_leb(cursor, &shift, &is_negative);

	return (int64_t)(is_negative && shift < 64 ? value | ~(uint64_t)0 << shift : value);
}

static void skip(struct cursor *cursor, uint64_t bytes)
{
	if (bytes > left(cursor)) {
		cursor->is_short = true;
		bytes = left(cursor);
	}
	cursor->at += bytes;
}

/* The next bytes as a cursor of their own. */
static struct cursor part(struct cursor *cursor, uint64_t bytes)
{
	struct cursor part = { .at = cursor->at };

	skip(cursor, bytes);
	part.end = cursor->at;
	return part;
}

/* The value of a pointer, without what it is relative to. */
static uint64_t read_encoded(struct cursor *cursor, uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8: return read_fixed(cursor, 8);
	case DW_EH_PE_uleb128: return read_uleb(cursor);
	case DW_EH_PE_sleb128: return (uint64_t)read_sleb(cursor);
	case DW_EH_PE_udata2: return read_fixed(cursor, 2);
	case DW_EH_PE_sdata2: return (uint64_t)read_signed(cursor, 2);
	case DW_EH_PE_udata4: return read_fixed(cursor, 4);
	case DW_EH_PE_sdata4: return (uint64_t)read_signed(cursor, 4);
	default: cursor->is_short = true; return 0;
	}
}

/* An address of code. */
static uint64_t read_pointer(struct cursor *cursor, const struct hr_cfi_section *section, uint8_t encoding)
{
	uint64_t here = section->address + (uint64_t)(cursor->at - section->bytes), value = read_encoded(cursor, encoding);

	switch (encoding & 0xf0) {
	case DW_EH_PE_absptr: return value;
	case DW_EH_PE_pcrel: return here + value;
	default: cursor->is_short = true; return 0; /* as nobody writes it for code */
	}
}

/* ---- state of a frame ---- */

enum where { KEPT, AT_CFA, ELSEWHERE, NOWHERE, AT_BP };

/* Where the caller's value of a register is. */
struct place {
	enum where where;
	int64_t offset; /* AT_CFA: from there; AT_BP: from the frame pointer */
};

enum cfa_kind { CFA_REGISTER, CFA_AT_BP, CFA_PLT, CFA_OTHER };

struct state {
	enum cfa_kind cfa;
	uint64_t cfa_register;
	int64_t cfa_offset;
	struct place bp, ra;
};

/* What several frames have in common. */
struct cie {
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding; /* of pointers to code */
	bool has_augmentation, is_signal;
	struct state state;
};

struct rows {
	struct hr_unwind_row *at;
	size_t count, room, max;
	int error;
};

struct program {
	const struct hr_cfi_section *section;
	const struct cie *cie;
	struct state state, remembered[REMEMBERED_MAX];
	size_t remembered_count;
	uint64_t begin, location, end; /* addresses */
	struct rows *rows;	/* NULL: of a CIE */
	bool failed;
};

/* ---- rows ---- */

static bool fits(int64_t offset, int64_t units_min, int64_t units_max)
{
	return offset % HR_UNWIND_BYTES == 0 && offset / HR_UNWIND_BYTES >= units_min && offset / HR_UNWIND_BYTES <= units_max;
}

static bool encode_bp(const struct place *bp, __s8 *ret)
{
	switch (bp->where) {
	case KEPT: *ret = HR_UNWIND_BP_KEPT; return true;
	case AT_CFA:
		if (!bp->offset || !fits(bp->offset, -127, 127))
			return false;
		*ret = (__s8)(bp->offset / HR_UNWIND_BYTES);
		return true;
	case AT_BP: *ret = HR_UNWIND_BP_AT_BP; return bp->offset == 0;
	default: return false;
	}
}

static uint8_t rule_of(const struct cie *cie, const struct state *state)
{
	if (cie->is_signal)
		return HR_UNWIND_SIGNAL;
	if (state->ra.where == NOWHERE)
		return HR_UNWIND_END;
	if (state->ra.where != AT_CFA || state->ra.offset != -8)
		return HR_UNWIND_UNKNOWN;
	switch (state->cfa) {
	case CFA_PLT: return HR_UNWIND_PLT;
	case CFA_AT_BP: return HR_UNWIND_AT_BP;
	case CFA_REGISTER:
		if (state->cfa_register == REG_SP)
			return HR_UNWIND_BY_SP;
		return state->cfa_register == REG_BP ? HR_UNWIND_BY_BP : HR_UNWIND_UNKNOWN;
	case CFA_OTHER: break;
	}
	return HR_UNWIND_UNKNOWN;
}

static struct hr_unwind_row encode(const struct cie *cie, const struct state *state)
{
	struct hr_unwind_row row = { .rule = rule_of(cie, state) };
	bool has_offset = row.rule == HR_UNWIND_BY_SP || row.rule == HR_UNWIND_BY_BP || row.rule == HR_UNWIND_AT_BP;

	if (row.rule == HR_UNWIND_UNKNOWN || row.rule == HR_UNWIND_SIGNAL || row.rule == HR_UNWIND_END)
		return row;
	if (!encode_bp(&state->bp, &row.bp) || (has_offset && !fits(state->cfa_offset, INT16_MIN, INT16_MAX)))
		return (struct hr_unwind_row){ .rule = HR_UNWIND_UNKNOWN };
	if (has_offset)
		row.cfa = (__s16)(state->cfa_offset / HR_UNWIND_BYTES);
	return row;
}

static void add(struct rows *rows, const struct hr_cfi_section *section, uint64_t address, struct hr_unwind_row row)
{
	size_t room = rows->room ? 2 * rows->room : 1024;
	struct hr_unwind_row *grown;

	if (rows->error || address < section->base || address - section->base > UINT32_MAX)
		return;
	row.start = (__u32)(address - section->base);
	if (rows->count == rows->room) {
		grown = realloc(rows->at, room * sizeof(*grown));
		if (!grown) {
			rows->error = -ENOMEM;
			return;
		}
		rows->at = grown;
		rows->room = room;
	}
	rows->at[rows->count++] = row;
	/* twice as many: some will turn out to be the same as their neighbours */
	if (rows->count > 2 * rows->max)
		rows->error = -ENOSPC;
}

static void add_state(struct program *program)
{
	struct hr_unwind_row row;

	if (!program->rows || program->location >= program->end)
		return;
	row = encode(program->cie, &program->state);
	if (program->location == program->begin)
		row.rule |= HR_UNWIND_BEGINS;
	add(program->rows, program->section, program->location, row);
}

/* ---- expressions ---- */

/* "DW_OP_breg7 8; DW_OP_breg16 0; DW_OP_lit15; DW_OP_and; DW_OP_lit11; DW_OP_ge; DW_OP_lit3; DW_OP_shl; DW_OP_plus": a linker's. */
static bool is_plt(const struct cursor *expression)
{
	static const uint8_t plt[] = { DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit11,
				       DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus };

	return left(expression) == sizeof(plt) && !memcmp(expression->at, plt, sizeof(plt));
}

/* "DW_OP_breg6 N", and behind it `last`, or nothing if that is 0. */
static bool is_at_bp(struct cursor expression, uint8_t last, int64_t *ret_offset)
{
	bool is_bp = read_fixed(&expression, 1) == DW_OP_breg6;

	*ret_offset = read_sleb(&expression);
	if (last && read_fixed(&expression, 1) != last)
		return false;
	return is_bp && !expression.is_short && !left(&expression);
}

static void set_cfa_expression(struct state *state, struct cursor expression)
{
	state->cfa = CFA_OTHER;
	if (is_plt(&expression))
		state->cfa = CFA_PLT;
	else if (is_at_bp(expression, DW_OP_deref, &state->cfa_offset))
		state->cfa = CFA_AT_BP;
}

/* ---- instructions ---- */

static struct place *place_of(struct state *state, uint64_t number)
{
	return number == REG_BP ? &state->bp : number == REG_RA ? &state->ra : NULL;
}

static void set_place(struct program *program, uint64_t number, enum where where, int64_t offset)
{
	struct place *place = place_of(&program->state, number);

	if (place)
		*place = (struct place){ where, offset };
}

static void restore(struct program *program, uint64_t number)
{
	struct state initial = program->cie->state;
	struct place *place = place_of(&program->state, number), *before = place_of(&initial, number);

	if (place)
		*place = *before;
}

static void set_cfa(struct program *program, uint64_t number, int64_t offset)
{
	program->state.cfa = CFA_REGISTER;
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

static void set_expression(struct program *program, struct cursor *code)
{
	uint64_t number = read_uleb(code);
	struct cursor expression = part(code, read_uleb(code));
	int64_t offset;

	if (is_at_bp(expression, 0, &offset))
		set_place(program, number, AT_BP, offset);
	else
		set_place(program, number, ELSEWHERE, 0);
}

static int64_t factored(const struct program *program, uint64_t offset)
{
	return (int64_t)(offset * (uint64_t)program->cie->data_align);
}

static int64_t factored_sf(const struct program *program, struct cursor *code)
{
	return factored(program, (uint64_t)read_sleb(code));
}

/* Those that have all of the first byte to themselves. */
static void run_extended(struct program *program, struct cursor *code, uint8_t instruction)
{
	const struct cie *cie = program->cie;
	uint64_t number;

	switch (instruction) {
	case DW_CFA_nop: break;
	case DW_CFA_set_loc: advance(program, read_pointer(code, program->section, cie->encoding)); break;
	case DW_CFA_advance_loc1: advance(program, program->location + read_fixed(code, 1) * cie->code_align); break;
	case DW_CFA_advance_loc2: advance(program, program->location + read_fixed(code, 2) * cie->code_align); break;
	case DW_CFA_advance_loc4: advance(program, program->location + read_fixed(code, 4) * cie->code_align); break;
	case DW_CFA_offset_extended:
		number = read_uleb(code);
		set_place(program, number, AT_CFA, factored(program, read_uleb(code)));
		break;
	case DW_CFA_offset_extended_sf:
		number = read_uleb(code);
		set_place(program, number, AT_CFA, factored_sf(program, code));
		break;
	case DW_CFA_GNU_negative_offset_extended:
		number = read_uleb(code);
		set_place(program, number, AT_CFA, -factored(program, read_uleb(code)));
		break;
	case DW_CFA_restore_extended: restore(program, read_uleb(code)); break;
	case DW_CFA_undefined: set_place(program, read_uleb(code), NOWHERE, 0); break;
	case DW_CFA_same_value: set_place(program, read_uleb(code), KEPT, 0); break;
	case DW_CFA_register:
	case DW_CFA_val_offset:
		number = read_uleb(code);
		read_uleb(code);
		set_place(program, number, ELSEWHERE, 0);
		break;
	case DW_CFA_val_offset_sf:
		number = read_uleb(code);
		read_sleb(code);
		set_place(program, number, ELSEWHERE, 0);
		break;
	case DW_CFA_remember_state: remember(program); break;
	case DW_CFA_restore_state: recall(program); break;
	case DW_CFA_def_cfa:
		number = read_uleb(code);
		set_cfa(program, number, (int64_t)read_uleb(code));
		break;
	case DW_CFA_def_cfa_sf:
		number = read_uleb(code);
		set_cfa(program, number, factored_sf(program, code));
		break;
	case DW_CFA_def_cfa_register: set_cfa(program, read_uleb(code), program->state.cfa_offset); break;
	case DW_CFA_def_cfa_offset: program->state.cfa_offset = (int64_t)read_uleb(code); break;
	case DW_CFA_def_cfa_offset_sf: program->state.cfa_offset = factored_sf(program, code); break;
	case DW_CFA_def_cfa_expression: set_cfa_expression(&program->state, part(code, read_uleb(code))); break;
	case DW_CFA_expression: set_expression(program, code); break;
	case DW_CFA_val_expression:
		number = read_uleb(code);
		part(code, read_uleb(code));
		set_place(program, number, ELSEWHERE, 0);
		break;
	case DW_CFA_GNU_args_size: read_uleb(code); break;
	default: program->failed = true;
	}
}

static void run(struct program *program, struct cursor code)
{
	while (left(&code) && !program->failed && !code.is_short) {
		uint8_t byte = (uint8_t)read_fixed(&code, 1), operand = byte & 0x3f;

		switch (byte & 0xc0) {
		case DW_CFA_advance_loc: advance(program, program->location + operand * program->cie->code_align); break;
		case DW_CFA_offset: set_place(program, operand, AT_CFA, factored(program, read_uleb(&code))); break;
		case DW_CFA_restore: restore(program, operand); break;
		default: run_extended(program, &code, byte);
		}
	}
	program->failed |= code.is_short;
}

/* ---- entries ---- */

/* "zR", "zPLR", "zRS": 'z' first, else there is no telling what the others take. */
static void read_augmentation(struct cursor *entry, const char *letters, struct cie *cie)
{
	struct cursor data = part(entry, read_uleb(entry));

	cie->has_augmentation = true;
	for (const char *letter = letters + 1; *letter; letter++)
		switch (*letter) {
		case 'R': cie->encoding = (uint8_t)read_fixed(&data, 1); break;
		case 'P': read_encoded(&data, (uint8_t)read_fixed(&data, 1)); break;
		case 'L': read_fixed(&data, 1); break;
		case 'S': cie->is_signal = true; break;
		default: return;
		}
}

/* entry: behind its id. False: what follows from it cannot be read. */
static bool read_cie(const struct hr_cfi_section *section, struct cursor entry, struct cie *ret)
{
	uint8_t version = (uint8_t)read_fixed(&entry, 1);
	const char *letters = (const char *)entry.at;
	struct program program = { .section = section, .cie = ret };

	*ret = (struct cie){ .state = { .cfa = CFA_OTHER } };
	if ((version != 1 && version != 3) || !memchr(letters, '\0', left(&entry)))
		return false;
	skip(&entry, strlen(letters) + 1);
	ret->code_align = read_uleb(&entry);
	ret->data_align = read_sleb(&entry);
	if ((version == 1 ? read_fixed(&entry, 1) : read_uleb(&entry)) != REG_RA)
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
static bool next_entry(struct cursor *at, struct cursor *ret)
{
	uint64_t length = read_fixed(at, 4);

	if (length == 0xffffffff)
		length = read_fixed(at, 8);
	if (!length || at->is_short)
		return false;
	*ret = part(at, length);
	return !at->is_short;
}

/* The CIE that the id of an entry leads back to. The last one is kept: most entries have the same. */
static bool find_cie(const struct hr_cfi_section *section, const uint8_t *id_at, uint64_t id, struct cie *cie, const uint8_t **cie_at)
{
	struct cursor at = { .end = section->bytes + section->size }, entry;

	if (id > (uint64_t)(id_at - section->bytes))
		return false;
	at.at = id_at - id;
	if (at.at == *cie_at)
		return true;
	*cie_at = NULL;
	if (!next_entry(&at, &entry) || read_fixed(&entry, 4) != 0 || !read_cie(section, entry, cie))
		return false;
	*cie_at = id_at - id;
	return true;
}

/* entry: behind its id. */
static void read_fde(const struct hr_cfi_section *section, struct cursor entry, const struct cie *cie, struct rows *rows)
{
	struct program program = { .section = section, .cie = cie, .state = cie->state, .rows = rows };

	program.begin = program.location = read_pointer(&entry, section, cie->encoding);
	program.end = program.location + read_encoded(&entry, cie->encoding & 0x0f);
	if (cie->has_augmentation)
		skip(&entry, read_uleb(&entry));
	if (entry.is_short || program.end <= program.location)
		return;
	run(&program, entry);
	if (program.failed)
		program.state = (struct state){ .cfa = CFA_OTHER };
	add_state(&program);
	add(rows, section, program.end, (struct hr_unwind_row){ .rule = HR_UNWIND_UNKNOWN });
}

static void read_entries(const struct hr_cfi_section *section, struct rows *rows)
{
	struct cursor at = { .at = section->bytes, .end = section->bytes + section->size }, entry;
	const uint8_t *cie_at = NULL, *id_at;
	struct cie cie;
	uint64_t id;

	while (!rows->error && next_entry(&at, &entry)) {
		id_at = entry.at;
		id = read_fixed(&entry, 4);
		if (id && !entry.is_short && find_cie(section, id_at, id, &cie, &cie_at))
			read_fde(section, entry, &cie, rows);
	}
}

/* ---- the table ---- */

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

/* By address, one at each, and none that says what the one before it says of the same function. */
static void settle(struct rows *rows)
{
	size_t kept = 0;

	if (rows->count)
		qsort(rows->at, rows->count, sizeof(*rows->at), by_start);
	for (size_t i = 0; i < rows->count; i++) {
		if (i + 1 < rows->count && rows->at[i + 1].start == rows->at[i].start)
			continue;
		if (kept && !(rows->at[i].rule & HR_UNWIND_BEGINS) && says_the_same(&rows->at[kept - 1], &rows->at[i]))
			continue;
		rows->at[kept++] = rows->at[i];
	}
	rows->count = kept;
	if (kept > rows->max)
		rows->error = -ENOSPC;
}

int hr_cfi_rows(const struct hr_cfi_section *section, size_t max, struct hr_unwind_row **ret_rows, size_t *ret_count)
{
	struct rows rows = { .max = max };

	read_entries(section, &rows);
	if (!rows.error)
		settle(&rows);
	if (rows.error) {
		free(rows.at);
		return rows.error;
	}
	*ret_rows = rows.at;
	*ret_count = rows.count;
	return 0;
}
