/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_KNOT_H
#define HR_ANALYSE_KNOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The knots of a wait-for graph: strongly connected components that no edge leaves. Nothing outside a knot can hold it up, so
 * each holds at least one bottleneck (wPerf: Zhou et al., OSDI '18, section 3). A check of blame by other means: it asks
 * only who waits for whom, not what anybody did meanwhile.
 *
 * A component of one vertex without an edge to itself is a knot here only if it may stand alone: a device, or a thread that
 * mostly runs. Edges below least_weight are left out, as wPerf does, but its search for a smaller knot in a graph that is one
 * component (by taking away its lightest edges) is not done.
 */
struct hr_knot_edge {
	uint32_t from, to;
	double weight;
};

/*
 * 0 and, by vertex, its knot in ret_knots, 1 and up, or 0: in none; their number in *ret_count. -ENOMEM. Ends of edges are below
 * vertex_count; edges may be given in parts, which add up.
 */
int hr_knot_find(const struct hr_knot_edge *edges, size_t edge_count, double least_weight, const bool *stands_alone,
		 uint32_t vertex_count, uint32_t *ret_knots, uint32_t *ret_count);

#endif
