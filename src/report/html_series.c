/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/html_series.h"

#include "report/json_values.h"

static json_t *whole_micros(uint64_t ns)
{
	return count((ns + 500) / 1000);
}

/* Threads that were in a state, on the average of a point. */
static json_t *state_course(const struct hr_series *series, int state)
{
	json_t *all = json_array();

	for (size_t i = 0; i < series->point_count; i++)
		all = append(all, real(ratio((double)series->points[i].state_ns[state], (double)series->points[i].recorded_ns)));
	return all;
}

static bool has_state(const struct hr_series *series, int state)
{
	for (size_t i = 0; i < series->point_count; i++)
		if (series->points[i].state_ns[state])
			return true;
	return false;
}

static json_t *states_course(const struct hr_series *series)
{
	json_t *all = json_object();

	for (int state = 0; state < HR_STATES; state++)
		if (has_state(series, state))
			all = with(all, hr_state_name(state), state_course(series, state));
	return all;
}

static double per_recorded(const struct hr_series_point *point, int64_t value, double unit)
{
	return value == HR_NULL ? NAN : ratio((double)value * unit, (double)point->recorded_ns);
}

json_t *hr_html_series(const struct hr_summary *summary, const struct hr_series *series)
{
	json_t *starts = json_array(), *ends = json_array(), *throughput = json_array(), *in_flight = json_array();
	double intervals = (double)summary->run.interval_count;

	for (size_t i = 0; i < series->point_count; i++) {
		const struct hr_series_point *point = &series->points[i];

		starts = append(starts, whole_micros(point->start_ns));
		ends = append(ends, whole_micros(point->end_ns));
		throughput = append(throughput, real(per_recorded(point, point->requests, 1e9)));
		in_flight = append(in_flight, real(per_recorded(point, point->in_flight_ns, 1)));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
			 "start_us", starts,
			 "end_us", ends,
			 "intervals_per_point", real(ratio(intervals, (double)series->point_count)),
			 "threads", states_course(series),
			 "throughput_rps", throughput,
			 "in_flight", in_flight);
}

json_t *hr_html_heatmap(const struct hr_series *series)
{
	json_t *starts = json_array(), *ends = json_array(), *rows = json_array(), *cells = json_array();

	for (size_t i = 0; i < series->column_count; i++) {
		starts = append(starts, whole_micros(series->columns[i].start_ns));
		ends = append(ends, whole_micros(series->columns[i].end_ns));
	}
	for (uint32_t row = series->row_low; series->cell_count && row <= series->row_high + 1; row++)
		rows = append(rows, micros((double)hr_series_row_ns(row)));
	for (size_t i = 0; i < series->cell_count; i++) {
		const struct hr_series_cell *cell = &series->cells[i];

		cells = append(cells, json_pack("[i, i, o]", (int)cell->column, (int)(cell->row - series->row_low), count(cell->count)));
	}
	if (!series->cell_count) {
		json_decref(starts);
		json_decref(ends);
		json_decref(rows);
		json_decref(cells);
		return json_null();
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "start_us", starts, "end_us", ends, "row_us", rows, "cells", cells);
}

json_t *hr_html_marks(const struct hr_series *series)
{
	json_t *all = json_array();

	for (size_t i = 0; i < series->mark_count; i++) {
		const struct hr_series_mark *mark = &series->marks[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o}",
					    "level", text(mark->label),
					    "start_us", whole_micros(mark->start_ns),
					    "measured_us", whole_micros(mark->measured_ns),
					    "end_us", mark->end_ns == HR_NULL || mark->end_ns < 0 ? json_null() :
						      whole_micros((uint64_t)mark->end_ns)));
	}
	return all;
}

json_t *hr_html_states(const struct hr_summary *summary)
{
	json_t *all = json_array();

	for (int state = 0; state < HR_STATES; state++)
		all = append(all, json_pack("{s:s, s:s, s:s, s:o}",
					    "name", hr_state_name(state),
					    "group", hr_state_group_name(hr_state_group(state)),
					    "meaning", hr_state_meaning(state),
					    "known", json_boolean(summary->state_known[state])));
	return all;
}

/* ---- flame graphs: each name once ---- */

static const char *node_name(const struct hr_summary *summary, const struct hr_flame_node *node)
{
	return node->depth == 0 ? "all" : node->depth == 1 ? summary->groups[node->frame].label :
							     summary->profile.frames[node->frame].label;
}

static const char *node_kind(const struct hr_summary *summary, const struct hr_flame_node *node)
{
	static const char *const kinds[] = {
		[HR_FRAME_USER] = "user", [HR_FRAME_KERNEL] = "kernel", [HR_FRAME_MISSING] = "missing",
		[HR_FRAME_CALL] = "call", [HR_FRAME_STATE] = "state",
		[HR_FRAME_LOCK] = "lock",
	};

	return node->depth == 0 ? "all" : node->depth == 1 ? "group" : kinds[summary->profile.frames[node->frame].kind];
}

static const char *node_module(const struct hr_summary *summary, const struct hr_flame_node *node)
{
	return node->depth < 2 ? NULL : summary->profile.frames[node->frame].module;
}

/* The number of a frame in `frames`, which it is added to if it is not there; `seen` maps its identity to it. */
static json_t *frame_number(const struct hr_summary *summary, const struct hr_flame_node *node, json_t *seen, json_t *frames)
{
	char key[32];
	json_t *number;

	snprintf(key, sizeof(key), "%d:%u", node->depth < 2 ? node->depth : 2, node->depth ? node->frame : 0);
	number = json_object_get(seen, key);
	if (number)
		return json_incref(number);
	number = count(json_array_size(frames));
	if (json_object_set(seen, key, number) ||
	    json_array_append_new(frames, json_pack("[s, s, o]", node_name(summary, node), node_kind(summary, node),
						    text(node_module(summary, node))))) {
		json_decref(number);
		return NULL;
	}
	return number;
}

json_t *hr_html_flame(const struct hr_summary *summary, const struct hr_flame *flame)
{
	json_t *seen, *frames, *nodes;

	if (!flame->node_count)
		return json_null();
	seen = json_object();
	frames = json_array();
	nodes = json_array();
	for (size_t i = 0; nodes && i < flame->node_count; i++) {
		const struct hr_flame_node *node = &flame->nodes[i];

		nodes = append(nodes, json_pack("[o, o, o, o]", count(node->parent), frame_number(summary, node, seen, frames),
						whole_micros(node->time_ns), count(node->count)));
	}
	json_decref(seen);
	return json_pack("{s:o, s:o, s:o}", "frames", frames, "nodes", nodes, "left_out", count(flame->left_out));
}
