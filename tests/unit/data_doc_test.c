/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/losses.h"
#include "base/requests.h"
#include "base/states.h"
#include "store/schema.h"

/* docs/data.md says what the program does. Run from the root of the checkout, as `make unit` and scripts/test do. */

#define PAGE "docs/data.md"
#define QUERY "scripts/data-doc.sql"
#define BEGINS "<!-- dictionary: scripts/gen-data-doc writes from here on -->\n"
#define ENDS "\n<!-- dictionary ends -->\n"

struct fixture {
	char *page;
	sqlite3 *db; /* an empty run file */
};

/* The whole file; the caller frees it. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		fail_msg("cannot open '%s': unit tests run from the root of the checkout", path);
	if (getdelim(&text, &room, '\0', file) < 0)
		fail_msg("'%s' is empty", path);
	fclose(file);
	return text;
}

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture.page = read_file(PAGE);
	assert_int_equal(sqlite3_open(":memory:", &fixture.db), SQLITE_OK);
	assert_int_equal(hr_schema_create(fixture.db), SQLITE_OK);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	free(fixture->page);
	sqlite3_close(fixture->db);
	return 0;
}

/* The lines that a query gives, as the sqlite3 program prints them. */
static char *lines_of(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *query = NULL;
	char *lines = NULL;
	size_t length;
	FILE *out = open_memstream(&lines, &length);

	assert_non_null(out);
	if (sqlite3_prepare_v2(db, sql, -1, &query, NULL) != SQLITE_OK)
		fail_msg("%s in:\n%s", sqlite3_errmsg(db), sql);
	while (sqlite3_step(query) == SQLITE_ROW)
		fprintf(out, "%s\n", (const char *)sqlite3_column_text(query, 0));
	assert_int_equal(sqlite3_finalize(query), SQLITE_OK);
	fclose(out);
	return lines;
}

static void the_page_has_every_table_and_column_as_the_dictionary_describes_it(void **state)
{
	struct fixture *fixture = *state;
	char *sql = read_file(QUERY), *lines = lines_of(fixture->db, sql), *begin, *end;

	begin = strstr(fixture->page, BEGINS);
	assert_non_null(begin);
	begin += strlen(BEGINS);
	end = strstr(begin, ENDS);
	assert_non_null(end);
	*end = '\0';
	if (strcmp(begin, lines))
		fail_msg("%s differs from the tables: `scripts/gen-data-doc RUN.db` writes it anew, from a new run file", PAGE);
	*end = '\n';
	assert_true(strlen(lines) > 1000);
	free(lines);
	free(sql);
}

static void assert_page_has(const struct fixture *fixture, const char *line)
{
	if (!strstr(fixture->page, line))
		fail_msg("%s lacks the line\n%s", PAGE, line);
}

static void the_page_has_every_state_with_its_meaning(void **state)
{
	char line[256];

	for (enum hr_state i = 0; i < HR_STATES; i++) {
		snprintf(line, sizeof(line), "\n| `%s` | %s | %s |\n", hr_state_name(i),
			 hr_state_group_name(hr_state_group(i)), hr_state_meaning(i));
		assert_page_has(*state, line);
	}
}

static void the_page_has_every_owner_of_a_cpu(void **state)
{
	char line[256];

	for (enum hr_cpu_owner i = 0; i < HR_OWNERS; i++) {
		snprintf(line, sizeof(line), "\n| `%s` | %s |\n", hr_owner_name(i), hr_owner_meaning(i));
		assert_page_has(*state, line);
	}
}

static void the_page_has_every_reason_of_a_loss(void **state)
{
	char line[256];

	for (enum hr_loss i = 0; i < HR_LOSSES; i++) {
		const struct hr_loss_info *info = hr_loss_info(i);

		snprintf(line, sizeof(line), "\n| `%s` | %s | %s |\n", info->name, hr_loss_kind_name(info->kind), info->sentence);
		assert_page_has(*state, line);
	}
}

/* The cell before the meaning says which roles it is of. */
static void the_page_has_every_stage_with_its_meaning(void **state)
{
	const struct fixture *fixture = *state;
	char begin[64], end[160];

	for (enum hr_stage i = 0; i < HR_STAGES; i++) {
		const char *line;

		snprintf(begin, sizeof(begin), "\n| `%s` | ", hr_stage_name(i));
		snprintf(end, sizeof(end), " | %s |\n", hr_stage_meaning(i));
		line = strstr(fixture->page, begin);
		if (!line || strncmp(strchr(line + strlen(begin), '|') - 1, end, strlen(end)))
			fail_msg("%s lacks stage %s with '%s'", PAGE, hr_stage_name(i), hr_stage_meaning(i));
	}
}

static void the_page_has_every_role_ending_and_reason_by_its_name(void **state)
{
	char begin[64];

	for (enum hr_role i = HR_ROLE_SERVER; i <= HR_ROLE_PROBE; i++) {
		snprintf(begin, sizeof(begin), "\n| `%s` | ", hr_role_name(i));
		assert_page_has(*state, begin);
	}
	for (enum hr_ending i = 0; i < HR_ENDINGS; i++) {
		snprintf(begin, sizeof(begin), "\n| `%s` | ", hr_ending_name(i));
		assert_page_has(*state, begin);
	}
	for (int bit = 0; hr_multiplexed_name(1U << bit); bit++) {
		snprintf(begin, sizeof(begin), "\n| `%s` | ", hr_multiplexed_name(1U << bit));
		assert_page_has(*state, begin);
	}
}

static void every_query_of_the_page_runs(void **state)
{
	static const char begins[] = "```sql\n";
	struct fixture *fixture = *state;
	char *begin = fixture->page, *end;
	int count = 0;

	while ((begin = strstr(begin, begins))) {
		begin += strlen(begins);
		end = strstr(begin, "```");
		assert_non_null(end);
		*end = '\0';
		free(lines_of(fixture->db, begin));
		*end = '`';
		begin = end;
		count++;
	}
	assert_true(count >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_has_every_table_and_column_as_the_dictionary_describes_it),
		cmocka_unit_test(the_page_has_every_state_with_its_meaning),
		cmocka_unit_test(the_page_has_every_owner_of_a_cpu),
		cmocka_unit_test(the_page_has_every_reason_of_a_loss),
		cmocka_unit_test(the_page_has_every_stage_with_its_meaning),
		cmocka_unit_test(the_page_has_every_role_ending_and_reason_by_its_name),
		cmocka_unit_test(every_query_of_the_page_runs),
	};

	return cmocka_run_group_tests_name("data_doc", tests, set_up, tear_down);
}
