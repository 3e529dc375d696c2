/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyse/knot.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t knots_of(const struct hr_knot_edge *edges, size_t count, double least, const bool *alone, uint32_t vertices,
			 uint32_t *ret_knots)
{
	uint32_t knots;

	assert_int_equal(hr_knot_find(edges, count, least, alone, vertices, ret_knots, &knots), 0);
	return knots;
}

static void two_that_wait_for_each_other_are_a_knot_and_who_waits_for_them_is_not(void **state)
{
	static const struct hr_knot_edge edges[] = { { 0, 1, 5 }, { 1, 2, 3 }, { 2, 1, 3 } };
	static const bool alone[3] = { false };
	uint32_t knots[3];

	(void)state;
	assert_int_equal(knots_of(edges, COUNT_OF(edges), 1, alone, 3, knots), 1);
	assert_int_equal(knots[0], 0);
	assert_int_equal(knots[1], 1);
	assert_int_equal(knots[2], 1);
}

static void a_component_that_waits_for_a_device_leaves_the_knot_to_it(void **state)
{
	static const struct hr_knot_edge edges[] = { { 0, 1, 5 }, { 1, 0, 3 }, { 1, 2, 3 } };
	static const bool alone[3] = { false, false, true };
	uint32_t knots[3];

	(void)state;
	assert_int_equal(knots_of(edges, COUNT_OF(edges), 1, alone, 3, knots), 1);
	assert_int_equal(knots[0], 0);
	assert_int_equal(knots[1], 0);
	assert_int_equal(knots[2], 1);
}

static void a_single_sink_is_kept_if_it_runs_and_dropped_if_it_rests(void **state)
{
	static const struct hr_knot_edge edges[] = { { 0, 1, 5 }, { 0, 2, 5 } };
	static const bool alone[3] = { false, true, false };
	uint32_t knots[3];

	(void)state;
	assert_int_equal(knots_of(edges, COUNT_OF(edges), 1, alone, 3, knots), 1);
	assert_int_equal(knots[1], 1);
	assert_int_equal(knots[2], 0);
}

static void one_that_waits_for_itself_is_a_knot(void **state)
{
	static const struct hr_knot_edge edges[] = { { 0, 0, 5 } };
	static const bool alone[1] = { false };
	uint32_t knots[1];

	(void)state;
	assert_int_equal(knots_of(edges, COUNT_OF(edges), 1, alone, 1, knots), 1);
	assert_int_equal(knots[0], 1);
}

static void light_edges_are_left_out_after_their_parts_are_added_up(void **state)
{
	static const struct hr_knot_edge edges[] = { { 0, 1, 5 }, { 1, 0, 0.3 }, { 1, 2, 0.6 }, { 1, 0, 0.3 }, { 1, 2, 0.3 } };
	static const bool alone[3] = { false, true, false };
	uint32_t knots[3];

	(void)state;
	/* 1 waits 0.6 for 0 and 0.9 for 2 */
	assert_int_equal(knots_of(edges, COUNT_OF(edges), 1, alone, 3, knots), 1);
	assert_int_equal(knots[1], 1);
	assert_int_equal(knots[0], 0);
	assert_int_equal(knots_of(edges, COUNT_OF(edges), 0.7, alone, 3, knots), 0);
	assert_int_equal(knots_of(edges, 4, 0.6, alone, 3, knots), 0); /* 1 still waits 0.6 for both */
	assert_int_equal(knots_of(edges, 2, 0.3, alone, 3, knots), 1);
	assert_int_equal(knots[0], 1);
}

static void knots_apart_from_each_other_are_told_apart(void **state)
{
	static const struct hr_knot_edge edges[] = { { 4, 0, 5 }, { 0, 4, 5 }, { 3, 2, 5 }, { 2, 3, 5 }, { 1, 2, 5 }, { 1, 0, 5 } };
	static const bool alone[5] = { false };
	uint32_t knots[5];

	(void)state;
	assert_int_equal(knots_of(edges, COUNT_OF(edges), 1, alone, 5, knots), 2);
	assert_int_equal(knots[0], knots[4]);
	assert_int_equal(knots[2], knots[3]);
	assert_int_not_equal(knots[0], knots[2]);
	assert_int_equal(knots[1], 0);
}

/* Long enough to break a search that calls itself. */
static void a_long_chain_ends_in_its_last_link(void **state)
{
	enum { LENGTH = 200000 };
	struct hr_knot_edge *edges = calloc(LENGTH, sizeof(*edges));
	bool *alone = calloc(LENGTH, sizeof(*alone));
	uint32_t *knots = calloc(LENGTH, sizeof(*knots));

	(void)state;
	for (uint32_t i = 0; i + 1 < LENGTH; i++)
		edges[i] = (struct hr_knot_edge){ i, i + 1, 1 };
	alone[LENGTH - 1] = true;
	assert_int_equal(knots_of(edges, LENGTH - 1, 1, alone, LENGTH, knots), 1);
	assert_int_equal(knots[LENGTH - 1], 1);
	assert_int_equal(knots[0], 0);
	edges[LENGTH - 1] = (struct hr_knot_edge){ LENGTH - 1, 0, 1 }; /* and now they are a ring */
	assert_int_equal(knots_of(edges, LENGTH, 1, alone, LENGTH, knots), 1);
	assert_int_equal(knots[0], 1);
	free(edges);
	free(alone);
	free(knots);
}

/* By the definition: all that can be reached from a member of a knot is the knot. */
static void random_graphs_have_the_knots_of_the_definition(void **state)
{
	enum { VERTICES = 12, GRAPHS = 500 };

	(void)state;
	srandom(7);
	for (int graph = 0; graph < GRAPHS; graph++) {
		bool reach[VERTICES][VERTICES] = { 0 }, alone[VERTICES] = { false };
		struct hr_knot_edge edges[40];
		size_t count = (size_t)random() % COUNT_OF(edges);
		uint32_t knots[VERTICES];

		for (size_t i = 0; i < count; i++) {
			edges[i] = (struct hr_knot_edge){ (uint32_t)random() % VERTICES, (uint32_t)random() % VERTICES, 1 };
			reach[edges[i].from][edges[i].to] = true;
		}
		for (int via = 0; via < VERTICES; via++)
			for (int from = 0; from < VERTICES; from++)
				for (int to = 0; to < VERTICES; to++)
					reach[from][to] = reach[from][to] || (reach[from][via] && reach[via][to]);
		knots_of(edges, count, 1, alone, VERTICES, knots);
		for (int v = 0; v < VERTICES; v++) {
			bool is_knot = reach[v][v]; /* or it is alone */

			for (int to = 0; to < VERTICES; to++)
				is_knot = is_knot && (!reach[v][to] || reach[to][v]);
			assert_int_equal(knots[v] != 0, is_knot);
			for (int to = 0; is_knot && to < VERTICES; to++)
				assert_int_equal(knots[to] == knots[v], reach[v][to]);
		}
	}
}

static void a_graph_of_nothing_has_no_knot(void **state)
{
	uint32_t count = 9;

	(void)state;
	assert_int_equal(hr_knot_find(NULL, 0, 1, NULL, 0, NULL, &count), 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_that_wait_for_each_other_are_a_knot_and_who_waits_for_them_is_not),
		cmocka_unit_test(a_component_that_waits_for_a_device_leaves_the_knot_to_it),
		cmocka_unit_test(a_single_sink_is_kept_if_it_runs_and_dropped_if_it_rests),
		cmocka_unit_test(one_that_waits_for_itself_is_a_knot),
		cmocka_unit_test(light_edges_are_left_out_after_their_parts_are_added_up),
		cmocka_unit_test(knots_apart_from_each_other_are_told_apart),
		cmocka_unit_test(a_long_chain_ends_in_its_last_link),
		cmocka_unit_test(random_graphs_have_the_knots_of_the_definition),
		cmocka_unit_test(a_graph_of_nothing_has_no_knot),
	};

	return cmocka_run_group_tests_name("knot", tests, NULL, NULL);
}
