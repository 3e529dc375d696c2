/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of addresses. The program under the names is this test itself: as it runs, and copies of it, stripped and with debug files,
 * in a container of our own making.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/mman.h>

#include "collect/symbols.h"
#include "fake_system.h"
#include "run_fixture.h"

static struct {
	int count;
	char bytes[100];
} model_lock = { 1, "" };
static int zeroed_lock[64]; /* behind the data that is in the file */

/* As compilers of C++ and Rust spell them. */
int cpp_lock __asm__("_ZN5model4lockE") = 1;
int rust_lock __asm__("_ZN5model5queue4LOCK17h0123456789abcdefE") = 1;
int long_lock __asm__("_ZN5model40aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa40bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb40cccccccccccccccccccccc"
		      "cccccccccccccccccc4lockE") = 1;
/* Of pair<int, int>, a pair of those, a pair of these, and so on: a million characters. */
int exploding_lock __asm__("_ZN5modelISt4pairIiiES0_IS1_S1_ES0_IS2_S2_ES0_IS3_S3_ES0_IS4_S4_ES0_IS5_S5_ES0_IS6_S6_ES0_IS7_S7_ES0"
			   "_IS8_S8_ES0_IS9_S9_ES0_ISA_SA_ES0_ISB_SB_ES0_ISC_SC_ES0_ISD_SD_ES0_ISE_SE_EE4lockE") = 1;
int rust_v0_lock __asm__("_RNvCs1234_5model4LOCK") = 1;

#define AT(object) ((uint64_t)(uintptr_t)(object))

static struct hr_place place_in(struct hr_symbols *symbols, pid_t pid, const struct hr_maps *maps, uint64_t address)
{
	struct hr_place place;

	memset(&place, 'x', sizeof(place));
	hr_symbols_place(symbols, pid, maps, address, &place);
	return place;
}

/* Of a process of the running system. */
static struct hr_place place_of(pid_t pid, uint64_t address)
{
	struct hr_symbols *symbols = hr_symbols_new("");
	struct hr_maps maps = { 0 };
	struct hr_place place;

	assert_non_null(symbols);
	assert_int_equal(hr_maps_read("", pid, &maps), 0);
	place = place_in(symbols, pid, &maps, address);
	hr_maps_fini(&maps);
	hr_symbols_free(symbols);
	return place;
}

static void assert_symbol(const void *object, const char *symbol)
{
	struct hr_place place = place_of(getpid(), AT(object));

	assert_string_equal(place.symbol, symbol);
}

static void data_has_its_symbol_and_the_offset_in_it(void **state)
{
	(void)state;
	assert_symbol(&model_lock, "model_lock");
	assert_symbol((char *)&model_lock + 0x24, "model_lock+0x24");
	assert_non_null(strstr(place_of(getpid(), AT(&model_lock)).mapping, "symbols_test"));
}

static void data_that_begins_as_zeros_belongs_to_its_program(void **state)
{
	(void)state;
	zeroed_lock[1] = 1;
	assert_symbol(&zeroed_lock[1], "zeroed_lock+0x4");
	assert_string_equal(place_of(getpid(), AT(zeroed_lock)).mapping, place_of(getpid(), AT(&model_lock)).mapping);
}

static void functions_and_data_of_libraries_have_names(void **state)
{
	(void)state;
	assert_symbol((void *)(uintptr_t)data_has_its_symbol_and_the_offset_in_it, "data_has_its_symbol_and_the_offset_in_it");
	assert_symbol(stdout, "_IO_2_1_stdout_");
	assert_non_null(strstr(place_of(getpid(), AT(stdout)).mapping, "libc"));
}

/* A return address lies behind the call: names of functions have no offset. */
static void a_function_is_known_by_any_address_in_it(void **state)
{
	uint64_t entry = AT(data_has_its_symbol_and_the_offset_in_it);
	struct hr_symbols *symbols = hr_symbols_new("");
	struct hr_function at_entry, inside;
	struct hr_maps maps = { 0 };
	int local = 0;

	(void)state;
	assert_int_equal(hr_maps_read("", getpid(), &maps), 0);
	assert_true(hr_symbols_function(symbols, getpid(), &maps, entry, &at_entry));
	assert_true(hr_symbols_function(symbols, getpid(), &maps, entry + 5, &inside));
	assert_string_equal(at_entry.name, "data_has_its_symbol_and_the_offset_in_it");
	assert_string_equal(inside.name, at_entry.name);
	assert_string_equal(inside.module, at_entry.module);
	assert_non_null(strstr(inside.module, "symbols_test"));
	assert_int_equal(inside.in_module - at_entry.in_module, 5);
	assert_false(hr_symbols_function(symbols, getpid(), &maps, AT(&local), &inside));
	hr_maps_fini(&maps);
	hr_symbols_free(symbols);
}

static void names_of_cpp_and_rust_are_readable(void **state)
{
	(void)state;
	assert_symbol(&cpp_lock, "model::lock");
	assert_symbol(&rust_lock, "model::queue::LOCK");
}

static void long_names_are_readable_too(void **state)
{
	(void)state;
	assert_int_equal(strncmp(place_of(getpid(), AT(&long_lock)).symbol, "model::aaaa", 11), 0);
}

static void what_cannot_be_demangled_safely_is_left_as_it_is(void **state)
{
	(void)state;
	assert_symbol(&rust_v0_lock, "_RNvCs1234_5model4LOCK");
	assert_int_equal(strncmp(place_of(getpid(), AT(&exploding_lock)).symbol, "_ZN5modelISt4pair", 17), 0);
}

static void memory_of_no_file_is_called_by_its_kind(void **state)
{
	int local = 0;
	void *area = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct hr_place place;

	(void)state;
	place = place_of(getpid(), AT(area));
	assert_string_equal(place.symbol, "");
	assert_string_equal(place.mapping, "anonymous");
	munmap(area, 4096);
	place = place_of(getpid(), AT(area));
	assert_string_equal(place.symbol, "");
	assert_string_equal(place.mapping, "");
	place = place_of(getpid(), AT(&local));
	assert_string_equal(place.symbol, "");
}

/* Only the kinds that a made-up address space can show at will. */
static void heap_and_stack_are_called_so(void **state)
{
	struct hr_vma rows[] = {
		{ .start = 0x1000, .end = 0x2000, .path = "[heap]" },
		{ .start = 0x5000, .end = 0x6000, .path = "[stack]" },
		{ .start = 0x7000, .end = 0x8000, .path = "[anon:\x1bname]" },
	};
	struct hr_maps maps = { .rows = rows, .count = 3 };
	struct hr_symbols *symbols = hr_symbols_new("/nonexistent");

	(void)state;
	assert_string_equal(place_in(symbols, 1, &maps, 0x1010).mapping, "[heap]");
	assert_string_equal(place_in(symbols, 1, &maps, 0x5fff).mapping, "[stack]");
	assert_string_equal(place_in(symbols, 1, &maps, 0x7fff).mapping, "[anon:\xEF\xBF\xBDname]");
	hr_symbols_free(symbols);
}

static void shared_memory_has_the_same_text_in_every_process(void **state)
{
	int fd = memfd_create("jobs", 0), go[2];
	char *here = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *there;
	struct hr_place ours, theirs;
	pid_t child;
	char byte;

	(void)state;
	assert_true(here != MAP_FAILED);
	there = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096); /* and elsewhere */
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child == 0) {
		close(go[1]);
		_exit(read(go[0], &byte, 1) != 0);
	}
	ours = place_of(getpid(), AT(here + 4096 + 0x40));
	theirs = place_of(child, AT(there + 0x40));
	close(go[1]);
	waitpid(child, NULL, 0);
	assert_string_equal(ours.mapping, theirs.mapping);
	assert_int_equal(strncmp(ours.mapping, "memfd:jobs+0x1040 (inode ", 25), 0);
	munmap(there, 4096);

	/* of the same name, and another one */
	close(fd);
	fd = memfd_create("jobs", 0);
	there = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_string_not_equal(place_of(getpid(), AT(there + 4096 + 0x40)).mapping, ours.mapping);
	munmap(there, 8192);
	munmap(here, 8192);
	close(fd);
	close(go[0]);

	here = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_int_equal(strncmp(place_of(getpid(), AT(here)).mapping, "shared anonymous+0x0 (", 22), 0);
	munmap(here, 4096);
}

/* ---- files in a container ---- */

#define PID 77

/* Our own address space, with the program at a path of the container. */
struct container {
	struct hr_maps maps;
	struct hr_symbols *symbols;
	char program[PATH_MAX]; /* on the host */
};

__attribute__((format(printf, 1, 2))) static bool run_tool(const char *format, ...)
{
	char command[3 * PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command) == 0;
}

#define PROGRAM "/opt/app/server"

static int container_setup(void **state)
{
	struct container *container = calloc(1, sizeof(*container));
	char path[PATH_MAX];

	*state = container;
	fake_open();
	fake_path(container->program, "/container" PROGRAM);
	copy_file("/proc/self/exe", container->program);
	snprintf(path, sizeof(path), "%s/container", fake_root);
	fake_link("/proc/77/root", path);
	container->symbols = hr_symbols_new(fake_root);
	return container->symbols ? 0 : -1;
}

static int container_teardown(void **state)
{
	struct container *container = *state;

	hr_symbols_free(container->symbols);
	hr_maps_fini(&container->maps);
	free(container);
	fake_close();
	return 0;
}

/* As it is now: that file is mapped. */
static void map_program(struct container *container)
{
	const struct hr_vma *ours;
	uint64_t inode;
	struct stat info;

	hr_maps_fini(&container->maps);
	assert_int_equal(hr_maps_read("", getpid(), &container->maps), 0);
	ours = hr_maps_find(&container->maps, AT(&model_lock));
	assert_non_null(ours);
	inode = ours->inode;
	assert_int_equal(stat(container->program, &info), 0);
	for (size_t i = 0; i < container->maps.count; i++)
		if (container->maps.rows[i].inode == inode) {
			container->maps.rows[i].path = PROGRAM;
			container->maps.rows[i].inode = info.st_ino;
		}
}

static void assert_placed(struct container *container, const void *object, const char *symbol)
{
	struct hr_place place = place_in(container->symbols, PID, &container->maps, AT(object));

	assert_string_equal(place.symbol, symbol);
	assert_string_equal(place.mapping, PROGRAM);
}

static void a_file_is_looked_for_below_the_root_of_its_process(void **state)
{
	map_program(*state);
	assert_placed(*state, &model_lock, "model_lock");
	assert_placed(*state, zeroed_lock, "zeroed_lock");
}

static void a_path_that_leads_to_another_file_by_now_is_not_believed(void **state)
{
	struct container *container = *state;

	map_program(container);
	assert_int_equal(unlink(container->program), 0);
	copy_file("/proc/self/exe", container->program);
	for (size_t i = 0; i < container->maps.count; i++)
		if (strcmp(container->maps.rows[i].path, PROGRAM) == 0)
			container->maps.rows[i].inode = UINT32_MAX; /* the old one's may be in use again */
	assert_string_equal(place_in(container->symbols, PID, &container->maps, AT(&model_lock)).symbol, "");
}

static void links_in_a_container_do_not_lead_out_of_it(void **state)
{
	struct container *container = *state;
	char outside[PATH_MAX];

	map_program(container);
	fake_path(outside, "/secret");
	assert_int_equal(rename(container->program, outside), 0); /* the same inode */
	fake_link("/container" PROGRAM, outside);
	assert_string_equal(place_in(container->symbols, PID, &container->maps, AT(&model_lock)).symbol, "");
}

static void what_is_no_program_has_no_symbols(void **state)
{
	struct container *container = *state;

	assert_int_equal(truncate(container->program, 10000), 0);
	map_program(container);
	assert_string_equal(place_in(container->symbols, PID, &container->maps, AT(&model_lock)).symbol, "");
	write_file(container->program, "no program", 10);
	map_program(container);
	assert_string_equal(place_in(container->symbols, PID, &container->maps, AT(&model_lock)).symbol, "");
	assert_string_equal(place_in(container->symbols, PID, &container->maps, AT(&model_lock)).mapping, PROGRAM);
}

/* The last byte of each step is cut off in turn: whatever the file says of itself may lie beyond its end. */
static void a_file_that_is_cut_short_does_no_harm(void **state)
{
	struct container *container = *state;
	struct stat info;

	assert_int_equal(stat(container->program, &info), 0);
	for (off_t size = info.st_size; size > 64; size -= info.st_size / 40 + 1) {
		struct hr_place place;

		assert_int_equal(truncate(container->program, size), 0);
		map_program(container);
		place = place_in(container->symbols, PID, &container->maps, AT(&model_lock));
		if (place.symbol[0])
			assert_string_equal(place.symbol, "model_lock");
	}
}

static void strip_program(struct container *container, const char *debug)
{
	if (!run_tool("objcopy --only-keep-debug '%s' '%s' 2>/dev/null", container->program, debug))
		skip(); /* no binutils here */
	assert_true(run_tool("strip --strip-all '%s'", container->program));
	assert_true(run_tool("objcopy --add-gnu-debuglink='%s' '%s'", debug, container->program));
}

static void build_id_path(const char *program, char path[512])
{
	char command[2 * PATH_MAX], id[256] = "";
	FILE *pipe_of;

	snprintf(command, sizeof(command), "readelf -n '%s' | sed -n 's/.*Build ID: //p'", program);
	pipe_of = popen(command, "r");
	assert_non_null(pipe_of);
	if (!fgets(id, sizeof(id), pipe_of))
		id[0] = '\0';
	pclose(pipe_of);
	id[strcspn(id, "\n")] = '\0';
	assert_true(strlen(id) > 2);
	snprintf(path, 512, "/usr/lib/debug/.build-id/%.2s/%s.debug", id, id + 2);
}

static void a_stripped_program_without_a_debug_file_has_no_names_of_its_own(void **state)
{
	struct container *container = *state;
	char debug[PATH_MAX];

	fake_path(debug, "/elsewhere/server.debug");
	strip_program(container, debug);
	map_program(container);
	assert_placed(container, &model_lock, "");
}

static void debug_files_are_found_beside_the_program(void **state)
{
	struct container *container = *state;
	char debug[PATH_MAX];

	fake_path(debug, "/container/opt/app/.debug/server.debug");
	strip_program(container, debug);
	map_program(container);
	assert_placed(container, &model_lock, "model_lock");
}

static void debug_files_are_found_by_build_id_in_the_container_and_on_the_host(void **state)
{
	static const char *const roots[] = { "/container", "" };
	struct container *container = *state;
	char debug[PATH_MAX], kept[PATH_MAX], name[512], place[1024];

	fake_path(debug, "/elsewhere/server.debug");
	strip_program(container, debug);
	build_id_path(container->program, name);
	for (int i = 0; i < 2; i++) {
		snprintf(place, sizeof(place), "%s%s", roots[i], name);
		fake_path(kept, place);
		copy_file(debug, kept);
		hr_symbols_free(container->symbols);
		container->symbols = hr_symbols_new(fake_root);
		map_program(container);
		assert_placed(container, &model_lock, "model_lock");
		assert_int_equal(unlink(kept), 0);
	}
}

static void a_debug_file_of_another_build_is_not_believed(void **state)
{
	struct container *container = *state;
	char debug[PATH_MAX];

	fake_path(debug, "/container/opt/app/server.debug");
	strip_program(container, debug);
	assert_true(run_tool("objcopy --remove-section .note.gnu.build-id '%s'", debug));
	map_program(container);
	assert_placed(container, &model_lock, "");
}

static void the_version_of_a_symbol_is_no_part_of_its_name(void **state)
{
	struct container *container = *state;

	if (!run_tool("objcopy --redefine-sym model_lock=model_lock@@MODEL_1.0 '%s' 2>/dev/null", container->program))
		skip(); /* no binutils here */
	map_program(container);
	assert_placed(container, &model_lock, "model_lock");
}

/* ---- a program that runs ---- */

/* This program, run anew for it: where its lock is, and to stay until nobody listens any more. */
static int show_lock(void)
{
	char byte;

	printf("%p\n", (void *)&model_lock);
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) != 0;
}

static void a_running_program_keeps_its_names_when_its_file_is_replaced(void **state)
{
	struct container *container = *state;
	int to[2], from[2];
	struct hr_place before, after;
	void *lock = NULL;
	FILE *answer;
	pid_t child;

	if (access("/proc/self/map_files", X_OK) || geteuid() != 0)
		skip(); /* it takes rights that only root has */
	assert_int_equal(chmod(container->program, 0755), 0);
	assert_true(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
	child = fork();
	if (child == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execl(container->program, container->program, "--show-lock", NULL);
		_exit(1);
	}
	close(to[0]);
	close(from[1]);
	answer = fdopen(from[0], "r");
	assert_int_equal(fscanf(answer, "%p", &lock), 1);
	before = place_of(child, AT(lock));
	assert_int_equal(unlink(container->program), 0);
	write_file(container->program, "another program", 15);
	after = place_of(child, AT(lock));
	close(to[1]);
	fclose(answer);
	waitpid(child, NULL, 0);
	assert_string_equal(before.symbol, "model_lock");
	assert_string_equal(before.mapping, container->program);
	assert_string_equal(after.symbol, "model_lock");
	assert_non_null(strstr(after.mapping, "(deleted)"));
}

/* ---- many files ---- */

static int descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void files_are_kept_up_to_a_limit(void **state)
{
	struct container *container = *state;
	int before = descriptors();

	for (int i = 0; i < 100; i++) {
		char next[PATH_MAX + 16];

		map_program(container);
		assert_placed(container, &model_lock, "model_lock");
		assert_placed(container, &cpp_lock, "model::lock");
		snprintf(next, sizeof(next), "%s.%d", container->program, i);
		assert_int_equal(rename(container->program, next), 0); /* keeps its inode */
		copy_file("/proc/self/exe", container->program);
	}
	assert_in_range(descriptors() - before, 1, 64);
	hr_symbols_free(container->symbols);
	container->symbols = NULL;
	assert_int_equal(descriptors(), before);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_has_its_symbol_and_the_offset_in_it),
		cmocka_unit_test(data_that_begins_as_zeros_belongs_to_its_program),
		cmocka_unit_test(functions_and_data_of_libraries_have_names),
		cmocka_unit_test(a_function_is_known_by_any_address_in_it),
		cmocka_unit_test(names_of_cpp_and_rust_are_readable),
		cmocka_unit_test(long_names_are_readable_too),
		cmocka_unit_test(what_cannot_be_demangled_safely_is_left_as_it_is),
		cmocka_unit_test(memory_of_no_file_is_called_by_its_kind),
		cmocka_unit_test(heap_and_stack_are_called_so),
		cmocka_unit_test(shared_memory_has_the_same_text_in_every_process),
#define container_test(function) cmocka_unit_test_setup_teardown(function, container_setup, container_teardown)
		container_test(a_file_is_looked_for_below_the_root_of_its_process),
		container_test(a_path_that_leads_to_another_file_by_now_is_not_believed),
		container_test(links_in_a_container_do_not_lead_out_of_it),
		container_test(what_is_no_program_has_no_symbols),
		container_test(a_file_that_is_cut_short_does_no_harm),
		container_test(a_stripped_program_without_a_debug_file_has_no_names_of_its_own),
		container_test(debug_files_are_found_beside_the_program),
		container_test(debug_files_are_found_by_build_id_in_the_container_and_on_the_host),
		container_test(a_debug_file_of_another_build_is_not_believed),
		container_test(the_version_of_a_symbol_is_no_part_of_its_name),
		container_test(a_running_program_keeps_its_names_when_its_file_is_replaced),
		container_test(files_are_kept_up_to_a_limit),
	};

	if (argc > 1 && strcmp(argv[1], "--show-lock") == 0)
		return show_lock();
	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
