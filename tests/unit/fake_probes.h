/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_UNIT_FAKE_PROBES_H
#define HR_TESTS_UNIT_FAKE_PROBES_H

/*
 * What the kernel would have counted of flows and sockets, for the families of src/collect that turn it into rows; one pass of
 * such a family, and the rows that it wrote. Included after cmocka.h and run_fixture.h.
 */

#include <math.h>
#include <sqlite3.h>

#include "collect/drain.h"
#include "collect/roster.h"

#define FAKE_FLOWS 256
#define FAKE_STAGES 64
#define FAKE_SHARDS 2
#define FAKE_SOCKETS 70000
#define SECOND 1000000000ULL
#define MS 1000000ULL

static struct {
	bool has_no_requests;
	struct hr_flow flows[FAKE_FLOWS][FAKE_SHARDS];
	struct hr_stage_hist stages[FAKE_STAGES][FAKE_SHARDS];
	int64_t process_ids[HR_PROCESS_SLOTS]; /* 0: the slot is not known yet */
	struct hr_process process;
	struct hr_cpu cpu;
	struct hr_socket_row *ended; /* in the ring */
	size_t ended_count;
} fake;

bool hr_probes_has_requests(const struct hr_probes *probes)
{
	(void)probes;
	return !fake.has_no_requests;
}

struct hr_flow *hr_probes_flow(struct hr_probes *probes, uint32_t flow, uint32_t shard)
{
	(void)probes;
	return &fake.flows[flow][shard];
}

struct hr_stage_hist *hr_probes_stage(struct hr_probes *probes, uint32_t record, uint32_t shard)
{
	(void)probes;
	return &fake.stages[record][shard];
}

uint32_t hr_probes_flows(const struct hr_probes *probes)
{
	(void)probes;
	return FAKE_FLOWS;
}

uint32_t hr_probes_stages(const struct hr_probes *probes)
{
	(void)probes;
	return FAKE_STAGES;
}

uint32_t hr_probes_flow_shards(const struct hr_probes *probes)
{
	(void)probes;
	return FAKE_SHARDS;
}

int hr_probes_each_ended_socket(struct hr_probes *probes, void (*each)(void *context, const struct hr_socket_row *row), void *context)
{
	(void)probes;
	for (size_t i = 0; i < fake.ended_count; i++)
		each(context, &fake.ended[i]);
	fake.ended_count = 0;
	return 0;
}

struct hr_process *hr_probes_process(struct hr_probes *probes, uint32_t slot)
{
	(void)probes;
	(void)slot;
	return &fake.process;
}

struct hr_cpu *hr_probes_cpu(struct hr_probes *probes, uint32_t cpu)
{
	(void)probes;
	(void)cpu;
	return &fake.cpu;
}

uint32_t hr_probes_cpus(const struct hr_probes *probes)
{
	(void)probes;
	return 1;
}

int64_t hr_roster_process_id(const struct hr_roster *roster, uint32_t slot)
{
	(void)roster;
	return slot < HR_PROCESS_SLOTS ? fake.process_ids[slot] : 0;
}

uint32_t hr_roster_process_slots(const struct hr_roster *roster)
{
	(void)roster;
	return HR_PROCESS_SLOTS;
}

/* A run that begins at EPOCH_NS, with the family in it. */
#define EPOCH_NS (500 * SECOND)

static struct fake_run {
	struct hr_drain drain;
	const struct hr_family *family;
	void *state;
	sqlite3 *db;
} run;

FIXTURE void run_open(const struct scratch *scratch, const struct hr_family *family)
{
	memset(&fake, 0, sizeof(fake));
	run = (struct fake_run){ .family = family };
	run.drain.epoch_ns = run.drain.start_ns = EPOCH_NS;
	assert_int_equal(hr_writer_create(scratch->run, false, KEEP_OWNER, &run.drain.writer, NULL), 0);
	run.state = family->open(&run.drain, NULL);
	assert_non_null(run.state);
	fake.process_ids[7] = 70; /* the process that most tests are about */
}

FIXTURE void run_pass(uint64_t end_ns)
{
	struct hr_err err = { "" };

	run.drain.read_begin_ns = run.drain.read_end_ns = EPOCH_NS + end_ns;
	memset(&run.drain.totals, 0, sizeof(run.drain.totals));
	if (run.family->look)
		assert_int_equal(run.family->look(run.state, &run.drain, &err), 0);
	assert_int_equal(run.family->drain(run.state, &run.drain, &err), 0);
	run.drain.start_ns = EPOCH_NS + end_ns;
	run.drain.interval_id++;
}

/* The recording was off, or has just begun. */
FIXTURE void run_base(uint64_t at_ns)
{
	run.drain.discard = true;
	run_pass(at_ns);
	run.drain.discard = false;
	run.drain.interval_id = 1;
}

FIXTURE void run_finish(const struct scratch *scratch)
{
	if (run.family->finish)
		assert_int_equal(run.family->finish(run.state, &run.drain, NULL), 0);
	run.family->close(run.state);
	assert_int_equal(hr_writer_rows_lost(run.drain.writer), 0);
	assert_int_equal(run.drain.rows_lost, 0);
	assert_int_equal(hr_writer_finish(run.drain.writer, NULL), 0);
	hr_writer_close(run.drain.writer);
	assert_int_equal(sqlite3_open_v2(scratch->run, &run.db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
}

FIXTURE void run_close(void)
{
	sqlite3_close(run.db);
}

/* Assert what a query answers: rows and columns with a blank between them, "null" for NULL. */
FIXTURE void assert_rows(const char *sql, const char *expected)
{
	sqlite3_stmt *query = NULL;
	char text[2048] = "";
	size_t used = 0;

	if (sqlite3_prepare_v2(run.db, sql, -1, &query, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(run.db));
	while (sqlite3_step(query) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(query) && used < sizeof(text); i++)
			used += snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
					 sqlite3_column_type(query, i) == SQLITE_NULL ?
						 "null" :
						 (const char *)sqlite3_column_text(query, i));
	sqlite3_finalize(query);
	if (strcmp(text, expected) != 0)
		fail_msg("%s\n is  '%s'\n not '%s'", sql, text, expected);
}

#endif
