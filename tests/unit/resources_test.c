/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run_fixture.h"

#include "report/report.h"
#include "sample_run.h"

/* Two intervals of a second, with what add() puts into them; and what is made of that. */
struct fixture {
	struct hr_summary *summary;
	char *text;
};

static struct fixture load(const struct scratch *scratch, void (*add)(struct hr_writer *writer))
{
	struct hr_writer *writer = create_run(scratch->run);
	struct hr_reader *reader;
	struct fixture fixture;
	struct hr_err err = { "" };
	size_t bytes;
	FILE *out;

	SAMPLE(writer, run, .run_id = "r", .host = "h", .kernel = "k", .arch = "a", .cpus = 2, .headroom_version = "0", .target = "t",
	       .started_unix_ns = 1, .interval_ns = S, .ended_ns = 2 * S, .target_status = HR_NULL);
	SAMPLE(writer, intervals, 1, 0, S);
	SAMPLE(writer, intervals, 2, S, 2 * S);
	add(writer);
	assert_int_equal(hr_writer_finish(writer, &err), 0);
	hr_writer_close(writer);
	reader = open_run(scratch->run);
	if (hr_summary_load(reader, &fixture.summary, &err))
		fail_msg("%s", err.text);
	hr_reader_close(reader);
	out = open_memstream(&fixture.text, &bytes);
	assert_int_equal(hr_report_text(&(struct hr_analysis){ .summary = fixture.summary }, false, out, &err), 0);
	fclose(out);
	return fixture;
}

static void done(struct fixture *fixture)
{
	hr_summary_free(fixture->summary);
	free(fixture->text);
}

static void assert_says(const struct fixture *fixture, const char *words)
{
	if (!strstr(fixture->text, words))
		fail_msg("the report does not say '%s':\n%s", words, fixture->text);
}

static void assert_does_not_say(const struct fixture *fixture, const char *words)
{
	if (strstr(fixture->text, words))
		fail_msg("the report says '%s':\n%s", words, fixture->text);
}

static void add_disks(struct hr_writer *writer)
{
	SAMPLE(writer, disks, 1, "sda", "8:0");
	SAMPLE(writer, disks, 2, "sdb", "8:16");
	SAMPLE(writer, disks, 3, "sdc", "8:32");
	SAMPLE(writer, disk_load, 1, 1, 100 * MS, 100 * MS);
	SAMPLE(writer, disk_load, 1, 2, 900 * MS, 3000 * MS);
	SAMPLE(writer, disk_load, 2, 2, 1001 * MS, 1000 * MS);
	SAMPLE(writer, disk_load, 2, 3, 1000, 1000);
	SAMPLE(writer, disk_operations, .interval_id = 1, .disk_id = 2, .operation = "read", .owner = "target", .count = 30,
	       .data_bytes = 30 << 20, .latency_ns = 30 * 2 * MS, .queued_ns = 30 * MS);
	SAMPLE(writer, disk_operations, .interval_id = 1, .disk_id = 2, .operation = "read", .owner = "others", .count = 10,
	       .data_bytes = 10 << 20, .errors = 1, .latency_ns = 10 * 6 * MS);
	SAMPLE(writer, disk_operations, .interval_id = 2, .disk_id = 3, .operation = "flush", .owner = "others", .count = 1,
	       .latency_ns = 1000);
	SAMPLE(writer, disk_histograms, .interval_id = 1, .disk_id = 2, .operation = "read", .owner = "target",
	       .low_ns = 2 * MS, .high_ns = 3 * MS, .count = 30);
	SAMPLE(writer, disk_histograms, .interval_id = 2, .disk_id = 2, .operation = "read", .owner = "others",
	       .low_ns = 6 * MS, .high_ns = 7 * MS, .count = 10);
	SAMPLE(writer, disk_histograms, .interval_id = 2, .disk_id = 2, .operation = "teleport", .owner = "others",
	       .low_ns = 6 * MS, .high_ns = 7 * MS, .count = 10); /* of a later version */
}

static void disks_are_ranked_by_utilisation_and_show_whose_requests_they_had(void **state)
{
	struct fixture fixture = load(*state, add_disks);
	const struct hr_disk_summary *disk = &fixture.summary->disks[0];
	const struct hr_disk_operation_summary *read = &disk->operations[HR_DISK_READ];

	assert_int_equal(fixture.summary->disk_count, 3);
	assert_true(fixture.summary->disks_known);
	assert_string_equal(disk->name, "sdb");
	assert_true(fabs(hr_disk_utilisation(fixture.summary, disk) - 0.9505) < 1e-6);
	assert_int_equal(read->all.count, 40);
	assert_int_equal(read->all.errors, 1);
	assert_int_equal(read->target.count, 30);
	assert_int_equal(read->target.latency_ns, 60 * MS);
	assert_int_equal(read->latency.count, 40);
	assert_true(fabs(read->latency.p50_ns - 2.5 * MS) < 1 && fabs(read->latency.p99_ns - 6.5 * MS) < 1);
	assert_true(isnan(disk->operations[HR_DISK_WRITE].latency.p50_ns));
	assert_says(&fixture, "\n  sdb               95.0 %      2.00\n");
	assert_says(&fixture, "2.50 ms  6.50 ms   750 us    75.0 %        1\n");
	assert_does_not_say(&fixture, "sdc"); /* as good as idle, and the target did not use it */
	done(&fixture);
}

static void add_memory(struct hr_writer *writer)
{
	SAMPLE(writer, processes, .process_id = 1, .pid = 10, .parent_pid = 1, .name = "a", .command = "a",
	       .last_ns = HR_NULL);
	SAMPLE(writer, memory, 1, 1, 10, 1, 50 << 20, 0);
	SAMPLE(writer, memory, 1, 2, 20, 0, 30 << 20, HR_NULL);
	SAMPLE(writer, memory, 2, 1, 4, 3, 60 << 20, 2 << 20);
	SAMPLE(writer, memory_limits, .interval_id = 1, .cgroup = "/cg/a", .limit_bytes = 100 << 20, .used_bytes = 40 << 20,
	       .cache_bytes = 1 << 20, .refaults = HR_NULL);
	SAMPLE(writer, memory_limits, .interval_id = 2, .cgroup = "/cg/a", .limit_bytes = 80 << 20, .used_bytes = 76 << 20,
	       .cache_bytes = 5 << 20, .hits = 12, .oom_kills = 1, .refaults = HR_NULL);
	SAMPLE(writer, memory_limits, .interval_id = 2, .cgroup = "/cg/b", .limit_bytes = 100 << 20, .used_bytes = 50 << 20,
	       .cache_bytes = HR_NULL);
	SAMPLE(writer, memory_limits, .interval_id = 2, .limit_bytes = 1000 << 20, .used_bytes = 600 << 20,
	       .cache_bytes = HR_NULL);
	SAMPLE(writer, pressure, 1, NULL, "io", 100 * MS, 50 * MS);
	SAMPLE(writer, pressure, 2, NULL, "io", 100 * MS, 0);
	SAMPLE(writer, pressure, 1, NULL, "cpu", 300 * MS, HR_NULL);
	SAMPLE(writer, pressure, 1, "/cg/a", "memory", 1 * MS, 0);
}

static void memory_is_the_most_at_once_and_limits_are_ranked_by_how_near_they_are(void **state)
{
	struct fixture fixture = load(*state, add_memory);
	const struct hr_memory_limit_summary *limit = fixture.summary->memory_limits;

	assert_int_equal(fixture.summary->memory.minor_faults, 34);
	assert_int_equal(fixture.summary->memory.major_faults, 4);
	assert_int_equal(fixture.summary->memory.resident_bytes, 80 << 20); /* both in the first interval */
	assert_int_equal(fixture.summary->memory.swapped_bytes, 2 << 20);   /* the first is not known */
	assert_int_equal(fixture.summary->memory_limit_count, 3);
	assert_string_equal(limit[0].cgroup, "/cg/a");
	assert_int_equal(limit[0].limit_bytes, 80 << 20);
	assert_int_equal(limit[0].used_bytes, 76 << 20);
	assert_true(fabs(limit[0].used_share - 0.95) < 1e-9);
	assert_int_equal(limit[0].cache_bytes, 5 << 20);
	assert_int_equal(limit[0].hits, 12);
	assert_int_equal(limit[0].refaults, HR_NULL);
	assert_string_equal(limit[1].cgroup, "/cg/b");
	assert_null(limit[2].cgroup);
	assert_says(&fixture, "target        80.0 MiB resident at most, 2.0 MiB in swap; 17 minor and 2");
	assert_says(&fixture, "76.0 MiB of 80.0 MiB used at most (95.0 %), 5.0 MiB of it cache; the limit was hit");
	assert_says(&fixture, "12 times; 1 process killed for want of memory: /cg/a");
	assert_does_not_say(&fixture, "  host ");
	done(&fixture);
}

static void pressure_is_said_where_it_is_felt(void **state)
{
	struct fixture fixture = load(*state, add_memory);
	const struct hr_pressure_summary *pressures = fixture.summary->pressures;

	assert_true(fixture.summary->pressure_known);
	assert_int_equal(fixture.summary->pressure_count, 3);
	assert_null(pressures[0].cgroup);
	assert_string_equal(pressures[0].resource, "cpu");
	assert_int_equal(pressures[0].full_ns, HR_NULL);
	assert_int_equal(pressures[1].some_ns, 200 * MS);
	assert_int_equal(pressures[1].full_ns, 50 * MS);
	assert_says(&fixture, "io            tasks of the host were held up for it 10.0 % of the time, all of them 2.5 %\n");
	assert_says(&fixture, "cpu           tasks of the host were held up for it 15.0 % of the time\n");
	assert_does_not_say(&fixture, "tasks of /cg/a");
	done(&fixture);
}

static void add_nothing(struct hr_writer *writer)
{
	SAMPLE(writer, features, "block_io", 0, "how busy disks are");
}

static void what_was_not_measured_is_not_known_and_not_said(void **state)
{
	struct fixture fixture = load(*state, add_nothing);

	assert_false(fixture.summary->disks_known);
	assert_false(fixture.summary->pressure_known);
	assert_int_equal(fixture.summary->memory.resident_bytes, HR_NULL);
	assert_int_equal(fixture.summary->memory.minor_faults, HR_NULL);
	assert_does_not_say(&fixture, "\nDISKS");
	assert_does_not_say(&fixture, "\nMEMORY");
	assert_does_not_say(&fixture, "\nPRESSURE");
	done(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(disks_are_ranked_by_utilisation_and_show_whose_requests_they_had),
		scratch_test(memory_is_the_most_at_once_and_limits_are_ranked_by_how_near_they_are),
		scratch_test(pressure_is_said_where_it_is_felt),
		scratch_test(what_was_not_measured_is_not_known_and_not_said),
	};

	return cmocka_run_group_tests_name("resources", tests, NULL, NULL);
}
