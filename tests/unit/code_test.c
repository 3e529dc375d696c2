/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of code: of the kernel, of just-in-time compilers, and of programs, in a system of our own making and in this test itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "collect/code.h"
#include "collect/kallsyms.h"
#include "collect/perfmap.h"
#include "fake_system.h"

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

#define fake_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* ---- the kernel ---- */

#define KERNEL_SYMBOLS \
	"0000000000000000 A fixed_percpu_data\n" \
	"ffffffff81000000 t local_name\n" \
	"ffffffff81000000 T _text\n" \
	"ffffffff81000000 T later_name\n" \
	"ffffffff81000400 t schedule\n" \
	"ffffffff81000300 T do_syscall_64\n" \
	"ffffffff81000500 D jiffies\n" \
	"ffffffffc0000000 t nf_hook\t[nf_tables]\n" \
	"ffffffffc0001000 t bpf_prog_1 [bpf]\n"

static void assert_kernel(const struct hr_kallsyms *symbols, uint64_t address, const char *expected_name, const char *expected_module)
{
	const char *name, *module;

	assert_true(hr_kallsyms_find(symbols, address, &name, &module));
	assert_string_equal(name, expected_name);
	assert_string_equal(module, expected_module);
}

static void a_kernel_address_lies_in_the_function_that_begins_before_it(void **state)
{
	struct hr_kallsyms *symbols;
	const char *name, *module;

	(void)state;
	fake_file("/proc/kallsyms", KERNEL_SYMBOLS);
	assert_int_equal(hr_kallsyms_read(fake_root, HR_KALLSYMS_FUNCTIONS, &symbols), 0);
	assert_kernel(symbols, 0xffffffff81000000, "_text", "[kernel]");
	assert_kernel(symbols, 0xffffffff810003ff, "do_syscall_64", "[kernel]");
	assert_kernel(symbols, 0xffffffff81000400, "schedule", "[kernel]");
	assert_kernel(symbols, 0xffffffff81000500, "schedule", "[kernel]"); /* data is no function */
	assert_kernel(symbols, 0xffffffffc0000010, "nf_hook", "[nf_tables]");
	assert_kernel(symbols, 0xffffffffc0001010, "bpf_prog_1", "[bpf]");
	assert_false(hr_kallsyms_find(symbols, 0xffffffff80ffffff, &name, &module));
	hr_kallsyms_free(symbols);
}

static void a_kernel_lock_lies_in_the_variable_that_begins_before_it(void **state)
{
	struct hr_kallsyms *symbols;

	(void)state;
	fake_file("/proc/kallsyms", KERNEL_SYMBOLS);
	assert_int_equal(hr_kallsyms_read(fake_root, HR_KALLSYMS_DATA, &symbols), 0);
	assert_kernel(symbols, 0xffffffff81000508, "jiffies", "[kernel]");
	assert_true(hr_kallsyms_offset(symbols, 0xffffffff81000508) == 8);
	assert_true(hr_kallsyms_offset(symbols, 0xffffffff81000400) == UINT64_MAX); /* a function is no data */
	hr_kallsyms_free(symbols);
}

static void a_kernel_that_hides_its_addresses_has_no_names(void **state)
{
	struct hr_code *code = hr_code_new(fake_root);
	struct hr_kallsyms *symbols;
	struct hr_code_frame frame;

	(void)state;
	fake_file("/proc/kallsyms", "0000000000000000 T _text\n0000000000000000 t schedule\n");
	assert_int_equal(hr_kallsyms_read(fake_root, HR_KALLSYMS_FUNCTIONS, &symbols), -EACCES);
	hr_code_kernel(code, 0xffffffff81000410, &frame);
	assert_string_equal(frame.name, "");
	assert_string_equal(frame.module, "[kernel]");
	assert_int_equal(frame.offset, -1); /* where the kernel is loaded is nobody's business */
	hr_code_free(code);
}

/* ---- maps of compilers ---- */

static const char perfmap_name[] = "/tmp/perf-3.map";

static void append(const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	fake_path(path, perfmap_name);
	file = fopen(path, "a");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int read_map(struct hr_perfmap *map)
{
	char path[PATH_MAX];
	struct stat info;
	int fd, rc;

	fake_path(path, perfmap_name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &info) == 0);
	rc = hr_perfmap_read(map, fd, &info);
	close(fd);
	return rc;
}

static void assert_jit(struct hr_perfmap *map, uint64_t address, const char *expected)
{
	const char *name = hr_perfmap_find(map, address);

	if (!expected) {
		assert_null(name);
		return;
	}
	assert_non_null(name);
	assert_string_equal(name, expected);
}

static void a_symbol_has_a_start_a_size_and_a_name_with_blanks(void **state)
{
	struct hr_perfmap *map = hr_perfmap_new();

	(void)state;
	append("7f0000001000 20 JS:*middle /srv/hot.js:2:16\n"
	       "0x7f0000000000 0x80 py::main:/srv/a b.py\n"
	       "7f0000002000 0 empty\n7f0000003000 10\n7f0000003000 10 \n\nzzz 10 no\n7f0000004000 x no\n# 1 2\n");
	assert_int_equal(read_map(map), 1);
	assert_jit(map, 0x7f0000001000, "JS:*middle /srv/hot.js:2:16");
	assert_jit(map, 0x7f000000101f, "JS:*middle /srv/hot.js:2:16");
	assert_jit(map, 0x7f0000001020, NULL);
	assert_jit(map, 0x7f000000007f, "py::main:/srv/a b.py");
	assert_jit(map, 0x7effffffffff, NULL);
	assert_jit(map, 0x7f0000002000, NULL);
	assert_jit(map, 0x7f0000003000, NULL);
	assert_jit(map, 0x7f0000004000, NULL);
	hr_perfmap_free(map);
}

static void what_is_written_later_is_read_then_and_half_lines_when_they_are_whole(void **state)
{
	struct hr_perfmap *map = hr_perfmap_new();

	(void)state;
	append("1000 10 first\n2000 10 sec");
	assert_int_equal(read_map(map), 1);
	assert_jit(map, 0x1008, "first");
	assert_jit(map, 0x2008, NULL);
	assert_int_equal(read_map(map), 0);
	append("ond\n");
	assert_int_equal(read_map(map), 1);
	assert_jit(map, 0x1008, "first");
	assert_jit(map, 0x2008, "second");
	assert_int_equal(read_map(map), 0);
	hr_perfmap_free(map);
}

static void of_several_symbols_at_an_address_the_last_one_counts(void **state)
{
	struct hr_perfmap *map = hr_perfmap_new();

	(void)state;
	append("1000 10 old\n1000 10 new\n2000 1000 large\n2100 10 small\n4100 10 gone\n4000 1000 over\n");
	assert_int_equal(read_map(map), 1);
	assert_jit(map, 0x1000, "new");
	assert_jit(map, 0x2108, "small");
	assert_jit(map, 0x2110, "large");
	assert_jit(map, 0x4108, "over");
	append("1000 8 newest\n");
	assert_int_equal(read_map(map), 1);
	assert_jit(map, 0x1000, "newest");
	assert_jit(map, 0x1008, NULL);
	hr_perfmap_free(map);
}

static void a_map_that_begins_anew_forgets_what_it_had(void **state)
{
	struct hr_perfmap *map = hr_perfmap_new();
	char path[PATH_MAX];

	(void)state;
	append("1000 10 first\n2000 10 second\n");
	assert_int_equal(read_map(map), 1);
	fake_path(path, perfmap_name);
	assert_int_equal(truncate(path, 0), 0);
	append("3000 10 third\n");
	assert_int_equal(read_map(map), 1);
	assert_jit(map, 0x1000, NULL);
	assert_jit(map, 0x3000, "third");
	hr_perfmap_free(map);
}

static void a_line_without_end_is_passed_over(void **state)
{
	struct hr_perfmap *map = hr_perfmap_new();
	static char endless[200000];

	(void)state;
	memset(endless, 'a', sizeof(endless) - 1);
	append("1000 10 first\n");
	append(endless);
	append("\n2000 10 second\n");
	assert_int_equal(read_map(map), 1);
	assert_jit(map, 0x1000, "first");
	assert_jit(map, 0x2000, "second");
	hr_perfmap_free(map);
}

static void a_map_is_read_up_to_a_limit(void **state)
{
	struct hr_perfmap *map = hr_perfmap_new();
	char path[PATH_MAX];
	FILE *file;

	(void)state;
	fake_path(path, perfmap_name);
	file = fopen(path, "w");
	assert_non_null(file);
	for (unsigned int i = 0; i < 400000; i++)
		assert_true(fprintf(file, "%x 10 function_with_a_name_%u\n", 0x10000 + 16 * i, i) > 0);
	assert_int_equal(fclose(file), 0);
	while (read_map(map) > 0)
		;
	assert_jit(map, 0x10000, "function_with_a_name_0");
	assert_jit(map, 0x10000 + 16 * 200000, "function_with_a_name_200000");
	assert_jit(map, 0x10000 + 16 * 300000, NULL);
	assert_in_range(hr_perfmap_bytes(map), 1 << 20, 64 << 20);
	hr_perfmap_free(map);
}

/* ---- processes ---- */

#define MAPS \
	"00400000-00401000 r-xp 00000000 fd:00 5 /bin/gone\n" \
	"00500000-00600000 rw-p 00000000 00:00 0 [heap]\n" \
	"7f0000000000-7f0000010000 rwxp 00000000 00:00 0 \n" \
	"7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0 [vdso]\n"

static const struct hr_code_process node = { .slot = 9, .pid = 7, .id = 70, .execs = 1 };

static void write_status(uid_t uid)
{
	char text[128];

	snprintf(text, sizeof(text), "Name:\tnode\nUid:\t%u\t%u\t%u\t%u\nNSpid:\t7\t3\nThreads:\t1\n", uid, uid, uid, uid);
	fake_file("/proc/7/status", text);
}

/* A process 7 that its container calls 3. */
static void make_process(void)
{
	char path[PATH_MAX];

	fake_file("/proc/7/maps", MAPS);
	write_status(getuid());
	fake_path(path, "/tmp/x");
	fake_link("/proc/7/root", fake_root);
}

static struct hr_code_frame frame_at(struct hr_code *code, const struct hr_code_process *process, uint64_t address)
{
	struct hr_code_frame frame;

	memset(&frame, 'x', sizeof(frame));
	hr_code_user(code, process, address, &frame);
	return frame;
}

static void compiled_code_has_the_names_of_the_map_below_the_root_of_its_process(void **state)
{
	struct hr_code *code = hr_code_new(fake_root);
	struct hr_code_frame frame;
	uint32_t generation;

	(void)state;
	make_process();
	append("7f0000000000 80 JS:*one\n");
	frame = frame_at(code, &node, 0x7f0000000010);
	assert_string_equal(frame.name, "JS:*one");
	assert_string_equal(frame.module, perfmap_name);
	assert_int_equal(frame.offset, -1);
	assert_true(frame.is_code && frame.may_change);

	/* what is not in the map yet may be in the next pass */
	generation = hr_code_generation(code, node.slot);
	frame = frame_at(code, &node, 0x7f0000000100);
	assert_string_equal(frame.name, "");
	assert_string_equal(frame.module, "anonymous");
	assert_int_equal(frame.offset, -1);
	assert_true(frame.is_code && frame.may_change);
	append("7f0000000100 80 JS:*two\n");
	assert_string_equal(frame_at(code, &node, 0x7f0000000100).name, ""); /* once in a pass is enough */
	assert_int_equal(hr_code_generation(code, node.slot), generation);
	hr_code_next_pass(code);
	assert_string_equal(frame_at(code, &node, 0x7f0000000100).name, "JS:*two");
	assert_true(hr_code_generation(code, node.slot) != generation);
	hr_code_free(code);
}

static void a_map_that_a_stranger_wrote_is_not_believed(void **state)
{
	struct hr_code *code = hr_code_new(fake_root);

	(void)state;
	if (getuid() == 0) {
		char path[PATH_MAX];

		fake_path(path, perfmap_name);
		append("7f0000000000 80 forged\n");
		assert_int_equal(chown(path, 4321, 4321), 0);
	} else {
		append("7f0000000000 80 forged\n");
	}
	make_process();
	write_status(1234);
	assert_string_equal(frame_at(code, &node, 0x7f0000000010).name, "");
	hr_code_free(code);
}

static void what_is_no_code_is_told_from_code_without_a_name(void **state)
{
	struct hr_code *code = hr_code_new(fake_root);
	struct hr_code_frame frame;

	(void)state;
	make_process();
	assert_false(frame_at(code, &node, 0x500010).is_code);
	assert_false(frame_at(code, &node, 0x10).is_code);
	frame = frame_at(code, &node, 0x400123); /* its file is gone */
	assert_true(frame.is_code);
	assert_string_equal(frame.name, "");
	assert_string_equal(frame.module, "/bin/gone");
	assert_int_equal(frame.offset, 0x123);
	frame = frame_at(code, &node, 0x7ffc00000050);
	assert_true(frame.is_code && !frame.may_change);
	assert_string_equal(frame.module, "[vdso]");
	assert_int_equal(frame.offset, 0x50);
	hr_code_free(code);
}

static void of_a_process_that_nothing_was_read_of_nothing_is_said(void **state)
{
	struct hr_code_process gone = { .slot = 9, .id = 71 };
	struct hr_code *code = hr_code_new(fake_root);
	struct hr_code_frame frame;

	(void)state;
	frame = frame_at(code, &gone, 0x400123);
	assert_true(frame.is_code);
	assert_string_equal(frame.name, "");
	assert_string_equal(frame.module, "");
	assert_int_equal(frame.offset, -1);
	hr_code_free(code);
}

static void an_address_space_is_read_again_for_an_address_that_it_lacks_once_in_a_pass(void **state)
{
	struct hr_code *code = hr_code_new(fake_root);

	(void)state;
	make_process();
	assert_true(frame_at(code, &node, 0x7f0000000010).is_code);
	fake_file("/proc/7/maps", MAPS "7ffd00000000-7ffd00002000 r-xp 00000000 fd:00 6 /lib/new.so\n");
	assert_false(frame_at(code, &node, 0x7ffd00000010).is_code);
	hr_code_next_pass(code);
	assert_string_equal(frame_at(code, &node, 0x7ffd00000010).module, "/lib/new.so");
	hr_code_free(code);
}

static void the_next_process_in_a_slot_and_the_next_program_of_a_process_are_read_anew(void **state)
{
	struct hr_code_process next = node, exec = node;
	struct hr_code *code = hr_code_new(fake_root);
	uint32_t generation;

	(void)state;
	make_process();
	assert_string_equal(frame_at(code, &node, 0x400123).module, "/bin/gone");
	generation = hr_code_generation(code, node.slot);
	fake_file("/proc/7/maps", "00400000-00401000 r-xp 00000000 fd:00 5 /bin/other\n");
	assert_string_equal(frame_at(code, &node, 0x400123).module, "/bin/gone");
	assert_int_equal(hr_code_generation(code, node.slot), generation);
	exec.execs++;
	assert_string_equal(frame_at(code, &exec, 0x400123).module, "/bin/other");
	assert_true(hr_code_generation(code, node.slot) != generation);
	next.id++;
	next.pid = 0;
	assert_string_equal(frame_at(code, &next, 0x400123).module, "");
	hr_code_free(code);
}

static void functions_of_programs_have_their_names(void **state)
{
	struct hr_code_process here = { .slot = 1, .pid = getpid(), .id = 1 };
	uint64_t address = (uint64_t)(uintptr_t)functions_of_programs_have_their_names;
	struct hr_code *code = hr_code_new("");
	struct hr_code_frame frame = frame_at(code, &here, address + 4);

	(void)state;
	assert_string_equal(frame.name, "functions_of_programs_have_their_names");
	assert_non_null(strstr(frame.module, "code_test"));
	assert_int_equal(frame.offset, -1);
	assert_true(frame.is_code && !frame.may_change);
	hr_code_free(code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fake_test(a_kernel_address_lies_in_the_function_that_begins_before_it),
		fake_test(a_kernel_lock_lies_in_the_variable_that_begins_before_it),
		fake_test(a_kernel_that_hides_its_addresses_has_no_names),
		fake_test(a_symbol_has_a_start_a_size_and_a_name_with_blanks),
		fake_test(what_is_written_later_is_read_then_and_half_lines_when_they_are_whole),
		fake_test(of_several_symbols_at_an_address_the_last_one_counts),
		fake_test(a_map_that_begins_anew_forgets_what_it_had),
		fake_test(a_line_without_end_is_passed_over),
		fake_test(a_map_is_read_up_to_a_limit),
		fake_test(compiled_code_has_the_names_of_the_map_below_the_root_of_its_process),
		fake_test(a_map_that_a_stranger_wrote_is_not_believed),
		fake_test(what_is_no_code_is_told_from_code_without_a_name),
		fake_test(of_a_process_that_nothing_was_read_of_nothing_is_said),
		fake_test(an_address_space_is_read_again_for_an_address_that_it_lacks_once_in_a_pass),
		fake_test(the_next_process_in_a_slot_and_the_next_program_of_a_process_are_read_anew),
		cmocka_unit_test(functions_of_programs_have_their_names),
	};

	return cmocka_run_group_tests_name("code", tests, NULL, NULL);
}
