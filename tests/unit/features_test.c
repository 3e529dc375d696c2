/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "collect/features.h"
#include "fake_system.h"

static struct hr_features features;
static struct hr_err err;

static int set_up(void **state)
{
	(void)state;
	fake_open();
	fake_file("/proc/self/status", "Name:\tx\nCapEff:\t000001ffffffffff\n");
	fake_link("/proc/self/ns/pid", "pid:[4026531836]");
	fake_file("/proc/self/mountinfo", "42 23 0:13 / /sys/kernel/tracing rw - tracefs none rw\n");
	fake_file("/proc/stat", "cpu0 1 2 3 4 5 6 7 8 0 0\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_close();
	return 0;
}

static void fake_btf_file(struct btf *btf)
{
	const void *data;
	char path[PATH_MAX];
	uint32_t size;
	FILE *file;

	data = btf__raw_data(btf, &size);
	fake_path(path, "/sys/kernel/btf/vmlinux");
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	fclose(file);
	btf__free(btf);
}

/*
 * BTF of a kernel in which sched_switch takes so many arguments after the pointer to its context, and nothing else is.
 */
static void fake_btf(int sched_switch_arguments)
{
	struct btf *btf = btf__new_empty();
	int integer, function;

	integer = btf__add_int(btf, "int", 4, 0);
	function = btf__add_func_proto(btf, 0);
	for (int i = 0; i <= sched_switch_arguments; i++)
		assert_int_equal(btf__add_func_param(btf, NULL, integer), 0);
	btf__add_typedef(btf, "btf_trace_sched_switch", btf__add_ptr(btf, function));
	btf__add_enum(btf, NULL, 4);
	btf__add_enum_value(btf, "BPF_F_MMAPABLE", 1024);
	btf__add_struct(btf, "cfs_rq", 4);
	btf__add_field(btf, "throttle_count", integer, 0, 0);
	fake_btf_file(btf);
}

/* BTF of a kernel with the first so many of the hooks of requests. */
static void fake_btf_of_hooks(int tracepoints, int functions)
{
	static const char *const types[] = { "btf_trace_sk_data_ready", "btf_trace_sock_recv_length", "btf_trace_sock_send_length" };
	static const char *const names[] = { "sock_def_readable", "tcp_recvmsg", "tcp_sendmsg" };
	struct btf *btf = btf__new_empty();
	int proto = btf__add_func_proto(btf, 0);

	for (int i = 0; i < tracepoints; i++)
		btf__add_typedef(btf, types[i], proto);
	for (int i = 0; i < functions; i++)
		btf__add_func(btf, names[i], BTF_FUNC_STATIC, proto);
	fake_btf_file(btf);
}

static void probe(void)
{
	assert_int_equal(hr_features_probe(fake_root, &features, &err), 0);
}

static void without_btf_nothing_can_be_recorded_and_its_types_are_not_known(void **state)
{
	(void)state;
	probe();
	assert_false(features.has[HR_FEATURE_BTF]);
	assert_true(features.known[HR_FEATURE_BTF]);
	assert_false(features.known[HR_FEATURE_SCHED_SWITCH]);
	assert_false(features.known[HR_FEATURE_MAP_MMAP]);
	assert_false(features.known[HR_FEATURE_REQUEST_HOOKS]);
	assert_true(features.has[HR_FEATURE_PRIVILEGE]);
	assert_true(features.has[HR_FEATURE_TRACEFS]);
	assert_int_equal(hr_features_check(&features, &err), -ENOENT);
	assert_non_null(strstr(err.text, "CONFIG_DEBUG_INFO_BTF"));
}

static void a_file_that_is_no_btf_counts_as_none(void **state)
{
	(void)state;
	fake_file("/sys/kernel/btf/vmlinux", "this is no BTF at all, but long enough to hold a header");
	probe();
	assert_false(features.has[HR_FEATURE_BTF]);
}

static void the_task_state_is_there_if_sched_switch_has_a_fourth_argument(void **state)
{
	(void)state;
	fake_btf(3);
	probe();
	assert_true(features.has[HR_FEATURE_SCHED_SWITCH]);
	assert_false(features.has[HR_FEATURE_PREV_STATE]);
	assert_true(features.known[HR_FEATURE_PREV_STATE]);
	assert_int_equal(hr_features_check(&features, &err), -ENOENT);
	assert_string_equal(err.text, "this kernel has no task state in sched_switch: boot a kernel 6.1 or later");
	fake_btf(4);
	probe();
	assert_true(features.has[HR_FEATURE_PREV_STATE]);
}

static void types_that_are_not_in_the_btf_are_known_to_be_missing(void **state)
{
	(void)state;
	fake_btf(4);
	probe();
	assert_true(features.has[HR_FEATURE_MAP_MMAP]);
	assert_true(features.has[HR_FEATURE_CPU_THROTTLING]);
	assert_false(features.has[HR_FEATURE_CONTENTION]);
	assert_true(features.known[HR_FEATURE_CONTENTION]);
	assert_false(features.has[HR_FEATURE_RDONLY_CAST]);
}

static void requests_need_all_of_the_tracepoints_or_all_of_the_functions(void **state)
{
	(void)state;
	for (int tracepoints = 0; tracepoints <= 3; tracepoints++) {
		fake_btf_of_hooks(tracepoints, 3 - tracepoints);
		probe();
		assert_int_equal(features.has[HR_FEATURE_REQUEST_HOOKS], tracepoints == 3);
		assert_int_equal(features.has[HR_FEATURE_REQUEST_FENTRY], tracepoints == 0);
		assert_true(features.known[HR_FEATURE_REQUEST_HOOKS]);
		assert_true(features.known[HR_FEATURE_REQUEST_FENTRY]);
	}
}

static void without_root_the_way_out_is_sudo(void **state)
{
	(void)state;
	fake_btf(4);
	fake_file("/proc/self/status", "Name:\tx\nCapEff:\t0000000000000000\n");
	probe();
	assert_false(features.has[HR_FEATURE_PRIVILEGE]);
	assert_int_equal(hr_features_check(&features, &err), -EPERM);
	assert_string_equal(err.text, "recording needs root: run it with sudo");
}

static void two_capabilities_are_as_good_as_root_but_one_is_not(void **state)
{
	(void)state;
	fake_file("/proc/self/status", "Name:\tx\nCapEff:\t000000c000000000\n"); /* CAP_BPF, CAP_PERFMON */
	probe();
	assert_true(features.has[HR_FEATURE_PRIVILEGE]);
	fake_file("/proc/self/status", "Name:\tx\nCapEff:\t0000008000000000\n"); /* CAP_BPF */
	probe();
	assert_false(features.has[HR_FEATURE_PRIVILEGE]);
}

static void a_pid_namespace_of_its_own_is_no_place_to_record_from(void **state)
{
	(void)state;
	fake_btf(4);
	fake_link("/proc/self/ns/pid", "pid:[4026532177]");
	probe();
	assert_int_equal(hr_features_check(&features, &err), -ENOENT);
	assert_non_null(strstr(err.text, "--pid=host"));
}

static void the_cpu_controller_may_be_of_either_version(void **state)
{
	(void)state;
	probe();
	assert_false(features.has[HR_FEATURE_CPU_CGROUP]);
	fake_file("/proc/self/mountinfo", "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
	probe();
	assert_true(features.has[HR_FEATURE_CPU_CGROUP]);
	fake_file("/proc/self/mountinfo", "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	fake_file("/sys/fs/cgroup/cgroup.controllers", "cpuset memory\n");
	probe();
	assert_false(features.has[HR_FEATURE_CPU_CGROUP]);
	fake_file("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io\n");
	probe();
	assert_true(features.has[HR_FEATURE_CPU_CGROUP]);
}

static void the_recorder_goes_first_if_it_has_the_right(void **state)
{
	(void)state;
	fake_file("/proc/self/status", "Name:\tx\nCapEff:\t000000c000000000\n"); /* CAP_BPF, CAP_PERFMON */
	probe();
	assert_false(features.has[HR_FEATURE_PRIORITY]);
	assert_true(features.known[HR_FEATURE_PRIORITY]);
	assert_false(hr_feature_row(HR_FEATURE_PRIORITY)->required);
	fake_file("/proc/self/status", "Name:\tx\nCapEff:\t000000c000800000\n"); /* CAP_SYS_NICE too */
	probe();
	assert_true(features.has[HR_FEATURE_PRIORITY]);
}

static void every_row_says_what_is_lost_and_what_to_do(void **state)
{
	(void)state;
	for (int i = 0; i < HR_FEATURES; i++) {
		const struct hr_feature_row *row = hr_feature_row(i);

		assert_non_null(row->name);
		assert_true(row->what && *row->what);
		assert_true(row->lost_without && *row->lost_without);
		assert_true(row->remedy && *row->remedy);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(row->name, hr_feature_row(j)->name);
	}
}

#define in_a_fake_system(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void sampling_needs_timers_and_names_of_the_kernel_need_its_addresses(void **state)
{
	(void)state;
	assert_int_equal(hr_features_probe(fake_root, &features, &err), 0);
	assert_false(features.has[HR_FEATURE_PERF_EVENTS]);
	assert_true(features.known[HR_FEATURE_PERF_EVENTS]);
	assert_false(features.known[HR_FEATURE_KERNEL_SYMBOLS]);
	fake_file("/proc/sys/kernel/perf_event_paranoid", "4\n");
	fake_file("/proc/sys/kernel/kptr_restrict", "2\n");
	assert_int_equal(hr_features_probe(fake_root, &features, &err), 0);
	assert_true(features.has[HR_FEATURE_PERF_EVENTS]); /* root may, whatever it says */
	assert_false(features.has[HR_FEATURE_KERNEL_SYMBOLS]);
	fake_file("/proc/sys/kernel/kptr_restrict", "1\n");
	assert_int_equal(hr_features_probe(fake_root, &features, &err), 0);
	assert_true(features.has[HR_FEATURE_KERNEL_SYMBOLS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_fake_system(without_btf_nothing_can_be_recorded_and_its_types_are_not_known),
		in_a_fake_system(a_file_that_is_no_btf_counts_as_none),
		in_a_fake_system(the_task_state_is_there_if_sched_switch_has_a_fourth_argument),
		in_a_fake_system(types_that_are_not_in_the_btf_are_known_to_be_missing),
		in_a_fake_system(requests_need_all_of_the_tracepoints_or_all_of_the_functions),
		in_a_fake_system(without_root_the_way_out_is_sudo),
		in_a_fake_system(two_capabilities_are_as_good_as_root_but_one_is_not),
		in_a_fake_system(the_recorder_goes_first_if_it_has_the_right),
		in_a_fake_system(a_pid_namespace_of_its_own_is_no_place_to_record_from),
		in_a_fake_system(the_cpu_controller_may_be_of_either_version),
		cmocka_unit_test(every_row_says_what_is_lost_and_what_to_do),
		in_a_fake_system(sampling_needs_timers_and_names_of_the_kernel_need_its_addresses),
	};

	return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
