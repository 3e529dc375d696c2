/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_BLAME_CHAIN_H
#define HR_ANALYSE_BLAME_CHAIN_H

#include "analyse/blame.h"

/* The chain behind blame.h. Inside src/analyse/blame*.c only. */

/* How a state ends that nobody was seen to end. alone: nobody else can, so it ends there whoever woke the thread. */
extern const struct hr_chain_state {
	enum hr_blame_end end;
	bool alone, home; /* home: if it takes over half of the thread's life */
} hr_chain_states[HR_STATES];

/* A transition. Targets from node_count on are ends: idle, then end by owner. */
struct hr_way {
	uint32_t to;
	double share;
};

/*
 * The chain. A place is what a thread waits in: its waits in one state. It has two nodes: one for when the thread may be at home,
 * and one for when somebody waits for what it holds. Behind them is one node for each subject: whoever holds that lock.
 */
struct hr_chain {
	const struct hr_blame_input *input;
	uint32_t *by_place;	/* waits, ordered by waiter and state */
	uint32_t *by_subject;	/* waits, ordered by subject */
	uint32_t *place_first;	/* in by_place; one more than there are places */
	uint32_t *places;	/* by thread and state; NONE: it never waited so */
	uint32_t place_count, node_count, owner_count;
	bool *is_home;		/* by wait */
	bool *is_lock;		/* by subject */
	double (*served)[HR_STATES]; /* by service: share of home waits in which requests were served */

	struct hr_way *ways;
	size_t way_count, way_room;
	size_t *way_first;	/* by node; one more than there are nodes */
	bool *leads_out;	/* by node: an end can be reached */
};

static inline int hr_chain_compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* blame_kinds.c: which waits are which. Orders them: by_place, places, by_subject, and how many nodes there are. */
void hr_chain_order_waits(struct hr_chain *chain);

/* blame_kinds.c: is_lock, is_home and served. 0 or -ENOMEM. */
int hr_chain_find_kinds(struct hr_chain *chain);

/* A thread of the target ended it, and could. */
bool hr_chain_is_by_thread(const struct hr_blame_wait *wait);
bool hr_chain_is_for_lock(const struct hr_chain *chain, const struct hr_blame_wait *wait);

/* Idle unless a request is served meanwhile: no thread and no lock says otherwise. */
bool hr_chain_is_idle(const struct hr_chain *chain, size_t wait);

/* Where in by_subject the waits for the subject of that at `from` end. */
uint32_t hr_chain_subject_end(const struct hr_chain *chain, uint32_t from);

/* blame_chain.c: the nodes and where they lead. 0 or -ENOMEM; hr_chain_close() takes what is half open. */
int hr_chain_open(struct hr_chain *chain, const struct hr_blame_input *input);
void hr_chain_close(struct hr_chain *chain);

/* Nodes of the chain by what they stand for: where idle waits go, where an owner's chains end, a place by its index. */
uint32_t hr_chain_idle_node(const struct hr_chain *chain);
uint32_t hr_chain_end_node(const struct hr_chain *chain, enum hr_blame_end end, uint32_t owner);
uint32_t hr_chain_place_node(uint32_t place, bool is_busy);

/* Adds the ways of one wait. is_busy: somebody waits for what the waiter holds. 0 or -ENOMEM. */
int hr_chain_add_wait(struct hr_chain *chain, size_t index, double weight, bool is_busy);

/* blame_flow.c: each group's time through the chain, into the rows and sums of *blame. 0 or -ENOMEM. */
int hr_chain_follow(struct hr_chain *chain, struct hr_blame *blame);

#endif
