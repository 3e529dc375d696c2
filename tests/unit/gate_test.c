/* SPDX-License-Identifier: BSD-2-Clause */
/* What only one at a time can pass, of a server that is made here: at 2, 4 and 8 clients, a second each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "analyse/gate.h"
#include "headroom/net.h"

#define MS 1000000u
#define SECOND_NS 1000000000u
#define LEVELS 3

static struct hr_group_summary groups[] = { { .label = "server/worker-*" }, { .label = "server/log" } };

/* 50 requests a second of each client, that take 5 ms. */
struct server {
	struct hr_summary summaries[LEVELS];
	struct hr_level levels[LEVELS];
	struct hr_lock_summary locks[LEVELS][2];
	struct hr_wait_summary waits[LEVELS][2];
	struct hr_axis axis;
};

static void serve(struct server *server)
{
	*server = (struct server){ .axis = { .levels = server->levels, .level_count = LEVELS } };
	for (size_t i = 0; i < LEVELS; i++) {
		struct hr_summary *summary = &server->summaries[i];
		double clients = (double)(2 << i);

		summary->run.recorded_ns = SECOND_NS;
		summary->groups = groups;
		summary->group_count = 2;
		summary->requests = (struct hr_request_summary){
			.requests = (int64_t)(50 * clients),
			.throughput_rps = 50 * clients,
			.in_flight = 0.25 * clients,
			.budget = { .requests = (uint64_t)(50 * clients) },
		};
		server->levels[i] = (struct hr_level){ .offered = clients, .load = clients, .summary = summary };
	}
}

static void add_locks(struct server *server, size_t level, uint64_t queue_ns, uint64_t mutex_ns)
{
	struct hr_lock_summary queue = { .process_id = 1, .address = "0x100000", .is_lock = true, .count = 100, .time_ns = queue_ns,
					 .handover_ns = HR_NULL, .contended_ns = HR_NULL, .queued_ns = HR_NULL, .longest = HR_NULL };
	struct hr_lock_summary mutex = queue;

	mutex.address = "0x200000";
	mutex.time_ns = mutex_ns;
	mutex.contended_ns = (int64_t)mutex_ns;
	server->locks[level][0] = queue;
	server->locks[level][1] = mutex;
	server->summaries[level].waits.locks = server->locks[level];
	server->summaries[level].waits.lock_count = 2;
}

static void add_turns(struct server *server, size_t level, enum hr_state state, uint64_t rest_ns, uint64_t turn_ns)
{
	struct hr_wait_summary rest = { .group = 1, .state = state, .source = "thread", .waker = "server/log", .count = 10, .time_ns = rest_ns,
					.handover_ns = HR_NULL };
	struct hr_wait_summary turn = rest;

	turn.group = 0;
	turn.waker = "server/worker-*";
	turn.time_ns = turn_ns;
	turn.handover_ns = 10 * MS; /* 1 ms each */
	server->waits[level][0] = rest;
	server->waits[level][1] = turn;
	server->summaries[level].waits.waits = server->waits[level];
	server->summaries[level].waits.wait_count = 2;
}

/* Threads that wait for work wait on a lock for longest, and per request the less the more there is to do. */
static void the_lock_for_which_a_request_waits_longer_is_it(void **state)
{
	struct server server;
	struct hr_gate gate;

	(void)state;
	serve(&server);
	add_locks(&server, 0, 900 * MS, 1 * MS);
	add_locks(&server, 1, 800 * MS, 10 * MS);
	add_locks(&server, 2, 700 * MS, 90 * MS);
	gate = hr_gate_find_lock(&server.axis, 8);
	assert_ptr_equal(gate.lock, &server.locks[2][1]);
	assert_true(isnan(hr_gate_used(&server.levels[2], &(struct hr_gate){ 0 })));
	assert_true(hr_gate_used(&server.levels[2], &gate) > hr_gate_used(&server.levels[1], &gate));
	assert_null(hr_gate_find_lock(&server.axis, 2).lock); /* one load does not tell */
	assert_null(hr_gate_find_own(&server.axis, 8, &gate, &(struct hr_gate){ 0 }).low);
}

static void turns_are_waits_that_one_of_the_same_kind_ends_and_that_grow(void **state)
{
	struct server server;
	struct hr_gate gate;

	(void)state;
	serve(&server);
	for (size_t i = 0; i < LEVELS; i++)
		add_turns(&server, i, HR_STATE_IPC, 900 * MS, 4 * MS << 3 * i);
	gate = hr_gate_find_turns(&server.axis, 8);
	assert_ptr_equal(gate.turn, &server.waits[2][1]);
	/* 0.256 of 8 wait, 400 requests a second: between random holds and regular ones, with 1 ms to hand it over at each */
	assert_true(hr_gate_used(&server.levels[2], &gate) > 0.4 + 0.35 && hr_gate_used(&server.levels[2], &gate) < 0.4 + 0.65);
}

/* Each waits on a futex of his own: in the midst of a request, of which 2 ms are its own sleep. */
static void what_a_request_waits_longer_in_the_program_is_a_lock_of_its_own(void **state)
{
	static const uint64_t waited_ns[LEVELS] = { 2 * MS, 2 * MS + MS / 10, 3 * MS };
	struct hr_gate none = { 0 }, own;
	struct server server;

	(void)state;
	serve(&server);
	for (size_t i = 0; i < LEVELS; i++)
		server.summaries[i].requests.budget.state_ns[HR_STATE_FUTEX] = waited_ns[i] * server.summaries[i].requests.budget.requests;
	own = hr_gate_find_own(&server.axis, 8, &none, &none);
	assert_ptr_equal(own.low, &server.levels[0]);
	assert_false(own.with_polls);
	assert_true(isnan(hr_gate_used(&server.levels[0], &own)));
	assert_true(hr_gate_used(&server.levels[2], &own) > 0.5 && hr_gate_used(&server.levels[2], &own) < 0.8); /* 0.4 of 8 wait */
	assert_null(hr_gate_find_own(&server.axis, 4, &none, &none).low); /* 2 % longer: noise */
}

/* Polls wait for clients and peers, unless others of the kind end them. */
static void polls_count_where_they_are_turns(void **state)
{
	struct hr_gate none = { 0 };
	struct server server;

	(void)state;
	serve(&server);
	for (size_t i = 0; i < LEVELS; i++)
		server.summaries[i].requests.budget.state_ns[HR_STATE_POLL] = (i + 1) * MS * server.summaries[i].requests.budget.requests;
	assert_null(hr_gate_find_own(&server.axis, 8, &none, &none).low);
	for (size_t i = 0; i < LEVELS; i++)
		add_turns(&server, i, HR_STATE_POLL, 900 * MS, 0);
	assert_true(hr_gate_find_own(&server.axis, 8, &none, &none).with_polls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lock_for_which_a_request_waits_longer_is_it),
		cmocka_unit_test(turns_are_waits_that_one_of_the_same_kind_ends_and_that_grow),
		cmocka_unit_test(what_a_request_waits_longer_in_the_program_is_a_lock_of_its_own),
		cmocka_unit_test(polls_count_where_they_are_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
