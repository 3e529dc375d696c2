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

#include "collect/host.h"
#include "collect/quota.h"
#include "fake_system.h"

#define MOUNT_V1 "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
#define MOUNT_V2 "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"

static struct hr_quotas quotas;
static struct hr_host host;
static struct hr_err err;

static int set_up(void **state)
{
	(void)state;
	fake_open();
	fake_file("/proc/self/mountinfo", "");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hr_quotas_fini(&quotas);
	hr_host_fini(&host);
	fake_close();
	return 0;
}

static void a_limit_is_read_in_nanoseconds(void **state)
{
	uint64_t quota_ns = 1, period_ns = 1;

	(void)state;
	assert_int_equal(hr_quota_parse_max("50000 100000\n", &quota_ns, &period_ns), 0);
	assert_int_equal(quota_ns, 50000000);
	assert_int_equal(period_ns, 100000000);
	assert_int_equal(hr_quota_parse_max("max 100000\n", &quota_ns, &period_ns), 0);
	assert_int_equal(quota_ns, 0);
	quota_ns = 7;
	assert_int_equal(hr_quota_parse_max("", &quota_ns, &period_ns), -EINVAL);
	assert_int_equal(hr_quota_parse_max("50000", &quota_ns, &period_ns), -EINVAL);
	assert_int_equal(quota_ns, 7);
}

static void the_counters_of_both_versions_are_read_in_nanoseconds(void **state)
{
	struct hr_quota quota = { 0 };

	(void)state;
	assert_int_equal(hr_quota_parse_stat("nr_periods 20\nnr_throttled 3\nthrottled_time 4567\n", &quota), 0);
	assert_int_equal(quota.periods, 20);
	assert_int_equal(quota.throttled_periods, 3);
	assert_int_equal(quota.throttled_ns, 4567);
	assert_int_equal(hr_quota_parse_stat("usage_usec 9\nnr_periods 21\nnr_throttled 4\nthrottled_usec 5\n",
					     &quota),
			 0);
	assert_int_equal(quota.periods, 21);
	assert_int_equal(quota.throttled_ns, 5000);
	assert_int_equal(hr_quota_parse_stat("usage_usec 9\n", &quota), -EINVAL);
	assert_int_equal(hr_quota_parse_stat("nr_periods 1\nthrottled_usec 5\n", &quota), -EINVAL);
	assert_int_equal(quota.periods, 21);
}

static void fake_v2(void)
{
	fake_file("/proc/self/mountinfo", MOUNT_V2);
	fake_file("/proc/100/cgroup", "0::/pod/app/worker\n");
	fake_file("/proc/101/cgroup", "0::/pod/app\n");
	fake_file("/sys/fs/cgroup/cpu.stat", "usage_usec 1\n"); /* the top one has no limit */
	fake_file("/sys/fs/cgroup/pod/cpu.max", "200000 100000\n");
	fake_file("/sys/fs/cgroup/pod/cpu.stat", "nr_periods 7\nnr_throttled 1\nthrottled_usec 10\n");
	fake_file("/sys/fs/cgroup/pod/app/cpu.max", "50000 100000\n");
	fake_file("/sys/fs/cgroup/pod/app/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_usec 30\n");
	fake_file("/sys/fs/cgroup/pod/app/worker/cpu.max", "max 100000\n");
	fake_file("/sys/fs/cgroup/pod/app/worker/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\n");
}

static const struct hr_quota *quota_of(const char *cgroup)
{
	for (size_t i = 0; i < quotas.count; i++)
		if (!strcmp(quotas.rows[i].cgroup + strlen(fake_root), cgroup))
			return &quotas.rows[i];
	fail_msg("no quota of %s", cgroup);
	return NULL;
}

static void quotas_above_a_cgroup_bind_it_too_and_are_listed_once(void **state)
{
	const pid_t pids[] = { 100, 101, 999 }; /* 999 is gone */

	(void)state;
	fake_v2();
	assert_int_equal(hr_quotas_find(fake_root, pids, 3, &quotas, &err), 0);
	assert_int_equal(quotas.count, 2);
	assert_int_equal(quota_of("/sys/fs/cgroup/pod")->quota_ns, 200000000);
	assert_int_equal(quota_of("/sys/fs/cgroup/pod/app")->quota_ns, 50000000);
	assert_int_equal(quota_of("/sys/fs/cgroup/pod/app")->throttled_periods, 4);
	assert_true(quota_of("/sys/fs/cgroup/pod/app")->v2);
	assert_int_equal(hr_quotas_find(fake_root, pids, 3, &quotas, &err), 0);
	assert_int_equal(quotas.count, 2);
}

static void reading_again_sees_new_counters_and_a_lifted_limit(void **state)
{
	const pid_t pid = 101;
	char path[PATH_MAX];

	(void)state;
	fake_v2();
	assert_int_equal(hr_quotas_find(fake_root, &pid, 1, &quotas, &err), 0);
	fake_file("/sys/fs/cgroup/pod/cpu.stat", "nr_periods 17\nnr_throttled 11\nthrottled_usec 99\n");
	fake_file("/sys/fs/cgroup/pod/cpu.max", "max 100000\n");
	fake_path(path, "/sys/fs/cgroup/pod/app/cpu.max");
	unlink(path);
	hr_quotas_read(&quotas);
	assert_int_equal(quota_of("/sys/fs/cgroup/pod")->throttled_ns, 99000);
	assert_int_equal(quota_of("/sys/fs/cgroup/pod")->quota_ns, 0);
	assert_true(quota_of("/sys/fs/cgroup/pod")->readable);
	assert_false(quota_of("/sys/fs/cgroup/pod/app")->readable);
	assert_int_equal(quota_of("/sys/fs/cgroup/pod/app")->throttled_ns, 30000);
}

static void a_quota_of_version_1_is_found_through_its_own_hierarchy(void **state)
{
	const pid_t pid = 100;

	(void)state;
	fake_file("/proc/self/mountinfo", MOUNT_V1 "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	fake_file("/proc/100/cgroup", "5:cpuset:/other\n3:cpu,cpuacct:/web/a\n0::/\n");
	fake_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	fake_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	fake_file("/sys/fs/cgroup/cpu/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
	fake_file("/sys/fs/cgroup/cpu/web/cpu.cfs_quota_us", "20000\n");
	fake_file("/sys/fs/cgroup/cpu/web/cpu.cfs_period_us", "100000\n");
	fake_file("/sys/fs/cgroup/cpu/web/cpu.stat", "nr_periods 50\nnr_throttled 40\nthrottled_time 123456789\n");
	fake_file("/sys/fs/cgroup/cpu/web/a/cpu.cfs_quota_us", "-1\n");
	fake_file("/sys/fs/cgroup/cpu/web/a/cpu.cfs_period_us", "100000\n");
	assert_int_equal(hr_quotas_find(fake_root, &pid, 1, &quotas, &err), 0);
	assert_int_equal(quotas.count, 1);
	assert_int_equal(quota_of("/sys/fs/cgroup/cpu/web")->quota_ns, 20000000);
	assert_int_equal(quota_of("/sys/fs/cgroup/cpu/web")->period_ns, 100000000);
	assert_int_equal(quota_of("/sys/fs/cgroup/cpu/web")->throttled_ns, 123456789);
	assert_false(quota_of("/sys/fs/cgroup/cpu/web")->v2);
}

static void a_mount_that_shows_a_part_of_the_tree_is_counted_from_there(void **state)
{
	const pid_t pids[] = { 100, 200 };

	(void)state;
	fake_v2();
	fake_file("/proc/self/mountinfo", "41 31 0:38 /kube /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	fake_file("/proc/100/cgroup", "0::/kube/pod/app\n");
	fake_file("/proc/200/cgroup", "0::/kubelet/pod\n"); /* begins alike, and is not shown */
	fake_file("/sys/fs/cgrouplet/pod/cpu.max", "10000 100000\n");
	fake_file("/sys/fs/cgrouplet/pod/cpu.stat", "nr_periods 1\nnr_throttled 1\nthrottled_usec 1\n");
	assert_int_equal(hr_quotas_find(fake_root, pids, 2, &quotas, &err), 0);
	assert_int_equal(quotas.count, 2);
	assert_int_equal(quota_of("/sys/fs/cgroup/pod/app")->quota_ns, 50000000);
}

static void without_cgroups_there_are_no_quotas(void **state)
{
	const pid_t pid = 100;

	(void)state;
	fake_file("/proc/100/cgroup", "0::/\n");
	assert_int_equal(hr_quotas_find(fake_root, &pid, 1, &quotas, &err), 0);
	assert_int_equal(quotas.count, 0);
}

#define STAT_HEAD "cpu  9 9 9 9 9 9 9 9 0 0\n"
#define STAT_TAIL "intr 1 2 3\nctxt 4\n"

static void steal_and_interrupts_are_read_per_cpu(void **state)
{
	uint64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);

	(void)state;
	fake_file("/proc/stat", STAT_HEAD "cpu0 1 2 3 4 5 6 7 8 0 0\ncpu3 1 2 3 4 5 10 20 30 0 0\n" STAT_TAIL);
	assert_int_equal(hr_host_init(&host, fake_root, &err), 0);
	assert_int_equal(host.cpu_count, 4);
	assert_int_equal(host.cpus[0].irq_ns, 13 * tick_ns);
	assert_int_equal(host.cpus[0].steal_ns, 8 * tick_ns);
	assert_false(host.cpus[1].online);
	assert_true(host.cpus[3].online);
	assert_true(host.steal_known);
	assert_true(host.irq_known);
	fake_file("/proc/stat", STAT_HEAD "cpu0 1 2 3 4 5 6 8 9 0 0\n" STAT_TAIL);
	assert_int_equal(hr_host_read(&host, &err), 0);
	assert_int_equal(host.cpus[0].irq_ns, 14 * tick_ns);
	assert_false(host.cpus[3].online);
	assert_int_equal(host.cpus[3].irq_ns, 30 * tick_ns);
}

static void what_ticks_alone_have_sampled_is_not_known(void **state)
{
	(void)state;
	fake_file("/proc/stat", STAT_HEAD "cpu0 1 2 3 4 5 0 88 0 0 0\n" STAT_TAIL);
	fake_file("/proc/cpuinfo", "processor : 0\nflags : fpu hypervisor\n");
	assert_int_equal(hr_host_init(&host, fake_root, &err), 0);
	assert_false(host.irq_known);
	assert_false(host.steal_known);
	fake_file("/proc/stat", STAT_HEAD "cpu0 1 2 3 4 5 0 88 1 0 0\n" STAT_TAIL);
	assert_int_equal(hr_host_read(&host, &err), 0);
	assert_true(host.steal_known);
}

static void a_machine_without_a_hypervisor_has_no_steal_and_knows_it(void **state)
{
	(void)state;
	fake_file("/proc/stat", STAT_HEAD "cpu0 1 2 3 4 5 0 0 0 0 0\n" STAT_TAIL);
	fake_file("/proc/cpuinfo", "processor : 0\nflags : fpu sse\n");
	assert_int_equal(hr_host_init(&host, fake_root, &err), 0);
	assert_true(host.steal_known);
}

static void the_configuration_tells_whether_interrupts_are_accounted_for(void **state)
{
	(void)state;
	fake_file("/proc/stat", STAT_HEAD "cpu0 1 2 3 4 5 0 0 0 0 0\n" STAT_TAIL);
	assert_int_equal(hr_host_config(fake_root, "CONFIG_PSI"), HR_CONFIG_UNKNOWN);
	fake_file("/proc/config.gz", "CONFIG_IRQ_TIME_ACCOUNTING=y\n# CONFIG_PSI is not set\nCONFIG_PSI_X=y\n");
	assert_int_equal(hr_host_config(fake_root, "CONFIG_PSI"), HR_CONFIG_OFF);
	assert_int_equal(hr_host_config(fake_root, "CONFIG_IRQ_TIME_ACCOUNTING"), HR_CONFIG_ON);
	assert_int_equal(hr_host_init(&host, fake_root, &err), 0);
	assert_true(host.irq_known);
}

static void a_missing_stat_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(hr_host_init(&host, fake_root, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/proc/stat"));
}

#define in_a_fake_system(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_is_read_in_nanoseconds),
		cmocka_unit_test(the_counters_of_both_versions_are_read_in_nanoseconds),
		in_a_fake_system(quotas_above_a_cgroup_bind_it_too_and_are_listed_once),
		in_a_fake_system(reading_again_sees_new_counters_and_a_lifted_limit),
		in_a_fake_system(a_quota_of_version_1_is_found_through_its_own_hierarchy),
		in_a_fake_system(a_mount_that_shows_a_part_of_the_tree_is_counted_from_there),
		in_a_fake_system(without_cgroups_there_are_no_quotas),
		in_a_fake_system(steal_and_interrupts_are_read_per_cpu),
		in_a_fake_system(what_ticks_alone_have_sampled_is_not_known),
		in_a_fake_system(a_machine_without_a_hypervisor_has_no_steal_and_knows_it),
		in_a_fake_system(the_configuration_tells_whether_interrupts_are_accounted_for),
		in_a_fake_system(a_missing_stat_is_an_error),
	};

	return cmocka_run_group_tests_name("quota and host", tests, NULL, NULL);
}
