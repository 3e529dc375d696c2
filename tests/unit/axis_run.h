/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_TESTS_UNIT_AXIS_RUN_H
#define HR_TESTS_UNIT_AXIS_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "analyse/analysis.h"
#include "run_fixture.h"

/* The load axis of run files that are made here: one server, one second per interval. */

#define S 1000000000LL

#define ADD(writer, table, ...) \
	do { \
		struct hr_err add_err = { "" }; \
		const struct hr_row_##table add_row = __VA_ARGS__; \
		if (hr_writer_add(writer, HR_TABLE_##table, &add_row, &add_err)) \
			fail_msg("%s", add_err.text); \
	} while (0)

FIXTURE struct hr_writer *begin(const struct scratch *scratch)
{
	struct hr_writer *writer = create_run(scratch->run);

	ADD(writer, run, { .run_id = "r", .host = "h", .kernel = "k", .arch = "a", .cpus = 2, .headroom_version = "1", .target = "t",
			   .started_unix_ns = S, .interval_ns = S, .ended_ns = HR_NULL, .target_status = HR_NULL });
	ADD(writer, processes, { .process_id = 1, .pid = 100, .parent_pid = 1, .name = "server", .command = "server",
	       .last_ns = HR_NULL });
	ADD(writer, threads, { .thread_id = 1, .process_id = 1, .tid = 100, .name = "server", .last_ns = HR_NULL });
	ADD(writer, flows, { 1, 1, "server", "tcp", ":80" });
	return writer;
}

/* Interval `id`, from id - 1 to id seconds: so many requests, and so many in flight. */
FIXTURE void add_second(struct hr_writer *writer, int64_t id, int64_t requests, double in_flight)
{
	ADD(writer, intervals, { id, (id - 1) * S, id * S });
	ADD(writer, thread_states, { id, 1, "user", S / 4 });
	ADD(writer, thread_states, { id, 1, "poll", S - S / 4 });
	ADD(writer, traffic, { .interval_id = id, .flow_id = 1, .requests = requests, .budgeted = requests,
			       .in_flight_ns = (int64_t)(in_flight * S), .reads = requests, .writes = requests, .opened = 1, .closed = 0 });
}

FIXTURE void mark(struct hr_writer *writer, const char *label, double offered, int64_t start_s, int64_t measured_s, int64_t end_s,
		 const char *notes)
{
	static int64_t next;

	ADD(writer, levels, { .level_id = ++next, .level = label, .offered = offered, .start_ns = start_s * S, .measured_ns = measured_s * S,
			      .end_ns = end_s < 0 ? HR_NULL : end_s * S, .notes = notes, .status = HR_NULL, .settled_ns = HR_NULL });
}

FIXTURE struct hr_analysis *end(struct hr_writer *writer, const struct scratch *scratch)
{
	struct hr_analysis *analysis = NULL;
	struct hr_reader *reader;
	struct hr_err err = { "" };

	assert_int_equal(hr_writer_finish(writer, &err), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	if (hr_analysis_load(reader, &analysis, &err))
		fail_msg("%s", err.text);
	hr_reader_close(reader);
	return analysis;
}

FIXTURE void assert_near(double actual, double expected)
{
	if (!(fabs(actual - expected) <= 1e-9 * fmax(1, fabs(expected))))
		fail_msg("%.12g is not %.12g", actual, expected);
}

#endif
