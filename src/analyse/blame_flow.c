/* SPDX-License-Identifier: BSD-2-Clause */
/* One group's time through the chain, until it has come to ends. */
#include "analyse/blame_chain.h"

#include <errno.h>
#include <stdlib.h>

#define RESIDUAL_SHARE 1e-3    /* of a group's time: at most so much is left where it is too little to follow */
#define MOST_MOVES (1ULL << 28) /* along ways, over all groups: some seconds */
#define OWNERS_KEPT 32	       /* of each group; the others are one, by end */

struct flow {
	struct hr_chain *chain;
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
	const struct hr_chain *chain = flow->chain;

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
	const struct hr_chain *chain = flow->chain;
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

static int open_flow(struct flow *flow, struct hr_chain *chain)
{
	uint32_t total = hr_chain_end_node(chain, HR_BLAME_ENDS, 0);

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

	return left != right ? left > right ? -1 : 1 : hr_chain_compare(*(const uint32_t *)a, *(const uint32_t *)b);
}

/* A row for an end; owners beyond those that are kept come to `rest`, by end. */
static int collect_end(const struct hr_chain *chain, uint32_t group, uint32_t end, double time_ns, uint32_t *kept,
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
	const struct hr_chain *chain = flow->chain;
	double rest[HR_BLAME_ENDS] = { 0 };
	uint32_t kept = 0;
	int err = 0;

	qsort_r(flow->touched, flow->touched_count, sizeof(*flow->touched), compare_touched, flow->at);
	for (uint32_t i = 0; i < flow->touched_count; i++) {
		uint32_t node = flow->touched[i];

		if (node < chain->node_count)
			blame->residual_ns += flow->at[node];
		else if (node == hr_chain_idle_node(chain))
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
	int order = hr_chain_compare(left->group, right->group);

	return order ? order : hr_chain_compare(*(const uint32_t *)a, *(const uint32_t *)b);
}

static double place_time_ns(const struct hr_chain *chain, uint32_t place)
{
	double time_ns = 0;

	for (uint32_t i = chain->place_first[place]; i < chain->place_first[place + 1]; i++)
		time_ns += chain->input->waits[chain->by_place[i]].time_ns;
	return time_ns;
}

/* Calls each place of the threads from..to with its time. */
static double pour(struct flow *flow, const uint32_t *threads, size_t from, size_t to, bool in)
{
	const struct hr_chain *chain = flow->chain;
	double sum_ns = 0;

	for (size_t i = from; i < to; i++)
		for (int state = 0; state < HR_STATES; state++) {
			uint32_t place = chain->places[(size_t)threads[i] * HR_STATES + (size_t)state];
			double time_ns = place == HR_BLAME_NONE ? 0 : place_time_ns(chain, place);

			if (in && time_ns > 0)
				put(flow, hr_chain_place_node(place, false), time_ns);
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
		return hr_chain_compare(left->group, right->group);
	return left->end != right->end ? (int)left->end - (int)right->end : hr_chain_compare(left->owner, right->owner);
}

int hr_chain_follow(struct hr_chain *chain, struct hr_blame *blame)
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
