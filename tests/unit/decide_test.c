/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/states.h"
#include "headroom/decide.h"

#define S HR_TASK_INTERRUPTIBLE
#define D HR_TASK_UNINTERRUPTIBLE
#define KILLABLE (D | 0x0100)
#define FREEZABLE (S | 0x2000)
#define CALL(kind) .in_syscall = 1, .call = HR_CALL_##kind
#define ON(kind) .file = HR_FILE_##kind

/* A row per rule; each is a test of its own. */
static const struct rule {
	const char *sentence;
	struct hr_block block;
	enum hr_state state;
} rules[] = {
	/* the task state comes before the call */
	{ "a_stopped_thread_is_stopped", { HR_TASK_STOPPED, CALL(FUTEX) }, HR_STATE_STOPPED },
	{ "a_traced_thread_is_stopped", { HR_TASK_TRACED, CALL(READ), ON(INET) }, HR_STATE_STOPPED },
	{ "a_frozen_thread_is_stopped", { HR_TASK_FROZEN, CALL(POLL) }, HR_STATE_STOPPED },
	{ "a_thread_that_a_cgroup_freezer_holds_is_stopped", { S, CALL(SLEEP), .freezing = 1 }, HR_STATE_STOPPED },
	{ "a_stop_outweighs_a_kernel_lock", { HR_TASK_STOPPED, .kernel_lock = 1 }, HR_STATE_STOPPED },
	{ "a_contended_kernel_lock_is_klock", { D, CALL(READ), ON(INET), .kernel_lock = 1 }, HR_STATE_KLOCK },
	{ "a_kernel_lock_in_a_fault_is_klock", { KILLABLE, .kernel_lock = 2 }, HR_STATE_KLOCK },
	{ "a_kernel_lock_outweighs_reclaim", { D, .kernel_lock = 1, .reclaim = 1 }, HR_STATE_KLOCK },
	{ "an_interruptible_kernel_lock_is_klock", { S, CALL(FILE), .kernel_lock = 1 }, HR_STATE_KLOCK },

	/* D state */
	{ "reclaim_in_a_fault_is_reclaim", { D, .reclaim = 1 }, HR_STATE_RECLAIM },
	{ "reclaim_in_a_call_is_reclaim", { D, CALL(READ), ON(REGULAR), .reclaim = 1, .iowait = 1 }, HR_STATE_RECLAIM },
	{ "d_state_outside_a_call_is_a_fault", { .task_state = D }, HR_STATE_FAULT },
	{ "a_major_fault_is_a_fault_although_it_waits_for_the_disk", { KILLABLE, .iowait = 1 }, HR_STATE_FAULT },
	{ "a_read_of_a_socket_that_faults_on_its_buffer_waits_for_the_disk",
	  { KILLABLE, CALL(READ), ON(INET), .iowait = 1 }, HR_STATE_DISK },
	{ "a_read_of_a_socket_in_d_state_waits_for_the_sockets_lock_and_not_for_its_peer",
	  { D, CALL(READ), ON(INET) }, HR_STATE_KLOCK },
	{ "a_write_to_a_unix_socket_in_d_state_waits_for_the_sockets_lock",
	  { D, CALL(WRITE), ON(SOCKET) }, HR_STATE_KLOCK },
	{ "reclaim_in_a_write_to_a_socket_is_reclaim", { D, CALL(WRITE), ON(INET), .reclaim = 1 }, HR_STATE_RECLAIM },
	{ "a_read_of_a_file_waits_for_the_disk", { KILLABLE, CALL(READ), ON(REGULAR), .iowait = 1 }, HR_STATE_DISK },
	{ "a_write_in_d_state_waits_for_the_disk", { D, CALL(WRITE) }, HR_STATE_DISK },
	{ "an_fsync_waits_for_the_disk", { D, CALL(FILE) }, HR_STATE_DISK },
	{ "a_splice_in_d_state_waits_for_the_disk", { D, CALL(SPLICE) }, HR_STATE_DISK },
	{ "iowait_in_any_call_is_the_disk", { D, CALL(FUTEX), .iowait = 1 }, HR_STATE_DISK },
	{ "a_vfork_parent_waits_for_its_child", { KILLABLE, CALL(CHILD) }, HR_STATE_CHILD },
	{ "an_ioctl_in_d_state_waits_for_its_device", { D, CALL(IOCTL) }, HR_STATE_DEVICE },
	{ "d_state_in_a_call_that_names_no_file_is_other", { D, CALL(OTHER) }, HR_STATE_OTHER },
	{ "d_state_in_a_futex_call_is_not_a_futex_wait", { D, CALL(FUTEX) }, HR_STATE_OTHER },

	/* io_uring workers never return to user mode */
	{ "an_idle_io_uring_worker_polls", { S, .io_worker = 1 }, HR_STATE_POLL },
	{ "an_io_uring_worker_in_d_state_waits_for_the_disk", { D, .io_worker = 1 }, HR_STATE_DISK },
	{ "an_io_uring_worker_in_reclaim_is_in_reclaim", { D, .io_worker = 1, .reclaim = 1 }, HR_STATE_RECLAIM },

	/* interruptible: the call, then its file */
	{ "an_interruptible_wait_outside_a_call_is_a_fault", { .task_state = S }, HR_STATE_FAULT },
	{ "a_futex_call_waits_for_a_user_space_lock", { FREEZABLE, CALL(FUTEX) }, HR_STATE_FUTEX },
	{ "a_nanosleep_sleeps", { FREEZABLE, CALL(SLEEP) }, HR_STATE_SLEEP },
	{ "a_wait4_waits_for_a_child", { S, CALL(CHILD) }, HR_STATE_CHILD },
	{ "a_message_queue_is_ipc", { S, CALL(IPC) }, HR_STATE_IPC },
	{ "an_interruptible_wait_in_a_file_call_is_the_disk", { S, CALL(FILE) }, HR_STATE_DISK },
	{ "an_epoll_wait_polls", { S, CALL(POLL) }, HR_STATE_POLL },
	{ "an_io_uring_wait_polls_although_it_says_iowait", { S, CALL(POLL), .iowait = 1 }, HR_STATE_POLL },
	{ "a_poll_of_sockets_polls", { S, CALL(POLL_FDS), ON(INET) }, HR_STATE_POLL },
	{ "a_poll_of_nothing_polls", { S, CALL(POLL_FDS) }, HR_STATE_POLL },
	{ "a_poll_of_a_device_waits_for_the_device", { S, CALL(POLL_FDS), ON(DEVICE) }, HR_STATE_DEVICE },
	{ "an_ioctl_on_a_device_waits_for_it", { S, CALL(IOCTL), ON(DEVICE) }, HR_STATE_DEVICE },
	{ "an_ioctl_on_an_unknown_file_waits_for_a_device", { S, CALL(IOCTL) }, HR_STATE_DEVICE },
	{ "an_ioctl_on_a_regular_file_waits_for_the_disk", { S, CALL(IOCTL), ON(REGULAR) }, HR_STATE_DISK },
	{ "a_read_of_an_inet_socket_waits_to_receive", { S, CALL(READ), ON(INET) }, HR_STATE_NET_RECV },
	{ "a_write_to_an_inet_socket_waits_to_send", { S, CALL(WRITE), ON(INET) }, HR_STATE_NET_SEND },
	{ "an_accept_on_an_inet_socket_waits_for_a_connection", { S, CALL(ACCEPT), ON(INET) }, HR_STATE_NET_ACCEPT },
	{ "a_connect_of_an_inet_socket_waits_for_its_peer", { S, CALL(CONNECT), ON(INET) }, HR_STATE_NET_CONNECT },
	{ "a_splice_from_an_inet_socket_waits_to_receive", { S, CALL(SPLICE), ON(INET) }, HR_STATE_NET_RECV },
	{ "a_read_of_a_unix_socket_is_ipc", { FREEZABLE, CALL(READ), ON(SOCKET) }, HR_STATE_IPC },
	{ "an_accept_on_a_unix_socket_is_ipc", { S, CALL(ACCEPT), ON(SOCKET) }, HR_STATE_IPC },
	{ "a_read_of_a_pipe_is_ipc", { S, CALL(READ), ON(PIPE) }, HR_STATE_IPC },
	{ "a_write_to_a_full_pipe_is_ipc", { S, CALL(WRITE), ON(PIPE) }, HR_STATE_IPC },
	{ "a_read_of_an_eventfd_is_ipc", { S, CALL(READ), ON(ANON) }, HR_STATE_IPC },
	{ "a_read_of_a_terminal_is_ipc", { S, CALL(READ), ON(TERMINAL) }, HR_STATE_IPC },
	{ "a_read_of_a_timerfd_sleeps", { S, CALL(READ), ON(TIMER) }, HR_STATE_SLEEP },
	{ "a_read_of_an_epoll_fd_polls", { S, CALL(READ), ON(POLLER) }, HR_STATE_POLL },
	{ "a_read_of_a_device_waits_for_the_device", { S, CALL(READ), ON(DEVICE) }, HR_STATE_DEVICE },
	{ "an_interruptible_read_of_a_regular_file_waits_for_the_disk", { S, CALL(READ), ON(REGULAR) }, HR_STATE_DISK },
	{ "an_interruptible_read_that_says_iowait_is_still_told_by_its_file",
	  { S, CALL(READ), ON(PIPE), .iowait = 1 }, HR_STATE_IPC },
	{ "a_read_of_an_unknown_file_is_other", { S, CALL(READ) }, HR_STATE_OTHER },
	{ "a_wait_in_a_call_of_no_kind_is_other", { S, CALL(OTHER) }, HR_STATE_OTHER },
	{ "a_restarted_call_without_its_first_half_is_other", { S, CALL(RESTART) }, HR_STATE_OTHER },
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

static void check_rule(void **state)
{
	const struct rule *rule = *state;

	assert_string_equal(hr_state_name(hr_decide(&rule->block)), hr_state_name(rule->state));
}

/* Resolving a file costs, so it is skipped where the answer is known without: there the answer may not depend on it. */
static void a_file_that_is_not_asked_for_would_not_change_the_answer(void **state)
{
	static const __u8 calls[] = { HR_CALL_READ,  HR_CALL_WRITE,    HR_CALL_ACCEPT, HR_CALL_CONNECT,
				      HR_CALL_IOCTL, HR_CALL_POLL_FDS, HR_CALL_SPLICE };
	struct hr_block block = { 0 };

	(void)state;
	for (unsigned int bits = 0; bits < 1U << 7; bits++) {
		block.task_state = (bits & 1 ? S : D) | (bits & 2 ? HR_TASK_STOPPED : 0);
		block.in_syscall = bits >> 2 & 1;
		block.iowait = bits >> 3 & 1;
		block.kernel_lock = bits >> 4 & 1;
		block.reclaim = bits >> 5 & 1;
		block.io_worker = bits >> 6 & 1;
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			enum hr_state without;

			block.call = calls[i];
			block.file = HR_FILE_NONE;
			without = hr_decide(&block);
			if (hr_decide_needs_file(&block))
				continue;
			for (block.file = 0; block.file < HR_FILE_KINDS; block.file++)
				assert_int_equal(hr_decide(&block), without);
		}
	}
}

static void every_answer_is_a_blocked_state(void **state)
{
	struct hr_block block = { 0 };

	(void)state;
	for (unsigned int bits = 0; bits < 1U << 5; bits++) {
		block.task_state = bits & 1 ? D : S;
		block.in_syscall = bits >> 1 & 1;
		block.iowait = bits >> 2 & 1;
		block.reclaim = bits >> 3 & 1;
		block.io_worker = bits >> 4 & 1;
		for (block.call = 0; block.call < HR_CALL_KINDS; block.call++)
			for (block.file = 0; block.file < HR_FILE_KINDS; block.file++)
				assert_int_equal(hr_state_group(hr_decide(&block)), HR_GROUP_BLOCKED);
	}
}

int main(void)
{
	struct CMUnitTest tests[RULES + 2] = {
		cmocka_unit_test(a_file_that_is_not_asked_for_would_not_change_the_answer),
		cmocka_unit_test(every_answer_is_a_blocked_state),
	};

	for (size_t i = 0; i < RULES; i++)
		tests[2 + i] = (struct CMUnitTest){ rules[i].sentence, check_rule, NULL, NULL, (void *)&rules[i] };
	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
