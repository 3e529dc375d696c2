/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/blame.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "analyse/blame_chain.h"

#define IDLE_PRECISION 1e-6
#define MOST_SWEEPS 1000

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

const char *hr_blame_end_name(enum hr_blame_end end)
{
	return (unsigned int)end < HR_BLAME_ENDS ? ends[end].name : "unknown";
}

bool hr_blame_end_has_label(enum hr_blame_end end)
{
	return (unsigned int)end < HR_BLAME_ENDS && ends[end].has_label;
}

/* ---- how much of each wait was idle ---- */

static double idle_part(const struct hr_chain *chain, const double *idle, size_t first, size_t last, uint32_t but)
{
	double part = 0;

	for (size_t i = first; i < last; i++) {
		uint32_t to = chain->ways[i].to;

		if (to == hr_chain_idle_node(chain))
			part += chain->ways[i].share;
		else if (to < chain->node_count && to != but)
			part += chain->ways[i].share * idle[to];
	}
	return part;
}

/* The probability to end idle, by node: the fixed point of h = Qh + r, by Gauss and Seidel. */
static void find_idle(const struct hr_chain *chain, double *idle)
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

static int find_idle_shares(struct hr_chain *chain, struct hr_blame *blame)
{
	double *idle = calloc(chain->node_count + 1, sizeof(*idle));
	size_t first = chain->way_count;
	int err = idle ? 0 : -ENOMEM;

	if (!err)
		find_idle(chain, idle);
	for (size_t i = 0; i < chain->input->wait_count && !err; i++) {
		chain->way_count = first; /* the wait alone, behind the chain */
		err = hr_chain_add_wait(chain, i, 1, false);
		blame->idle_share[i] = fmin(idle_part(chain, idle, first, chain->way_count, HR_BLAME_NONE), 1);
	}
	free(idle);
	return err;
}

int hr_blame_find(const struct hr_blame_input *input, struct hr_blame *ret_blame)
{
	struct hr_blame blame = { .idle_share = calloc(input->wait_count + 1, sizeof(double)) };
	struct hr_chain chain;
	int err = hr_chain_open(&chain, input);

	if (!err && !blame.idle_share)
		err = -ENOMEM;
	if (!err)
		err = hr_chain_follow(&chain, &blame);
	if (!err)
		err = find_idle_shares(&chain, &blame);
	if (!err) {
		blame.is_lock = chain.is_lock;
		blame.is_home = chain.is_home;
		chain.is_lock = NULL;
		chain.is_home = NULL;
		*ret_blame = blame;
	} else {
		hr_blame_fini(&blame);
	}
	hr_chain_close(&chain);
	return err;
}

void hr_blame_fini(struct hr_blame *blame)
{
	free(blame->rows);
	free(blame->idle_share);
	free(blame->is_home);
	free(blame->is_lock);
	*blame = (struct hr_blame){ .rows = NULL };
}
