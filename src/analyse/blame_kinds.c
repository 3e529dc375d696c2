/* SPDX-License-Identifier: BSD-2-Clause */
/* Which waits are which: for a lock, at home, in service. */
#include "analyse/blame_chain.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define HOME_SHARE 0.5	       /* of a thread's life: more in one wait, and it has nothing else to do */

const struct hr_chain_state hr_chain_states[HR_STATES] = {
	[HR_STATE_USER] = { HR_BLAME_ON_CPU, true, false },
	[HR_STATE_KERNEL] = { HR_BLAME_ON_CPU, true, false },
	[HR_STATE_RUNQ] = { HR_BLAME_RUNQ, true, false },
	[HR_STATE_PREEMPTED] = { HR_BLAME_PREEMPTED, true, false },
	[HR_STATE_FUTEX] = { HR_BLAME_UNKNOWN, false, true },
	[HR_STATE_POLL] = { HR_BLAME_PEER, false, true },
	[HR_STATE_NET_RECV] = { HR_BLAME_PEER, false, false },
	[HR_STATE_NET_SEND] = { HR_BLAME_PEER, false, false },
	[HR_STATE_NET_ACCEPT] = { HR_BLAME_CLIENTS, false, true },
	[HR_STATE_NET_CONNECT] = { HR_BLAME_PEER, false, false },
	[HR_STATE_IPC] = { HR_BLAME_UNKNOWN, false, true },
	[HR_STATE_DISK] = { HR_BLAME_DISK, true, false },
	[HR_STATE_FAULT] = { HR_BLAME_FAULT, true, false },
	[HR_STATE_RECLAIM] = { HR_BLAME_RECLAIM, true, false },
	[HR_STATE_KLOCK] = { HR_BLAME_KLOCK, false, false },
	[HR_STATE_SLEEP] = { HR_BLAME_TIMER, true, true },
	[HR_STATE_DEVICE] = { HR_BLAME_DEVICE, true, false },
	[HR_STATE_CHILD] = { HR_BLAME_CHILD, true, true },
	[HR_STATE_STOPPED] = { HR_BLAME_STOPPED, true, false },
	[HR_STATE_OTHER] = { HR_BLAME_UNKNOWN, false, false },
};

bool hr_chain_is_by_thread(const struct hr_blame_wait *wait)
{
	return !wait->is_open && wait->source == HR_SOURCE_THREAD && !hr_chain_states[wait->state].alone;
}

static int compare_places(const void *a, const void *b, void *waits)
{
	const struct hr_blame_wait *left = (const struct hr_blame_wait *)waits + *(const uint32_t *)a;
	const struct hr_blame_wait *right = (const struct hr_blame_wait *)waits + *(const uint32_t *)b;
	int order = hr_chain_compare(left->waiter, right->waiter);

	if (!order)
		order = hr_chain_compare(left->state, right->state);
	if (!order)
		order = hr_chain_compare(left->subject, right->subject);
	return order ? order : hr_chain_compare(*(const uint32_t *)a, *(const uint32_t *)b);
}

static int compare_subjects(const void *a, const void *b, void *waits)
{
	const struct hr_blame_wait *left = (const struct hr_blame_wait *)waits + *(const uint32_t *)a;
	const struct hr_blame_wait *right = (const struct hr_blame_wait *)waits + *(const uint32_t *)b;
	int order = hr_chain_compare(left->subject, right->subject);

	if (!order)
		order = hr_chain_compare(left->waiter, right->waiter);
	return order ? order : hr_chain_compare(*(const uint32_t *)a, *(const uint32_t *)b);
}

void hr_chain_order_waits(struct hr_chain *chain)
{
	const struct hr_blame_input *input = chain->input;
	uint32_t place = 0;

	for (size_t i = 0; i < input->wait_count; i++)
		chain->by_place[i] = chain->by_subject[i] = (uint32_t)i;
	qsort_r(chain->by_place, input->wait_count, sizeof(uint32_t), compare_places, (void *)input->waits);
	qsort_r(chain->by_subject, input->wait_count, sizeof(uint32_t), compare_subjects, (void *)input->waits);
	for (size_t i = 0; i < input->thread_count * HR_STATES; i++)
		chain->places[i] = HR_BLAME_NONE;
	for (uint32_t i = 0; i < input->wait_count; i++) {
		const struct hr_blame_wait *wait = &input->waits[chain->by_place[i]];
		uint32_t *at = &chain->places[(size_t)wait->waiter * HR_STATES + wait->state];

		if (*at != HR_BLAME_NONE)
			continue;
		*at = place;
		chain->place_first[place++] = i;
	}
	chain->place_first[place] = (uint32_t)input->wait_count;
	chain->place_count = place;
	chain->node_count = 2 * place + input->subject_count;
}

/* The waits for one subject, from..to in by_subject, are in order of their waiter. */
static bool waits_too(const struct hr_chain *chain, uint32_t from, uint32_t to, uint32_t thread)
{
	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		uint32_t waiter = chain->input->waits[chain->by_subject[middle]].waiter;

		if (waiter == thread)
			return true;
		if (waiter < thread)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

uint32_t hr_chain_subject_end(const struct hr_chain *chain, uint32_t from)
{
	const struct hr_blame_input *input = chain->input;
	uint32_t to = from;

	while (to < input->wait_count &&
	       input->waits[chain->by_subject[to]].subject == input->waits[chain->by_subject[from]].subject)
		to++;
	return to;
}

/* Who releases a lock takes it too; who feeds a queue does not wait in it. */
static void find_locks(struct hr_chain *chain)
{
	const struct hr_blame_input *input = chain->input;

	for (uint32_t from = 0, to; from < input->wait_count; from = to) {
		uint64_t woken = 0, by_waiters = 0;
		uint32_t subject = input->waits[chain->by_subject[from]].subject;

		to = hr_chain_subject_end(chain, from);
		if (subject == HR_BLAME_NONE)
			return; /* the last of them */
		for (uint32_t i = from; i < to; i++) {
			const struct hr_blame_wait *wait = &input->waits[chain->by_subject[i]];

			if (!hr_chain_is_by_thread(wait) || wait->waker == HR_BLAME_NONE)
				continue;
			woken += wait->count;
			by_waiters += waits_too(chain, from, to, wait->waker) ? wait->count : 0;
		}
		chain->is_lock[subject] = by_waiters > 0 && 2 * by_waiters >= woken;
	}
}

bool hr_chain_is_for_lock(const struct hr_chain *chain, const struct hr_blame_wait *wait)
{
	return wait->subject != HR_BLAME_NONE && chain->is_lock[wait->subject];
}

/* A wait in which work comes whatever share of its life a thread spends there. */
static bool is_always_home(const struct hr_blame_wait *wait)
{
	if (wait->state == HR_STATE_NET_ACCEPT)
		return true;
	if (wait->state == HR_STATE_POLL)
		return wait->kind != HR_SUBJECT_PEER;
	return wait->kind == HR_SUBJECT_CLIENTS && wait->state != HR_STATE_NET_SEND;
}

/* Waits of one thread in one state, of a futex for one subject: a span of by_place. */
struct kind_of_wait {
	uint32_t from, to;
	double time_ns;
	bool may_be_home; /* if there is enough of it */
};

static struct kind_of_wait kind_from(const struct hr_chain *chain, uint32_t from)
{
	const struct hr_blame_input *input = chain->input;
	const struct hr_blame_wait *first = &input->waits[chain->by_place[from]], *next = first;
	struct kind_of_wait kind = { from, from, 0, hr_chain_states[first->state].home && !hr_chain_is_for_lock(chain, first) };

	while (next->waiter == first->waiter && next->state == first->state && next->subject == first->subject) {
		kind.time_ns += next->time_ns;
		if (++kind.to == input->wait_count)
			break;
		next = &input->waits[chain->by_place[kind.to]];
	}
	return kind;
}

static void make_home(struct hr_chain *chain, const struct kind_of_wait *kind)
{
	for (uint32_t i = kind->from; i < kind->to; i++)
		chain->is_home[chain->by_place[i]] = true;
}

/* Of one thread, from..to in by_place. One that is never in any of the waits that are always home gets its work in a queue. */
static void find_home(struct hr_chain *chain, uint32_t from, uint32_t to)
{
	const struct hr_blame_input *input = chain->input;
	double life_ns = input->threads[input->waits[chain->by_place[from]].waiter].life_ns;
	struct kind_of_wait queue = { .time_ns = 0 };
	bool has_home = false;

	for (struct kind_of_wait kind = { .to = from }; kind.to < to;) {
		kind = kind_from(chain, kind.to);
		if (kind.may_be_home && kind.time_ns > HOME_SHARE * life_ns)
			make_home(chain, &kind);
		if (kind.may_be_home && input->waits[chain->by_place[kind.from]].subject != HR_BLAME_NONE &&
		    kind.time_ns > queue.time_ns)
			queue = kind;
		for (uint32_t i = kind.from; i < kind.to; i++)
			if (is_always_home(&input->waits[chain->by_place[i]]))
				chain->is_home[chain->by_place[i]] = has_home = true;
	}
	if (!has_home)
		make_home(chain, &queue);
}

static void find_homes(struct hr_chain *chain)
{
	const struct hr_blame_input *input = chain->input;

	for (uint32_t from = 0, to; from < input->wait_count; from = to) {
		uint32_t thread = input->waits[chain->by_place[from]].waiter;

		for (to = from; to < input->wait_count && input->waits[chain->by_place[to]].waiter == thread; to++)
			;
		find_home(chain, from, to);
	}
}

/* Idle unless a request is served meanwhile: no thread and no lock says otherwise. */
bool hr_chain_is_idle(const struct hr_chain *chain, size_t wait)
{
	return chain->is_home[wait] && !hr_chain_is_by_thread(&chain->input->waits[wait]);
}

/*
 * Requests are served in waits that are not idle, and in such as look idle when those do not suffice. Where a thread serves many
 * at once, the time of each is in requests, so the share may come out too high; at 1 all of it is taken for service.
 */
static int find_served(struct hr_chain *chain)
{
	const struct hr_blame_input *input = chain->input;
	struct sums {
		double idle_ns, busy_ns;
	} (*sums)[HR_STATES] = calloc(input->request_count + 1, sizeof(*sums));

	if (!sums)
		return -ENOMEM;
	for (size_t i = 0; i < input->wait_count; i++) {
		const struct hr_blame_wait *wait = &input->waits[i];
		struct sums *sum = &sums[input->threads[wait->waiter].service][wait->state];

		*(hr_chain_is_idle(chain, i) ? &sum->idle_ns : &sum->busy_ns) += wait->time_ns;
	}
	for (size_t service = 0; service < input->request_count; service++)
		for (int state = 0; state < HR_STATES; state++) {
			const struct sums *sum = &sums[service][state];
			double rest_ns = input->requests[service].state_ns[state] - sum->busy_ns;

			if (sum->idle_ns > 0 && rest_ns > 0)
				chain->served[service][state] = fmin(rest_ns / sum->idle_ns, 1);
		}
	free(sums);
	return 0;
}

int hr_chain_find_kinds(struct hr_chain *chain)
{
	find_locks(chain);
	find_homes(chain);
	return find_served(chain);
}
