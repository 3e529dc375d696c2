/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_UNIT_RUN_FIXTURE_H
#define HR_TESTS_UNIT_RUN_FIXTURE_H

/* A scratch folder per test, and run files in it. Included after cmocka.h. */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/reader.h"
#include "store/writer.h"

#define FIXTURE __attribute__((unused)) static
#define KEEP_OWNER ((uid_t)-1), ((gid_t)-1)
#define NOBODY 65534
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct scratch {
	char folder[64];
	char run[80]; /* folder/run.db */
};

FIXTURE int scratch_setup(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	strcpy(scratch->folder, "/tmp/headroom-unit-XXXXXX");
	if (!mkdtemp(scratch->folder) || chmod(scratch->folder, 0755))
		return -1;
	snprintf(scratch->run, sizeof(scratch->run), "%s/run.db", scratch->folder);
	*state = scratch;
	return 0;
}

FIXTURE int remove_one(const char *path, const struct stat *found, int type, struct FTW *ftw)
{
	(void)found;
	(void)type;
	(void)ftw;
	return remove(path);
}

FIXTURE int scratch_teardown(void **state)
{
	struct scratch *scratch = *state;

	chmod(scratch->folder, 0755);
	nftw(scratch->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(scratch);
	return 0;
}

#define scratch_test(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

/* "folder/name", in a buffer that the next four calls leave alone. */
FIXTURE const char *in(const struct scratch *scratch, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", scratch->folder, name);
	return path;
}

FIXTURE bool exists(const char *path)
{
	struct stat found;

	return lstat(path, &found) == 0;
}

FIXTURE int files_in(const char *folder)
{
	char command[128];
	int count = -1;
	FILE *list;

	snprintf(command, sizeof(command), "ls -A '%s' | wc -l", folder);
	list = popen(command, "r");
	if (list && fscanf(list, "%d", &count) != 1)
		count = -1;
	if (list)
		pclose(list);
	return count;
}

FIXTURE void write_file(const char *path, const void *bytes, size_t n)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

FIXTURE void copy_file(const char *from, const char *to)
{
	char bytes[65536];
	int in_fd = open(from, O_RDONLY), out_fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ssize_t n;

	assert_true(in_fd >= 0 && out_fd >= 0);
	while ((n = read(in_fd, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out_fd, bytes, (size_t)n), n);
	assert_int_equal(n, 0);
	close(in_fd);
	close(out_fd);
}

FIXTURE struct hr_writer *create_run(const char *path)
{
	struct hr_writer *writer = NULL;
	struct hr_err err = { "" };

	if (hr_writer_create(path, false, KEEP_OWNER, &writer, &err))
		fail_msg("%s", err.text);
	return writer;
}

#define THREADS_PER_INTERVAL 100

/* Add one interval with its threads' states and commit it. */
FIXTURE int add_interval(struct hr_writer *writer, int64_t id, struct hr_err *err)
{
	const struct hr_row_intervals interval = { id, (id - 1) * 1000, id * 1000 };
	int first = hr_writer_add(writer, HR_TABLE_intervals, &interval, err), result;

	for (int64_t thread = 1; thread <= THREADS_PER_INTERVAL; thread++) {
		const struct hr_row_thread_states row = { id, thread, "futex", 1000 };

		result = hr_writer_add(writer, HR_TABLE_thread_states, &row, err);
		first = first ? first : result;
	}
	result = hr_writer_commit(writer, err);
	return first ? first : result;
}

FIXTURE struct hr_reader *open_run(const char *path)
{
	struct hr_reader *reader = NULL;
	struct hr_err err = { "" };

	if (hr_reader_open(path, &reader, &err))
		fail_msg("%s", err.text);
	return reader;
}

/* The first value of a query, as a number. */
FIXTURE int64_t value_of(struct hr_reader *reader, const char *sql)
{
	struct hr_query *query = NULL;
	struct hr_err err = { "" };
	int64_t value = -1;

	if (hr_query_open(reader, &query, &err, sql, ""))
		fail_msg("%s", err.text);
	if (hr_query_next(query) != 1)
		fail_msg("%s: no row %s", sql, err.text);
	value = hr_query_int(query, 0);
	hr_query_close(query);
	return value;
}

/* Assert that the file opens, is whole, and holds exactly the intervals 1 to n with all their rows. */
FIXTURE void assert_holds_intervals(const char *path, int64_t n)
{
	struct hr_reader *reader = open_run(path);

	assert_int_equal(value_of(reader, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM intervals"), n);
	assert_int_equal(value_of(reader, "SELECT ifnull(max(interval_id), 0) FROM intervals"), n);
	assert_int_equal(value_of(reader, "SELECT count(*) FROM thread_states"), n * THREADS_PER_INTERVAL);
	hr_reader_close(reader);
}

/* Assert that opening fails with the code and a sentence that names the path and contains the words. */
FIXTURE void assert_not_opened(const char *path, int code, const char *words)
{
	struct hr_reader *reader = NULL;
	struct hr_err err = { "" };
	int result = hr_reader_open(path, &reader, &err);

	if (!strstr(err.text, words) || !strstr(err.text, path))
		fail_msg("'%s' names not '%s' or says not '%s'", err.text, path, words);
	assert_int_equal(result, code);
	assert_null(reader);
}

/* Run it in a child, as a user without rights where we are root. Its assertions fail the test here. */
FIXTURE void as_nobody(void (*work)(const struct scratch *), const struct scratch *scratch)
{
	int status = -1;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
			_exit(3);
		work(scratch);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#endif
