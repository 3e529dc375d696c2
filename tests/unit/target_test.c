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

#include "collect/cgroup.h"
#include "collect/listeners.h"
#include "collect/procs.h"
#include "collect/target.h"
#include "fake_system.h"

#define TCP_HEADER "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define TCP_LINE(local, state, inode) \
	"   0: " local " 00000000:0000 " state " 00000000:00000000 00:00000000 00000000   113        0 " inode \
	" 1 0 100 0 0 10 0\n"
#define LISTENS "0A"
#define ANY_8000 "00000000:1F40"
#define LOCAL_8000 "0100007F:1F40"

static struct hr_target target;
static struct hr_err err;

static int set_up(void **state)
{
	(void)state;
	fake_open();
	fake_process(1, 0, "systemd");
	fake_process_of(2, 0, "kthreadd", "/", 'S', FAKE_KERNEL_THREAD);
	fake_process_of(9, 2, "rcu_preempt", "/", 'I', FAKE_KERNEL_THREAD);
	fake_process(50, 1, "sshd");
	fake_process(60, 50, "bash");
	fake_link("/proc/self", "60");
	fake_file("/proc/60/net/tcp", TCP_HEADER);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hr_target_fini(&target);
	fake_close();
	return 0;
}

static int resolve(struct hr_target_spec spec)
{
	spec.root = fake_root;
	hr_target_fini(&target);
	err.text[0] = '\0';
	return hr_target_resolve(&spec, &target, &err);
}

/* Compare the target's pids with a list that ends with 0. */
static void assert_pids(const pid_t *expected)
{
	size_t count = 0;

	while (expected[count])
		count++;
	assert_int_equal(target.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(target.pids[i], expected[i]);
}

#define assert_target(...) assert_pids((const pid_t[]){ __VA_ARGS__, 0 })

static void assert_refused(int rc, int expected, const char *sentence)
{
	assert_int_equal(rc, expected);
	assert_string_equal(err.text, sentence);
}

static void a_name_with_parentheses_and_spaces_is_read_whole(void **state)
{
	struct hr_proc row;

	(void)state;
	assert_int_equal(hr_proc_parse_stat("7 (a) (b) S 1 7 7 0 -1 4 0 0 0 0 1 1 0 0 20 0 3 0 4711 0 0", &row), 0);
	assert_int_equal(row.pid, 7);
	assert_string_equal(row.name, "a) (b");
	assert_int_equal(row.parent, 1);
	assert_int_equal(row.start_ticks, 4711);
	assert_false(row.kernel_thread);
	assert_false(row.ended);
}

static void a_zombie_has_ended_unless_a_thread_of_it_lives(void **state)
{
	struct hr_proc row;

	(void)state;
	assert_int_equal(hr_proc_parse_stat("7 (a) Z 1 7 7 0 -1 4 0 0 0 0 1 1 0 0 20 0 1 0 4711 0 0", &row), 0);
	assert_true(row.ended);
	assert_int_equal(hr_proc_parse_stat("7 (a) Z 1 7 7 0 -1 4 0 0 0 0 1 1 0 0 20 0 2 0 4711 0 0", &row), 0);
	assert_false(row.ended);
}

static void text_that_is_no_stat_is_refused(void **state)
{
	struct hr_proc row = { .pid = 99 };

	(void)state;
	assert_int_equal(hr_proc_parse_stat("", &row), -EINVAL);
	assert_int_equal(hr_proc_parse_stat("7 (a", &row), -EINVAL);
	assert_int_equal(hr_proc_parse_stat("7 )a( S 1", &row), -EINVAL);
	assert_int_equal(hr_proc_parse_stat("7 (a) S 1 7", &row), -EINVAL);
	assert_int_equal(row.pid, 99);
}

static void a_command_line_is_clean_text_with_spaces(void **state)
{
	struct hr_process_info info;
	char path[PATH_MAX];
	FILE *file;

	(void)state;
	fake_process(70, 60, "python3");
	fake_path(path, "/proc/70/cmdline");
	file = fopen(path, "w");
	assert_non_null(file);
	fwrite("python3\0-m\0a\xff\0", 1, 14, file);
	fclose(file);
	assert_int_equal(hr_process_info(fake_root, 70, &info), 0);
	assert_string_equal(info.name, "python3");
	assert_string_equal(info.command, "python3 -m a\xEF\xBF\xBD");
	assert_int_equal(info.parent, 60);
	assert_int_equal(hr_process_info(fake_root, 71, &info), -ESRCH);
}

static void a_long_command_line_is_cut_off(void **state)
{
	struct hr_process_info info;
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fake_process(70, 60, "long");
	fake_file("/proc/70/cmdline", text);
	assert_int_equal(hr_process_info(fake_root, 70, &info), 0);
	assert_int_equal(strlen(info.command), HR_PROC_COMMAND_BYTES - 1);
}

static void a_pid_stands_for_it_and_its_descendants(void **state)
{
	(void)state;
	fake_process(100, 60, "nginx");
	fake_process(101, 100, "nginx");
	fake_process(105, 101, "cgi");
	fake_process(110, 60, "vim");
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "100" }), 0);
	assert_target(100, 101, 105);
	assert_string_equal(hr_target_describe(&target), "pid 100 (nginx) and 2 descendants");
}

static void several_pids_are_one_target(void **state)
{
	(void)state;
	fake_process(100, 60, "nginx");
	fake_process(101, 100, "nginx");
	fake_process(110, 60, "redis-server");
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "110,100,101" }), 0);
	assert_target(100, 101, 110);
	assert_string_equal(hr_target_describe(&target), "pids 100 (nginx), 101 (nginx), 110 (redis-server)");
}

static void the_dead_and_the_kernel_are_not_among_descendants(void **state)
{
	(void)state;
	fake_process(100, 60, "server");
	fake_process_of(101, 100, "server", "/", 'Z', 0);
	fake_process_of(102, 100, "worker", "/", 'S', FAKE_KERNEL_THREAD);
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "100" }), 0);
	assert_target(100);
}

static void headroom_and_what_it_started_are_not_recorded(void **state)
{
	char pid[16];

	(void)state;
	fake_process(getpid(), 60, "headroom");
	fake_process(getpid() + 1, getpid(), "wrk");
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "60" }), 0);
	assert_target(60);
	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(resolve((struct hr_target_spec){ .pids = pid }), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "is headroom itself"));
}

static void what_cannot_be_recorded_is_named(void **state)
{
	(void)state;
	fake_file("/proc/812/status", "Name:\tworker\nTgid:\t60\nPid:\t812\n"); /* a thread: /proc does not list it */
	fake_process_of(70, 60, "defunct", "/", 'Z', 0);
	assert_refused(resolve((struct hr_target_spec){ .pids = "999" }), -ESRCH, "no process has the pid 999");
	assert_refused(resolve((struct hr_target_spec){ .pids = "812" }), -ESRCH,
		       "812 is a thread of process 60: name the process, -p 60");
	assert_refused(resolve((struct hr_target_spec){ .pids = "9" }), -EOPNOTSUPP,
		       "9 (rcu_preempt) is a kernel thread: name a process of user space");
	assert_refused(resolve((struct hr_target_spec){ .pids = "70" }), -ESRCH,
		       "process 70 (defunct) has ended, and its parent has not collected it yet");
}

static void a_list_that_is_no_list_of_pids_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "" }), -EINVAL);
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "60," }), -EINVAL);
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "0" }), -EINVAL);
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "-1" }), -EINVAL);
	assert_refused(resolve((struct hr_target_spec){ .pids = "nginx" }), -EINVAL,
		       "'nginx' is not a pid: give numbers, as in -p 812 or -p 812,813");
}

static void a_target_is_asked_for_in_one_way(void **state)
{
	(void)state;
	assert_int_equal(resolve((struct hr_target_spec){ 0 }), -EINVAL);
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "60", .port = 80 }), -EINVAL);
	assert_int_equal(resolve((struct hr_target_spec){ .port = 65536 }), -EINVAL);
	assert_int_equal(resolve((struct hr_target_spec){ .comm = "" }), -EINVAL);
}

static void a_name_means_the_top_of_the_tree_that_has_it(void **state)
{
	(void)state;
	fake_process(100, 1, "postgres");
	fake_process(101, 100, "postgres");
	fake_process(102, 101, "sh");
	fake_process(103, 102, "postgres"); /* below one of another name */
	assert_int_equal(resolve((struct hr_target_spec){ .comm = "postgres" }), 0);
	assert_target(100, 101, 102, 103);
}

static void a_name_longer_than_the_kernel_keeps_still_matches(void **state)
{
	(void)state;
	fake_process(100, 1, "inference-serve");
	assert_int_equal(resolve((struct hr_target_spec){ .comm = "inference-server-gpu" }), 0);
	assert_target(100);
}

static void two_processes_of_a_name_are_refused_and_listed(void **state)
{
	(void)state;
	fake_process(100, 60, "nginx");
	fake_process(200, 60, "nginx");
	assert_refused(resolve((struct hr_target_spec){ .comm = "nginx" }), -EEXIST,
		       "two processes match --comm nginx: 100 (nginx), 200 (nginx); name one with -p");
}

static void a_name_that_nobody_has_suggests_one(void **state)
{
	(void)state;
	fake_process(100, 60, "redis-server");
	assert_refused(resolve((struct hr_target_spec){ .comm = "redis" }), -ESRCH,
		       "no process is named 'redis'; the nearest is 100 (redis-server)");
	assert_refused(resolve((struct hr_target_spec){ .comm = "zzz" }), -ESRCH,
		       "no process is named 'zzz': `ps -eo pid,comm` shows the names");
	assert_int_equal(resolve((struct hr_target_spec){ .comm = "rcu_preempt" }), -EOPNOTSUPP);
}

static void a_line_of_the_tcp_table_is_a_listener_by_state_and_port(void **state)
{
	struct hr_listen_socket found;

	(void)state;
	assert_true(hr_listen_parse(TCP_LINE(LOCAL_8000, LISTENS, "4242"), 8000, &found));
	assert_int_equal(found.inode, 4242);
	assert_string_equal(found.address, LOCAL_8000);
	assert_true(hr_listen_parse(TCP_LINE("00000000000000000000000000000000:1F40", LISTENS, "7"), 8000, &found));
	assert_false(hr_listen_parse(TCP_LINE(LOCAL_8000, LISTENS, "4242"), 8001, &found));
	assert_false(hr_listen_parse(TCP_LINE(LOCAL_8000, "01", "4242"), 8000, &found)); /* established */
	assert_false(hr_listen_parse(TCP_HEADER, 8000, &found));
	assert_false(hr_listen_parse("", 8000, &found));
}

static void a_port_means_who_holds_its_socket_and_the_workers_that_share_it(void **state)
{
	(void)state;
	fake_process(100, 1, "nginx");
	fake_process(101, 100, "nginx");
	fake_socket(100, 6, 4242);
	fake_socket(101, 6, 4242);
	fake_file("/proc/60/net/tcp", TCP_HEADER TCP_LINE(ANY_8000, LISTENS, "4242"));
	assert_int_equal(resolve((struct hr_target_spec){ .port = 8000 }), 0);
	assert_target(100, 101);
	assert_string_equal(hr_target_describe(&target), "port 8000: pid 100 (nginx) and 1 descendant");
}

static void a_port_over_ipv6_is_found(void **state)
{
	(void)state;
	fake_process(100, 1, "java");
	fake_socket(100, 6, 4242);
	fake_file("/proc/60/net/tcp6", TCP_HEADER TCP_LINE("00000000000000000000000000000000:1F40", LISTENS, "4242"));
	assert_int_equal(resolve((struct hr_target_spec){ .port = 8000 }), 0);
	assert_target(100);
}

static void a_port_in_another_network_namespace_is_found(void **state)
{
	(void)state;
	fake_process(100, 50, "server");
	fake_link("/proc/100/ns/net", "net:[2]");
	fake_socket(100, 6, 4242);
	fake_file("/proc/100/net/tcp", TCP_HEADER TCP_LINE(ANY_8000, LISTENS, "4242"));
	assert_int_equal(resolve((struct hr_target_spec){ .port = 8000 }), 0);
	assert_target(100);
}

static void two_servers_on_a_port_number_are_refused(void **state)
{
	(void)state;
	fake_process(100, 60, "nginx");
	fake_process(200, 60, "nginx");
	fake_socket(100, 6, 1);
	fake_socket(200, 6, 2);
	fake_file("/proc/60/net/tcp",
		  TCP_HEADER TCP_LINE(LOCAL_8000, LISTENS, "1") TCP_LINE("0200007F:1F40", LISTENS, "2"));
	assert_refused(resolve((struct hr_target_spec){ .port = 8000 }), -EEXIST,
		       "two processes match --port 8000: 100 (nginx), 200 (nginx); name one with -p");
}

static void siblings_that_share_a_port_are_the_workers_of_their_parent(void **state)
{
	(void)state;
	fake_process_of(99, 50, "master", "/usr/bin/app", 'S', 0);
	fake_process_of(100, 99, "worker", "/usr/bin/app", 'S', 0);
	fake_process_of(101, 99, "worker", "/usr/bin/app", 'S', 0);
	fake_socket(100, 6, 1);
	fake_socket(101, 6, 2);
	fake_file("/proc/60/net/tcp", TCP_HEADER TCP_LINE(ANY_8000, LISTENS, "1") TCP_LINE(ANY_8000, LISTENS, "2"));
	assert_int_equal(resolve((struct hr_target_spec){ .port = 8000 }), 0);
	assert_target(99, 100, 101);
}

static void workers_of_a_shell_are_recorded_without_the_shell(void **state)
{
	(void)state;
	fake_process(100, 60, "app");
	fake_process(101, 60, "app");
	fake_socket(100, 6, 1);
	fake_socket(101, 6, 2);
	fake_file("/proc/60/net/tcp", TCP_HEADER TCP_LINE(ANY_8000, LISTENS, "1") TCP_LINE(ANY_8000, LISTENS, "2"));
	assert_int_equal(resolve((struct hr_target_spec){ .port = 8000 }), 0);
	assert_target(100, 101);
}

static void daemons_that_share_a_port_are_not_one_because_init_adopted_them(void **state)
{
	(void)state;
	fake_process(100, 1, "app");
	fake_process(101, 1, "app");
	fake_socket(100, 6, 1);
	fake_socket(101, 6, 2);
	fake_file("/proc/60/net/tcp", TCP_HEADER TCP_LINE(ANY_8000, LISTENS, "1") TCP_LINE(ANY_8000, LISTENS, "2"));
	assert_int_equal(resolve((struct hr_target_spec){ .port = 8000 }), -EEXIST);
}

static void systemd_that_keeps_the_socket_is_not_the_server(void **state)
{
	(void)state;
	fake_process(100, 1, "server");
	fake_socket(1, 6, 4242);
	fake_file("/proc/60/net/tcp", TCP_HEADER TCP_LINE(ANY_8000, LISTENS, "4242"));
	assert_int_equal(resolve((struct hr_target_spec){ .port = 8000 }), -ESRCH);
	assert_non_null(strstr(err.text, "systemd holds TCP port 8000"));
	fake_socket(100, 3, 4242);
	assert_int_equal(resolve((struct hr_target_spec){ .port = 8000 }), 0);
	assert_target(100);
}

static void a_port_that_nobody_listens_on_is_refused(void **state)
{
	(void)state;
	assert_refused(resolve((struct hr_target_spec){ .port = 8000 }), -ESRCH,
		       "no process listens on TCP port 8000: start the server first");
	fake_file("/proc/60/net/tcp", TCP_HEADER TCP_LINE(ANY_8000, LISTENS, "4242"));
	assert_int_equal(resolve((struct hr_target_spec){ .port = 8000 }), -ESRCH);
	assert_non_null(strstr(err.text, "is open, but no process"));
}

static void a_line_of_mountinfo_is_a_cpu_hierarchy_or_the_unified_one(void **state)
{
	struct hr_cgroup_mount mount;

	(void)state;
	assert_int_equal(hr_cgroup_parse_mount("32 1 0:2 / /sys/fs/cgroup/cpu rw - cgroup none rw,cpu\n", "cpu", &mount), 1);
	assert_string_equal(mount.at, "/sys/fs/cgroup/cpu");
	assert_int_equal(hr_cgroup_parse_mount("1 2 0:3 / /a\\040b rw shared:9 - cgroup none rw,cpu,x\n", "cpu", &mount), 1);
	assert_string_equal(mount.at, "/a b");
	assert_int_equal(hr_cgroup_parse_mount("1 2 0:3 / /a\\0!!b\\1\\09 rw - cgroup none rw,cpu,x\n", "cpu", &mount), 1);
	assert_string_equal(mount.at, "/a\\0!!b\\1\\09");
	assert_int_equal(hr_cgroup_parse_mount("33 31 0:30 / /x rw - cgroup cgroup rw,cpuacct\n", "cpu", &mount), 0);
	assert_int_equal(hr_cgroup_parse_mount("33 31 0:30 / /x rw - cgroup cgroup rw,cpuset\n", "cpu", &mount), 0);
	assert_int_equal(hr_cgroup_parse_mount("41 31 0:38 /k8s /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "cpu", &mount), 2);
	assert_string_equal(mount.shows, "/k8s");
	assert_int_equal(hr_cgroup_parse_mount("42 23 0:13 / /sys/kernel/tracing rw - tracefs none rw\n", "cpu", &mount), 0);
	assert_int_equal(hr_cgroup_parse_mount("", "cpu", &mount), 0);
}

static void fake_cgroups(void)
{
	fake_file("/proc/60/mountinfo", "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	fake_process(100, 60, "web");
	fake_process(101, 60, "web");
	fake_process(102, 60, "web");
	fake_file("/sys/fs/cgroup/cgroup.procs", "1\n50\n");
	fake_file("/sys/fs/cgroup/site/cgroup.procs", "");
	fake_file("/sys/fs/cgroup/site/web/cgroup.procs", "101\n100\n0\n");
	fake_file("/sys/fs/cgroup/site/db/cgroup.procs", "102\n998\n"); /* 998 is gone */
	fake_file("/sys/fs/cgroup/empty/cgroup.procs", "");
	fake_file("/sys/fs/cgroup/no/file", "");
}

static void a_cgroup_means_its_processes_and_those_below(void **state)
{
	static const char *const paths[] = { "/sys/fs/cgroup/site", "site", "/site" };

	(void)state;
	fake_cgroups();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(resolve((struct hr_target_spec){ .cgroup = paths[i] }), 0);
		assert_target(100, 101, 102);
	}
	assert_int_equal(resolve((struct hr_target_spec){ .cgroup = "site/web" }), 0);
	assert_target(100, 101);
	assert_string_equal(hr_target_describe(&target), "cgroup 'site/web': 2 processes");
}

static void a_cgroup_that_is_none_or_empty_is_refused(void **state)
{
	(void)state;
	fake_cgroups();
	assert_int_equal(resolve((struct hr_target_spec){ .cgroup = "nope" }), -ENOENT);
	assert_int_equal(resolve((struct hr_target_spec){ .cgroup = "/sys/fs/cgroup/no" }), -EINVAL);
	assert_refused(resolve((struct hr_target_spec){ .cgroup = "empty" }), -ESRCH,
		       "cgroup 'empty' holds no process to record");
}

static void another_look_finds_who_joined_the_cgroup(void **state)
{
	pid_t *fresh;
	size_t count;

	(void)state;
	fake_cgroups();
	assert_int_equal(resolve((struct hr_target_spec){ .cgroup = "site" }), 0);
	assert_int_equal(hr_target_more(&target, &fresh, &count, &err), 0);
	assert_int_equal(count, 0);
	free(fresh);
	fake_process(150, 1, "web");
	fake_file("/sys/fs/cgroup/site/web/cgroup.procs", "150\n100\n"); /* 101 left */
	assert_int_equal(hr_target_more(&target, &fresh, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(fresh[0], 150);
	assert_target(100, 102, 150);
	free(fresh);
}

static void another_look_at_processes_finds_their_new_children_and_no_reused_pid(void **state)
{
	pid_t *fresh;
	size_t count;

	(void)state;
	fake_process(100, 60, "server");
	fake_process(101, 100, "server");
	assert_int_equal(resolve((struct hr_target_spec){ .pids = "100" }), 0);
	fake_process(120, 101, "server");
	assert_int_equal(hr_target_more(&target, &fresh, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(fresh[0], 120);
	free(fresh);
	/* 101 ends, and another process gets its pid, and a child */
	fake_file("/proc/101/stat", "101 (vim) S 60 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 99999 0 0\n");
	fake_process(130, 101, "sh");
	fake_process(120, 1, "server");
	assert_int_equal(hr_target_more(&target, &fresh, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_target(100, 120);
	free(fresh);
}

#define in_a_fake_system(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_with_parentheses_and_spaces_is_read_whole),
		cmocka_unit_test(a_zombie_has_ended_unless_a_thread_of_it_lives),
		cmocka_unit_test(text_that_is_no_stat_is_refused),
		in_a_fake_system(a_command_line_is_clean_text_with_spaces),
		in_a_fake_system(a_long_command_line_is_cut_off),
		in_a_fake_system(a_pid_stands_for_it_and_its_descendants),
		in_a_fake_system(several_pids_are_one_target),
		in_a_fake_system(the_dead_and_the_kernel_are_not_among_descendants),
		in_a_fake_system(headroom_and_what_it_started_are_not_recorded),
		in_a_fake_system(what_cannot_be_recorded_is_named),
		in_a_fake_system(a_list_that_is_no_list_of_pids_is_malformed),
		in_a_fake_system(a_target_is_asked_for_in_one_way),
		in_a_fake_system(a_name_means_the_top_of_the_tree_that_has_it),
		in_a_fake_system(a_name_longer_than_the_kernel_keeps_still_matches),
		in_a_fake_system(two_processes_of_a_name_are_refused_and_listed),
		in_a_fake_system(a_name_that_nobody_has_suggests_one),
		cmocka_unit_test(a_line_of_the_tcp_table_is_a_listener_by_state_and_port),
		in_a_fake_system(a_port_means_who_holds_its_socket_and_the_workers_that_share_it),
		in_a_fake_system(a_port_over_ipv6_is_found),
		in_a_fake_system(a_port_in_another_network_namespace_is_found),
		in_a_fake_system(two_servers_on_a_port_number_are_refused),
		in_a_fake_system(siblings_that_share_a_port_are_the_workers_of_their_parent),
		in_a_fake_system(workers_of_a_shell_are_recorded_without_the_shell),
		in_a_fake_system(daemons_that_share_a_port_are_not_one_because_init_adopted_them),
		in_a_fake_system(systemd_that_keeps_the_socket_is_not_the_server),
		in_a_fake_system(a_port_that_nobody_listens_on_is_refused),
		cmocka_unit_test(a_line_of_mountinfo_is_a_cpu_hierarchy_or_the_unified_one),
		in_a_fake_system(a_cgroup_means_its_processes_and_those_below),
		in_a_fake_system(a_cgroup_that_is_none_or_empty_is_refused),
		in_a_fake_system(another_look_finds_who_joined_the_cgroup),
		in_a_fake_system(another_look_at_processes_finds_their_new_children_and_no_reused_pid),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
