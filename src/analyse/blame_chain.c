/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes of the chain and the ways between them. */
#include "analyse/blame_chain.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

uint32_t hr_chain_idle_node(const struct hr_chain *chain)
{
	return chain->node_count;
}

uint32_t hr_chain_end_node(const struct hr_chain *chain, enum hr_blame_end end, uint32_t owner)
{
	uint32_t place = owner == HR_BLAME_NONE ? chain->owner_count : owner;

	return chain->node_count + 1 + (uint32_t)end * (chain->owner_count + 1) + place;
}

uint32_t hr_chain_place_node(uint32_t place, bool is_busy)
{
	return 2 * place + is_busy;
}

static uint32_t lock_node(const struct hr_chain *chain, uint32_t subject)
{
	return 2 * chain->place_count + subject;
}

static int add_way(struct hr_chain *chain, uint32_t to, double share)
{
	if (!(share > 0))
		return 0;
	if (chain->way_count == chain->way_room) {
		size_t room = chain->way_room ? 2 * chain->way_room : 256;
		struct hr_way *grown = realloc(chain->ways, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		chain->ways = grown;
		chain->way_room = room;
	}
	chain->ways[chain->way_count++] = (struct hr_way){ to, share };
	return 0;
}

static uint32_t group_of(const struct hr_chain *chain, uint32_t thread)
{
	return thread == HR_BLAME_NONE ? HR_BLAME_NONE : chain->input->threads[thread].group;
}

/* Where the waker is while it is in that state. */
static uint32_t waker_node(const struct hr_chain *chain, uint32_t waker, int state, bool is_busy)
{
	uint32_t place = waker == HR_BLAME_NONE ? HR_BLAME_NONE : chain->places[(size_t)waker * HR_STATES + (size_t)state];

	if (place != HR_BLAME_NONE)
		return hr_chain_place_node(place, is_busy);
	return hr_chain_end_node(chain, hr_blame_end_has_label(hr_chain_states[state].end) ? HR_BLAME_UNKNOWN : hr_chain_states[state].end,
			group_of(chain, waker));
}

static double known_ns(const struct hr_blame_wait *wait)
{
	double sum_ns = 0;

	for (int state = 0; state < HR_STATES; state++)
		sum_ns += wait->meanwhile_ns[state];
	return sum_ns;
}

static int add_window(struct hr_chain *chain, const struct hr_blame_wait *wait, double weight, bool is_busy)
{
	double sum_ns = known_ns(wait);
	int err = 0;

	if (!(sum_ns > 0))
		return add_way(chain, hr_chain_end_node(chain, HR_BLAME_UNKNOWN, group_of(chain, wait->waker)), weight);
	for (int state = 0; state < HR_STATES && !err; state++)
		err = add_way(chain, waker_node(chain, wait->waker, state, is_busy),
			      weight * wait->meanwhile_ns[state] / sum_ns);
	return err;
}

/* The end of a wait that no thread of the target was seen to end. */
static uint32_t natural_end(const struct hr_chain *chain, const struct hr_blame_wait *wait)
{
	enum hr_blame_end end = hr_chain_states[wait->state].end;

	if (!hr_chain_states[wait->state].alone && end != HR_BLAME_KLOCK) {
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
	return hr_chain_end_node(chain, end, hr_blame_end_has_label(end) ? wait->label : group_of(chain, wait->waiter));
}

/* Open, and nobody knows for what; or ended by a thread of which nothing is known, as that of a wait that began before the run. */
static bool is_unclear(const struct hr_blame_wait *wait)
{
	if (wait->is_open)
		return wait->kind == HR_SUBJECT_NONE && !hr_chain_states[wait->state].alone;
	return hr_chain_is_by_thread(wait) && !(known_ns(wait) > 0);
}

/* Such a wait is taken to be as the thread's others in that state, if there are any. */
static bool is_like_others(const struct hr_chain *chain, size_t index)
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
int hr_chain_add_wait(struct hr_chain *chain, size_t index, double weight, bool is_busy)
{
	const struct hr_blame_wait *wait = &chain->input->waits[index];
	double served = 1;
	int err;

	if (is_like_others(chain, index))
		return add_way(chain, hr_chain_place_node(chain->places[(size_t)wait->waiter * HR_STATES + wait->state], is_busy), weight);
	if (hr_chain_is_for_lock(chain, wait) && (hr_chain_is_by_thread(wait) ? is_busy : wait->is_open || wait->source != HR_SOURCE_OTHER))
		return add_way(chain, lock_node(chain, wait->subject), weight);
	if (hr_chain_is_by_thread(wait))
		return add_window(chain, wait, weight, is_busy || !chain->is_home[index]);
	if (hr_chain_is_idle(chain, index) && !is_busy)
		served = chain->served[chain->input->threads[wait->waiter].service][wait->state];
	err = add_way(chain, natural_end(chain, wait), weight * served);
	return err ? err : add_way(chain, hr_chain_idle_node(chain), weight * (1 - served));
}

/* What a wait counts for in its node; never nothing, so that each node leads somewhere. */
static double weight_of(const struct hr_blame_wait *wait)
{
	return fmax(wait->time_ns, 1);
}

/* In what a thread more likely waits while somebody waits for what it holds: in a queue for the same lock, and not at home. */
static int rank_of(const struct hr_chain *chain, uint32_t wait)
{
	return hr_chain_is_for_lock(chain, &chain->input->waits[wait]) ? 2 : chain->is_home[wait] ? 0 : 1;
}

static int add_place(struct hr_chain *chain, uint32_t place, bool is_busy)
{
	int best = 0, err = 0;

	for (uint32_t i = chain->place_first[place]; is_busy && i < chain->place_first[place + 1]; i++) {
		int rank = rank_of(chain, chain->by_place[i]);

		best = rank > best ? rank : best;
	}
	for (uint32_t i = chain->place_first[place]; i < chain->place_first[place + 1] && !err; i++) {
		uint32_t wait = chain->by_place[i];

		if (rank_of(chain, wait) >= best)
			err = hr_chain_add_wait(chain, wait, weight_of(&chain->input->waits[wait]), is_busy);
	}
	return err;
}

/* What was added since `first` sums up to that. */
static void scale_ways(struct hr_chain *chain, size_t first, double total)
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
static int add_turn(struct hr_chain *chain, const struct hr_blame_wait *wait, double weight)
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
static int add_lock(struct hr_chain *chain, uint32_t from, uint32_t to)
{
	int err = 0;

	for (uint32_t i = from; i < to && !err; i++) {
		const struct hr_blame_wait *wait = &chain->input->waits[chain->by_subject[i]];

		if (hr_chain_is_by_thread(wait) && wait->waker != HR_BLAME_NONE)
			err = add_turn(chain, wait, fmax(known_ns(wait), 1));
	}
	return err;
}

static int compare_ways(const void *a, const void *b)
{
	const struct hr_way *left = a, *right = b;

	return hr_chain_compare(left->to, right->to);
}

/* The ways that were added since `first` are those of a node: one to each place, and shares of one. */
static void finish_node(struct hr_chain *chain, size_t first)
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

static int add_nodes(struct hr_chain *chain)
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
		to = from < chain->input->wait_count ? hr_chain_subject_end(chain, from) : from;
		if (chain->is_lock[subject])
			err = add_lock(chain, from, to);
		finish_node(chain, chain->way_first[node]);
	}
	chain->way_first[chain->node_count] = chain->way_count;
	return err;
}

/* Time that gets among threads that only wake each other never comes out: do not chase it. */
static void find_ways_out(struct hr_chain *chain)
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

void hr_chain_close(struct hr_chain *chain)
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

int hr_chain_open(struct hr_chain *chain, const struct hr_blame_input *input)
{
	size_t waits = input->wait_count + 1;
	int err;

	*chain = (struct hr_chain){ .input = input };
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
	hr_chain_order_waits(chain);
	chain->way_first = calloc(chain->node_count + 1, sizeof(*chain->way_first));
	chain->leads_out = calloc(chain->node_count + 1, sizeof(*chain->leads_out));
	if (!chain->way_first || !chain->leads_out)
		return -ENOMEM;
	err = hr_chain_find_kinds(chain);
	if (!err)
		err = add_nodes(chain);
	if (!err)
		find_ways_out(chain);
	return err;
}
