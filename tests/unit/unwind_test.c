/* SPDX-License-Identifier: BSD-2-Clause */
/* What the samplers are told of processes. The process is this test itself, in several slots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/unwind.h"
#include "headroom/accounts.h"

#define ROW_MAX (1U << 20)

static struct {
	struct hr_unwind_tables tables;
	struct hr_symbols *symbols;
	struct hr_unwind *unwind;
	struct hr_maps maps;
} test;

static int open_test(uint32_t row_max)
{
	test.tables = (struct hr_unwind_tables){
		.rows = calloc(row_max + 1, sizeof(*test.tables.rows)),
		.row_max = row_max,
		.spaces = calloc(HR_UNWIND_SPACES, sizeof(*test.tables.spaces)),
		.processes = calloc(HR_PROCESS_SLOTS, sizeof(*test.tables.processes)),
	};
	test.symbols = hr_symbols_new("");
	test.unwind = hr_unwind_new(&test.tables, test.symbols);
	return hr_maps_read("", getpid(), &test.maps);
}

static int setup(void **state)
{
	(void)state;
	return open_test(ROW_MAX);
}

static int teardown(void **state)
{
	(void)state;
	hr_unwind_free(test.unwind);
	hr_symbols_free(test.symbols);
	hr_maps_fini(&test.maps);
	free(test.tables.rows);
	free(test.tables.spaces);
	free(test.tables.processes);
	return 0;
}

#define unwind_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct hr_code_process process_in(uint32_t slot)
{
	return (struct hr_code_process){ .slot = slot, .pid = getpid(), .id = slot, .execs = 2 };
}

static void set(uint32_t slot)
{
	struct hr_code_process process = process_in(slot);

	hr_unwind_set(test.unwind, &process, &test.maps);
}

static uint32_t space_of(uint32_t slot)
{
	return test.tables.processes[slot].space;
}

#define AT(function) ((uint64_t)(uintptr_t)(function))

/* The row by which a sampler would leave an address, found the slow way. NULL: no area has it. */
static const struct hr_unwind_row *row_at(uint32_t space_id, uint64_t address)
{
	const struct hr_unwind_space *space = &test.tables.spaces[space_id];
	const struct hr_unwind_row *found = NULL;

	for (uint64_t i = 0; i < space->areas; i++) {
		const struct hr_unwind_area *area = &space->area[i];

		for (uint32_t row = 0; address >= area->start && address < area->end && row < area->rows; row++)
			if (area->base + test.tables.rows[area->first + row].start <= address)
				found = &test.tables.rows[area->first + row];
	}
	return found;
}

static void a_process_has_rows_for_its_program_and_its_libraries(void **state)
{
	const struct hr_unwind_row *row;

	(void)state;
	set(7);
	assert_true(space_of(7) != 0);
	assert_int_equal(test.tables.processes[7].pid, getpid());
	assert_int_equal(test.tables.processes[7].execs, 2);
	/* at the first instruction of any function the frame begins behind the return address */
	row = row_at(space_of(7), AT(set));
	assert_non_null(row);
	assert_int_equal(row->rule, HR_UNWIND_BY_SP | HR_UNWIND_BEGINS);
	assert_int_equal(row->cfa, 1);
	assert_int_equal(row->bp, HR_UNWIND_BP_KEPT);
	row = row_at(space_of(7), AT(getppid));
	assert_non_null(row);
	assert_int_equal(row->rule, HR_UNWIND_BY_SP | HR_UNWIND_BEGINS);
	assert_null(row_at(space_of(7), AT(&test)));
}

static void areas_are_in_order_for_a_search(void **state)
{
	const struct hr_unwind_space *space;

	(void)state;
	set(7);
	space = &test.tables.spaces[space_of(7)];
	assert_in_range(space->areas, 2, HR_UNWIND_AREAS);
	for (uint64_t i = 0; i < space->areas; i++) {
		assert_true(space->area[i].start < space->area[i].end);
		assert_true(!i || space->area[i].start >= space->area[i - 1].end);
		assert_true(space->area[i].rows > 0);
	}
}

static void the_beginning_of_a_function_is_known_by_any_address_in_it(void **state)
{
	uint64_t begins = 0;

	(void)state;
	assert_false(hr_unwind_begin(test.unwind, 7, AT(set), &begins));
	set(7);
	assert_true(hr_unwind_begin(test.unwind, 7, AT(set), &begins));
	assert_true(begins == AT(set));
	assert_true(hr_unwind_begin(test.unwind, 7, AT(set) + 9, &begins));
	assert_true(begins == AT(set));
	assert_false(hr_unwind_begin(test.unwind, 7, AT(&test), &begins));
	assert_false(hr_unwind_begin(test.unwind, 7, 1, &begins));
}

static void processes_with_the_same_code_share_it_and_files_are_read_once(void **state)
{
	uint32_t rows = 1; /* the first is never used */

	(void)state;
	set(7);
	while (rows < ROW_MAX && (test.tables.rows[rows].start || test.tables.rows[rows].rule))
		rows++;
	set(8);
	assert_int_equal(space_of(8), space_of(7));
	assert_int_equal(test.tables.rows[rows].start, 0);
	test.maps.count -= 3; /* another layout: without the last ones, vdso and the like, or a library */
	for (size_t i = 0; i < test.maps.count; i++)
		test.maps.rows[i].end -= test.maps.rows[i].is_code ? 4096 : 0;
	set(8);
	assert_true(space_of(8) != space_of(7));
	assert_int_equal(test.tables.rows[rows].start, 0);
}

static void a_space_that_nobody_uses_is_used_again(void **state)
{
	uint32_t first;

	(void)state;
	set(7);
	first = space_of(7);
	set(8);
	hr_unwind_forget(test.unwind, 7);
	assert_int_equal(space_of(7), 0);
	assert_int_equal(test.tables.processes[7].pid, 0);
	assert_int_equal(space_of(8), first);
	for (int i = 0; i < 3 * HR_UNWIND_SPACES; i++) { /* a process that maps other code again and again */
		for (size_t j = 0; j < test.maps.count; j++)
			test.maps.rows[j].start += test.maps.rows[j].is_code && i == 0 ? 4096 : 0;
		for (size_t j = 0; j < test.maps.count; j++)
			test.maps.rows[j].end -= test.maps.rows[j].is_code && i ? 1 : 0;
		set(9);
		assert_true(space_of(9) != 0 && space_of(9) != first);
	}
	assert_int_equal(space_of(8), first);
}

static void beyond_the_last_space_processes_are_left_to_frame_pointers(void **state)
{
	(void)state;
	for (uint32_t slot = 1; slot <= HR_UNWIND_SPACES + 3; slot++) {
		for (size_t j = 0; j < test.maps.count; j++)
			test.maps.rows[j].end -= test.maps.rows[j].is_code ? 1 : 0;
		set(slot);
	}
	assert_true(space_of(HR_UNWIND_SPACES - 1) != 0);
	assert_int_equal(space_of(HR_UNWIND_SPACES), 0);
	hr_unwind_forget(test.unwind, 5);
	set(HR_UNWIND_SPACES + 3);
	assert_true(space_of(HR_UNWIND_SPACES + 3) != 0);
}

static void what_the_kernel_gave_a_forked_child_is_not_counted_twice(void **state)
{
	(void)state;
	set(7);
	test.tables.processes[8] = (struct hr_unwind_process){ .space = space_of(7), .pid = 1, .execs = 0 };
	set(8);
	hr_unwind_forget(test.unwind, 8);
	hr_unwind_forget(test.unwind, 8);
	set(9);
	assert_int_equal(space_of(9), space_of(7)); /* which is still in use */
}

static void files_for_which_there_is_no_room_are_left_out(void **state)
{
	struct hr_maps maps;

	(void)state;
	maps = test.maps;
	test.maps = (struct hr_maps){ 0 };
	teardown(NULL);
	assert_int_equal(open_test(8), 0);
	set(7);
	assert_int_equal(space_of(7), 0);
	assert_int_equal(test.tables.rows[8].start, 0);
	hr_maps_fini(&maps);
}

static void without_tables_nothing_is_done(void **state)
{
	(void)state;
	teardown(NULL);
	assert_int_equal(open_test(0), 0);
	set(7);
	hr_unwind_forget(test.unwind, 7);
	assert_int_equal(test.tables.processes[7].pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unwind_test(a_process_has_rows_for_its_program_and_its_libraries),
		unwind_test(areas_are_in_order_for_a_search),
		unwind_test(the_beginning_of_a_function_is_known_by_any_address_in_it),
		unwind_test(processes_with_the_same_code_share_it_and_files_are_read_once),
		unwind_test(a_space_that_nobody_uses_is_used_again),
		unwind_test(beyond_the_last_space_processes_are_left_to_frame_pointers),
		unwind_test(what_the_kernel_gave_a_forked_child_is_not_counted_twice),
		unwind_test(files_for_which_there_is_no_room_are_left_out),
		unwind_test(without_tables_nothing_is_done),
	};

	return cmocka_run_group_tests_name("unwind", tests, NULL, NULL);
}
