/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/memlimit.h"
#include "collect/memory.h"
#include "collect/pressure.h"
#include "fake_system.h"
#include "store/tables.h"

#define MOUNT_V1 "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
#define MOUNT_V2 "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
#define NO_LIMIT_V1 "9223372036854771712\n"

static struct hr_memory_limits limits;
static struct hr_err err;

static int set_up(void **state)
{
	(void)state;
	fake_open();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hr_memory_limits_fini(&limits);
	fake_close();
	return 0;
}

static void a_stat_has_faults_and_pages_whatever_the_name_is(void **state)
{
	struct hr_process_memory memory = { 7, 7, 7 };

	(void)state;
	assert_int_equal(hr_memory_parse_stat("812 (a) b (c) S 1 812 812 0 -1 4194560 1234 99 56 88 3 4 0 0 20 0 17 0 1000 123456 "
					      "789 18446744073709551615 1 1\n", &memory), 0);
	assert_int_equal(memory.minor_faults, 1234);
	assert_int_equal(memory.major_faults, 56);
	assert_int_equal(memory.resident_pages, 789);
	assert_int_equal(hr_memory_parse_stat("812 (a) S 1 812\n", &memory), -EINVAL);
	assert_int_equal(hr_memory_parse_stat("", &memory), -EINVAL);
	assert_int_equal(memory.minor_faults, 1234);
}

static void pressure_is_read_in_nanoseconds_with_and_without_full(void **state)
{
	struct hr_pressure pressure = { 0 };

	(void)state;
	assert_int_equal(hr_pressure_parse("some avg10=1.00 avg60=0.00 avg300=0.00 total=1234\n"
					   "full avg10=0.00 avg60=0.00 avg300=0.00 total=56\n", &pressure), 0);
	assert_int_equal(pressure.some_ns, 1234000);
	assert_true(pressure.full_known);
	assert_int_equal(pressure.full_ns, 56000);
	assert_int_equal(hr_pressure_parse("some avg10=1.00 avg60=0.00 avg300=0.00 total=9\n", &pressure), 0);
	assert_int_equal(pressure.some_ns, 9000);
	assert_false(pressure.full_known);
	assert_int_equal(hr_pressure_parse("", &pressure), -EINVAL);
	assert_int_equal(hr_pressure_parse("full avg10=0.00 total=56\n", &pressure), -EINVAL);
}

static const struct hr_memory_limit *limit_of(const char *cgroup)
{
	for (size_t i = 0; i < limits.count; i++)
		if (!strcmp(limits.rows[i].cgroup + strlen(fake_root), cgroup))
			return &limits.rows[i];
	fail_msg("no row of %s", cgroup);
	return NULL;
}

static void fake_v2(void)
{
	fake_file("/proc/self/mountinfo", MOUNT_V2);
	fake_file("/proc/100/cgroup", "0::/pod/app\n");
	fake_file("/sys/fs/cgroup/pod/memory.max", "max\n");
	fake_file("/sys/fs/cgroup/pod/memory.high", "max\n");
	fake_file("/sys/fs/cgroup/pod/memory.current", "9000\n");
	fake_file("/sys/fs/cgroup/pod/app/memory.max", "8000\n");
	fake_file("/sys/fs/cgroup/pod/app/memory.high", "6000\n");
	fake_file("/sys/fs/cgroup/pod/app/memory.current", "5000\n");
	fake_file("/sys/fs/cgroup/pod/app/memory.events", "low 0\nhigh 3\nmax 4\noom 1\noom_kill 2\n");
	fake_file("/sys/fs/cgroup/pod/app/memory.stat", "anon 10\nfile 20\nworkingset_refault_anon 1\nworkingset_refault_file 5\n");
}

static void limits_of_version_2_are_found_upwards_and_the_lower_one_counts(void **state)
{
	const pid_t pids[] = { 100, 999 }; /* 999 is gone */

	(void)state;
	fake_v2();
	assert_int_equal(hr_memory_limits_find(fake_root, pids, 2, &limits, &err), 0);
	assert_int_equal(limits.count, 2); /* the top one has no such files */
	assert_int_equal(limit_of("/sys/fs/cgroup/pod")->limit_bytes, 0);
	assert_int_equal(limit_of("/sys/fs/cgroup/pod")->hits, HR_NULL);
	assert_int_equal(limit_of("/sys/fs/cgroup/pod/app")->limit_bytes, 6000);
	assert_int_equal(limit_of("/sys/fs/cgroup/pod/app")->used_bytes, 5000);
	assert_int_equal(limit_of("/sys/fs/cgroup/pod/app")->cache_bytes, 20);
	assert_int_equal(limit_of("/sys/fs/cgroup/pod/app")->hits, 7);
	assert_int_equal(limit_of("/sys/fs/cgroup/pod/app")->oom_kills, 2);
	assert_int_equal(limit_of("/sys/fs/cgroup/pod/app")->refaults, 6);
	assert_int_equal(hr_memory_limits_find(fake_root, pids, 2, &limits, &err), 0);
	assert_int_equal(limits.count, 2);
}

static void a_limit_that_comes_later_is_seen_and_a_cgroup_that_goes_too(void **state)
{
	const pid_t pid = 100;
	char path[PATH_MAX];

	(void)state;
	fake_v2();
	assert_int_equal(hr_memory_limits_find(fake_root, &pid, 1, &limits, &err), 0);
	fake_file("/sys/fs/cgroup/pod/memory.max", "10000\n");
	fake_path(path, "/sys/fs/cgroup/pod/app/memory.current");
	unlink(path);
	for (size_t i = 0; i < limits.count; i++)
		hr_memory_limit_read(&limits.rows[i]);
	assert_int_equal(limit_of("/sys/fs/cgroup/pod")->limit_bytes, 10000);
	assert_true(limit_of("/sys/fs/cgroup/pod")->readable);
	assert_false(limit_of("/sys/fs/cgroup/pod/app")->readable);
}

static void limits_of_version_1_are_read_from_its_own_hierarchy(void **state)
{
	const pid_t pid = 100;

	(void)state;
	fake_file("/proc/self/mountinfo", MOUNT_V1 "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	fake_file("/proc/100/cgroup", "4:memory:/web\n1:cpu:/other\n0::/\n");
	fake_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", NO_LIMIT_V1);
	fake_file("/sys/fs/cgroup/memory/memory.usage_in_bytes", "70000\n");
	fake_file("/sys/fs/cgroup/memory/web/memory.limit_in_bytes", "4096\n");
	fake_file("/sys/fs/cgroup/memory/web/memory.usage_in_bytes", "4000\n");
	fake_file("/sys/fs/cgroup/memory/web/memory.failcnt", "12\n");
	fake_file("/sys/fs/cgroup/memory/web/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
	fake_file("/sys/fs/cgroup/memory/web/memory.stat", "cache 1\ntotal_cache 9\ntotal_workingset_refault_file 8\n");
	assert_int_equal(hr_memory_limits_find(fake_root, &pid, 1, &limits, &err), 0);
	assert_int_equal(limit_of("/sys/fs/cgroup/memory")->limit_bytes, 0);
	assert_int_equal(limit_of("/sys/fs/cgroup/memory/web")->limit_bytes, 4096);
	assert_int_equal(limit_of("/sys/fs/cgroup/memory/web")->used_bytes, 4000);
	assert_int_equal(limit_of("/sys/fs/cgroup/memory/web")->hits, 12);
	assert_int_equal(limit_of("/sys/fs/cgroup/memory/web")->oom_kills, 3);
	assert_int_equal(limit_of("/sys/fs/cgroup/memory/web")->cache_bytes, 9);
	assert_int_equal(limit_of("/sys/fs/cgroup/memory/web")->refaults, 8);
}

static void the_host_has_its_memory_as_a_limit(void **state)
{
	struct hr_memory_limit host;

	(void)state;
	hr_memory_host_read(fake_root, &host);
	assert_false(host.readable);
	assert_int_equal(host.hits, HR_NULL);
	fake_file("/proc/meminfo", "MemTotal:        1000 kB\nMemFree:  1 kB\nMemAvailable:     400 kB\n");
	fake_file("/proc/vmstat", "allocstall_dma 1\nallocstall_normal 2\noom_kill 5\nworkingset_refault_file 6\n");
	hr_memory_host_read(fake_root, &host);
	assert_true(host.readable);
	assert_int_equal(host.limit_bytes, 1000 * 1024);
	assert_int_equal(host.used_bytes, 600 * 1024);
	assert_int_equal(host.hits, 3);
	assert_int_equal(host.oom_kills, 5);
	assert_int_equal(host.refaults, 6);
	assert_int_equal(host.cache_bytes, HR_NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stat_has_faults_and_pages_whatever_the_name_is),
		cmocka_unit_test(pressure_is_read_in_nanoseconds_with_and_without_full),
		cmocka_unit_test_setup_teardown(limits_of_version_2_are_found_upwards_and_the_lower_one_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_limit_that_comes_later_is_seen_and_a_cgroup_that_goes_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_of_version_1_are_read_from_its_own_hierarchy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_host_has_its_memory_as_a_limit, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
