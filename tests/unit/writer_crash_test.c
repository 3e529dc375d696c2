/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include "run_fixture.h"

/* Let a child commit n intervals, add rows of one more, and kill it. */
static void kill_a_writer(const struct scratch *scratch, int64_t n)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		const struct hr_row_intervals open_interval = { n + 1, 0, 0 };
		struct hr_writer *writer = create_run(scratch->run);

		for (int64_t id = 1; id <= n; id++)
			if (add_interval(writer, id, NULL))
				_exit(1);
		if (hr_writer_add(writer, HR_TABLE_intervals, &open_interval, NULL) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(ready[0]);
	close(ready[1]);
}

static void the_lone_file_of_a_killed_writer_holds_every_committed_interval(void **state)
{
	const struct scratch *scratch = *state;

	kill_a_writer(scratch, 5);
	copy_file(scratch->run, in(scratch, "copy.db"));
	assert_holds_intervals(in(scratch, "copy.db"), 5);
}

static void the_file_of_a_killed_writer_opens_with_its_side_files(void **state)
{
	const struct scratch *scratch = *state;

	kill_a_writer(scratch, 5);
	assert_true(exists(in(scratch, "run.db-wal")));
	assert_holds_intervals(scratch->run, 5);
}

static void a_writer_that_is_killed_at_any_moment_leaves_whole_intervals(void **state)
{
	const struct scratch *scratch = *state;

	for (int round = 0; round < 10; round++) {
		int ready[2];
		int64_t committed = 0, id;
		struct hr_reader *reader;
		pid_t child;

		assert_int_equal(pipe(ready), 0);
		child = fork();
		if (child == 0) {
			struct hr_writer *writer = create_run(scratch->run);

			for (id = 1; !add_interval(writer, id, NULL); id++)
				if (write(ready[1], &id, sizeof(id)) != sizeof(id))
					break;
			_exit(1);
		}
		close(ready[1]);
		assert_int_equal(read(ready[0], &id, sizeof(id)), sizeof(id));
		usleep((useconds_t)(500 + 1700 * round));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		for (committed = id; read(ready[0], &id, sizeof(id)) == sizeof(id);)
			committed = id;
		close(ready[0]);
		reader = open_run(scratch->run);
		id = value_of(reader, "SELECT count(*) FROM intervals");
		hr_reader_close(reader);
		assert_in_range(id, committed, committed + 1); /* one may have been committed and not told */
		assert_holds_intervals(scratch->run, id);
		unlink(scratch->run);
		unlink(in(scratch, "run.db-wal"));
		unlink(in(scratch, "run.db-shm"));
	}
}

static void a_file_that_is_being_written_can_be_read(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;

	assert_int_equal(add_interval(writer, 1, NULL), 0);
	reader = open_run(scratch->run);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM intervals"), 1);
	assert_int_equal(add_interval(writer, 2, NULL), 0);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM intervals"), 2);
	hr_reader_close(reader);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	assert_int_equal(files_in(scratch->folder), 1);
	assert_holds_intervals(scratch->run, 2);
}

static void a_reader_in_the_middle_of_a_query_loses_nothing_of_the_run(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;
	struct hr_query *query;
	int rows = 1;

	for (int64_t id = 1; id <= 20; id++)
		assert_int_equal(add_interval(writer, id, NULL), 0);
	reader = open_run(scratch->run);
	assert_int_equal(hr_query_open(reader, &query, NULL, "SELECT * FROM thread_states", ""), 0);
	assert_int_equal(hr_query_next(query), 1);
	for (int64_t id = 21; id <= 40; id++)
		assert_int_equal(add_interval(writer, id, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	while (hr_query_next(query) == 1)
		rows++;
	assert_int_equal(rows, 20 * THREADS_PER_INTERVAL); /* as it was when the query began */
	hr_query_close(query);
	hr_reader_close(reader);
	assert_holds_intervals(scratch->run, 40);
}

static void a_run_that_is_closed_unfinished_holds_what_was_committed(void **state)
{
	const struct scratch *scratch = *state;
	const struct hr_row_intervals open_interval = { 3, 0, 0 };
	struct hr_writer *writer = create_run(scratch->run);

	assert_int_equal(add_interval(writer, 1, NULL), 0);
	assert_int_equal(add_interval(writer, 2, NULL), 0);
	assert_int_equal(hr_writer_add(writer, HR_TABLE_intervals, &open_interval, NULL), 0);
	hr_writer_close(writer);
	assert_holds_intervals(scratch->run, 2);
}

/* A file system without shared memory: SQLite's "unix-dotfile" locks cannot do WAL. */
static void without_wal_a_rollback_journal_keeps_the_same_promises(void **state)
{
	const struct scratch *scratch = *state;
	sqlite3_vfs *usual, *limited;
	struct hr_writer *writer;

	assert_int_equal(sqlite3_initialize(), SQLITE_OK);
	usual = sqlite3_vfs_find(NULL);
	limited = sqlite3_vfs_find("unix-dotfile");
	assert_non_null(limited);
	assert_int_equal(sqlite3_vfs_register(limited, 1), SQLITE_OK);
	writer = create_run(scratch->run);
	assert_int_equal(add_interval(writer, 1, NULL), 0);
	assert_int_equal(add_interval(writer, 2, NULL), 0);
	assert_false(exists(in(scratch, "run.db-wal")));
	copy_file(scratch->run, in(scratch, "copy.db"));
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	assert_int_equal(sqlite3_vfs_register(usual, 1), SQLITE_OK);
	assert_holds_intervals(in(scratch, "copy.db"), 2);
	assert_holds_intervals(scratch->run, 2);
}

/* Mount a tmpfs of that many KiB on the scratch folder, seen by this process only. False: it may not. */
static bool mount_small_disk(const struct scratch *scratch, unsigned int kib)
{
	static bool apart;
	char options[32];

	snprintf(options, sizeof(options), "size=%uk", kib);
	if (!apart && (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)))
		return false;
	apart = true;
	return mount("tmpfs", scratch->folder, "tmpfs", 0, options) == 0;
}

static void skip_without_small_disk(void)
{
	print_message("SKIP: a tmpfs cannot be mounted (%s); root can\n", strerror(errno));
	skip();
}

/* What a run takes before its first interval, with its side files: it grows with every table and view. */
static unsigned int empty_run_kib(const struct scratch *scratch)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct hr_writer *writer = create_run(scratch->run);
	char path[128];
	struct stat found;
	off_t bytes = 0;

	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", scratch->run, suffixes[i]);
		assert_int_equal(stat(path, &found), 0);
		bytes += found.st_size;
	}
	hr_writer_discard(writer);
	assert_int_equal(files_in(scratch->folder), 0);
	return (unsigned int)(bytes / 1024);
}

/* Fill the disk with intervals; they stop somewhere. Returns how many were taken. */
static int64_t fill_with_intervals(struct hr_writer *writer)
{
	struct hr_err err = { "" };
	int64_t id = 1;
	int result;

	while ((result = add_interval(writer, id, &err)) == 0)
		id++;
	assert_int_equal(result, -ENOSPC);
	assert_non_null(strstr(err.text, "No space left on device"));
	assert_int_equal(hr_writer_rows_lost(writer), THREADS_PER_INTERVAL + 1);
	return id - 1;
}

static void on_a_full_disk_the_file_holds_all_earlier_intervals(void **state)
{
	const struct scratch *scratch = *state;
	char outside[] = "/tmp/headroom-unit-copy-XXXXXX";
	unsigned int empty_kib = empty_run_kib(scratch);
	int copy = mkstemp(outside);

	assert_true(copy >= 0);
	close(copy);
	/* many sizes: the disk is to run full in the log, in the file and between the two */
	for (unsigned int kib = empty_kib + 24; kib < empty_kib + 304; kib += 20) {
		struct hr_writer *writer;
		int64_t n;

		if (!mount_small_disk(scratch, kib)) {
			unlink(outside);
			skip_without_small_disk();
		}
		writer = create_run(scratch->run);
		n = fill_with_intervals(writer);
		assert_true(n > 0);
		assert_int_equal(add_interval(writer, n + 1, NULL), -ENOSPC);
		copy_file(scratch->run, outside);
		assert_holds_intervals(outside, n); /* the lone file, as after kill -9 */
		assert_holds_intervals(scratch->run, n);
		hr_writer_finish(writer, NULL);
		hr_writer_close(writer);
		assert_holds_intervals(scratch->run, n);
		assert_int_equal(files_in(scratch->folder), 1);
		assert_int_equal(umount(scratch->folder), 0);
	}
	unlink(outside);
}

static void when_a_disk_has_room_again_the_run_goes_on(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_writer *writer;
	char ballast[65536] = "";
	int64_t n;

	if (!mount_small_disk(scratch, empty_run_kib(scratch) + 204))
		skip_without_small_disk();
	write_file(in(scratch, "ballast"), ballast, sizeof(ballast));
	writer = create_run(scratch->run);
	n = fill_with_intervals(writer);
	assert_int_equal(unlink(in(scratch, "ballast")), 0);
	assert_int_equal(add_interval(writer, n + 1, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	assert_holds_intervals(scratch->run, n + 1);
	assert_int_equal(umount(scratch->folder), 0);
}

static void an_interval_larger_than_the_disk_is_rolled_back_as_a_whole(void **state)
{
	const struct scratch *scratch = *state;
	const struct hr_row_intervals interval = { 2, 0, 0 };
	struct hr_writer *writer;
	struct hr_err err = { "" };
	uint64_t rows = 0;

	if (!mount_small_disk(scratch, 6000))
		skip_without_small_disk();
	writer = create_run(scratch->run);
	assert_int_equal(add_interval(writer, 1, NULL), 0);
	while (!hr_writer_add(writer, HR_TABLE_thread_states,
			      &(struct hr_row_thread_states){ 2, (int64_t)rows, "futex", 1 }, &err) && rows < 400000)
		rows++;
	assert_in_range(rows, 1000, 399999); /* more than the cache, so that it failed before the commit */
	assert_non_null(strstr(err.text, "No space left on device"));
	assert_int_equal(hr_writer_add(writer, HR_TABLE_intervals, &interval, &err), -ENOSPC);
	assert_int_equal(hr_writer_commit(writer, &err), -ENOSPC);
	assert_int_equal(hr_writer_rows_lost(writer), rows + 2);
	assert_int_equal(add_interval(writer, 2, NULL), 0);
	assert_int_equal(hr_writer_finish(writer, NULL), 0);
	hr_writer_close(writer);
	assert_holds_intervals(scratch->run, 2);
	assert_int_equal(umount(scratch->folder), 0);
}

static void a_run_that_cannot_begin_on_a_full_disk_leaves_nothing(void **state)
{
	const struct scratch *scratch = *state;
	unsigned int empty_kib = empty_run_kib(scratch);
	bool created = false;

	for (unsigned int kib = 4; kib < empty_kib + 204; kib += 36) {
		struct hr_writer *writer = NULL;
		struct hr_err err = { "" };
		int result;

		if (!mount_small_disk(scratch, kib))
			skip_without_small_disk();
		result = hr_writer_create(scratch->run, false, KEEP_OWNER, &writer, &err);
		if (result) {
			assert_int_equal(result, -ENOSPC);
			assert_non_null(strstr(err.text, scratch->run));
			assert_int_equal(files_in(scratch->folder), 0);
			assert_false(created); /* a larger disk does not do worse */
		} else {
			created = true;
			hr_writer_discard(writer);
		}
		assert_int_equal(umount(scratch->folder), 0);
	}
	assert_true(created);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(the_lone_file_of_a_killed_writer_holds_every_committed_interval),
		scratch_test(the_file_of_a_killed_writer_opens_with_its_side_files),
		scratch_test(a_writer_that_is_killed_at_any_moment_leaves_whole_intervals),
		scratch_test(a_file_that_is_being_written_can_be_read),
		scratch_test(a_reader_in_the_middle_of_a_query_loses_nothing_of_the_run),
		scratch_test(a_run_that_is_closed_unfinished_holds_what_was_committed),
		scratch_test(without_wal_a_rollback_journal_keeps_the_same_promises),
		scratch_test(on_a_full_disk_the_file_holds_all_earlier_intervals),
		scratch_test(when_a_disk_has_room_again_the_run_goes_on),
		scratch_test(an_interval_larger_than_the_disk_is_rolled_back_as_a_whole),
		scratch_test(a_run_that_cannot_begin_on_a_full_disk_leaves_nothing),
	};

	return cmocka_run_group_tests_name("writer_crash", tests, NULL, NULL);
}
