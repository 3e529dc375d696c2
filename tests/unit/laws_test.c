/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "analyse/laws.h"
#include "store/tables.h"

#define MS 1000000ULL

/* The quantities of a level that is made here: one second, 100 requests of 100 ms, of which each asks a peer once. */
static struct hr_laws laws_of(struct hr_flow_summary *peer)
{
	struct hr_summary summary = {
		.run.recorded_ns = 1000 * MS,
		.requests_known = true,
		.requests = { .requests = 100, .throughput_rps = 100, .in_flight = 10 },
		.flows = peer,
		.flow_count = 1,
	};
	const struct hr_level level = { .summary = &summary, .offered = 10, .load = 10 };
	struct hr_text *texts = NULL;
	struct hr_laws laws;

	hr_laws_of(&level, &texts, &laws);
	hr_texts_free(&texts);
	return laws;
}

static void assert_close(double actual, double expected)
{
	if (!(fabs(actual - expected) <= 1e-6 * fmax(1, fabs(expected))))
		fail_msg("%.9g is not %.9g", actual, expected);
}

static void an_answer_that_lies_unread_does_not_wait_for_the_peer(void **state)
{
	struct hr_flow_summary peer = {
		.role = HR_ROLE_DOWNSTREAM,
		.requests = { .in_flight = 8, .stages = { [HR_STAGE_WAIT] = { .count = 100, .total_ns = 8000 * MS },
							  [HR_STAGE_QUEUE] = { .count = 100, .total_ns = 100 * MS } } },
	};
	struct hr_laws laws = laws_of(&peer);

	(void)state;
	assert_close(laws.value[HR_LAW_DOWNSTREAM_WAIT], 80000);
	assert_close(laws.value[HR_LAW_PEER_TIME], 79000);
	assert_close(laws.value[HR_LAW_DOWNSTREAM_SHARE], 0.8 * 79 / 80);

	peer.requests.stages[HR_STAGE_QUEUE].total_ns = 7900 * MS; /* it answers in 1 ms, and is left to lie */
	laws = laws_of(&peer);
	assert_close(laws.value[HR_LAW_DOWNSTREAM_WAIT], 80000);
	assert_close(laws.value[HR_LAW_PEER_TIME], 1000);
	assert_close(laws.value[HR_LAW_DOWNSTREAM_SHARE], 0.8 * 1 / 80);
}

/*
 * Of 48 threads 4 wait for a peer, over 4 connections. If others have requests in hand and wait for a connection, those are what there
 * is too few of; if nobody does, each who asks has one.
 */
static void connections_are_a_pool_where_more_threads_than_those_have_requests(void **state)
{
	struct hr_flow_summary peer = { .role = HR_ROLE_DOWNSTREAM, .process_count = 1, .standing_ns = 4000 * MS, .requests.in_flight = 3.9 };
	struct hr_wait_summary waits[] = {
		{ .state = HR_STATE_NET_RECV, .source = "interrupt", .time_ns = 3900 * MS },
		{ .state = HR_STATE_FUTEX, .source = "thread", .waker = "server", .time_ns = 44000 * MS, .home_ns = 44000 * MS },
	};
	struct hr_group_summary group = {
		.label = "server",
		.thread_count = 48,
		.account.state_ns = { [HR_STATE_USER] = 100 * MS, [HR_STATE_NET_RECV] = 3900 * MS, [HR_STATE_FUTEX] = 44000 * MS },
	};
	struct hr_summary summary = {
		.run.recorded_ns = 1000 * MS, .groups = &group, .group_count = 1, .waits = { .waits = waits, .wait_count = 2, .is_known = true },
		.flows = &peer, .flow_count = 1, .total = group.account, .requests_known = true,
		.requests = { .requests = 200, .throughput_rps = 200, .in_flight = 40 },
	};
	const struct hr_level level = { .summary = &summary, .offered = 48, .load = 48 };
	struct hr_text *texts = NULL;
	struct hr_laws laws;

	(void)state;
	hr_laws_of(&level, &texts, &laws);
	assert_close(laws.value[HR_LAW_LINKS], 4);
	assert_close(laws.value[HR_LAW_LINKS_BUSY], 3.9 / 4);
	summary.requests.in_flight = 4;
	hr_laws_of(&level, &texts, &laws);
	assert_true(isnan(laws.value[HR_LAW_LINKS]));
	hr_texts_free(&texts);
}

/* None of them has run as long as the one that runs all the time. */
static void short_processes_of_one_program_are_one_neighbour(void **state)
{
	struct hr_neighbour_summary neighbours[] = {
		{ .pid = 1, .name = "long", .cpu_ns = 300 * MS }, { .pid = 2, .name = "short", .cpu_ns = 200 * MS },
		{ .pid = 3, .name = "other", .cpu_ns = 100 * MS }, { .pid = 4, .name = "short", .cpu_ns = 200 * MS },
		{ .pid = HR_NULL, .cpu_ns = 900 * MS },
	};
	struct hr_cpu_summary cpu = { .target_ns = 500 * MS, .other_ns = 500 * MS };
	struct hr_summary summary = {
		.run.recorded_ns = 1000 * MS, .neighbours = neighbours, .neighbour_count = 5, .cpus = &cpu, .cpu_count = 1, .cpu_total = cpu,
	};
	const struct hr_level level = { .summary = &summary, .offered = 10, .load = 10 };
	struct hr_text *texts = NULL;
	struct hr_laws laws;

	(void)state;
	hr_laws_of(&level, &texts, &laws);
	assert_string_equal(laws.subject.neighbour, "short");
	hr_texts_free(&texts);
}

/* What was read was handed to the disk by threads of the kernel. */
static void a_disk_of_which_nothing_is_known_is_named_by_the_file(void **state)
{
	struct hr_group_summary group = { .label = "server", .thread_count = 1 };
	struct hr_wait_summary waits[] = {
		{ .state = HR_STATE_DISK, .kind = HR_SUBJECT_FILE, .subject = "page", .source = "interrupt", .time_ns = 900 * MS },
		{ .state = HR_STATE_DISK, .kind = HR_SUBJECT_FILE, .subject = "log", .source = "interrupt", .time_ns = 10 * MS },
	};
	struct hr_summary summary = {
		.run.recorded_ns = 1000 * MS, .groups = &group, .group_count = 1, .waits = { .waits = waits, .wait_count = 2, .is_known = true },
	};
	const struct hr_level level = { .summary = &summary, .offered = 10, .load = 10 };
	struct hr_text *texts = NULL;
	struct hr_laws laws;

	(void)state;
	hr_laws_of(&level, &texts, &laws);
	assert_string_equal(laws.subject.disk, "page");
	hr_texts_free(&texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_a_pool_where_more_threads_than_those_have_requests),
		cmocka_unit_test(short_processes_of_one_program_are_one_neighbour),
		cmocka_unit_test(a_disk_of_which_nothing_is_known_is_named_by_the_file),
		cmocka_unit_test(an_answer_that_lies_unread_does_not_wait_for_the_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
