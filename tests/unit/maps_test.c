/* SPDX-License-Identifier: BSD-2-Clause */
/* Address spaces as /proc shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/maps.h"
#include "fake_system.h"

static void a_line_has_addresses_permissions_file_and_path(void **state)
{
	struct hr_vma vma;

	(void)state;
	assert_int_equal(hr_vma_parse("7f1c3a000000-7f1c3a021000 rw-s 0001f000 fd:1b 4026  /srv/a b/x (deleted)", &vma), 0);
	assert_true(vma.start == 0x7f1c3a000000 && vma.end == 0x7f1c3a021000);
	assert_int_equal(vma.offset, 0x1f000);
	assert_int_equal(vma.major, 0xfd);
	assert_int_equal(vma.minor, 0x1b);
	assert_int_equal(vma.inode, 4026);
	assert_true(vma.is_shared);
	assert_false(vma.is_code);
	assert_string_equal(vma.path, "/srv/a b/x (deleted)");
	assert_int_equal(hr_vma_parse("55d00000-55d01000 r-xp 00001000 fd:1b 5 /bin/a", &vma), 0);
	assert_true(vma.is_code);
	assert_false(vma.is_shared);
}

static void memory_without_a_file_has_no_path(void **state)
{
	struct hr_vma vma;

	(void)state;
	assert_int_equal(hr_vma_parse("00400000-00401000 ---p 00000000 00:00 0", &vma), 0);
	assert_string_equal(vma.path, "");
	assert_int_equal(vma.inode, 0);
	assert_false(vma.is_shared);
	assert_int_equal(hr_vma_parse("00400000-00401000 rw-p 00000000 00:00 0                  [heap]", &vma), 0);
	assert_string_equal(vma.path, "[heap]");
}

static void what_is_no_line_of_maps_is_refused(void **state)
{
	static const char *const lines[] = {
		"", "00400000", "00400000-00401000 rw-p", "00400000-00401000 rw-p 0 00:00", "00401000-00400000 rw-p 0 00:00 0",
		"00400000-00400000 rw-p 0 00:00 0", "x-y rw-p 0 00:00 0", "00400000-00401000 rw 0 00:00 0",
	};
	struct hr_vma vma;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (hr_vma_parse(lines[i], &vma) != -EINVAL)
			fail_msg("'%s' was taken", lines[i]);
}

static int setup(void **state)
{
	(void)state;
	fake_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_close();
	return 0;
}

static void an_address_is_found_in_its_area_and_not_in_a_gap(void **state)
{
	struct hr_maps maps;

	(void)state;
	fake_file("/proc/7/maps", "00400000-00401000 r-xp 00000000 fd:00 5 /bin/a\n"
				  "00401000-00403000 rw-p 00001000 fd:00 5 /bin/a\n"
				  "00500000-00600000 rw-p 00000000 00:00 0 \n"
				  "7ffc0000-7ffd0000 rw-p 00000000 00:00 0 [stack]\n");
	assert_int_equal(hr_maps_read(fake_root, 7, &maps), 0);
	assert_int_equal(maps.count, 4);
	assert_null(hr_maps_find(&maps, 0x3fffff));
	assert_ptr_equal(hr_maps_find(&maps, 0x400000), &maps.rows[0]);
	assert_ptr_equal(hr_maps_find(&maps, 0x400fff), &maps.rows[0]);
	assert_ptr_equal(hr_maps_find(&maps, 0x401000), &maps.rows[1]);
	assert_null(hr_maps_find(&maps, 0x403000));
	assert_ptr_equal(hr_maps_find(&maps, 0x5fffff), &maps.rows[2]);
	assert_string_equal(hr_maps_find(&maps, 0x7ffcffff)->path, "[stack]");
	assert_null(hr_maps_find(&maps, 0x7ffd0000));
	hr_maps_fini(&maps);
	assert_null(hr_maps_find(&maps, 0x400000));
}

/* The file is read in steps: none of its lines may be lost or cut where they meet. */
static void a_process_with_many_areas_is_read_whole(void **state)
{
	static char text[2000 * 128];
	struct hr_maps maps;
	size_t used = 0;

	(void)state;
	for (unsigned int i = 0; i < 2000; i++)
		used += snprintf(text + used, sizeof(text) - used,
				 "%08x-%08x rw-p 00000000 fd:00 %u                          /lib/long-name-of-a-library-%u.so\n",
				 0x1000 * 2 * (i + 1), 0x1000 * (2 * (i + 1) + 1), i + 1, i);
	fake_file("/proc/7/maps", text);
	assert_int_equal(hr_maps_read(fake_root, 7, &maps), 0);
	assert_int_equal(maps.count, 2000);
	for (unsigned int i = 0; i < 2000; i++) {
		const struct hr_vma *vma = hr_maps_find(&maps, 0x1000 * 2 * (i + 1) + 0xfff);

		assert_non_null(vma);
		assert_int_equal(vma->inode, i + 1);
	}
	hr_maps_fini(&maps);
}

static void a_process_without_memory_has_no_maps(void **state)
{
	struct hr_maps maps;

	(void)state;
	assert_int_equal(hr_maps_read(fake_root, 7, &maps), -ENOENT);
	fake_file("/proc/8/maps", "");
	assert_int_equal(hr_maps_read(fake_root, 8, &maps), -ESRCH);
}

static void our_own_memory_is_where_we_know_it_to_be(void **state)
{
	static int global = 1;
	int local = global;
	struct hr_maps maps;

	(void)state;
	assert_int_equal(hr_maps_read("", getpid(), &maps), 0);
	assert_non_null(strstr(hr_maps_find(&maps, (uintptr_t)&global)->path, "maps_test"));
	assert_non_null(hr_maps_find(&maps, (uintptr_t)&local));
	assert_null(hr_maps_find(&maps, 0));
	hr_maps_fini(&maps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_addresses_permissions_file_and_path),
		cmocka_unit_test(memory_without_a_file_has_no_path),
		cmocka_unit_test(what_is_no_line_of_maps_is_refused),
		cmocka_unit_test_setup_teardown(an_address_is_found_in_its_area_and_not_in_a_gap, setup, teardown),
		cmocka_unit_test_setup_teardown(a_process_with_many_areas_is_read_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(a_process_without_memory_has_no_maps, setup, teardown),
		cmocka_unit_test(our_own_memory_is_where_we_know_it_to_be),
	};

	return cmocka_run_group_tests_name("maps", tests, NULL, NULL);
}
