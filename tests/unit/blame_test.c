/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/blame.h"

/* Snapshots of waits whose cause is known by construction. Times are in ns, and every thread lives for 10 s. */

#define S 1e9
#define LIFE_NS (10 * S)
#define WAITS_MAX 4096
#define THREADS_MAX 256

struct graph {
	struct hr_blame_thread threads[THREADS_MAX];
	struct hr_blame_wait waits[WAITS_MAX];
	struct hr_blame_requests requests[1];
	size_t thread_count, wait_count;
	struct hr_blame blame;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct graph));
	return 0;
}

static int tear_down(void **state)
{
	struct graph *graph = *state;

	hr_blame_fini(&graph->blame);
	free(graph);
	return 0;
}

static uint32_t thread_of(struct graph *graph, uint32_t group)
{
	graph->threads[graph->thread_count] = (struct hr_blame_thread){ .group = group, .life_ns = LIFE_NS };
	return (uint32_t)graph->thread_count++;
}

/* A wait that nobody was seen to end. */
static struct hr_blame_wait *wait_of(struct graph *graph, uint32_t waiter, enum hr_state state, double time_ns)
{
	struct hr_blame_wait *wait = &graph->waits[graph->wait_count++];

	assert_true(graph->wait_count <= WAITS_MAX);
	*wait = (struct hr_blame_wait){
		.waiter = waiter, .waker = HR_BLAME_NONE, .subject = HR_BLAME_NONE, .label = HR_BLAME_NONE,
		.state = state, .source = HR_SOURCE_UNKNOWN, .count = 100, .time_ns = time_ns,
	};
	return wait;
}

/* One that a thread ended, which meanwhile was so much on CPU and the rest in a state. */
static struct hr_blame_wait *wait_for(struct graph *graph, uint32_t waiter, enum hr_state state, double time_ns, uint32_t waker,
				      double on_cpu, enum hr_state otherwise)
{
	struct hr_blame_wait *wait = wait_of(graph, waiter, state, time_ns);

	wait->waker = waker;
	wait->source = HR_SOURCE_THREAD;
	wait->meanwhile_ns[HR_STATE_USER] = on_cpu * time_ns;
	wait->meanwhile_ns[otherwise] += (1 - on_cpu) * time_ns;
	return wait;
}

static const struct hr_blame *blame_of(struct graph *graph)
{
	const struct hr_blame_input input = {
		.threads = graph->threads, .waits = graph->waits, .requests = graph->requests,
		.thread_count = graph->thread_count, .wait_count = graph->wait_count, .request_count = 1,
		.group_count = 10, .label_count = 10, .subject_count = 10,
	};

	hr_blame_fini(&graph->blame);
	assert_int_equal(hr_blame_find(&input, &graph->blame), 0);
	return &graph->blame;
}

static double row_ns(const struct hr_blame *blame, uint32_t group, enum hr_blame_end end, uint32_t owner)
{
	double time_ns = 0;

	for (size_t i = 0; i < blame->row_count; i++)
		if (blame->rows[i].group == group && blame->rows[i].end == end && blame->rows[i].owner == owner)
			time_ns += blame->rows[i].time_ns;
	return time_ns;
}

/* To a thousandth of all that was waited: that much may be left where it is too little to follow. */
static void assert_near(const struct hr_blame *blame, double actual_ns, double expected_ns)
{
	if (!(fabs(actual_ns - expected_ns) <= 0.0011 * blame->waited_ns))
		fail_msg("%.9g s is not %.9g s", actual_ns / S, expected_ns / S);
}

static void assert_conserved(const struct hr_blame *blame)
{
	double sum_ns = blame->idle_ns + blame->residual_ns;

	for (size_t i = 0; i < blame->row_count; i++)
		sum_ns += blame->rows[i].time_ns;
	if (!(fabs(sum_ns - blame->waited_ns) <= 1e-6 * (blame->waited_ns + 1)))
		fail_msg("%.9g s of %.9g s are accounted for", sum_ns / S, blame->waited_ns / S);
}

#define WORKERS 8

/*
 * Workers who take one lock in turn: each waits for 7 turns of 8, woken by the one before it, which itself waited for 6 of them,
 * and in the 7th was on CPU for a share of its turn and for the rest in a state.
 */
static void add_convoy(struct graph *graph, double on_cpu, enum hr_state otherwise)
{
	for (uint32_t i = 0; i < WORKERS; i++)
		thread_of(graph, 0);
	for (uint32_t i = 0; i < WORKERS; i++) {
		double time_ns = LIFE_NS * (WORKERS - 1) / WORKERS, turn_ns = time_ns / (WORKERS - 1);
		struct hr_blame_wait *wait = wait_of(graph, i, HR_STATE_FUTEX, time_ns);

		wait->waker = (i + WORKERS - 1) % WORKERS;
		wait->source = HR_SOURCE_THREAD;
		wait->subject = 3;
		wait->kind = HR_SUBJECT_FUTEX;
		wait->meanwhile_ns[HR_STATE_FUTEX] = time_ns - turn_ns;
		wait->meanwhile_ns[HR_STATE_USER] = on_cpu * turn_ns;
		wait->meanwhile_ns[otherwise] += (1 - on_cpu) * turn_ns;
	}
}

static const double convoy_ns = LIFE_NS * (WORKERS - 1);

static void a_convoy_behind_a_holder_on_cpu_is_due_to_its_cpu(void **state)
{
	struct graph *graph = *state;
	const struct hr_blame *blame;

	add_convoy(graph, 0.92, HR_STATE_PREEMPTED);
	blame = blame_of(graph);
	assert_true(blame->is_lock[3]);
	assert_near(blame, blame->waited_ns, convoy_ns);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 0), 0.92 * convoy_ns);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_PREEMPTED, 0), 0.08 * convoy_ns);
	assert_near(blame, blame->idle_ns, 0);
	assert_int_equal(blame->rows[0].end, HR_BLAME_ON_CPU);
	assert_conserved(blame);
}

static void a_convoy_behind_a_holder_in_fsync_is_due_to_the_disk(void **state)
{
	struct graph *graph = *state;
	const struct hr_blame *blame;

	add_convoy(graph, 0.1, HR_STATE_DISK);
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct hr_blame_wait *wait = wait_of(graph, i, HR_STATE_DISK, 0.9 * LIFE_NS / WORKERS);

		wait->source = HR_SOURCE_OTHER; /* the journal's thread: it is the disk all the same */
		wait->label = 4;
	}
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_DISK, 0), 0.9 * convoy_ns + 0.9 * LIFE_NS);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 0), 0.1 * convoy_ns);
	assert_conserved(blame);
}

static void a_convoy_behind_a_holder_that_asks_a_backend_is_due_to_that_peer(void **state)
{
	struct graph *graph = *state;
	const struct hr_blame *blame;

	add_convoy(graph, 0.2, HR_STATE_NET_RECV);
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct hr_blame_wait *wait = wait_of(graph, i, HR_STATE_NET_RECV, 0.8 * LIFE_NS / WORKERS);

		wait->kind = HR_SUBJECT_PEER;
		wait->source = HR_SOURCE_INTERRUPT;
		wait->label = 5;
	}
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_PEER, 5), 0.8 * convoy_ns + 0.8 * LIFE_NS);
	assert_near(blame, blame->idle_ns, 0);
	assert_conserved(blame);
}

/* Even though it sleeps for most of its life, which alone would be a thread at home. */
static void a_holder_that_sleeps_is_not_idle(void **state)
{
	struct graph *graph = *state;
	uint32_t sleeper = thread_of(graph, 0), waiter = thread_of(graph, 1);
	const struct hr_blame *blame;

	wait_of(graph, sleeper, HR_STATE_SLEEP, 9.8 * S);
	wait_for(graph, waiter, HR_STATE_FUTEX, 9 * S, sleeper, 0, HR_STATE_SLEEP)->subject = 0;
	wait_for(graph, sleeper, HR_STATE_FUTEX, 0.1 * S, waiter, 1, HR_STATE_USER)->subject = 0;
	blame = blame_of(graph);
	assert_true(blame->is_lock[0]);
	assert_near(blame, row_ns(blame, 1, HR_BLAME_TIMER, 0), 9 * S);
	assert_near(blame, blame->idle_ns, 9.8 * S); /* its own sleep is nobody's business */
	assert_near(blame, blame->idle_share[1], 0);
	assert_conserved(blame);
}

/*
 * Reader, middle, writer: the reader waits for room in front of the middle, the writer for what comes out of it. The middle never
 * waits. Both are at home there for most of their lives, and yet not idle: who feeds them is busy.
 */
static void a_pipeline_with_a_slow_middle_is_due_to_the_middle(void **state)
{
	struct graph *graph = *state;
	uint32_t reader = thread_of(graph, 0), middle = thread_of(graph, 1), writer = thread_of(graph, 2);
	const struct hr_blame *blame;

	wait_for(graph, reader, HR_STATE_FUTEX, 8 * S, middle, 0.95, HR_STATE_DISK)->subject = 0;
	wait_for(graph, writer, HR_STATE_FUTEX, 9 * S, middle, 0.95, HR_STATE_DISK)->subject = 1;
	wait_of(graph, middle, HR_STATE_DISK, 0.5 * S);
	blame = blame_of(graph);
	assert_false(blame->is_lock[0]);
	assert_false(blame->is_lock[1]);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 1), 0.95 * 8 * S);
	assert_near(blame, row_ns(blame, 2, HR_BLAME_ON_CPU, 1), 0.95 * 9 * S);
	assert_near(blame, row_ns(blame, 2, HR_BLAME_DISK, 1), 0.05 * 9 * S);
	assert_near(blame, blame->idle_ns, 0);
	assert_conserved(blame);
}

/* Some of them never worked at all. The acceptor that hands out work waits for clients itself. */
static void a_pool_that_waits_for_work_gets_no_blame(void **state)
{
	struct graph *graph = *state;
	uint32_t acceptor = thread_of(graph, 1);
	const struct hr_blame *blame;

	wait_of(graph, acceptor, HR_STATE_POLL, 9.9 * S)->source = HR_SOURCE_INTERRUPT;
	for (uint32_t i = 0; i < WORKERS; i++) {
		uint32_t worker = thread_of(graph, 0);

		if (i < 4)
			wait_for(graph, worker, HR_STATE_FUTEX, 9 * S, acceptor, 0, HR_STATE_POLL)->subject = 2;
		else
			wait_of(graph, worker, HR_STATE_FUTEX, 10 * S)->is_open = true;
		graph->waits[graph->wait_count - 1].subject = 2;
	}
	wait_of(graph, thread_of(graph, 2), HR_STATE_IPC, 10 * S)->is_open = true;   /* a master that waits for signals */
	wait_of(graph, thread_of(graph, 3), HR_STATE_SLEEP, 9.9 * S);		     /* a clock */
	wait_of(graph, thread_of(graph, 4), HR_STATE_NET_RECV, 3 * S)->kind = HR_SUBJECT_CLIENTS;
	blame = blame_of(graph);
	assert_near(blame, blame->idle_ns, blame->waited_ns);
	assert_true(blame->idle_ns > 108 * S);
	for (size_t i = 0; i < graph->wait_count; i++)
		assert_true(blame->idle_share[i] > 0.999);
	assert_conserved(blame);
}

/* As before, but the acceptor is busy half of the time, and that is what the workers wait for. */
static void who_is_fed_by_a_busy_thread_waits_for_that(void **state)
{
	struct graph *graph = *state;
	uint32_t acceptor = thread_of(graph, 1), worker = thread_of(graph, 0);
	const struct hr_blame *blame;

	wait_of(graph, acceptor, HR_STATE_POLL, 5 * S)->source = HR_SOURCE_INTERRUPT;
	wait_for(graph, worker, HR_STATE_FUTEX, 9 * S, acceptor, 0.5, HR_STATE_POLL)->subject = 2;
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 1), 4.5 * S);
	assert_near(blame, blame->idle_ns, 5 * S + 4.5 * S);
	assert_near(blame, blame->idle_share[1] * S, 0.5 * S);
}

static void waits_at_home_in_which_requests_are_served_are_not_idle(void **state)
{
	struct graph *graph = *state;
	uint32_t loop = thread_of(graph, 0);
	const struct hr_blame *blame;

	wait_of(graph, loop, HR_STATE_POLL, 8 * S)->source = HR_SOURCE_INTERRUPT;
	graph->requests[0].state_ns[HR_STATE_POLL] = 6 * S; /* it waits there for its backend */
	blame = blame_of(graph);
	assert_near(blame, blame->idle_ns, 2 * S);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_PEER, HR_BLAME_NONE), 6 * S);
	graph->requests[0].state_ns[HR_STATE_POLL] = 60 * S; /* of many at once */
	blame = blame_of(graph);
	assert_near(blame, blame->idle_ns, 0);
	assert_conserved(blame);
}

static void a_client_that_reads_slowly_is_to_blame_and_one_that_asks_slowly_is_not(void **state)
{
	struct graph *graph = *state;
	uint32_t worker = thread_of(graph, 0);
	struct hr_blame_wait *send = wait_of(graph, worker, HR_STATE_NET_SEND, 4 * S);
	const struct hr_blame *blame;

	send->kind = HR_SUBJECT_CLIENTS;
	send->label = 1;
	wait_of(graph, worker, HR_STATE_NET_RECV, 5 * S)->kind = HR_SUBJECT_CLIENTS;
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_CLIENTS, 1), 4 * S);
	assert_near(blame, blame->idle_ns, 5 * S);
}

/* From A, half goes to B's CPU; of the half that goes on, half to A's; and so on: 1/2 / (1 - 1/4) is 2/3. */
static void two_that_wake_each_other_share_the_blame(void **state)
{
	struct graph *graph = *state;
	uint32_t a = thread_of(graph, 0), b = thread_of(graph, 1);
	const struct hr_blame *blame;

	wait_for(graph, a, HR_STATE_IPC, 3 * S, b, 0.5, HR_STATE_IPC);
	wait_for(graph, b, HR_STATE_IPC, 3 * S, a, 0.5, HR_STATE_IPC);
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 1), 2 * S);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 0), 1 * S);
	assert_near(blame, row_ns(blame, 1, HR_BLAME_ON_CPU, 0), 2 * S);
	assert_near(blame, blame->residual_ns, 0);
	assert_conserved(blame);
}

static void a_circle_in_which_nobody_runs_is_the_residual(void **state)
{
	struct graph *graph = *state;
	uint32_t a = thread_of(graph, 0), b = thread_of(graph, 1);
	const struct hr_blame *blame;

	wait_for(graph, a, HR_STATE_IPC, 3 * S, b, 0, HR_STATE_IPC);
	wait_for(graph, b, HR_STATE_IPC, 2 * S, a, 0, HR_STATE_IPC);
	wait_for(graph, thread_of(graph, 2), HR_STATE_IPC, 1 * S, thread_of(graph, 3), 1, HR_STATE_USER);
	blame = blame_of(graph);
	assert_near(blame, blame->residual_ns, 5 * S);
	assert_near(blame, row_ns(blame, 2, HR_BLAME_ON_CPU, 3), 1 * S);
	assert_conserved(blame);
}

static void who_waits_for_several_blames_each_by_its_time(void **state)
{
	struct graph *graph = *state;
	uint32_t a = thread_of(graph, 0), b = thread_of(graph, 1), c = thread_of(graph, 2);
	const struct hr_blame *blame;

	wait_for(graph, a, HR_STATE_IPC, 3 * S, b, 0, HR_STATE_DISK);
	wait_for(graph, a, HR_STATE_IPC, 1 * S, c, 1, HR_STATE_USER);
	wait_of(graph, b, HR_STATE_DISK, 3 * S);
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_DISK, 1), 3 * S);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 2), 1 * S);
	assert_near(blame, row_ns(blame, 1, HR_BLAME_DISK, 1), 3 * S);
	assert_conserved(blame);
}

/* As Python's: who waits for the GIL gives up every 5 ms, and asks for it. */
static void waits_for_a_lock_that_time_out_are_due_to_whoever_has_it(void **state)
{
	struct graph *graph = *state;
	const struct hr_blame *blame;
	uint32_t a = thread_of(graph, 0), b = thread_of(graph, 0);

	for (uint32_t i = 0; i < 2; i++) {
		struct hr_blame_wait *wait = wait_of(graph, i ? b : a, HR_STATE_FUTEX, 4.9 * S);

		wait->source = HR_SOURCE_TIMEOUT;
		wait->subject = 6;
		wait_for(graph, i ? b : a, HR_STATE_FUTEX, 0.1 * S, i ? a : b, 1, HR_STATE_USER)->subject = 6;
	}
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 0), 10 * S);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_TIMER, 0), 0);
	assert_conserved(blame);
}

static void waits_that_nobody_in_the_target_ends_have_ends_of_their_own(void **state)
{
	static const struct {
		enum hr_state state;
		enum hr_subject kind;
		enum hr_source source;
		enum hr_blame_end end;
	} rows[] = {
		{ HR_STATE_FAULT, HR_SUBJECT_NONE, HR_SOURCE_INTERRUPT, HR_BLAME_FAULT },
		{ HR_STATE_RECLAIM, HR_SUBJECT_NONE, HR_SOURCE_TIMEOUT, HR_BLAME_RECLAIM },
		{ HR_STATE_KLOCK, HR_SUBJECT_KLOCK, HR_SOURCE_OTHER, HR_BLAME_KLOCK },
		{ HR_STATE_SLEEP, HR_SUBJECT_NONE, HR_SOURCE_INTERRUPT, HR_BLAME_TIMER },
		{ HR_STATE_DEVICE, HR_SUBJECT_DEVICE, HR_SOURCE_INTERRUPT, HR_BLAME_DEVICE },
		{ HR_STATE_CHILD, HR_SUBJECT_NONE, HR_SOURCE_OTHER, HR_BLAME_CHILD },
		{ HR_STATE_STOPPED, HR_SUBJECT_NONE, HR_SOURCE_OTHER, HR_BLAME_STOPPED },
		{ HR_STATE_NET_CONNECT, HR_SUBJECT_PEER, HR_SOURCE_TIMEOUT, HR_BLAME_PEER },
		{ HR_STATE_POLL, HR_SUBJECT_PEER, HR_SOURCE_OTHER, HR_BLAME_PEER },
		{ HR_STATE_IPC, HR_SUBJECT_PIPE, HR_SOURCE_OTHER, HR_BLAME_OTHER },
		{ HR_STATE_IPC, HR_SUBJECT_PIPE, HR_SOURCE_SIGNAL, HR_BLAME_UNKNOWN },
		{ HR_STATE_FUTEX, HR_SUBJECT_FUTEX, HR_SOURCE_TIMEOUT, HR_BLAME_TIMER },
		{ HR_STATE_FUTEX, HR_SUBJECT_FUTEX, HR_SOURCE_UNKNOWN, HR_BLAME_UNKNOWN },
		{ HR_STATE_OTHER, HR_SUBJECT_NONE, HR_SOURCE_OTHER, HR_BLAME_OTHER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct graph *graph = *state;
		const struct hr_blame *blame;
		struct hr_blame_wait *wait;

		graph->thread_count = graph->wait_count = 0;
		thread_of(graph, 7);
		wait = wait_of(graph, 0, rows[i].state, 2 * S);
		wait->kind = rows[i].kind;
		wait->source = rows[i].source;
		wait->label = 9;
		blame = blame_of(graph);
		assert_near(blame, row_ns(blame, 7, rows[i].end, hr_blame_end_has_label(rows[i].end) ? 9 : 7), 2 * S);
		assert_conserved(blame);
	}
}

/* Chains of which too little is known end in the open. */
static void what_a_waker_did_unseen_is_unknown(void **state)
{
	struct graph *graph = *state;
	uint32_t a = thread_of(graph, 0), b = thread_of(graph, 1);
	const struct hr_blame *blame;
	struct hr_blame_wait *several;

	wait_for(graph, a, HR_STATE_FUTEX, 1 * S, b, 0, HR_STATE_USER)->meanwhile_ns[HR_STATE_USER] = 0;
	wait_for(graph, a, HR_STATE_IPC, 2 * S, b, 0.5, HR_STATE_NET_RECV); /* of which b has no wait */
	several = wait_for(graph, a, HR_STATE_OTHER, 2 * S, HR_BLAME_NONE, 0.5, HR_STATE_FUTEX);
	several->label = 3;
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_UNKNOWN, 1), 2 * S);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 1), 1 * S);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, HR_BLAME_NONE), 1 * S);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_UNKNOWN, HR_BLAME_NONE), 1 * S);
	assert_conserved(blame);
}

static void a_wait_that_is_open_at_the_end_is_like_those_before_it_unless_it_is_home(void **state)
{
	struct graph *graph = *state;
	const struct hr_blame *blame;

	add_convoy(graph, 1, HR_STATE_USER);
	wait_of(graph, 0, HR_STATE_FUTEX, 1 * S)->is_open = true;
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 0), convoy_ns + 1 * S);
	graph->waits[graph->wait_count - 1].time_ns = 8 * S;
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 0), convoy_ns);
	assert_near(blame, blame->idle_ns, 8 * S);
	assert_conserved(blame);
}

static void a_wait_that_began_unseen_is_like_those_after_it(void **state)
{
	struct graph *graph = *state;
	const struct hr_blame *blame;

	add_convoy(graph, 1, HR_STATE_USER);
	memset(wait_for(graph, 0, HR_STATE_FUTEX, 1 * S, 1, 1, HR_STATE_USER)->meanwhile_ns, 0, sizeof(graph->waits[0].meanwhile_ns));
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 0), convoy_ns + 1 * S);
	assert_conserved(blame);
}

static void nothing_waited_is_nothing_blamed(void **state)
{
	struct graph *graph = *state;
	const struct hr_blame *blame = blame_of(graph);

	assert_int_equal(blame->row_count, 0);
	assert_true(blame->waited_ns == 0 && blame->idle_ns == 0 && blame->residual_ns == 0);
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)random() % limit;
}

static void random_graphs_lose_no_time_and_leave_next_to_nothing(void **state)
{
	enum { GRAPHS = 100 };
	struct graph *graph = *state;

	srandom(4);
	for (int round = 0; round < GRAPHS; round++) {
		uint32_t threads = 1 + below(60), waits = below(600);
		const struct hr_blame *blame;
		double idle_ns = 0;

		graph->thread_count = graph->wait_count = 0;
		for (uint32_t i = 0; i < threads; i++)
			thread_of(graph, below(10));
		for (uint32_t i = 0; i < waits; i++) {
			struct hr_blame_wait *wait = wait_of(graph, below(threads), HR_STATE_FUTEX + below(16), below(1000) * 1e6);

			wait->kind = below(HR_SUBJECTS);
			wait->source = below(HR_SOURCES);
			wait->is_open = below(20) == 0;
			wait->count = below(100);
			wait->subject = wait->state == HR_STATE_FUTEX ? below(10) : HR_BLAME_NONE;
			wait->label = below(10);
			wait->waker = below(10) ? below(threads) : HR_BLAME_NONE;
			for (int part = 0; part < 3; part++) /* what runs is one of many things */
				wait->meanwhile_ns[below(HR_STATES)] += below(1000);
		}
		graph->requests[0].state_ns[HR_STATE_POLL] = below(10) * S;
		blame = blame_of(graph);
		assert_conserved(blame);
		assert_true(blame->residual_ns <= 0.01 * blame->waited_ns);
		for (size_t i = 0; i < graph->wait_count; i++)
			idle_ns += blame->idle_share[i] * graph->waits[i].time_ns;
		/* forwards by time, backwards by probability: the same */
		assert_near(blame, blame->idle_ns, idle_ns);
		for (size_t i = 1; i < blame->row_count; i++)
			assert_true(blame->rows[i].time_ns <= blame->rows[i - 1].time_ns);
	}
}

/* Who has the lock for 9 times as long as the others is what everybody waits for, whoever wakes them. */
static void a_slow_holder_is_to_blame_also_where_a_quick_one_woke(void **state)
{
	enum { QUICK = 4 };
	struct graph *graph = *state;
	const struct hr_blame *blame;

	for (uint32_t i = 0; i <= QUICK; i++)
		thread_of(graph, i);
	for (uint32_t i = 0; i <= QUICK; i++) {
		uint32_t waker = (i + QUICK) % (QUICK + 1);
		double turn = waker == 0 ? 0.9 * S : 0.1 * S, others = 1.3 * S - turn - (i == 0 ? 0.9 * S : 0.1 * S);
		struct hr_blame_wait *wait = wait_for(graph, i, HR_STATE_FUTEX, turn + others, waker, 1, HR_STATE_USER);

		wait->subject = 0;
		wait->meanwhile_ns[HR_STATE_USER] = turn;
		wait->meanwhile_ns[HR_STATE_FUTEX] = others;
	}
	blame = blame_of(graph);
	/* of its waker's turn, and of what that waited before: of all turns, 0.9 of 1.3 are the slow one's */
	assert_near(blame, row_ns(blame, 1, HR_BLAME_ON_CPU, 0), 0.9 * S + 0.3 * S * 0.9 / 1.3);
	for (uint32_t i = 2; i <= QUICK; i++)
		assert_near(blame, row_ns(blame, i, HR_BLAME_ON_CPU, 0), 1.1 * S * 0.9 / 1.3);
	assert_conserved(blame);
}

/* Many take turns, and each hop ends one time in many: the sum has to be followed far. */
static void a_long_queue_is_followed_to_its_end(void **state)
{
	enum { LONG = 200 };
	struct graph *graph = *state;
	const struct hr_blame *blame;

	for (uint32_t i = 0; i < LONG; i++)
		thread_of(graph, 0);
	for (uint32_t i = 0; i < LONG; i++)
		wait_for(graph, i, HR_STATE_FUTEX, 9 * S, (i + 1) % LONG, 1.0 / LONG, HR_STATE_FUTEX)->subject = 0;
	blame = blame_of(graph);
	assert_near(blame, row_ns(blame, 0, HR_BLAME_ON_CPU, 0), LONG * 9 * S);
	assert_conserved(blame);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_convoy_behind_a_holder_on_cpu_is_due_to_its_cpu),
		TEST(a_convoy_behind_a_holder_in_fsync_is_due_to_the_disk),
		TEST(a_convoy_behind_a_holder_that_asks_a_backend_is_due_to_that_peer),
		TEST(a_holder_that_sleeps_is_not_idle),
		TEST(a_pipeline_with_a_slow_middle_is_due_to_the_middle),
		TEST(a_pool_that_waits_for_work_gets_no_blame),
		TEST(who_is_fed_by_a_busy_thread_waits_for_that),
		TEST(waits_at_home_in_which_requests_are_served_are_not_idle),
		TEST(a_client_that_reads_slowly_is_to_blame_and_one_that_asks_slowly_is_not),
		TEST(two_that_wake_each_other_share_the_blame),
		TEST(a_circle_in_which_nobody_runs_is_the_residual),
		TEST(who_waits_for_several_blames_each_by_its_time),
		TEST(waits_for_a_lock_that_time_out_are_due_to_whoever_has_it),
		TEST(waits_that_nobody_in_the_target_ends_have_ends_of_their_own),
		TEST(what_a_waker_did_unseen_is_unknown),
		TEST(a_wait_that_is_open_at_the_end_is_like_those_before_it_unless_it_is_home),
		TEST(a_wait_that_began_unseen_is_like_those_after_it),
		TEST(nothing_waited_is_nothing_blamed),
		TEST(random_graphs_lose_no_time_and_leave_next_to_nothing),
		TEST(a_slow_holder_is_to_blame_also_where_a_quick_one_woke),
		TEST(a_long_queue_is_followed_to_its_end),
	};

	return cmocka_run_group_tests_name("blame", tests, NULL, NULL);
}
