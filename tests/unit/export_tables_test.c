/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_run.h"

#include <ftw.h>
#include <jansson.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "store/relations.h"

/* `headroom export --format csv` as users call it: the tree of folders, and what stands in the way. */

static const struct hr_verb *const verbs[] = { &hr_verb_export, NULL };

struct fixture {
	char run[64], tree[80], folder[160];
	char said[1024];
	char *printed; /* to the standard output */
};

static int remove_one(const char *path, const struct stat *found, int type, struct FTW *ftw)
{
	(void)found;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	sample_path(fixture->run);
	snprintf(fixture->tree, sizeof(fixture->tree), "%s.tree", fixture->run);
	snprintf(fixture->folder, sizeof(fixture->folder), "%s/run=run-1/host=web-7", fixture->tree);
	sample_write_asked(fixture->run);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	nftw(fixture->tree, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	sample_remove(fixture->run);
	free(fixture->printed);
	free(fixture);
	return 0;
}

/* The stream's file descriptor is `fd` from now on; returns what it was before. */
static int redirect(FILE *stream, int fd)
{
	int keep = dup(fileno(stream));

	fflush(stream);
	dup2(fd, fileno(stream));
	return keep;
}

static void restore(FILE *stream, int keep)
{
	fflush(stream);
	dup2(keep, fileno(stream));
	close(keep);
}

static char *read_all(FILE *file)
{
	char *text = NULL;
	size_t size = 0;

	rewind(file);
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

/* Runs "headroom export WORDS..."; its status. */
static int run(struct fixture *fixture, const char *const *words)
{
	char *argv[12] = { (char *)"headroom", (char *)"export" }, *said;
	FILE *talk = tmpfile(), *data = tmpfile();
	int argc = 2, keep_talk, keep_data, status;

	for (; *words; words++)
		argv[argc++] = (char *)*words;
	keep_talk = redirect(stderr, fileno(talk));
	keep_data = redirect(stdout, fileno(data));
	status = hr_cli_main(verbs, argc, argv);
	restore(stdout, keep_data);
	restore(stderr, keep_talk);
	said = read_all(talk);
	snprintf(fixture->said, sizeof(fixture->said), "%s", said);
	free(said);
	free(fixture->printed);
	fixture->printed = read_all(data);
	return status;
}
#define RUN(fixture, ...) run(fixture, (const char *const[]){ __VA_ARGS__, NULL })

static int entries_in(const char *folder)
{
	char command[256];
	int count = -1;
	FILE *list;

	snprintf(command, sizeof(command), "ls -A '%s' 2>/dev/null | wc -l", folder);
	list = popen(command, "r");
	assert_int_equal(fscanf(list, "%d", &count), 1);
	pclose(list);
	return count;
}

static const char *in(const char *folder, const char *file)
{
	static char path[320];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return path;
}

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int64_t count_lines(const char *path)
{
	FILE *file = fopen(path, "r");
	int64_t lines = 0;

	assert_non_null(file);
	for (int c; (c = fgetc(file)) != EOF;)
		lines += c == '\n';
	fclose(file);
	return lines;
}

static void a_run_is_a_folder_with_a_file_per_table_and_a_manifest(void **state)
{
	struct fixture *fixture = *state;
	json_t *manifest, *tables, *table;
	size_t i;

	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-o", fixture->tree), HR_EXIT_DONE);
	assert_non_null(strstr(fixture->said, "run=run-1/host=web-7: "));
	assert_string_equal(fixture->printed, "");
	assert_int_equal(entries_in(fixture->folder), hr_relation_count() + 1);
	manifest = json_load_file(in(fixture->folder, "manifest.json"), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(manifest, "schema")), "headroom.manifest/1");
	assert_string_equal(json_string_value(json_object_get(json_object_get(manifest, "run"), "host")), "web-7");
	assert_string_equal(json_string_value(json_object_get(json_object_get(manifest, "run"), "started")),
			    "2023-11-14T22:13:20.250000000Z");
	tables = json_object_get(manifest, "tables");
	assert_int_equal(json_array_size(tables), hr_relation_count());
	json_array_foreach(tables, i, table) {
		const char *path = in(fixture->folder, json_string_value(json_object_get(table, "file")));
		struct stat found;

		assert_int_equal(stat(path, &found), 0);
		assert_int_equal(json_integer_value(json_object_get(table, "bytes")), found.st_size);
		assert_int_equal(json_integer_value(json_object_get(table, "rows")), count_lines(path) - 1);
		assert_true(json_array_size(json_object_get(table, "columns")) > 2);
	}
	json_decref(manifest);
}

static void a_run_that_is_there_is_kept_unless_forced(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-o", fixture->tree), HR_EXIT_DONE);
	put_file(in(fixture->folder, "run.csv"), "kept");
	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-o", fixture->tree), HR_EXIT_FAILED);
	assert_non_null(strstr(fixture->said, "--force replaces it\n"));
	assert_int_equal(count_lines(in(fixture->folder, "run.csv")), 0);
	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-o", fixture->tree, "--force", "-t", "run,flows"), HR_EXIT_DONE);
	assert_int_equal(entries_in(fixture->folder), 3);
	assert_int_equal(count_lines(in(fixture->folder, "run.csv")), 2);
	assert_int_equal(entries_in(in(fixture->tree, "run=run-1")), 1); /* nothing hidden is left */
}

static void a_folder_with_other_files_is_never_replaced(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-o", fixture->tree, "-t", "run"), HR_EXIT_DONE);
	put_file(in(fixture->folder, "thesis.tex"), "years");
	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-o", fixture->tree, "--force"), HR_EXIT_FAILED);
	assert_non_null(strstr(fixture->said, "holds more than an export"));
	assert_int_equal(entries_in(fixture->folder), 3);
	assert_int_equal(entries_in(in(fixture->tree, "run=run-1")), 1);
}

static void no_link_is_followed_below_the_folder(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(mkdir(fixture->tree, 0755), 0);
	assert_int_equal(symlink("/tmp", in(fixture->tree, "run=run-1")), 0);
	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-o", fixture->tree), HR_EXIT_FAILED);
	assert_int_not_equal(access("/tmp/host=web-7", F_OK), 0);
}

static void a_damaged_run_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	FILE *file;

	/* all pages after the schema's, which the export meets at some table or other */
	file = fopen(fixture->run, "r+");
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	for (long at = 20 * 8192, end = ftell(file); at < end; at++) {
		fseek(file, at, SEEK_SET);
		fputc(0xA5, file);
	}
	fclose(file);
	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-o", fixture->tree), HR_EXIT_FAILED);
	assert_non_null(strstr(fixture->said, "damaged"));
	assert_int_equal(entries_in(fixture->tree), 0);
}

static void one_table_goes_to_the_standard_output_and_runs_follow_each_other(void **state)
{
	struct fixture *fixture = *state;
	char *second;

	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-t", "flows"), HR_EXIT_DONE);
	assert_string_equal(fixture->said, "");
	assert_int_equal(strncmp(fixture->printed, "run_id,host,flow_id,", 20), 0);
	second = strdup(strstr(fixture->printed, "\r\n") + 2);
	assert_int_equal(RUN(fixture, fixture->run, fixture->run, "-f", "csv", "-t", "flows", "-o", "-"), HR_EXIT_DONE);
	assert_string_equal(fixture->printed + strlen(fixture->printed) - strlen(second), second);
	assert_int_equal(strlen(strstr(fixture->printed, "\r\n") + 2), 2 * strlen(second));
	free(second);
}

static void the_names_of_the_folders_are_safe(void **state)
{
	struct fixture *fixture = *state;
	struct hr_writer *writer = NULL;
	struct hr_err err;

	if (hr_writer_create(fixture->run, true, (uid_t)-1, (gid_t)-1, &writer, &err))
		fail_msg("%s", err.text);
	SAMPLE(writer, run, .run_id = "../../a b", .host = "web/7%=\xc3\xa9", .kernel = "6.1", .arch = "x86_64", .cpus = 4,
	       .headroom_version = "0.1.0", .target = "", .asked_unix_ns = HR_NULL, .interval_ns = S, .ended_ns = HR_NULL,
	       .target_status = HR_NULL);
	sample_end(writer, true);
	assert_int_equal(RUN(fixture, fixture->run, "-f", "csv", "-o", fixture->tree, "-t", "run"), HR_EXIT_DONE);
	assert_int_equal(entries_in(in(fixture->tree, "run=..%2F..%2Fa%20b/host=web%2F7%25%3D%C3%A9")), 2);
}

static void what_is_wrong_is_one_sentence(void **state)
{
	static const struct {
		const char *words[7];
		const char *sentence;
	} lines[] = {
		{ { "-f", "csv" }, "headroom: export: which run? name its file: headroom export RUN.db --format csv -o DIR\n" },
		{ { "-f", "csv", "a.db" }, "headroom: export: where to? -o DIR for a folder, or --table NAME " },
		{ { "-f", "csv", "a.db", "-t", "run,flows" }, "headroom: export: where to? -o DIR for a folder, or --table NAME " },
		{ { "-f", "csv", "a.db", "-t", "flow" }, "headroom: export: there is no table 'flow'; did you mean 'flows'?\n" },
		{ { "-f", "csv", "a.db", "-t", "run", "--null=," }, "headroom: export: --null is written without quotes" },
		{ { "--ddl", "oracle" }, "headroom: export: unknown database 'oracle'; it is clickhouse or duckdb\n" },
		{ { "--ddl", "duckdb", "a.db" }, "headroom: export: --ddl writes statements that are the same for every run" },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(run(fixture, lines[i].words), HR_EXIT_USAGE);
		assert_int_equal(strncmp(fixture->said, lines[i].sentence, strlen(lines[i].sentence)), 0);
		assert_ptr_equal(strchr(fixture->said, '\n'), fixture->said + strlen(fixture->said) - 1);
	}
}

static void ddl_has_a_table_for_each_file_or_for_those_asked_for(void **state)
{
	struct fixture *fixture = *state;
	int count = 0;

	assert_int_equal(RUN(fixture, "--ddl", "clickhouse"), HR_EXIT_DONE);
	for (char *at = fixture->printed; (at = strstr(at, "CREATE TABLE ")); at++)
		count++;
	assert_int_equal(count, hr_relation_count());
	assert_int_equal(RUN(fixture, "--ddl", "duckdb", "-t", "flows"), HR_EXIT_DONE);
	assert_int_equal(strncmp(fixture->printed, "CREATE TABLE IF NOT EXISTS flows (\n    run_id VARCHAR NOT NULL,\n", 64), 0);
}

#define tables_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		tables_test(a_run_is_a_folder_with_a_file_per_table_and_a_manifest),
		tables_test(a_run_that_is_there_is_kept_unless_forced),
		tables_test(a_folder_with_other_files_is_never_replaced),
		tables_test(no_link_is_followed_below_the_folder),
		tables_test(a_damaged_run_leaves_nothing),
		tables_test(one_table_goes_to_the_standard_output_and_runs_follow_each_other),
		tables_test(the_names_of_the_folders_are_safe),
		tables_test(what_is_wrong_is_one_sentence),
		tables_test(ddl_has_a_table_for_each_file_or_for_those_asked_for),
	};

	return cmocka_run_group_tests_name("export_tables", tests, NULL, NULL);
}
