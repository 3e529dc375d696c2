/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/waits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/edges.h"
#include "store/tables.h"

void hr_waits_fini(struct hr_waits_summary *waits)
{
	free(waits->waits);
	free(waits->blames);
	free(waits->ends);
	free(waits->knots);
	free(waits->locks);
	*waits = (struct hr_waits_summary){ .is_known = false };
}

/* ---- reading ---- */

static enum hr_subject subject_from_name(const char *name)
{
	for (int kind = HR_SUBJECT_NONE + 1; name && kind < HR_SUBJECTS; kind++)
		if (strcmp(hr_subject_name(kind), name) == 0)
			return kind;
	return HR_SUBJECT_NONE;
}

static enum hr_source source_from_name(const char *name)
{
	for (int source = 0; name && source < HR_SOURCES; source++)
		if (strcmp(hr_source_name(source), name) == 0)
			return source;
	return HR_SOURCE_UNKNOWN;
}

/* "wrk (1234)" is "wrk": who is outside the target is told by name. */
static const char *without_id(struct hr_load *load, const char *waker)
{
	const char *end = waker ? strrchr(waker, '(') : NULL;
	char name[128];

	if (!end || end < waker + 2)
		return hr_load_text(load, waker);
	snprintf(name, sizeof(name), "%.*s", (int)(end - waker - 1), waker);
	return hr_load_text(load, name);
}

static size_t thread_index(struct hr_load *load, int64_t thread_id)
{
	const struct hr_thread_summary *thread = hr_load_thread(load, thread_id);

	return thread ? (size_t)(thread - load->summary->threads) : HR_NO_INDEX;
}

static int64_t process_id_of(const struct hr_load *load, size_t thread)
{
	return load->summary->processes[load->summary->threads[thread].process].process_id;
}

static void take_waker(const struct hr_summary *summary, struct hr_edge_load *edge, size_t waker)
{
	if (waker == HR_NO_INDEX)
		return;
	edge->waker = waker;
	edge->waker_group = summary->threads[waker].group;
	edge->waker_name = summary->groups[edge->waker_group].label;
}

static int on_edge(struct hr_load *load, struct hr_query *query)
{
	struct hr_edges *edges = load->edges;
	size_t thread = thread_index(load, hr_query_int(query, 1));
	const char *state_name = hr_query_text(query, 2), *source = hr_query_text(query, 5);
	int state = state_name ? hr_state_from_name(state_name) : -1;
	struct hr_edge_load *edge;

	if (thread == HR_NO_INDEX)
		return 0;
	edge = HR_LOAD_APPEND(load, edges->all, edges->count);
	if (!edge)
		return 0;
	*edge = (struct hr_edge_load){
		.edge_id = hr_query_int(query, 0),
		.thread = thread,
		.group = load->summary->threads[thread].group,
		.waker = HR_NO_INDEX,
		.waker_group = HR_NO_INDEX,
		.state = state < 0 ? HR_STATE_OTHER : (enum hr_state)state,
		.kind = subject_from_name(hr_query_text(query, 3)),
		.subject = hr_load_text(load, hr_query_text(query, 4)),
		.source = source_from_name(source),
		.is_open = source && strcmp(source, HR_SOURCE_OPEN_NAME) == 0,
		.lock = HR_NO_INDEX,
		.futex = HR_BLAME_NONE,
		.label = HR_BLAME_NONE,
		.count = hr_load_amount(query, 8),
		.time_ns = hr_load_amount(query, 9),
		.handover_ns = hr_query_int(query, 10),
		.window_ns = hr_load_amount(query, 11),
	};
	if (edge->kind == HR_SUBJECT_FUTEX)
		edge->futex_pair = hr_futex_pair(load, process_id_of(load, thread), edge->subject);
	if (edge->source == HR_SOURCE_THREAD)
		take_waker(load->summary, edge, thread_index(load, hr_query_int(query, 6)));
	else
		edge->waker_name = without_id(load, hr_query_text(query, 7));
	return 0;
}

static int compare_id(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static struct hr_edge_load *find_edge(const struct hr_edges *edges, int64_t edge_id)
{
	return edges->count ? bsearch(&edge_id, edges->all, edges->count, sizeof(*edges->all), compare_id) : NULL;
}

static int on_window(struct hr_load *load, struct hr_query *query)
{
	struct hr_edge_load *edge = find_edge(load->edges, hr_query_int(query, 0));
	const char *name = hr_query_text(query, 1);
	int state = name ? hr_state_from_name(name) : -1;

	if (edge) /* a state of a later version: its time is not lost */
		edge->waker_state_ns[state < 0 ? HR_STATE_OTHER : state] += hr_load_amount(query, 2);
	return 0;
}

static int on_slot(struct hr_load *load, struct hr_query *query)
{
	struct hr_edges *edges = load->edges;
	const struct hr_edge_load *edge = find_edge(edges, hr_query_int(query, 0));
	struct hr_row_slot *slot = edge ? HR_LOAD_APPEND(load, edges->slots, edges->slot_count) : NULL;

	if (slot)
		*slot = (struct hr_row_slot){
			edge->row, { hr_load_amount(query, 1), hr_load_amount(query, 2), hr_load_amount(query, 3) },
		};
	return 0;
}

/* ---- rows: edges of one kind together ---- */

/* What an edge of the row is for, as it is shown. Threads that each wait for a futex of their own wait for one kind of thing. */
static const char *shown_subject(const struct hr_load *load, const struct hr_edge_load *edge)
{
	const struct hr_waits_summary *waits = &load->summary->waits;
	const struct hr_lock_summary *lock = edge->lock == HR_NO_INDEX ? NULL : &waits->locks[edge->lock];

	if (!lock)
		return edge->subject;
	if (!lock->symbol && !lock->is_sited && lock->thread_count == 1 && load->summary->groups[edge->group].thread_count > 1)
		return NULL;
	return hr_lock_shown(waits, edge->lock);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_texts(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

static int compare_rows_of(const struct hr_load *load, const struct hr_edge_load *left, const struct hr_edge_load *right)
{
	int order = compare_numbers(left->group, right->group);

	if (!order)
		order = compare_numbers(left->state, right->state);
	if (!order)
		order = compare_numbers(left->kind, right->kind);
	if (!order)
		order = compare_texts(shown_subject(load, left), shown_subject(load, right));
	if (!order)
		order = compare_numbers(left->is_open, right->is_open);
	if (!order)
		order = compare_numbers(left->source, right->source);
	return order ? order : compare_texts(left->waker_name, right->waker_name);
}

static int compare_for_rows(const void *a, const void *b, void *context)
{
	const struct hr_load *load = context;
	const struct hr_edge_load *all = load->edges->all;
	const struct hr_edge_load *left = &all[*(const size_t *)a], *right = &all[*(const size_t *)b];
	int order = compare_rows_of(load, left, right);

	if (!order)
		order = compare_numbers(left->thread, right->thread);
	return order ? order : compare_numbers(*(const size_t *)a, *(const size_t *)b);
}

static struct hr_wait_summary *add_row(struct hr_load *load, const struct hr_edge_load *edge)
{
	struct hr_waits_summary *waits = &load->summary->waits;
	struct hr_wait_summary *row = HR_LOAD_APPEND(load, waits->waits, waits->wait_count);
	const struct hr_lock_summary *lock = edge->lock == HR_NO_INDEX ? NULL : &waits->locks[edge->lock];

	if (row)
		*row = (struct hr_wait_summary){
			.group = edge->group,
			.state = edge->state,
			.kind = edge->kind,
			.subject = shown_subject(load, edge),
			.is_lock = lock && lock->is_lock,
			.is_gil = lock && lock->is_gil,
			.is_sited = lock && lock->is_sited,
			.source = edge->is_open ? HR_SOURCE_OPEN_NAME : hr_source_name(edge->source),
			.waker = edge->waker_name,
			.handover_ns = HR_NULL,
			.latency = hr_slots_latency(NULL, 0),
		};
	return row;
}

static void add_to_row(struct hr_wait_summary *row, const struct hr_edge_load *edge, double idle_share, bool is_home)
{
	row->count += edge->count;
	row->time_ns += edge->time_ns;
	row->idle_ns += idle_share * (double)edge->time_ns;
	row->home_ns += is_home ? edge->time_ns : 0;
	row->handover_ns = hr_account_known_sum(row->handover_ns, edge->handover_ns);
	row->window_ns += edge->window_ns;
	for (int state = 0; state < HR_STATES; state++)
		row->waker_state_ns[state] += edge->waker_state_ns[state];
}

static int make_rows(struct hr_load *load, struct hr_edges *edges)
{
	size_t *order = calloc(edges->count + 1, sizeof(*order));
	struct hr_wait_summary *row = NULL;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < edges->count; i++)
		order[i] = i;
	qsort_r(order, edges->count, sizeof(*order), compare_for_rows, load);
	for (size_t i = 0; i < edges->count; i++) {
		struct hr_edge_load *edge = &edges->all[order[i]], *before = i ? &edges->all[order[i - 1]] : NULL;
		bool is_same = before && compare_rows_of(load, before, edge) == 0;

		if (!is_same && !(row = add_row(load, edge)))
			break;
		add_to_row(row, edge, edges->blame.idle_share[order[i]], edges->blame.is_home[order[i]]);
		row->thread_count += !is_same || before->thread != edge->thread;
		edge->row = load->summary->waits.wait_count - 1;
	}
	free(order);
	return load->out_of_memory ? -ENOMEM : 0;
}

static int compare_slots(const void *a, const void *b)
{
	const struct hr_row_slot *left = a, *right = b;

	return left->row != right->row ? compare_numbers(left->row, right->row) : compare_numbers(left->slot.low, right->slot.low);
}

/* Percentiles take the slots of a row in one piece and in order. */
static int find_latencies(struct hr_load *load, struct hr_edges *edges)
{
	struct hr_slot *slots = calloc(edges->slot_count + 1, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	if (edges->slot_count)
		qsort(edges->slots, edges->slot_count, sizeof(*edges->slots), compare_slots);
	for (size_t i = 0; i < edges->slot_count; i++)
		slots[i] = edges->slots[i].slot;
	for (size_t from = 0, to; from < edges->slot_count; from = to) {
		size_t row = edges->slots[from].row;

		for (to = from; to < edges->slot_count && edges->slots[to].row == row; to++)
			;
		load->summary->waits.waits[row].latency = hr_slots_latency(&slots[from], to - from);
	}
	free(slots);
	return 0;
}

static int compare_waits(const void *a, const void *b)
{
	const struct hr_wait_summary *left = a, *right = b;
	double left_ns = (double)left->time_ns - left->idle_ns, right_ns = (double)right->time_ns - right->idle_ns;

	if (left_ns != right_ns)
		return left_ns > right_ns ? -1 : 1;
	return -compare_numbers(left->time_ns, right->time_ns);
}

/* Locks first: what else threads wait for in a futex is work. */
static int compare_locks(const void *a, const void *b)
{
	const struct hr_lock_summary *left = a, *right = b;

	if (left->is_lock != right->is_lock)
		return left->is_lock ? -1 : 1;
	return -compare_numbers(left->time_ns, right->time_ns);
}

/* ---- together ---- */

static int analyse(struct hr_load *load, struct hr_edges *edges)
{
	static int (*const steps[])(struct hr_load *, struct hr_edges *) = {
		hr_edges_blame, hr_edges_locks, make_rows, hr_edges_knots,
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(steps) / sizeof(steps[0]); i++)
		err = steps[i](load, edges);
	return err ? hr_err_set(load->err, err, "no memory for the summary of '%s'", hr_reader_path(load->reader)) : 0;
}

static int load_tables(struct hr_load *load, struct hr_edges *edges)
{
	int err;

	err = hr_load_locks(load);
	if (!err)
		err = hr_load_lock_sites(load);
	if (!err)
		err = hr_load_query(load, "SELECT e.edge_id, e.thread_id, e.state, e.subject_kind, e.subject, e.source, "
				    "e.waker_thread_id, e.waker, sum(w.count), sum(w.time_ns), sum(w.handover_ns), "
				    "sum(w.window_ns) FROM edges AS e JOIN waits AS w ON w.edge_id = e.edge_id "
				    "GROUP BY e.edge_id ORDER BY e.edge_id", on_edge);
	if (!err)
		err = hr_load_query(load, "SELECT edge_id, state, sum(time_ns) FROM wait_windows GROUP BY edge_id, state",
				    on_window);
	if (!err)
		err = analyse(load, edges);
	if (!err)
		err = hr_load_query(load, "SELECT edge_id, low_ns, high_ns, sum(count) FROM wait_histograms "
				    "GROUP BY edge_id, low_ns, high_ns", on_slot);
	if (!err && find_latencies(load, edges))
		err = hr_err_set(load->err, -ENOMEM, "no memory for the summary of '%s'", hr_reader_path(load->reader));
	return err;
}

int hr_load_waits(struct hr_load *load)
{
	struct hr_waits_summary *waits = &load->summary->waits;
	struct hr_edges edges = { .all = NULL };
	int err;

	err = hr_load_has_table(load, "edges", &waits->is_known);
	if (err || !waits->is_known)
		return err;
	load->edges = &edges;
	err = load_tables(load, &edges);
	if (waits->wait_count)
		qsort(waits->waits, waits->wait_count, sizeof(*waits->waits), compare_waits);
	if (waits->lock_count)
		qsort(waits->locks, waits->lock_count, sizeof(*waits->locks), compare_locks);
	load->edges = NULL;
	free(edges.all);
	free(edges.slots);
	free(edges.sites);
	free(edges.futexes.texts);
	free(edges.labels.texts);
	hr_blame_fini(&edges.blame);
	return err;
}
