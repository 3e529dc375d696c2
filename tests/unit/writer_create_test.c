/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "run_fixture.h"

/* Assert that creating fails with the code, a sentence that names the path and contains the words, and no new file. */
static void assert_not_created(const struct scratch *scratch, const char *path, bool replace, int code,
			       const char *words)
{
	struct hr_writer *writer = NULL;
	struct hr_err err = { "" };
	const int files = files_in(scratch->folder);
	const int result = hr_writer_create(path, replace, KEEP_OWNER, &writer, &err);

	if (!strstr(err.text, words) || !strstr(err.text, path))
		fail_msg("'%s' names not '%s' or says not '%s'", err.text, path, words);
	assert_int_equal(result, code);
	assert_null(writer);
	assert_int_equal(files_in(scratch->folder), files);
}

static void assert_file_is(const char *path, const char *content)
{
	char bytes[64] = "";
	int fd = open(path, O_RDONLY);

	assert_true(read(fd, bytes, sizeof(bytes) - 1) >= 0);
	close(fd);
	assert_string_equal(bytes, content);
}

static void a_file_that_exists_is_kept_and_force_is_named(void **state)
{
	const struct scratch *scratch = *state;

	write_file(scratch->run, "thesis", 6);
	assert_not_created(scratch, scratch->run, false, -EEXIST, "choose another name or give --force");
	assert_file_is(scratch->run, "thesis");
}

static void a_file_that_is_no_run_is_kept_even_by_force(void **state)
{
	const struct scratch *scratch = *state;
	sqlite3 *db = NULL;

	write_file(scratch->run, "thesis", 6);
	assert_not_created(scratch, scratch->run, true, -EEXIST, "is not a run of headroom; choose another name");
	assert_file_is(scratch->run, "thesis");
	write_file(scratch->run, "", 0);
	assert_not_created(scratch, scratch->run, true, -EEXIST, "is not a run of headroom");
	assert_int_equal(sqlite3_open(in(scratch, "other.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_not_created(scratch, in(scratch, "other.db"), true, -EEXIST, "is not a run of headroom");
}

static void a_run_is_replaced_by_force_with_its_side_files(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(in(scratch, "live.db"));

	assert_int_equal(add_interval(writer, 1, NULL), 0);
	copy_file(in(scratch, "live.db"), scratch->run);
	copy_file(in(scratch, "live.db-wal"), in(scratch, "run.db-wal"));
	hr_writer_discard(writer);
	assert_int_equal(files_in(scratch->folder), 2);
	assert_int_equal(hr_writer_create(scratch->run, true, KEEP_OWNER, &writer, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	assert_int_equal(files_in(scratch->folder), 1);
	assert_holds_intervals(scratch->run, 0);
}

static void a_run_that_is_being_written_is_kept_even_by_force(void **state)
{
	const struct scratch *scratch = *state;
	int ready[2], stop[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(stop), 0);
	child = fork();
	if (child == 0) {
		struct hr_writer *writer;

		close(stop[1]); /* or it would wait for itself if the test fails */
		writer = create_run(scratch->run);
		if (add_interval(writer, 1, NULL) || write(ready[1], "x", 1) != 1 || read(stop[0], &byte, 1) != 1)
			_exit(1);
		_exit(add_interval(writer, 2, NULL) || hr_writer_finish(writer, NULL));
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_not_created(scratch, scratch->run, true, -EBUSY, "is in use by process");
	assert_int_equal(write(stop[1], "x", 1), 1);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_holds_intervals(scratch->run, 2);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(stop[i]);
	}
}

static void a_symbolic_link_is_not_followed(void **state)
{
	const struct scratch *scratch = *state;

	assert_int_equal(symlink("elsewhere", scratch->run), 0);
	assert_not_created(scratch, scratch->run, false, -ELOOP, "is a symbolic link");
	assert_not_created(scratch, scratch->run, true, -ELOOP, "is a symbolic link");
	assert_false(exists(in(scratch, "elsewhere")));
	write_file(in(scratch, "elsewhere"), "thesis", 6);
	assert_not_created(scratch, scratch->run, true, -ELOOP, "is a symbolic link");
	assert_file_is(in(scratch, "elsewhere"), "thesis");
}

static void a_folder_behind_a_symbolic_link_is_used(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer;

	assert_int_equal(mkdir(in(scratch, "results"), 0755), 0);
	assert_int_equal(symlink("results", in(scratch, "link")), 0);
	writer = create_run(in(scratch, "link/run.db"));
	assert_int_equal(add_interval(writer, 1, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	assert_holds_intervals(in(scratch, "results/run.db"), 1);
}

static void a_relative_path_is_used_from_the_current_folder(void **state)
{
	const struct scratch *scratch = *state;
	int before = open(".", O_RDONLY | O_DIRECTORY);
	struct hr_writer *writer;

	assert_int_equal(chdir(scratch->folder), 0);
	writer = create_run("run.db");
	assert_int_equal(fchdir(before), 0); /* a later chdir does not move it */
	close(before);
	assert_int_equal(add_interval(writer, 1, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	assert_holds_intervals(scratch->run, 1);
}

static void what_is_no_regular_file_is_refused(void **state)
{
	const struct scratch *scratch = *state;

	assert_not_created(scratch, scratch->folder, false, -EISDIR, "is a directory");
	assert_not_created(scratch, in(scratch, ""), true, -EISDIR, "names a directory");
	assert_int_equal(mkfifo(scratch->run, 0600), 0);
	assert_not_created(scratch, scratch->run, true, -EEXIST, "is not a regular file");
	assert_not_created(scratch, "/dev/null", true, -EEXIST, "is not a regular file");
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = NULL;
	struct hr_err err = { "" };

	assert_int_equal(hr_writer_create(in(scratch, "no/run.db"), false, KEEP_OWNER, &writer, &err), -ENOENT);
	assert_non_null(strstr(err.text, in(scratch, "no")));
	assert_non_null(strstr(err.text, "No such file or directory"));
	assert_int_equal(hr_writer_create("", false, KEEP_OWNER, &writer, &err), -EISDIR);
	assert_null(writer);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = NULL;
	char name[NAME_MAX + 1];

	memset(name, 'x', NAME_MAX);
	name[NAME_MAX] = '\0';
	assert_int_equal(hr_writer_create(in(scratch, name), false, KEEP_OWNER, &writer, NULL), -ENAMETOOLONG);
	name[NAME_MAX - 4] = '\0'; /* itself short enough, but not with "-journal" */
	assert_int_equal(hr_writer_create(in(scratch, name), false, KEEP_OWNER, &writer, NULL), -ENAMETOOLONG);
	assert_int_equal(files_in(scratch->folder), 0);
	name[NAME_MAX - 8] = '\0';
	hr_writer_discard(create_run(in(scratch, name)));
}

static void a_side_file_of_another_run_is_kept(void **state)
{
	const struct scratch *scratch = *state;

	write_file(in(scratch, "run.db-wal"), "thesis", 6);
	assert_not_created(scratch, scratch->run, false, -EEXIST, "run.db-wal' is left of another file");
	assert_file_is(in(scratch, "run.db-wal"), "thesis");
}

static void be_refused_for_the_folder(const struct scratch *scratch)
{
	assert_not_created(scratch, scratch->run, false, -EACCES, "Permission denied");
}

static void a_folder_that_cannot_be_written_is_refused(void **state)
{
	const struct scratch *scratch = *state;

	assert_int_equal(chmod(scratch->folder, 0555), 0);
	as_nobody(be_refused_for_the_folder, scratch);
}

static void assert_owner(const char *path, uid_t owner, gid_t group)
{
	struct stat found;

	assert_int_equal(lstat(path, &found), 0);
	assert_int_equal(found.st_uid, owner);
	assert_int_equal(found.st_gid, group);
}

static void the_file_and_its_side_files_belong_to_the_owner(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = NULL;

	if (geteuid()) {
		print_message("SKIP: only root gives files away\n");
		skip();
	}
	assert_int_equal(hr_writer_create(scratch->run, false, 1234, 4321, &writer, NULL), 0);
	assert_int_equal(add_interval(writer, 1, NULL), 0);
	assert_owner(scratch->run, 1234, 4321);
	assert_owner(in(scratch, "run.db-wal"), 1234, 4321);
	assert_owner(in(scratch, "run.db-shm"), 1234, 4321);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	assert_owner(scratch->run, 1234, 4321);
}

static void a_run_that_never_began_leaves_nothing(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);

	assert_int_equal(add_interval(writer, 1, NULL), 0);
	hr_writer_discard(writer);
	assert_int_equal(files_in(scratch->folder), 0);
	hr_writer_discard(NULL);
	hr_writer_close(NULL);
}

static void a_file_that_took_its_place_is_not_removed(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);

	assert_int_equal(unlink(scratch->run), 0);
	write_file(scratch->run, "thesis", 6);
	hr_writer_discard(writer);
	assert_file_is(scratch->run, "thesis");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_file_that_exists_is_kept_and_force_is_named),
		scratch_test(a_file_that_is_no_run_is_kept_even_by_force),
		scratch_test(a_run_is_replaced_by_force_with_its_side_files),
		scratch_test(a_run_that_is_being_written_is_kept_even_by_force),
		scratch_test(a_symbolic_link_is_not_followed),
		scratch_test(a_folder_behind_a_symbolic_link_is_used),
		scratch_test(a_relative_path_is_used_from_the_current_folder),
		scratch_test(what_is_no_regular_file_is_refused),
		scratch_test(a_folder_that_is_not_there_is_named),
		scratch_test(a_name_that_is_too_long_is_refused),
		scratch_test(a_side_file_of_another_run_is_kept),
		scratch_test(a_folder_that_cannot_be_written_is_refused),
		scratch_test(the_file_and_its_side_files_belong_to_the_owner),
		scratch_test(a_run_that_never_began_leaves_nothing),
		scratch_test(a_file_that_took_its_place_is_not_removed),
	};

	return cmocka_run_group_tests_name("writer_create", tests, NULL, NULL);
}
