/* SPDX-License-Identifier: BSD-2-Clause */
/* Call frame information, as the bytes that assemblers write: what each row of the table says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "collect/cfi.h"
#include "collect/ehframe.h"

#define ADDRESS 0x500000 /* of the section */
#define BASE 0x400000
#define CODE 0x401000	 /* of the function that most tests are about */
#define BYTES 0x40	 /* its length */

/* A section in the making. */
static struct {
	uint8_t bytes[4096];
	size_t size, cie;
} section;

static void put(const void *bytes, size_t count)
{
	memcpy(section.bytes + section.size, bytes, count);
	section.size += count;
}

static void put_u32(uint32_t value)
{
	put(&value, sizeof(value));
}

/* An entry: its length, its id, and what follows. */
static size_t put_entry(uint32_t id, const void *bytes, size_t count)
{
	size_t at = section.size;

	put_u32((uint32_t)(sizeof(id) + count));
	put_u32(id);
	put(bytes, count);
	return at;
}

/* "zR", pointers relative to themselves, 4 bytes; CFA = sp + 8, the return address below it. */
static void put_cie(const char *letters)
{
	static const uint8_t tail[] = { 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1 };
	uint8_t bytes[64] = { 1 };
	size_t length = strlen(letters) + 1;

	memcpy(bytes + 1, letters, length);
	memcpy(bytes + 1 + length, tail, sizeof(tail));
	section.cie = put_entry(0, bytes, 1 + length + sizeof(tail));
}

static void put_fde(uint64_t begin, uint32_t length, const uint8_t *code, size_t count)
{
	size_t at = section.size;
	uint8_t bytes[256];
	int32_t relative = (int32_t)(begin - (ADDRESS + at + 8));

	memcpy(bytes, &relative, 4);
	memcpy(bytes + 4, &length, 4);
	bytes[8] = 0;
	memcpy(bytes + 9, code, count);
	put_entry((uint32_t)(at + 4 - section.cie), bytes, 9 + count);
}

static int begin(void **state)
{
	(void)state;
	memset(&section, 0, sizeof(section));
	return 0;
}

#define section_test(function) cmocka_unit_test_setup(function, begin)

static int read_rows(size_t max, struct hr_unwind_row **ret_rows, size_t *ret_count)
{
	uint8_t *exact = malloc(section.size ? section.size : 1); /* so that a read beyond the end is seen */
	int rc;

	memcpy(exact, section.bytes, section.size);
	rc = hr_cfi_rows(&(struct hr_cfi_section){ exact, section.size, ADDRESS, BASE }, max, ret_rows, ret_count);
	free(exact);
	return rc;
}

/* "1000! sp+8 bp=0, ..." : offset, ! where a function begins, rule, and where the caller's frame pointer is. */
static void assert_table(const char *expected)
{
	static const char *const names[] = { "?", "sp", "bp", "*bp", "plt", "signal", "end" };
	struct hr_unwind_row *rows = NULL;
	char text[1024] = "";
	size_t count = 0, used = 0;

	assert_int_equal(read_rows(1000, &rows, &count), 0);
	for (size_t i = 0; i < count; i++) {
		uint8_t rule = rows[i].rule & HR_UNWIND_RULES;

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%x%s %s", i ? ", " : "", rows[i].start,
					 rows[i].rule & HR_UNWIND_BEGINS ? "!" : "", names[rule]);
		if (rule == HR_UNWIND_BY_SP || rule == HR_UNWIND_BY_BP || rule == HR_UNWIND_AT_BP)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%+d", rows[i].cfa * HR_UNWIND_BYTES);
		if (rows[i].bp)
			used += (size_t)snprintf(text + used, sizeof(text) - used, " bp=%d", rows[i].bp);
	}
	free(rows);
	if (strcmp(text, expected) != 0)
		fail_msg("'%s'\nnot '%s'", text, expected);
}

#define FDE(...) \
	do { \
		static const uint8_t code[] = { __VA_ARGS__ }; \
		put_fde(CODE, BYTES, code, sizeof(code)); \
	} while (0)

static void a_function_that_pushes_and_pops_has_a_row_for_each(void **state)
{
	(void)state;
	put_cie("zR");
	/* push rbp; (4) sub rsp, 32; (0x20) add; pop; ret */
	FDE(0x41, 0x0e, 16, 0x86, 2, 0x44, 0x0e, 48, 0x60, 0x0e, 16, 0x41, 0xc6, 0x0e, 8);
	assert_table("1000! sp+8, 1001 sp+16 bp=-2, 1005 sp+48 bp=-2, 1025 sp+16 bp=-2, 1026 sp+8, 1040 ?");
}

static void a_function_with_a_frame_pointer_is_left_by_it(void **state)
{
	(void)state;
	put_cie("zR");
	/* push rbp; mov rbp, rsp; early return behind a remembered state; leave */
	FDE(0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x02, 0x10, 0x0a, 0x0c, 7, 8, 0xc6, 0x41, 0x0b, 0x03, 0x08, 0, 0x0c, 7, 8, 0xc6);
	assert_table("1000! sp+8, 1001 sp+16 bp=-2, 1004 bp+16 bp=-2, 1014 sp+8, 1015 bp+16 bp=-2, 101d sp+8, 1040 ?");
}

static void a_function_that_aligns_its_stack_keeps_where_its_frame_is(void **state)
{
	(void)state;
	put_cie("zR");
	/* DW_CFA_expression: bp is where bp points; CFA is what lies at bp - 8 */
	FDE(0x45, 0x10, 6, 2, 0x76, 0, 0x44, 0x0f, 3, 0x76, 0x78, 0x06);
	assert_table("1000! sp+8, 1005 sp+8 bp=-128, 1009 *bp-8 bp=-128, 1040 ?");
}

static void the_outermost_function_a_signal_handlers_frame_and_the_linkers_stubs_are_known(void **state)
{
	static const uint8_t end[] = { 0x07, 16 }, nothing[] = { 0 };
	static const uint8_t plt[] = { 0x0e, 16, 0x46, 0x0e, 24, 0x4a, 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22 };

	(void)state;
	put_cie("zR");
	put_fde(CODE, 0x10, end, sizeof(end));
	put_fde(CODE + 0x100, 0x20, plt, sizeof(plt));
	put_cie("zRS");
	put_fde(CODE + 0x200, 0x10, nothing, sizeof(nothing));
	assert_table("1000! end, 1010 ?, 1100! sp+16, 1106 sp+24, 1110 plt, 1120 ?, 1200! signal, 1210 ?");
}

static void what_no_row_can_say_is_not_known(void **state)
{
	(void)state;
	put_cie("zR");
	/* CFA by another register; by an offset that is no multiple of 8; bp in a register; too large a frame; at last as usual */
	FDE(0x44, 0x0c, 10, 8, 0x44, 0x0c, 7, 12, 0x44, 0x0c, 7, 16, 0x09, 6, 3, 0x44, 0x08, 6, 0x0e, 0x80, 0x80, 0x80, 1, 0x44, 0x0e, 32);
	assert_table("1000! sp+8, 1004 ?, 1014 sp+32, 1040 ?");
}

static void neighbours_are_told_apart_and_rows_are_in_order(void **state)
{
	static const uint8_t nothing[] = { 0 };

	(void)state;
	put_cie("zR");
	put_fde(CODE + 0x40, 0x40, nothing, sizeof(nothing));
	put_fde(CODE, 0x40, nothing, sizeof(nothing));
	put_fde(CODE + 0x100, 0x10, nothing, sizeof(nothing));
	put_fde(BASE - 0x1000, 0x10, nothing, sizeof(nothing)); /* in front of all that is loaded */
	assert_table("1000! sp+8, 1040! sp+8, 1080 ?, 1100! sp+8, 1110 ?");
}

static void an_instruction_that_nobody_knows_ends_what_is_known_of_its_function(void **state)
{
	(void)state;
	put_cie("zR");
	FDE(0x44, 0x0e, 16, 0x44, 0x3c, 1, 2, 3);
	assert_table("1000! sp+8, 1004 sp+16, 1008 ?");
}

static void entries_of_strangers_are_passed_over(void **state)
{
	static const uint8_t nothing[] = { 0 };

	(void)state;
	put_cie("eh"); /* of GCC 2 */
	put_fde(CODE, 0x10, nothing, sizeof(nothing));
	put_cie("zR");
	put_fde(CODE + 0x100, 0x10, nothing, sizeof(nothing));
	put_entry(0x7fffff, "12345678", 8); /* there is no such CIE */
	put_fde(CODE + 0x200, 0x10, nothing, sizeof(nothing));
	put_u32(0); /* the end */
	put_fde(CODE + 0x300, 0x10, nothing, sizeof(nothing));
	assert_table("1100! sp+8, 1110 ?, 1200! sp+8, 1210 ?");
}

static void a_table_has_its_limit(void **state)
{
	struct hr_unwind_row *rows;
	size_t count;

	(void)state;
	put_cie("zR");
	FDE(0x41, 0x0e, 16, 0x41, 0x0e, 24, 0x41, 0x0e, 32);
	assert_int_equal(read_rows(4, &rows, &count), -ENOSPC);
	assert_int_equal(read_rows(5, &rows, &count), 0);
	assert_int_equal(count, 5);
	free(rows);
}

static void an_empty_section_has_no_rows(void **state)
{
	(void)state;
	assert_table("");
}

/* Whatever is in a file: no read outside of it, which the sanitizers would tell, and an end. */
static void damaged_sections_do_no_harm(void **state)
{
	uint8_t sound[sizeof(section.bytes)];
	struct hr_unwind_row *rows;
	size_t size, count;

	(void)state;
	put_cie("zPLR");
	put_cie("zR");
	FDE(0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x0f, 3, 0x76, 0x78, 0x06, 0x0a, 0x0b, 0x16, 6, 1, 0x50, 0x2e, 8, 0x05, 3, 4);
	FDE(0x41, 0x0e, 16, 0x10, 6, 2, 0x76, 0);
	size = section.size;
	memcpy(sound, section.bytes, size);
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		memcpy(section.bytes, sound, size);
		section.size = random() % 4 ? size : (size_t)random() % size;
		for (long i = random() % 4; i >= 0; i--)
			section.bytes[(size_t)random() % size] = (uint8_t)random();
		rows = NULL;
		if (read_rows(1000, &rows, &count) == 0)
			free(rows);
	}
}

static const struct hr_unwind_row *row_at(const struct hr_ehframe *frames, uint64_t address)
{
	const struct hr_unwind_row *found = NULL;

	for (size_t i = 0; i < frames->count && frames->rows[i].start <= address; i++)
		found = &frames->rows[i];
	return found;
}

/* Where this program is loaded is told by one of its functions; the rest follows from what the file says. */
static void a_file_says_where_its_code_goes_and_how_to_leave_it(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	const struct hr_unwind_row *row;
	struct hr_ehframe frames;
	uint64_t address;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(hr_ehframe_read(fd, 1 << 20, &frames), 0);
	close(fd);
	assert_true(frames.segment_count > 0);
	assert_true(hr_ehframe_address(&frames, frames.segments[0].offset + 16, &address));
	assert_int_equal(address, frames.segments[0].address + 16);
	assert_false(hr_ehframe_address(&frames, frames.segments[0].end + 4096, &address));
	row = row_at(&frames, address + (uint64_t)1);
	assert_true(!row || (row->rule & HR_UNWIND_RULES) <= HR_UNWIND_END);
	for (size_t i = 1; i < frames.count; i++)
		assert_true(frames.rows[i].start > frames.rows[i - 1].start);
	hr_ehframe_fini(&frames);
}

static void what_is_no_program_is_refused(void **state)
{
	struct hr_ehframe frames;
	int fd = open("/proc/self/status", O_RDONLY);

	(void)state;
	assert_int_equal(hr_ehframe_read(fd, 1 << 20, &frames), -ENOEXEC);
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(hr_ehframe_read(fd, 1 << 20, &frames), -ENOEXEC);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		section_test(a_function_that_pushes_and_pops_has_a_row_for_each),
		section_test(a_function_with_a_frame_pointer_is_left_by_it),
		section_test(a_function_that_aligns_its_stack_keeps_where_its_frame_is),
		section_test(the_outermost_function_a_signal_handlers_frame_and_the_linkers_stubs_are_known),
		section_test(what_no_row_can_say_is_not_known),
		section_test(neighbours_are_told_apart_and_rows_are_in_order),
		section_test(an_instruction_that_nobody_knows_ends_what_is_known_of_its_function),
		section_test(entries_of_strangers_are_passed_over),
		section_test(a_table_has_its_limit),
		section_test(an_empty_section_has_no_rows),
		section_test(damaged_sections_do_no_harm),
		cmocka_unit_test(a_file_says_where_its_code_goes_and_how_to_leave_it),
		cmocka_unit_test(what_is_no_program_is_refused),
	};

	return cmocka_run_group_tests_name("cfi", tests, NULL, NULL);
}
