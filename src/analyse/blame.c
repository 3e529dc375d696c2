/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/blame.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define RESIDUAL_SHARE 1e-3    /* of a group's time: at most so much is left where it is too little to follow */
#define IDLE_PRECISION 1e-6
#define MOST_SWEEPS 1000
#define MOST_MOVES (1ULL << 28) /* along ways, over all groups: some seconds */
#define OWNERS_KEPT 32	       /* of each group; the others are one, by end */
#define HOME_SHARE 0.5	       /* of a thread's life: more in one wait, and it has nothing else to do */

static const struct {
	const char *name;
	bool has_label;
} ends[HR_BLAME_ENDS] = {
	[HR_BLAME_ON_CPU] = { "on_cpu", false },
	[HR_BLAME_RUNQ] = { "runq", false },
	[HR_BLAME_PREEMPTED] = { "preempted", false },
	[HR_BLAME_DISK] = { "disk", false },
	[HR_BLAME_FAULT] = { "fault", false },
	[HR_BLAME_RECLAIM] = { "reclaim", false },
	[HR_BLAME_KLOCK] = { "klock", false },
	[HR_BLAME_PEER] = { "peer", true },
	[HR_BLAME_OTHER] = { "other", true },
	[HR_BLAME_TIMER] = { "timer", false },
	[HR_BLAME_DEVICE] = { "device", false },
	[HR_BLAME_CHILD] = { "child", false },
	[HR_BLAME_STOPPED] = { "stopped", false },
	[HR_BLAME_CLIENTS] = { "clients", true },
	[HR_BLAME_UNKNOWN] = { "unknown", false },
};

/* How a state ends that nobody was seen to end. alone: nobody else can, so it ends there whoever woke the thread. */
static const struct {
	enum hr_blame_end end;
	bool alone, home; /* home: if it takes over half of the thread's life */
} states[HR_STATES] = {
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

const char *hr_blame_end_name(enum hr_blame_end end)
{
	return (unsigned int)end < HR_BLAME_ENDS ? ends[end].name : "unknown";
}

bool hr_blame_end_has_label(enum hr_blame_end end)
{
	return (unsigned int)end < HR_BLAME_ENDS && ends[end].has_label;
}

/* A transition. Targets from node_count on are ends: idle, then end by owner. */
struct way {
	uint32_t to;
	double share;
};

/*
 * The chain. A place is what a thread waits in: its waits in one state. It has two nodes: one for when the thread may be at home,
 * and one for when somebody waits for what it holds. Behind them is one node for each subject: whoever holds that lock.
 */
struct chain {
	const struct hr_blame_input *input;
	uint32_t *by_place;	/* waits, ordered by waiter and state */
	uint32_t *by_subject;	/* waits, ordered by subject */
	uint32_t *place_first;	/* in by_place; one more than there are places */
	uint32_t *places;	/* by thread and state; NONE: it never waited so */
	uint32_t place_count, node_count, owner_count;
	bool *is_home;		/* by wait */
	bool *is_lock;		/* by subject */
	double (*served)[HR_STATES]; /* by service: share of home waits in which requests were served */

	struct way *ways;
	size_t way_count, way_room;
	size_t *way_first;	/* by node; one more than there are nodes */
	bool *leads_out;	/* by node: an end can be reached */
};

/* ---- which waits are which ---- */

static bool is_by_thread(const struct hr_blame_wait *wait)
{
	return !wait->is_open && wait->source == HR_SOURCE_THREAD && !states[wait->state].alone;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_places(const void *a, const void *b, void *waits)
{
	const struct hr_blame_wait *left = (const struct hr_blame_wait *)waits + *(const uint32_t *)a;
	const struct hr_blame_wait *right = (const struct hr_blame_wait *)waits + *(const uint32_t *)b;
	int order = compare_numbers(left->waiter, right->waiter);

	if (!order)
		order = compare_numbers(left->state, right->state);
	if (!order)
		order = compare_numbers(left->subject, right->subject);
	return order ? order : compare_numbers(*(const uint32_t *)a, *(const uint32_t *)b);
}

static int compare_subjects(const void *a, const void *b, void *waits)
{
	const struct hr_blame_wait *left = (const struct hr_blame_wait *)waits + *(const uint32_t *)a;
	const struct hr_blame_wait *right = (const struct hr_blame_wait *)waits + *(const uint32_t *)b;
	int order = compare_numbers(left->subject, right->subject);

	if (!order)
		order = compare_numbers(left->waiter, right->waiter);
	return order ? order : compare_numbers(*(const uint32_t *)a, *(const uint32_t *)b);
}

static void order_waits(struct chain *chain)
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
static bool waits_too(const struct chain *chain, uint32_t from, uint32_t to, uint32_t thread)
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

static uint32_t subject_end(const struct chain *chain, uint32_t from)
{
	const struct hr_blame_input *input = chain->input;
	uint32_t to = from;

	while (to < input->wait_count &&
	       input->waits[chain->by_subject[to]].subject == input->waits[chain->by_subject[from]].subject)
		to++;
	return to;
}

/* Who releases a lock takes it too; who feeds a queue does not wait in it. */
static void find_locks(struct chain *chain)
{
	const struct hr_blame_input *input = chain->input;

	for (uint32_t from = 0, to; from < input->wait_count; from = to) {
		uint64_t woken = 0, by_waiters = 0;
		uint32_t subject = input->waits[chain->by_subject[from]].subject;

		to = subject_end(chain, from);
		if (subject == HR_BLAME_NONE)
			return; /* the last of them */
		for (uint32_t i = from; i < to; i++) {
			const struct hr_blame_wait *wait = &input->waits[chain->by_subject[i]];

			if (!is_by_thread(wait) || wait->waker == HR_BLAME_NONE)
				continue;
			woken += wait->count;
			by_waiters += waits_too(chain, from, to, wait->waker) ? wait->count : 0;
		}
		chain->is_lock[subject] = by_waiters > 0 && 2 * by_waiters >= woken;
	}
}

static bool is_for_lock(const struct chain *chain, const struct hr_blame_wait *wait)
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

static struct kind_of_wait kind_from(const struct chain *chain, uint32_t from)
{
	const struct hr_blame_input *input = chain->input;
	const struct hr_blame_wait *first = &input->waits[chain->by_place[from]], *next = first;
	struct kind_of_wait kind = { from, from, 0, states[first->state].home && !is_for_lock(chain, first) };

	while (next->waiter == first->waiter && next->state == first->state && next->subject == first->subject) {
		kind.time_ns += next->time_ns;
		if (++kind.to == input->wait_count)
			break;
		next = &input->waits[chain->by_place[kind.to]];
	}
	return kind;
}

static void make_home(struct chain *chain, const struct kind_of_wait *kind)
{
	for (uint32_t i = kind->from; i < kind->to; i++)
		chain->is_home[chain->by_place[i]] = true;
}

/* Of one thread, from..to in by_place. One that is never in any of the waits that are always home gets its work in a queue. */
static void find_home(struct chain *chain, uint32_t from, uint32_t to)
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

static void find_homes(struct chain *chain)
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
static bool is_idle(const struct chain *chain, size_t wait)
{
	return chain->is_home[wait] && !is_by_thread(&chain->input->waits[wait]);
}

/*
 * Requests are served in waits that are not idle, and in such as look idle when those do not suffice. Where a thread serves many
 * at once, the time of each is in requests, so the share may come out too high; at 1 all of it is taken for service.
 */
static int find_served(struct chain *chain)
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

		*(is_idle(chain, i) ? &sum->idle_ns : &sum->busy_ns) += wait->time_ns;
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

/* ---- where they lead ---- */

static uint32_t idle_node(const struct chain *chain)
{
	return chain->node_count;
}

static uint32_t end_node(const struct chain *chain, enum hr_blame_end end, uint32_t owner)
{
	uint32_t place = owner == HR_BLAME_NONE ? chain->owner_count : owner;

	return chain->node_count + 1 + (uint32_t)end * (chain->owner_count + 1) + place;
}

static uint32_t place_node(uint32_t place, bool is_busy)
{
	return 2 * place + is_busy;
}

static uint32_t lock_node(const struct chain *chain, uint32_t subject)
{
	return 2 * chain->place_count + subject;
}

static int add_way(struct chain *chain, uint32_t to, double share)
{
	if (!(share > 0))
		return 0;
	if (chain->way_count == chain->way_room) {
		size_t room = chain->way_room ? 2 * chain->way_room : 256;
		struct way *grown = realloc(chain->ways, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		chain->ways = grown;
		chain->way_room = room;
	}
	chain->ways[chain->way_count++] = (struct way){ to, share };
	return 0;
}

static uint32_t group_of(const struct chain *chain, uint32_t thread)
{
	return thread == HR_BLAME_NONE ? HR_BLAME_NONE : chain->input->threads[thread].group;
}

/* Where the waker is while it is in that state. */
static uint32_t waker_node(const struct chain *chain, uint32_t waker, int state, bool is_busy)
{
	uint32_t place = waker == HR_BLAME_NONE ? HR_BLAME_NONE : chain->places[(size_t)waker * HR_STATES + (size_t)state];

	if (place != HR_BLAME_NONE)
		return place_node(place, is_busy);
	return end_node(chain, ends[states[state].end].has_label ? HR_BLAME_UNKNOWN : states[state].end,
			group_of(chain, waker));
}

static double known_ns(const struct hr_blame_wait *wait)
{
	double sum_ns = 0;

	for (int state = 0; state < HR_STATES; state++)
		sum_ns += wait->meanwhile_ns[state];
	return sum_ns;
}

static int add_window(struct chain *chain, const struct hr_blame_wait *wait, double weight, bool is_busy)
{
	double sum_ns = known_ns(wait);
	int err = 0;

	if (!(sum_ns > 0))
		return add_way(chain, end_node(chain, HR_BLAME_UNKNOWN, group_of(chain, wait->waker)), weight);
	for (int state = 0; state < HR_STATES && !err; state++)
		err = add_way(chain, waker_node(chain, wait->waker, state, is_busy),
			      weight * wait->meanwhile_ns[state] / sum_ns);
	return err;
}

/* The end of a wait that no thread of the target was seen to end. */
static uint32_t natural_end(const struct chain *chain, const struct hr_blame_wait *wait)
{
	enum hr_blame_end end = states[wait->state].end;

	if (!states[wait->state].alone && end != HR_BLAME_KLOCK) {
		if (wait->kind == HR_SUBJECT_CLIENTS)
			end = HR_BLAME_CLIENTS;
		else if (wait->kind == HR_SUBJECT_PEER)
			end = HR_BLAME_PEER;
		else if (wait->is_open)
			end = HR_BLAME_UNKNOWN;
		else if (wait->source == HR_SOURCE_OTHER)
			end = HR_BLAME_OTHER;
		else if (wait->source == HR_SOURCE_TIMEOUT)
			end = HR_BLAME_TIMER;
		else if (wait->source != HR_SOURCE_INTERRUPT)
			end = HR_BLAME_UNKNOWN;
	}
	return end_node(chain, end, ends[end].has_label ? wait->label : group_of(chain, wait->waiter));
}

/* Open, and nobody knows for what; or ended by a thread of which nothing is known, as that of a wait that began before the run. */
static bool is_unclear(const struct hr_blame_wait *wait)
{
	if (wait->is_open)
		return wait->kind == HR_SUBJECT_NONE && !states[wait->state].alone;
	return is_by_thread(wait) && !(known_ns(wait) > 0);
}

/* Such a wait is taken to be as the thread's others in that state, if there are any. */
static bool is_like_others(const struct chain *chain, size_t index)
{
	const struct hr_blame_wait *wait = &chain->input->waits[index];
	uint32_t place = chain->places[(size_t)wait->waiter * HR_STATES + wait->state];

	if (!is_unclear(wait) || (wait->is_open && chain->is_home[index]))
		return false;
	for (uint32_t i = chain->place_first[place]; i < chain->place_first[place + 1]; i++)
		if (!is_unclear(&chain->input->waits[chain->by_place[i]]))
			return true;
	return false;
}

/* is_busy: somebody waits for what the waiter holds. */
static int add_wait(struct chain *chain, size_t index, double weight, bool is_busy)
{
	const struct hr_blame_wait *wait = &chain->input->waits[index];
	double served = 1;
	int err;

	if (is_like_others(chain, index))
		return add_way(chain, place_node(chain->places[(size_t)wait->waiter * HR_STATES + wait->state], is_busy), weight);
	if (is_for_lock(chain, wait) && (is_by_thread(wait) ? is_busy : wait->is_open || wait->source != HR_SOURCE_OTHER))
		return add_way(chain, lock_node(chain, wait->subject), weight);
	if (is_by_thread(wait))
		return add_window(chain, wait, weight, is_busy || !chain->is_home[index]);
	if (is_idle(chain, index) && !is_busy)
		served = chain->served[chain->input->threads[wait->waiter].service][wait->state];
	err = add_way(chain, natural_end(chain, wait), weight * served);
	return err ? err : add_way(chain, idle_node(chain), weight * (1 - served));
}

/* What a wait counts for in its node; never nothing, so that each node leads somewhere. */
static double weight_of(const struct hr_blame_wait *wait)
{
	return fmax(wait->time_ns, 1);
}

/* In what a thread more likely waits while somebody waits for what it holds: in a queue for the same lock, and not at home. */
static int rank_of(const struct chain *chain, uint32_t wait)
{
	return is_for_lock(chain, &chain->input->waits[wait]) ? 2 : chain->is_home[wait] ? 0 : 1;
}

static int add_place(struct chain *chain, uint32_t place, bool is_busy)
{
	int best = 0, err = 0;

	for (uint32_t i = chain->place_first[place]; is_busy && i < chain->place_first[place + 1]; i++) {
		int rank = rank_of(chain, chain->by_place[i]);

		best = rank > best ? rank : best;
	}
	for (uint32_t i = chain->place_first[place]; i < chain->place_first[place + 1] && !err; i++) {
		uint32_t wait = chain->by_place[i];

		if (rank_of(chain, wait) >= best)
			err = add_wait(chain, wait, weight_of(&chain->input->waits[wait]), is_busy);
	}
	return err;
}

/* What was added since `first` sums up to that. */
static void scale_ways(struct chain *chain, size_t first, double total)
{
	double sum = 0;

	for (size_t i = first; i < chain->way_count; i++)
		sum += chain->ways[i].share;
	for (size_t i = first; i < chain->way_count; i++)
		chain->ways[i].share *= total / sum;
}

/*
 * Of the waits for one lock, from..to in by_subject: who had it, and what they did then. Each window ends with a turn of its
 * waker; before that the waker may have waited for the lock itself, which leads back here. That is followed at once, not turn by
 * turn: in a long queue there are many.
 */
static int add_turn(struct chain *chain, const struct hr_blame_wait *wait, double weight)
{
	double sum_ns = known_ns(wait);
	int err = 0;

	for (int state = 0; state < HR_STATES && !err; state++) {
		uint32_t to = waker_node(chain, wait->waker, state, true);
		double share = sum_ns > 0 ? weight * wait->meanwhile_ns[state] / sum_ns : 0;
		size_t first = chain->way_count;

		if (state != HR_STATE_FUTEX || to >= 2 * chain->place_count) {
			err = add_way(chain, to, share);
		} else if (share > 0) {
			err = add_place(chain, to / 2, true);
			scale_ways(chain, first, share);
		}
	}
	return sum_ns > 0 ? err : add_window(chain, wait, weight, true);
}

/* By the time of the windows: so long each was seen to have the lock. */
static int add_lock(struct chain *chain, uint32_t from, uint32_t to)
{
	int err = 0;

	for (uint32_t i = from; i < to && !err; i++) {
		const struct hr_blame_wait *wait = &chain->input->waits[chain->by_subject[i]];

		if (is_by_thread(wait) && wait->waker != HR_BLAME_NONE)
			err = add_turn(chain, wait, fmax(known_ns(wait), 1));
	}
	return err;
}

static int compare_ways(const void *a, const void *b)
{
	const struct way *left = a, *right = b;

	return compare_numbers(left->to, right->to);
}

/* The ways that were added since `first` are those of a node: one to each place, and shares of one. */
static void finish_node(struct chain *chain, size_t first)
{
	size_t kept = first;

	if (chain->way_count > first)
		qsort(&chain->ways[first], chain->way_count - first, sizeof(*chain->ways), compare_ways);
	for (size_t i = first; i < chain->way_count; i++) {
		if (kept > first && chain->ways[kept - 1].to == chain->ways[i].to)
			chain->ways[kept - 1].share += chain->ways[i].share;
		else
			chain->ways[kept++] = chain->ways[i];
	}
	chain->way_count = kept;
	scale_ways(chain, first, 1);
}

static int add_nodes(struct chain *chain)
{
	uint32_t node = 0, from = 0, to;
	int err = 0;

	for (; node < 2 * chain->place_count && !err; node++) {
		chain->way_first[node] = chain->way_count;
		err = add_place(chain, node / 2, node % 2);
		finish_node(chain, chain->way_first[node]);
	}
	for (uint32_t subject = 0; subject < chain->input->subject_count && !err; subject++, node++) {
		chain->way_first[node] = chain->way_count;
		while (from < chain->input->wait_count && chain->input->waits[chain->by_subject[from]].subject < subject)
			from++;
		to = from < chain->input->wait_count ? subject_end(chain, from) : from;
		if (chain->is_lock[subject])
			err = add_lock(chain, from, to);
		finish_node(chain, chain->way_first[node]);
	}
	chain->way_first[chain->node_count] = chain->way_count;
	return err;
}

/* Time that gets among threads that only wake each other never comes out: do not chase it. */
static void find_ways_out(struct chain *chain)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t node = chain->node_count; node-- > 0;)
			for (size_t i = chain->way_first[node]; i < chain->way_first[node + 1] && !chain->leads_out[node]; i++)
				if (chain->ways[i].to >= chain->node_count || chain->leads_out[chain->ways[i].to])
					chain->leads_out[node] = changed = true;
	}
}

static void close_chain(struct chain *chain)
{
	free(chain->by_place);
	free(chain->by_subject);
	free(chain->place_first);
	free(chain->places);
	free(chain->is_home);
	free(chain->is_lock);
	free(chain->served);
	free(chain->ways);
	free(chain->way_first);
	free(chain->leads_out);
}

static int open_chain(struct chain *chain, const struct hr_blame_input *input)
{
	size_t waits = input->wait_count + 1;
	int err;

	*chain = (struct chain){ .input = input };
	chain->owner_count = input->group_count > input->label_count ? input->group_count : input->label_count;
	chain->by_place = calloc(waits, sizeof(*chain->by_place));
	chain->by_subject = calloc(waits, sizeof(*chain->by_subject));
	chain->place_first = calloc(waits, sizeof(*chain->place_first));
	chain->places = calloc(input->thread_count + 1, HR_STATES * sizeof(*chain->places));
	chain->is_home = calloc(waits, sizeof(*chain->is_home));
	chain->is_lock = calloc(input->subject_count + 1, sizeof(*chain->is_lock));
	chain->served = calloc(input->request_count + 1, sizeof(*chain->served));
	if (!chain->by_place || !chain->by_subject || !chain->place_first || !chain->places || !chain->is_home ||
	    !chain->is_lock || !chain->served)
		return -ENOMEM;
	order_waits(chain);
	chain->way_first = calloc(chain->node_count + 1, sizeof(*chain->way_first));
	chain->leads_out = calloc(chain->node_count + 1, sizeof(*chain->leads_out));
	if (!chain->way_first || !chain->leads_out)
		return -ENOMEM;
	find_locks(chain);
	find_homes(chain);
	err = find_served(chain);
	if (!err)
		err = add_nodes(chain);
	if (!err)
		find_ways_out(chain);
	return err;
}

/* ---- one group's time through the chain ---- */

struct flow {
	struct chain *chain;
	double *at;	     /* by node and end */
	uint32_t *queue;     /* a ring of nodes that hold enough to be moved on */
	bool *queued;
	uint32_t head, length;
	uint32_t *touched;   /* nodes and ends with anything in `at` */
	uint32_t touched_count;
	bool *is_touched;
	uint32_t total_count; /* nodes and ends */
	double least_ns;     /* less is left where it is */
	uint64_t moves;
};

static void put(struct flow *flow, uint32_t to, double time_ns)
{
	const struct chain *chain = flow->chain;

	if (!flow->is_touched[to]) {
		flow->is_touched[to] = true;
		flow->touched[flow->touched_count++] = to;
	}
	flow->at[to] += time_ns;
	if (to >= chain->node_count || flow->queued[to] || !chain->leads_out[to] || flow->at[to] < flow->least_ns)
		return;
	flow->queued[to] = true;
	flow->queue[(flow->head + flow->length++) % chain->node_count] = to;
}

/* All that a node holds goes where the node leads; what comes back to it at once has gone round until it left. */
static void move_on(struct flow *flow, uint32_t node)
{
	const struct chain *chain = flow->chain;
	double time_ns = flow->at[node], back = 0;

	flow->at[node] = 0;
	for (size_t i = chain->way_first[node]; i < chain->way_first[node + 1]; i++)
		back += chain->ways[i].to == node ? chain->ways[i].share : 0;
	if (1 - back < 1e-12) { /* in numbers it goes nowhere */
		flow->at[node] = time_ns;
		return;
	}
	flow->moves += chain->way_first[node + 1] - chain->way_first[node];
	for (size_t i = chain->way_first[node]; i < chain->way_first[node + 1]; i++)
		if (chain->ways[i].to != node)
			put(flow, chain->ways[i].to, time_ns * chain->ways[i].share / (1 - back));
}

static void flow_off(struct flow *flow)
{
	while (flow->length && flow->moves < MOST_MOVES) {
		uint32_t node = flow->queue[flow->head];

		flow->head = (flow->head + 1) % flow->chain->node_count;
		flow->length--;
		flow->queued[node] = false;
		move_on(flow, node);
	}
	while (flow->length) { /* there were too many */
		flow->queued[flow->queue[flow->head]] = false;
		flow->head = (flow->head + 1) % flow->chain->node_count;
		flow->length--;
	}
}

static void close_flow(struct flow *flow)
{
	free(flow->at);
	free(flow->queue);
	free(flow->queued);
	free(flow->touched);
	free(flow->is_touched);
}

static int open_flow(struct flow *flow, struct chain *chain)
{
	uint32_t total = end_node(chain, HR_BLAME_ENDS, 0);

	*flow = (struct flow){
		.chain = chain,
		.total_count = total,
		.at = calloc(total, sizeof(*flow->at)),
		.queue = calloc(chain->node_count + 1, sizeof(*flow->queue)),
		.queued = calloc(chain->node_count + 1, sizeof(*flow->queued)),
		.touched = calloc(total, sizeof(*flow->touched)),
		.is_touched = calloc(total, sizeof(*flow->is_touched)),
	};
	return flow->at && flow->queue && flow->queued && flow->touched && flow->is_touched ? 0 : -ENOMEM;
}

static int add_row(struct hr_blame *blame, struct hr_blame_row row)
{
	struct hr_blame_row *grown = blame->rows;

	if ((blame->row_count & (blame->row_count - 1)) == 0) /* 0, 1, 2, 4, ...: full */
		grown = realloc(blame->rows, (blame->row_count ? 2 * blame->row_count : 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	blame->rows = grown;
	blame->rows[blame->row_count++] = row;
	return 0;
}

/* Most time first. */
static int compare_touched(const void *a, const void *b, void *at)
{
	double left = ((const double *)at)[*(const uint32_t *)a], right = ((const double *)at)[*(const uint32_t *)b];

	return left != right ? left > right ? -1 : 1 : compare_numbers(*(const uint32_t *)a, *(const uint32_t *)b);
}

/* A row for an end; owners beyond those that are kept come to `rest`, by end. */
static int collect_end(const struct chain *chain, uint32_t group, uint32_t end, double time_ns, uint32_t *kept,
		       double rest[HR_BLAME_ENDS], struct hr_blame *blame)
{
	uint32_t owner = end % (chain->owner_count + 1);
	struct hr_blame_row row = {
		.group = group, .end = end / (chain->owner_count + 1),
		.owner = owner == chain->owner_count ? HR_BLAME_NONE : owner, .time_ns = time_ns,
	};

	if (row.owner == HR_BLAME_NONE || *kept >= OWNERS_KEPT) {
		rest[row.end] += time_ns;
		return 0;
	}
	(*kept)++;
	return add_row(blame, row);
}

/* What has come to the ends, and what has not; the flow is empty then. */
static int collect(struct flow *flow, uint32_t group, struct hr_blame *blame)
{
	const struct chain *chain = flow->chain;
	double rest[HR_BLAME_ENDS] = { 0 };
	uint32_t kept = 0;
	int err = 0;

	qsort_r(flow->touched, flow->touched_count, sizeof(*flow->touched), compare_touched, flow->at);
	for (uint32_t i = 0; i < flow->touched_count; i++) {
		uint32_t node = flow->touched[i];

		if (node < chain->node_count)
			blame->residual_ns += flow->at[node];
		else if (node == idle_node(chain))
			blame->idle_ns += flow->at[node];
		else if (!err)
			err = collect_end(chain, group, node - chain->node_count - 1, flow->at[node], &kept, rest, blame);
		flow->at[node] = 0;
		flow->is_touched[node] = false;
	}
	flow->touched_count = 0;
	for (int end = 0; end < HR_BLAME_ENDS && !err; end++)
		if (rest[end] > 0)
			err = add_row(blame, (struct hr_blame_row){ group, end, HR_BLAME_NONE, rest[end] });
	return err;
}

/* Threads, ordered by their group. */
static int compare_threads(const void *a, const void *b, void *threads)
{
	const struct hr_blame_thread *left = (const struct hr_blame_thread *)threads + *(const uint32_t *)a;
	const struct hr_blame_thread *right = (const struct hr_blame_thread *)threads + *(const uint32_t *)b;
	int order = compare_numbers(left->group, right->group);

	return order ? order : compare_numbers(*(const uint32_t *)a, *(const uint32_t *)b);
}

static double place_time_ns(const struct chain *chain, uint32_t place)
{
	double time_ns = 0;

	for (uint32_t i = chain->place_first[place]; i < chain->place_first[place + 1]; i++)
		time_ns += chain->input->waits[chain->by_place[i]].time_ns;
	return time_ns;
}

/* Calls each place of the threads from..to with its time. */
static double pour(struct flow *flow, const uint32_t *threads, size_t from, size_t to, bool in)
{
	const struct chain *chain = flow->chain;
	double sum_ns = 0;

	for (size_t i = from; i < to; i++)
		for (int state = 0; state < HR_STATES; state++) {
			uint32_t place = chain->places[(size_t)threads[i] * HR_STATES + (size_t)state];
			double time_ns = place == HR_BLAME_NONE ? 0 : place_time_ns(chain, place);

			if (in && time_ns > 0)
				put(flow, place_node(place, false), time_ns);
			sum_ns += time_ns;
		}
	return sum_ns;
}

static int follow_groups(struct flow *flow, const uint32_t *threads, struct hr_blame *blame)
{
	const struct hr_blame_input *input = flow->chain->input;
	int err = 0;

	for (size_t from = 0, to; from < input->thread_count && !err; from = to) {
		uint32_t group = input->threads[threads[from]].group;
		double sum_ns;

		for (to = from; to < input->thread_count && input->threads[threads[to]].group == group; to++)
			;
		sum_ns = pour(flow, threads, from, to, false);
		flow->least_ns = RESIDUAL_SHARE * sum_ns / (flow->chain->node_count + 1);
		blame->waited_ns += sum_ns;
		pour(flow, threads, from, to, true);
		flow_off(flow);
		err = collect(flow, group, blame);
	}
	return err;
}

static int compare_rows(const void *a, const void *b)
{
	const struct hr_blame_row *left = a, *right = b;

	if (left->time_ns != right->time_ns)
		return left->time_ns > right->time_ns ? -1 : 1;
	if (left->group != right->group)
		return compare_numbers(left->group, right->group);
	return left->end != right->end ? (int)left->end - (int)right->end : compare_numbers(left->owner, right->owner);
}

static int follow(struct chain *chain, struct hr_blame *blame)
{
	const struct hr_blame_input *input = chain->input;
	uint32_t *threads = calloc(input->thread_count + 1, sizeof(*threads));
	struct flow flow;
	int err = open_flow(&flow, chain);

	if (!threads)
		err = -ENOMEM;
	for (size_t i = 0; i < input->thread_count && !err; i++)
		threads[i] = (uint32_t)i;
	if (!err) {
		qsort_r(threads, input->thread_count, sizeof(*threads), compare_threads, (void *)input->threads);
		err = follow_groups(&flow, threads, blame);
	}
	if (blame->row_count)
		qsort(blame->rows, blame->row_count, sizeof(*blame->rows), compare_rows);
	close_flow(&flow);
	free(threads);
	return err;
}

/* ---- how much of each wait was idle ---- */

static double idle_part(const struct chain *chain, const double *idle, size_t first, size_t last, uint32_t but)
{
	double part = 0;

	for (size_t i = first; i < last; i++) {
		uint32_t to = chain->ways[i].to;

		if (to == idle_node(chain))
			part += chain->ways[i].share;
		else if (to < chain->node_count && to != but)
			part += chain->ways[i].share * idle[to];
	}
	return part;
}

/* The probability to end idle, by node: the fixed point of h = Qh + r, by Gauss and Seidel. */
static void find_idle(const struct chain *chain, double *idle)
{
	double change = 1;

	for (int sweep = 0; sweep < MOST_SWEEPS && change > IDLE_PRECISION; sweep++) {
		change = 0;
		for (uint32_t node = 0; node < chain->node_count; node++) {
			size_t first = chain->way_first[node], last = chain->way_first[node + 1];
			double back = 0, now;

			for (size_t i = first; i < last; i++)
				back += chain->ways[i].to == node ? chain->ways[i].share : 0;
			if (1 - back < 1e-12)
				continue;
			now = idle_part(chain, idle, first, last, node) / (1 - back);
			change = fmax(change, fabs(now - idle[node]));
			idle[node] = now;
		}
	}
}

static int find_idle_shares(struct chain *chain, struct hr_blame *blame)
{
	double *idle = calloc(chain->node_count + 1, sizeof(*idle));
	size_t first = chain->way_count;
	int err = idle ? 0 : -ENOMEM;

	if (!err)
		find_idle(chain, idle);
	for (size_t i = 0; i < chain->input->wait_count && !err; i++) {
		chain->way_count = first; /* the wait alone, behind the chain */
		err = add_wait(chain, i, 1, false);
		blame->idle_share[i] = fmin(idle_part(chain, idle, first, chain->way_count, HR_BLAME_NONE), 1);
	}
	free(idle);
	return err;
}

int hr_blame_find(const struct hr_blame_input *input, struct hr_blame *ret_blame)
{
	struct hr_blame blame = { .idle_share = calloc(input->wait_count + 1, sizeof(double)) };
	struct chain chain;
	int err = open_chain(&chain, input);

	if (!err && !blame.idle_share)
		err = -ENOMEM;
	if (!err)
		err = follow(&chain, &blame);
	if (!err)
		err = find_idle_shares(&chain, &blame);
	if (!err) {
		blame.is_lock = chain.is_lock;
		chain.is_lock = NULL;
		*ret_blame = blame;
	} else {
		hr_blame_fini(&blame);
	}
	close_chain(&chain);
	return err;
}

void hr_blame_fini(struct hr_blame *blame)
{
	free(blame->rows);
	free(blame->idle_share);
	free(blame->is_lock);
	*blame = (struct hr_blame){ .rows = NULL };
}
