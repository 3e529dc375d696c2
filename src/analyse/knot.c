/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/knot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Tarjan's search (1972), with a stack of its own: graphs may be deep. */
struct search {
	struct hr_knot_edge *edges; /* ordered by `from`, one for each pair */
	size_t edge_count;
	size_t *first;		    /* edge by vertex; one more than there are vertices */
	size_t *next;		    /* edge that is to be looked at next */
	uint32_t *number, *low;	    /* order of discovery, from 1; the earliest that can be reached */
	uint32_t *component;	    /* from 1 */
	uint32_t *path, *open;	    /* vertices being searched; found and in no component yet */
	uint32_t path_length, open_count, found, component_count;
	bool *is_left, *may_stay;   /* by component: by an edge; it may be a knot */
};

static int compare_edges(const void *a, const void *b)
{
	const struct hr_knot_edge *left = a, *right = b;

	if (left->from != right->from)
		return left->from < right->from ? -1 : 1;
	return left->to < right->to ? -1 : left->to > right->to;
}

/* The edges that weigh enough, once all parts of each are added up. */
static void take_edges(struct search *search, const struct hr_knot_edge *edges, size_t count, double least_weight)
{
	size_t kept = 0;

	if (count) {
		memcpy(search->edges, edges, count * sizeof(*edges));
		qsort(search->edges, count, sizeof(*edges), compare_edges);
	}
	for (size_t i = 0; i < count; i++) {
		struct hr_knot_edge edge = search->edges[i];

		while (i + 1 < count && compare_edges(&edge, &search->edges[i + 1]) == 0)
			edge.weight += search->edges[++i].weight;
		if (edge.weight > 0 && edge.weight >= least_weight)
			search->edges[kept++] = edge;
	}
	search->edge_count = kept;
}

static void index_edges(struct search *search, uint32_t vertex_count)
{
	size_t edge = 0;

	for (uint32_t vertex = 0; vertex <= vertex_count; vertex++) {
		while (edge < search->edge_count && search->edges[edge].from < vertex)
			edge++;
		search->first[vertex] = search->next[vertex] = edge;
	}
}

static void enter(struct search *search, uint32_t vertex)
{
	search->number[vertex] = search->low[vertex] = ++search->found;
	search->path[search->path_length++] = vertex;
	search->open[search->open_count++] = vertex;
}

/* All that was found since the vertex is one component with it. */
static void close_component(struct search *search, uint32_t vertex)
{
	uint32_t member;

	search->component_count++;
	do {
		member = search->open[--search->open_count];
		search->component[member] = search->component_count;
	} while (member != vertex);
}

static void leave(struct search *search)
{
	uint32_t vertex = search->path[--search->path_length], before;

	if (search->low[vertex] == search->number[vertex])
		close_component(search, vertex);
	if (!search->path_length)
		return;
	before = search->path[search->path_length - 1];
	if (search->low[vertex] < search->low[before])
		search->low[before] = search->low[vertex];
}

static void search_from(struct search *search, uint32_t start)
{
	enter(search, start);
	while (search->path_length) {
		uint32_t vertex = search->path[search->path_length - 1], to;

		if (search->next[vertex] == search->first[vertex + 1]) {
			leave(search);
			continue;
		}
		to = search->edges[search->next[vertex]++].to;
		if (!search->number[to])
			enter(search, to);
		else if (!search->component[to] && search->number[to] < search->low[vertex])
			search->low[vertex] = search->number[to];
	}
}

static void judge_components(struct search *search, const bool *stands_alone, uint32_t vertex_count)
{
	for (size_t i = 0; i < search->edge_count; i++) {
		uint32_t from = search->component[search->edges[i].from], to = search->component[search->edges[i].to];

		/* an edge inside: it has several vertices, or one that waits for itself */
		*(from == to ? &search->may_stay[from] : &search->is_left[from]) = true;
	}
	for (uint32_t vertex = 0; vertex < vertex_count; vertex++)
		if (stands_alone[vertex])
			search->may_stay[search->component[vertex]] = true;
}

/* Numbers the knots in the order of their vertices; names is by component. */
static uint32_t name_knots(const struct search *search, uint32_t vertex_count, uint32_t *names, uint32_t *ret_knots)
{
	uint32_t count = 0;

	memset(names, 0, (vertex_count + 1) * sizeof(*names));
	for (uint32_t vertex = 0; vertex < vertex_count; vertex++) {
		uint32_t component = search->component[vertex];

		if (search->may_stay[component] && !search->is_left[component] && !names[component])
			names[component] = ++count;
		ret_knots[vertex] = names[component];
	}
	return count;
}

static void close_search(struct search *search)
{
	free(search->edges);
	free(search->first);
	free(search->next);
	free(search->number);
	free(search->low);
	free(search->component);
	free(search->path);
	free(search->open);
	free(search->is_left);
	free(search->may_stay);
}

static int open_search(struct search *search, size_t edge_count, uint32_t vertex_count)
{
	size_t vertices = (size_t)vertex_count + 1; /* components count from 1, and edges need an end */

	*search = (struct search){
		.edges = calloc(edge_count + 1, sizeof(*search->edges)),
		.first = calloc(vertices, sizeof(*search->first)),
		.next = calloc(vertices, sizeof(*search->next)),
		.number = calloc(vertices, sizeof(*search->number)),
		.low = calloc(vertices, sizeof(*search->low)),
		.component = calloc(vertices, sizeof(*search->component)),
		.path = calloc(vertices, sizeof(*search->path)),
		.open = calloc(vertices, sizeof(*search->open)),
		.is_left = calloc(vertices, sizeof(*search->is_left)),
		.may_stay = calloc(vertices, sizeof(*search->may_stay)),
	};
	return search->edges && search->first && search->next && search->number && search->low && search->component &&
	       search->path && search->open && search->is_left && search->may_stay ? 0 : -ENOMEM;
}

int hr_knot_find(const struct hr_knot_edge *edges, size_t edge_count, double least_weight, const bool *stands_alone,
		 uint32_t vertex_count, uint32_t *ret_knots, uint32_t *ret_count)
{
	struct search search;
	int err = open_search(&search, edge_count, vertex_count);

	if (!err) {
		take_edges(&search, edges, edge_count, least_weight);
		index_edges(&search, vertex_count);
		for (uint32_t vertex = 0; vertex < vertex_count; vertex++)
			if (!search.number[vertex])
				search_from(&search, vertex);
		judge_components(&search, stands_alone, vertex_count);
		*ret_count = name_knots(&search, vertex_count, search.low, ret_knots);
	}
	close_search(&search);
	return err;
}
