/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/syscall.h>

#include "collect/syscalls.h"

static uint8_t kinds[2 * HR_CALL_NRS];

/* The row of a name in one ABI; -1: that ABI does not have it. */
static int row_of(const char *name, int first)
{
	char buf[24];

	for (int row = first; row < first + HR_CALL_NRS; row++)
		if (!strcmp(hr_syscall_name(row, buf), name))
			return row;
	return -1;
}

static void a_number_has_the_name_that_the_headers_give_it(void **state)
{
	char buf[24];

	(void)state;
	assert_string_equal(hr_syscall_name(SYS_read, buf), "read");
	assert_string_equal(hr_syscall_name(SYS_epoll_pwait, buf), "epoll_pwait");
	assert_string_equal(hr_syscall_name(SYS_fcntl, buf), "fcntl");
	assert_string_equal(hr_syscall_name(SYS_exit_group, buf), "exit_group");
	assert_string_equal(hr_syscall_name(SYS_clone3, buf), "clone3");
}

static void calls_newer_than_the_headers_have_names(void **state)
{
	char buf[24];

	(void)state;
	assert_string_equal(hr_syscall_name(455, buf), "futex_wait");
	assert_string_equal(hr_syscall_name(462, buf), "mseal");
}

static void a_number_without_a_name_is_shown_as_a_number(void **state)
{
	char buf[24];

	(void)state;
	assert_string_equal(hr_syscall_name(500, buf), "syscall_500");
	assert_string_equal(hr_syscall_name(HR_CALL_COMPAT + 500, buf), "syscall_500");
}

static void the_row_that_higher_numbers_share_says_so(void **state)
{
	char buf[24];

	(void)state;
	assert_string_equal(hr_syscall_name(511, buf), "syscall_511_up");
}

static void each_abi_has_its_own_numbers(void **state)
{
	char buf[24];

	(void)state;
	assert_string_equal(hr_syscall_abi(0), "native");
	assert_string_equal(hr_syscall_abi(HR_CALL_COMPAT - 1), "native");
	assert_string_equal(hr_syscall_abi(HR_CALL_COMPAT), "compat");
#ifdef __x86_64__
	assert_string_equal(hr_syscall_name(20, buf), "writev");
	assert_string_equal(hr_syscall_name(HR_CALL_COMPAT + 20, buf), "getpid");
#else
	assert_string_equal(hr_syscall_name(HR_CALL_COMPAT + 20, buf), "syscall_20");
#endif
}

static void calls_that_block_are_of_their_kind(void **state)
{
	static const struct {
		const char *name;
		enum hr_call_kind kind;
	} expected[] = {
		{ "futex", HR_CALL_FUTEX },	   { "futex_waitv", HR_CALL_FUTEX },	{ "futex_wait", HR_CALL_FUTEX },
		{ "epoll_pwait", HR_CALL_POLL },   { "pselect6", HR_CALL_POLL },	{ "ppoll", HR_CALL_POLL_FDS },
		{ "io_uring_enter", HR_CALL_POLL }, { "io_getevents", HR_CALL_POLL },	{ "read", HR_CALL_READ },
		{ "preadv2", HR_CALL_READ },	   { "recvmmsg", HR_CALL_READ },	{ "sendfile", HR_CALL_WRITE },
		{ "sendmmsg", HR_CALL_WRITE },	   { "vmsplice", HR_CALL_WRITE },	{ "accept4", HR_CALL_ACCEPT },
		{ "connect", HR_CALL_CONNECT },	   { "clock_nanosleep", HR_CALL_SLEEP }, { "wait4", HR_CALL_CHILD },
		{ "clone3", HR_CALL_CHILD },	   { "ioctl", HR_CALL_IOCTL },		{ "fdatasync", HR_CALL_FILE_FD },
		{ "openat", HR_CALL_FILE },	   { "close", HR_CALL_CLOSE },		{ "flock", HR_CALL_IPC },
		{ "rt_sigtimedwait", HR_CALL_IPC }, { "splice", HR_CALL_SPLICE },
		{ "restart_syscall", HR_CALL_RESTART },
		{ "getpid", HR_CALL_OTHER },	   { "sched_yield", HR_CALL_OTHER },	{ "epoll_ctl", HR_CALL_OTHER },
	};

	(void)state;
	hr_syscall_kinds(kinds);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		int row = row_of(expected[i].name, 0);

		if (row < 0)
			fail_msg("no call is named %s", expected[i].name);
		if (kinds[row] != expected[i].kind)
			fail_msg("%s is of kind %d, not %d", expected[i].name, kinds[row], expected[i].kind);
	}
}

static void a_name_means_the_same_in_both_abis(void **state)
{
	char buf[24];

	(void)state;
	hr_syscall_kinds(kinds);
	for (int row = 0; row < HR_CALL_NRS - 1; row++) {
		int compat = row_of(hr_syscall_name(row, buf), HR_CALL_COMPAT);

		if (compat >= 0 && strncmp(hr_syscall_name(row, buf), "syscall_", 8))
			assert_int_equal(kinds[row], kinds[compat]);
	}
}

/* The 32-bit calls that were added for 64-bit times and offsets do what their elders do. */
static void a_variant_waits_for_the_same_as_its_elder(void **state)
{
	static const char *const suffixes[] = { "_time64", "64", "32", "2" };
	char buf[24], elder[64];

	(void)state;
	hr_syscall_kinds(kinds);
	for (uint32_t row = 0; row < 2 * HR_CALL_NRS; row++) {
		const char *name = hr_syscall_name(row, buf);

		for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
			size_t length = strlen(name) - strlen(suffixes[i]);
			int elder_row;

			if (strlen(name) <= strlen(suffixes[i]) || strcmp(name + length, suffixes[i]))
				continue;
			if (!strcmp(name, "dup2")) /* closes a file, which dup does not */
				continue;
			memcpy(elder, name, length);
			elder[length] = '\0';
			elder_row = row_of(elder, row < HR_CALL_COMPAT ? 0 : HR_CALL_COMPAT);
			if (elder_row >= 0 && kinds[elder_row] != kinds[row])
				fail_msg("%s is of kind %d, %s of kind %d", name, kinds[row], elder, kinds[elder_row]);
		}
	}
}

/* A misspelt name would leave its call in `other` without a word. Only x86-64 has every name that the lists hold. */
static void every_name_in_the_lists_is_a_call_and_listed_once(void **state)
{
	(void)state;
#ifndef __x86_64__
	print_message("SKIP: the lists also hold names of other architectures\n");
	skip();
#endif
	hr_syscall_kinds(kinds);
	for (int kind = 0; kind < HR_CALL_KINDS; kind++) {
		char *list = strdup(hr_syscall_names_of(kind)), *rest = list, *name;

		while ((name = strsep(&rest, " ")) && *name) {
			int native = row_of(name, 0), compat = row_of(name, HR_CALL_COMPAT);

			if (native < 0 && compat < 0)
				fail_msg("'%s' is no call", name);
			/* listed twice, the first list would win */
			assert_int_equal(kinds[native >= 0 ? native : compat], kind);
		}
		free(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_has_the_name_that_the_headers_give_it),
		cmocka_unit_test(calls_newer_than_the_headers_have_names),
		cmocka_unit_test(a_number_without_a_name_is_shown_as_a_number),
		cmocka_unit_test(the_row_that_higher_numbers_share_says_so),
		cmocka_unit_test(each_abi_has_its_own_numbers),
		cmocka_unit_test(calls_that_block_are_of_their_kind),
		cmocka_unit_test(a_name_means_the_same_in_both_abis),
		cmocka_unit_test(a_variant_waits_for_the_same_as_its_elder),
		cmocka_unit_test(every_name_in_the_lists_is_a_call_and_listed_once),
	};

	return cmocka_run_group_tests_name("syscalls", tests, NULL, NULL);
}
