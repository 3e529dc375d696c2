/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/edges.h"
#include "analyse/knot.h"

#define LEAST_KNOT_SHARE 0.01 /* of the run, per thread of the group: wPerf's threshold */
#define BUSY_SHARE 0.5	      /* of the run on CPU: a thread that stands alone in a knot */

/* ---- numbers for texts ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_texts(struct hr_numbered *numbered)
{
	size_t kept = 0;

	if (numbered->count)
		qsort(numbered->texts, numbered->count, sizeof(*numbered->texts), compare_texts);
	for (size_t i = 0; i < numbered->count; i++)
		if (i == 0 || strcmp(numbered->texts[i], numbered->texts[kept - 1]) != 0)
			numbered->texts[kept++] = numbered->texts[i];
	numbered->count = kept;
}

static uint32_t number_of_text(const struct hr_numbered *numbered, const char *text)
{
	const char **found = text && numbered->count ? bsearch(&text, numbered->texts, numbered->count,
							       sizeof(*numbered->texts), compare_texts) : NULL;

	return found ? (uint32_t)(found - numbered->texts) : HR_BLAME_NONE;
}

static int number_texts(struct hr_numbered *numbered, size_t most, const char *(*text_at)(const void *, size_t), const void *of)
{
	numbered->texts = calloc(most + 1, sizeof(*numbered->texts));
	if (!numbered->texts)
		return -ENOMEM;
	for (size_t i = 0; i < most; i++) {
		const char *text = text_at(of, i);

		if (text)
			numbered->texts[numbered->count++] = text;
	}
	sort_texts(numbered);
	return 0;
}

static const char *futex_at(const void *edges, size_t i)
{
	const struct hr_edge_load *edge = &((const struct hr_edges *)edges)->all[i];

	return edge->futex_pair;
}

/* Whom an edge ends at that no thread of the target ended. */
static const char *label_at(const void *edges, size_t i)
{
	const struct hr_edge_load *edge = &((const struct hr_edges *)edges)->all[i];

	if (edge->kind == HR_SUBJECT_PEER || edge->kind == HR_SUBJECT_CLIENTS)
		return edge->subject;
	return edge->source == HR_SOURCE_OTHER ? edge->waker_name : NULL;
}

static const char *process_at(const void *summary, size_t i)
{
	return ((const struct hr_summary *)summary)->processes[i].name;
}

/* ---- blame ---- */

struct blame_parts {
	struct hr_blame_thread *threads;
	struct hr_blame_wait *waits;
	struct hr_blame_requests *requests; /* by name of process */
	struct hr_numbered services;
};

static int number_edges(struct hr_edges *edges)
{
	int err = number_texts(&edges->futexes, edges->count, futex_at, edges);

	if (!err)
		err = number_texts(&edges->labels, edges->count, label_at, edges);
	for (size_t i = 0; i < edges->count && !err; i++) {
		edges->all[i].futex = number_of_text(&edges->futexes, futex_at(edges, i));
		edges->all[i].label = number_of_text(&edges->labels, label_at(edges, i));
	}
	return err;
}

static void take_edge(struct hr_blame_wait *wait, const struct hr_edge_load *edge)
{
	*wait = (struct hr_blame_wait){
		.waiter = (uint32_t)edge->thread,
		.waker = edge->waker == HR_NO_INDEX ? HR_BLAME_NONE : (uint32_t)edge->waker,
		.subject = edge->futex,
		.label = edge->label,
		.state = edge->state,
		.kind = edge->kind,
		.source = edge->source,
		.is_open = edge->is_open,
		.count = edge->count,
		.time_ns = (double)edge->time_ns,
	};
	for (int state = 0; state < HR_STATES; state++)
		wait->meanwhile_ns[state] = (double)edge->waker_state_ns[state];
}

static void take_threads(const struct hr_summary *summary, const struct blame_parts *parts)
{
	for (size_t i = 0; i < summary->thread_count; i++) {
		const struct hr_thread_summary *thread = &summary->threads[i];

		parts->threads[i] = (struct hr_blame_thread){
			.group = (uint32_t)thread->group,
			.service = number_of_text(&parts->services, summary->processes[thread->process].name),
			.life_ns = (double)thread->account.life_ns,
		};
	}
}

static void take_requests(const struct hr_summary *summary, const struct blame_parts *parts)
{
	for (size_t i = 0; i < summary->flow_count; i++) {
		uint32_t service = number_of_text(&parts->services, summary->flows[i].process);

		for (int state = 0; state < HR_STATES && service != HR_BLAME_NONE; state++)
			parts->requests[service].state_ns[state] += (double)summary->flows[i].requests.budget.state_ns[state];
	}
}

static int take_parts(const struct hr_summary *summary, const struct hr_edges *edges, struct blame_parts *parts)
{
	int err = number_texts(&parts->services, summary->process_count, process_at, summary);

	parts->threads = calloc(summary->thread_count + 1, sizeof(*parts->threads));
	parts->waits = calloc(edges->count + 1, sizeof(*parts->waits));
	parts->requests = calloc(summary->process_count + 1, sizeof(*parts->requests));
	if (err || !parts->threads || !parts->waits || !parts->requests)
		return -ENOMEM;
	for (size_t i = 0; i < edges->count; i++)
		take_edge(&parts->waits[i], &edges->all[i]);
	take_threads(summary, parts);
	take_requests(summary, parts);
	return 0;
}

static const char *owner_name(const struct hr_summary *summary, const struct hr_edges *edges, const struct hr_blame_row *row)
{
	if (row->owner == HR_BLAME_NONE)
		return NULL;
	return hr_blame_end_has_label(row->end) ? edges->labels.texts[row->owner] : summary->groups[row->owner].label;
}

static void take_blame(struct hr_load *load, const struct hr_edges *edges)
{
	struct hr_waits_summary *waits = &load->summary->waits;
	const struct hr_blame *blame = &edges->blame;
	double blamed_ns = 0;

	waits->waited_ns = blame->waited_ns;
	waits->idle_ns = blame->idle_ns;
	waits->residual_ns = blame->residual_ns;
	for (size_t i = 0; i < blame->row_count; i++)
		blamed_ns += blame->rows[i].time_ns;
	for (size_t i = 0; i < blame->row_count; i++) {
		const struct hr_blame_row *row = &blame->rows[i];
		struct hr_blame_summary *item = HR_LOAD_APPEND(load, waits->blames, waits->blame_count);

		if (item)
			*item = (struct hr_blame_summary){
				row->group, row->end, owner_name(load->summary, edges, row), row->time_ns, row->time_ns / blamed_ns,
			};
	}
}

static int compare_owners(const void *a, const void *b)
{
	const struct hr_blame_row *left = a, *right = b;

	if (left->end != right->end)
		return left->end < right->end ? -1 : 1;
	return left->owner < right->owner ? -1 : left->owner > right->owner;
}

static int compare_ends(const void *a, const void *b)
{
	const struct hr_end_summary *left = a, *right = b;

	return left->time_ns > right->time_ns ? -1 : left->time_ns < right->time_ns;
}

/* Over all who waited; orders the rows anew. */
static void take_ends(struct hr_load *load, const struct hr_edges *edges)
{
	struct hr_waits_summary *waits = &load->summary->waits;
	const struct hr_blame *blame = &edges->blame;
	double blamed_ns = 0;

	if (blame->row_count)
		qsort(blame->rows, blame->row_count, sizeof(*blame->rows), compare_owners);
	for (size_t i = 0; i < blame->row_count && !load->out_of_memory; i++) {
		const struct hr_blame_row *row = &blame->rows[i];

		if (i == 0 || compare_owners(row, &blame->rows[i - 1]) != 0) {
			struct hr_end_summary *end = HR_LOAD_APPEND(load, waits->ends, waits->end_count);

			if (end)
				*end = (struct hr_end_summary){ row->end, owner_name(load->summary, edges, row), 0, 0 };
		}
		if (waits->end_count)
			waits->ends[waits->end_count - 1].time_ns += row->time_ns;
		blamed_ns += row->time_ns;
	}
	for (size_t i = 0; i < waits->end_count; i++)
		waits->ends[i].share = waits->ends[i].time_ns / blamed_ns;
	if (waits->end_count)
		qsort(waits->ends, waits->end_count, sizeof(*waits->ends), compare_ends);
}

int hr_edges_blame(struct hr_load *load, struct hr_edges *edges)
{
	const struct hr_summary *summary = load->summary;
	struct blame_parts parts = { .threads = NULL };
	int err = number_edges(edges);

	if (!err)
		err = take_parts(summary, edges, &parts);
	if (!err)
		err = hr_blame_find(&(struct hr_blame_input){
			.threads = parts.threads, .waits = parts.waits, .requests = parts.requests,
			.thread_count = summary->thread_count, .wait_count = edges->count, .request_count = parts.services.count,
			.group_count = (uint32_t)summary->group_count, .label_count = (uint32_t)edges->labels.count,
			.subject_count = (uint32_t)edges->futexes.count,
		}, &edges->blame);
	if (!err) {
		take_blame(load, edges);
		take_ends(load, edges);
	}
	free(parts.threads);
	free(parts.waits);
	free(parts.requests);
	free(parts.services.texts);
	return !err && load->out_of_memory ? -ENOMEM : err;
}

/* ---- knots ---- */

/* Vertices: the groups, then what ends waits in itself, then peers and threads outside the target by their label. */
struct knots {
	const struct hr_summary *summary;
	const struct hr_edges *edges;
	struct hr_knot_edge *graph;
	size_t graph_count;
	bool *stands_alone;
	uint32_t *knots;
	uint32_t vertex_count, count;
};

static uint32_t end_vertex(const struct knots *knots, enum hr_blame_end end, uint32_t owner)
{
	uint32_t groups = (uint32_t)knots->summary->group_count;

	if (hr_blame_end_has_label(end))
		return owner == HR_BLAME_NONE ? HR_BLAME_NONE : groups + HR_BLAME_ENDS + owner;
	return groups + (uint32_t)end;
}

/* Whom an edge leads to; NONE: a timer, a client, or nobody knows. */
static uint32_t vertex_of(const struct knots *knots, const struct hr_edge_load *edge)
{
	static const enum hr_blame_end devices[HR_STATES] = {
		[HR_STATE_DISK] = HR_BLAME_DISK, [HR_STATE_FAULT] = HR_BLAME_FAULT, [HR_STATE_RECLAIM] = HR_BLAME_RECLAIM,
		[HR_STATE_DEVICE] = HR_BLAME_DEVICE,
	};

	if (devices[edge->state])
		return end_vertex(knots, devices[edge->state], HR_BLAME_NONE);
	if (edge->waker_group != HR_NO_INDEX)
		return (uint32_t)edge->waker_group;
	if (edge->state == HR_STATE_KLOCK)
		return end_vertex(knots, HR_BLAME_KLOCK, HR_BLAME_NONE);
	return edge->kind == HR_SUBJECT_CLIENTS ? HR_BLAME_NONE : end_vertex(knots, HR_BLAME_PEER, edge->label);
}

/* Idle time does not hold anybody up. */
static void add_edges(struct knots *knots)
{
	uint32_t groups = (uint32_t)knots->summary->group_count;

	for (size_t i = 0; i < knots->edges->count; i++) {
		const struct hr_edge_load *edge = &knots->edges->all[i];
		uint32_t to = vertex_of(knots, edge);

		if (to == HR_BLAME_NONE)
			continue;
		knots->graph[knots->graph_count++] = (struct hr_knot_edge){
			(uint32_t)edge->group, to,
			(double)edge->time_ns * (1 - knots->edges->blame.idle_share[i]) /
				(double)knots->summary->groups[edge->group].thread_count,
		};
		knots->stands_alone[to] = knots->stands_alone[to] || to >= groups;
	}
	for (uint32_t i = 0; i < groups; i++) {
		const struct hr_thread_summary *busiest = &knots->summary->threads[knots->summary->groups[i].busiest];

		knots->stands_alone[i] = hr_summary_busy_share(knots->summary, busiest) >= BUSY_SHARE;
	}
}

static const char *vertex_name(const struct knots *knots, uint32_t vertex)
{
	uint32_t groups = (uint32_t)knots->summary->group_count;

	if (vertex < groups)
		return knots->summary->groups[vertex].label;
	if (vertex < groups + HR_BLAME_ENDS)
		return hr_blame_end_name(vertex - groups);
	return knots->edges->labels.texts[vertex - groups - HR_BLAME_ENDS];
}

/* Where it is in the graph; NONE: nowhere, as timers are. */
static uint32_t blamed_vertex(const struct knots *knots, const struct hr_blame_row *row)
{
	switch (row->end) {
	case HR_BLAME_ON_CPU:
	case HR_BLAME_RUNQ:
	case HR_BLAME_PREEMPTED: return row->owner;
	case HR_BLAME_TIMER:
	case HR_BLAME_CHILD:
	case HR_BLAME_STOPPED:
	case HR_BLAME_CLIENTS:
	case HR_BLAME_UNKNOWN: return HR_BLAME_NONE;
	default: return end_vertex(knots, row->end, row->owner);
	}
}

/* What is to blame most, over all groups that wait for it; NONE: it is nowhere in the graph. */
static int most_blamed(const struct knots *knots, uint32_t *ret_vertex)
{
	const struct hr_blame *blame = &knots->edges->blame;
	double *time_ns = calloc(knots->vertex_count + 1, sizeof(*time_ns)); /* the last: of what is nowhere */
	uint32_t most = knots->vertex_count;

	if (!time_ns)
		return -ENOMEM;
	for (size_t i = 0; i < blame->row_count; i++) {
		uint32_t vertex = blamed_vertex(knots, &blame->rows[i]);

		time_ns[vertex == HR_BLAME_NONE ? knots->vertex_count : vertex] += blame->rows[i].time_ns;
	}
	for (uint32_t vertex = 0; vertex < knots->vertex_count; vertex++)
		if (time_ns[vertex] > time_ns[most])
			most = vertex;
	free(time_ns);
	*ret_vertex = most == knots->vertex_count ? HR_BLAME_NONE : most;
	return 0;
}

static void take_knots(struct hr_load *load, const struct knots *knots, uint32_t most)
{
	struct hr_waits_summary *waits = &load->summary->waits;

	for (uint32_t knot = 1; knot <= knots->count; knot++)
		for (uint32_t vertex = 0; vertex < knots->vertex_count; vertex++) {
			struct hr_knot_summary *item;

			if (knots->knots[vertex] != knot)
				continue;
			item = HR_LOAD_APPEND(load, waits->knots, waits->knot_count);
			if (item)
				*item = (struct hr_knot_summary){ knot, vertex_name(knots, vertex) };
		}
	waits->knots_differ = knots->count > 0 && most != HR_BLAME_NONE && !knots->knots[most];
}

int hr_edges_knots(struct hr_load *load, struct hr_edges *edges)
{
	const struct hr_summary *summary = load->summary;
	uint32_t vertices = (uint32_t)(summary->group_count + HR_BLAME_ENDS + edges->labels.count);
	struct knots knots = {
		.summary = summary, .edges = edges, .vertex_count = vertices,
		.graph = calloc(edges->count + 1, sizeof(*knots.graph)),
		.stands_alone = calloc(vertices, sizeof(*knots.stands_alone)),
		.knots = calloc(vertices, sizeof(*knots.knots)),
	};
	int err = knots.graph && knots.stands_alone && knots.knots ? 0 : -ENOMEM;
	uint32_t most;

	if (!err) {
		add_edges(&knots);
		err = hr_knot_find(knots.graph, knots.graph_count, LEAST_KNOT_SHARE * (double)summary->run.recorded_ns,
				   knots.stands_alone, vertices, knots.knots, &knots.count);
	}
	if (!err)
		err = most_blamed(&knots, &most);
	if (!err)
		take_knots(load, &knots, most);
	free(knots.graph);
	free(knots.stands_alone);
	free(knots.knots);
	return !err && load->out_of_memory ? -ENOMEM : err;
}
