/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run_fixture.h"

#include "fake_probes.h"

#define PAUSE_NS (20 * MS)

static struct hr_disk disks[HR_DISKS];
static bool has_no_disks;

bool hr_probes_has_disks(const struct hr_probes *probes)
{
	(void)probes;
	return !has_no_disks;
}

struct hr_disk *hr_probes_disk(struct hr_probes *probes, uint32_t disk)
{
	(void)probes;
	return &disks[disk];
}

static struct hr_disk *open_disk(uint32_t index, const char *name, uint32_t device)
{
	struct hr_disk *disk = &disks[index];

	disk->device = device;
	strcpy(disk->name, name);
	return disk;
}

/* A request that took so long, all of it on the disk, and is over. */
static void finish(struct hr_disk *disk, enum hr_disk_operation operation, enum hr_disk_owner owner, uint64_t bytes, uint64_t ns)
{
	struct hr_disk_work *work = &disk->work[operation][owner];

	work->count++;
	work->bytes += bytes;
	work->latency_ns += ns;
	work->slots[hr_hist_slot(ns, HR_HIST_BITS, HR_HIST_SLOTS)]++;
	disk->depth_ns += ns;
	disk->busy_ns += ns;
}

static void begin(struct hr_disk *disk)
{
	uint64_t now_ns = hr_clock_mono_ns();

	if (!disk->in_flight++)
		disk->busy_ns -= now_ns;
	disk->depth_ns -= now_ns;
}

static void open_run_of_disks(const struct scratch *scratch)
{
	memset(disks, 0, sizeof(disks));
	has_no_disks = false;
	run_open(scratch, &hr_family_disks);
}

static void each_interval_has_what_the_disk_did_in_it(void **state)
{
	const struct scratch *scratch = *state;
	struct hr_disk *disk;

	open_run_of_disks(scratch);
	disk = open_disk(9, "sda", 8 << 20 | 16);
	finish(disk, HR_DISK_READ, HR_DISK_TARGET, 4096, 5 * MS); /* before the recording */
	run_base(0);
	finish(disk, HR_DISK_READ, HR_DISK_TARGET, 4096, 3 * MS);
	finish(disk, HR_DISK_READ, HR_DISK_TARGET, 8192, 3 * MS);
	finish(disk, HR_DISK_WRITE, HR_DISK_OTHERS, 512, 1 * MS);
	disk->work[HR_DISK_WRITE][HR_DISK_OTHERS].errors++;
	disk->work[HR_DISK_WRITE][HR_DISK_OTHERS].queued_ns += 7;
	run_pass(SECOND);
	run_pass(2 * SECOND); /* idle */
	finish(disk, HR_DISK_FLUSH, HR_DISK_OTHERS, 0, 2 * MS);
	run_pass(3 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT * FROM disks", "1 sda 8:16");
	assert_rows("SELECT * FROM disk_load", "1 1 7000000 7000000 3 1 2000000 2000000");
	assert_rows("SELECT interval_id, operation, owner, count, data_bytes, errors, latency_ns, queued_ns FROM disk_operations",
		    "1 read target 2 12288 0 6000000 0 1 write others 1 512 1 1000000 7 3 flush others 1 0 0 2000000 0");
	assert_rows("SELECT interval_id, operation, owner, low_ns <= 3000000 AND high_ns > 3000000, count FROM disk_histograms "
		    "WHERE operation = 'read'", "1 read target 1 2");
	assert_rows("SELECT count(*) FROM disk_histograms", "3");
	run_close();
}

static void a_disk_with_requests_that_are_not_over_is_busy_meanwhile(void **state)
{
	const struct scratch *scratch = *state;
	uint64_t begin_ns = hr_clock_mono_ns(), took_ns;
	struct hr_disk *disk;
	char sql[256];

	open_run_of_disks(scratch);
	run_base(0);
	disk = open_disk(0, "sda", 8 << 20);
	begin(disk);
	begin(disk);
	usleep(PAUSE_NS / 1000);
	run_pass(SECOND);
	took_ns = hr_clock_mono_ns() - begin_ns;
	run_finish(scratch);
	snprintf(sql, sizeof(sql), "SELECT busy_ns BETWEEN %llu AND %llu, in_flight_ns BETWEEN 2 * busy_ns - 1000000 AND 2 * busy_ns "
		 "FROM disk_load", PAUSE_NS, (unsigned long long)took_ns);
	assert_rows(sql, "1 1");
	assert_rows("SELECT count(*) FROM disk_operations", "0");
	run_close();
}

static void a_request_that_was_there_before_counts_from_the_begin_of_the_recording(void **state)
{
	const struct scratch *scratch = *state;
	uint64_t begin_ns;
	char sql[128];

	open_run_of_disks(scratch);
	begin(open_disk(0, "sda", 8 << 20));
	usleep(PAUSE_NS / 1000);
	begin_ns = hr_clock_mono_ns();
	run_base(0);
	run_pass(SECOND);
	snprintf(sql, sizeof(sql), "SELECT busy_ns BETWEEN 1 AND %llu FROM disk_load",
		 (unsigned long long)(hr_clock_mono_ns() - begin_ns));
	run_finish(scratch);
	assert_rows(sql, "1");
	run_close();
}

static void disks_that_do_nothing_and_kernels_that_do_not_tell_leave_no_rows(void **state)
{
	const struct scratch *scratch = *state;

	open_run_of_disks(scratch);
	run_base(0);
	open_disk(0, "sda", 8 << 20);
	open_disk(1, "", 8 << 20 | 16); /* its name is not there yet */
	disks[1].work[HR_DISK_READ][HR_DISK_TARGET].count = 1;
	run_pass(SECOND);
	has_no_disks = true;
	finish(&disks[0], HR_DISK_READ, HR_DISK_TARGET, 4096, 1);
	run_pass(2 * SECOND);
	run_finish(scratch);
	assert_rows("SELECT (SELECT count(*) FROM disks), (SELECT count(*) FROM disk_load), (SELECT count(*) FROM disk_operations)",
		    "0 0 0");
	run_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(each_interval_has_what_the_disk_did_in_it),
		scratch_test(a_disk_with_requests_that_are_not_over_is_busy_meanwhile),
		scratch_test(a_request_that_was_there_before_counts_from_the_begin_of_the_recording),
		scratch_test(disks_that_do_nothing_and_kernels_that_do_not_tell_leave_no_rows),
	};

	return cmocka_run_group_tests_name("disks", tests, NULL, NULL);
}
