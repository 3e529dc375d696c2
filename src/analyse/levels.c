/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/levels.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/texts.h"
#include "base/requests.h"
#include "store/views.h"

/* Groups by what was in flight: two for each doubling, none of fewer intervals than tell its spread. */
#define GROUPS_PER_DOUBLING 2
#define GROUP_INTERVALS_MIN 3

struct interval {
	int64_t id;
	uint64_t start_ns, end_ns;
	struct hr_window window;
	size_t level; /* index in axis->levels; SIZE_MAX: in none */
};

/* What is read before it is known which intervals are whose. */
struct axis_load {
	struct hr_reader *reader;
	struct hr_axis *axis;
	struct hr_err *err;
	struct interval *intervals;
	size_t interval_count;
	bool out_of_memory;
};

static const char *keep(struct axis_load *load, const char *text)
{
	const char *kept = hr_texts_keep(&load->axis->texts, text);

	load->out_of_memory |= text && !kept;
	return kept;
}

static void *grow(struct axis_load *load, void *items, size_t count, size_t item_bytes)
{
	void *grown = reallocarray(items, count + 1, item_bytes);

	load->out_of_memory |= !grown;
	return grown;
}

static struct hr_level *add_level(struct axis_load *load, const char *label)
{
	struct hr_axis *axis = load->axis;
	struct hr_level *levels = grow(load, axis->levels, axis->level_count, sizeof(*levels));

	if (!levels)
		return NULL;
	axis->levels = levels;
	levels[axis->level_count] = (struct hr_level){
		.label = label,
		.offered = NAN,
		.load = NAN,
		.client = { NAN, NAN, NAN, NAN, NAN },
		.status = HR_NULL,
		.settled_ns = HR_NULL,
	};
	return &levels[axis->level_count++];
}

static int on_interval(void *context, struct hr_query *query)
{
	struct axis_load *load = context;
	struct interval *intervals = grow(load, load->intervals, load->interval_count, sizeof(*intervals));
	uint64_t start_ns = hr_query_amount(query, 1), end_ns = hr_query_amount(query, 2);
	double seconds = ((double)end_ns - (double)start_ns) / 1e9;
	double requests = hr_query_real(query, 3), in_flight_ns = hr_query_real(query, 4);

	if (!intervals)
		return 0;
	load->intervals = intervals;
	intervals[load->interval_count++] = (struct interval){
		.id = hr_query_int(query, 0),
		.start_ns = start_ns,
		.end_ns = end_ns,
		.level = SIZE_MAX,
		.window = {
			.interval_id = hr_query_int(query, 0),
			.seconds = seconds,
			.throughput_rps = seconds > 0 ? requests / seconds : NAN,
			.in_flight = seconds > 0 ? in_flight_ns / 1e9 / seconds : NAN,
		},
	};
	return 0;
}

/* Where requests are known, an interval without traffic had none. */
static int load_intervals(struct axis_load *load, const struct hr_summary *whole)
{
	static const char unknown[] = "SELECT interval_id, start_ns, end_ns, NULL, NULL FROM intervals ORDER BY start_ns";
	static const char known[] = "SELECT i.interval_id, i.start_ns, i.end_ns, ifnull(t.requests, 0), ifnull(t.in_flight_ns, 0) "
		"FROM intervals AS i LEFT JOIN (SELECT interval_id, sum(requests) AS requests, sum(in_flight_ns) AS in_flight_ns "
		"FROM traffic WHERE flow_id IN (" HR_SQL_FRONT_FLOWS ") GROUP BY interval_id) AS t USING (interval_id) "
		"ORDER BY i.start_ns";

	return hr_query_each(load->reader, whole->requests.requests == HR_NULL ? unknown : known, on_interval, load, load->err);
}

/* "unit=rps" among the notes of a mark: its label is a rate. */
static bool says_rate(const char *notes)
{
	const char *at = notes ? strstr(notes, "unit=rps") : NULL;

	return at && (at == notes || at[-1] == ' ') && (at[8] == 0 || at[8] == ' ');
}

static struct hr_level *find_level(struct hr_axis *axis, const char *label)
{
	for (size_t i = 0; i < axis->level_count; i++)
		if (strcmp(axis->levels[i].label, label) == 0)
			return &axis->levels[i];
	return NULL;
}

static void claim(struct axis_load *load, size_t level, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; i < load->interval_count; i++) {
		struct interval *interval = &load->intervals[i];

		if (interval->start_ns + HR_LEVEL_SLACK_NS >= from_ns && interval->end_ns <= to_ns)
			interval->level = level;
	}
}

static int on_mark(void *context, struct hr_query *query)
{
	struct axis_load *load = context;
	const char *label = keep(load, hr_query_text(query, 0));
	struct hr_level *level = label ? find_level(load->axis, label) : NULL;
	bool is_open;

	if (!label)
		return 0;
	if (!level) {
		level = add_level(load, label);
		if (!level)
			return 0;
		level->offered = hr_query_real(query, 1);
		level->is_rate = says_rate(hr_query_text(query, 4));
		level->command = keep(load, hr_query_text(query, 5));
		level->status = hr_query_int(query, 6);
		level->settled_ns = hr_query_int(query, 7);
	}
	is_open = hr_query_is_null(query, 3);
	level->is_open |= is_open;
	claim(load, (size_t)(level - load->axis->levels), hr_query_amount(query, 2),
	      is_open ? UINT64_MAX : hr_query_amount(query, 3) + HR_LEVEL_SLACK_NS);
	return 0;
}

static int on_result(void *context, struct hr_query *query)
{
	struct axis_load *load = context;
	const char *label = hr_query_text(query, 0);
	struct hr_level *level = label ? find_level(load->axis, label) : NULL;

	if (level)
		level->client = (struct hr_client_result){
			.throughput_rps = hr_query_real(query, 1),
			.errors = hr_query_real(query, 2),
			.p50_ns = hr_query_real(query, 3),
			.p90_ns = hr_query_real(query, 4),
			.p99_ns = hr_query_real(query, 5),
		};
	return 0;
}

static int load_marks(struct axis_load *load)
{
	int ret = hr_query_each(load->reader, "SELECT level, offered, measured_ns, end_ns, notes, command, status, settled_ns FROM levels "
				"WHERE level IS NOT NULL ORDER BY start_ns", on_mark, load, load->err);

	if (ret)
		return ret;
	return hr_query_each(load->reader, "SELECT level, throughput_rps, errors, p50_ns, p90_ns, p99_ns FROM load_results", on_result,
			     load, load->err);
}

/* The group of so much in flight; intervals without any are in none. */
static int group_of(double in_flight)
{
	return (int)floor(GROUPS_PER_DOUBLING * log2(in_flight));
}

#define GROUP_LOWEST (-40) /* a millionth in flight is none */
#define GROUP_HIGHEST 80

static int claim_group(struct axis_load *load, int from, int to)
{
	size_t level = load->axis->level_count;

	if (!add_level(load, NULL))
		return -ENOMEM;
	for (size_t i = 0; i < load->interval_count; i++) {
		double in_flight = load->intervals[i].window.in_flight;

		if (in_flight > 0 && group_of(in_flight) >= from && group_of(in_flight) <= to)
			load->intervals[i].level = level;
	}
	return 0;
}

/* Neighbouring groups of too few intervals are one; what is few and far from the others is in none. */
static int group_intervals(struct axis_load *load)
{
	size_t counts[GROUP_HIGHEST - GROUP_LOWEST + 1] = { 0 }, gathered = 0;
	int from = GROUP_LOWEST;

	for (size_t i = 0; i < load->interval_count; i++) {
		double in_flight = load->intervals[i].window.in_flight;

		if (in_flight > 0 && group_of(in_flight) >= GROUP_LOWEST && group_of(in_flight) <= GROUP_HIGHEST)
			counts[group_of(in_flight) - GROUP_LOWEST]++;
	}
	for (int group = GROUP_LOWEST; group <= GROUP_HIGHEST; group++) {
		size_t count = counts[group - GROUP_LOWEST];

		gathered += count;
		if (gathered >= GROUP_INTERVALS_MIN && claim_group(load, from, group))
			return -ENOMEM;
		if (gathered >= GROUP_INTERVALS_MIN || !count) {
			from = group + 1;
			gathered = 0;
		}
	}
	return 0;
}

static void name_groups(struct axis_load *load)
{
	struct hr_axis *axis = load->axis;

	for (size_t k = 0; k < axis->level_count; k++) {
		double low = INFINITY, high = 0;

		for (size_t i = 0; i < load->interval_count; i++) {
			double in_flight = load->intervals[i].window.in_flight;

			if (load->intervals[i].level != k)
				continue;
			low = fmin(low, in_flight);
			high = fmax(high, in_flight);
		}
		axis->levels[k].label = hr_texts_print(&axis->texts, "%.3g to %.3g in flight", low, high);
		load->out_of_memory |= !axis->levels[k].label;
	}
}

/* All that a level has of its own: its windows, and a summary of its intervals. */
static int fill_level(struct axis_load *load, size_t index)
{
	struct hr_level *level = &load->axis->levels[index];
	int64_t *ids = calloc(load->interval_count + 1, sizeof(*ids));
	size_t count = 0;
	int ret;

	level->windows = calloc(load->interval_count + 1, sizeof(*level->windows));
	if (!ids || !level->windows) {
		free(ids);
		return hr_err_set(load->err, -ENOMEM, "no memory for the levels of '%s'", hr_reader_path(load->reader));
	}
	for (size_t i = 0; i < load->interval_count; i++) {
		if (load->intervals[i].level != index)
			continue;
		ids[count++] = load->intervals[i].id;
		if (!isnan(load->intervals[i].window.throughput_rps))
			level->windows[level->window_count++] = load->intervals[i].window;
	}
	if (!count) {
		free(ids);
		return 0;
	}
	ret = hr_reader_select(load->reader, ids, count, load->err);
	if (!ret)
		ret = hr_summary_load(load->reader, &level->summary, load->err);
	hr_reader_select_all(load->reader);
	free(ids);
	return ret;
}

static void free_level(struct hr_level *level)
{
	hr_summary_free(level->summary);
	free(level->windows);
}

static int compare_levels(const void *a, const void *b)
{
	const struct hr_level *left = a, *right = b;

	if (isnan(left->load) != isnan(right->load))
		return isnan(left->load) - isnan(right->load);
	return (left->load > right->load) - (left->load < right->load);
}

/* Levels without an interval are dropped, the others get their place on the axis. */
static void arrange(struct hr_axis *axis)
{
	size_t kept = 0;

	for (size_t i = 0; i < axis->level_count; i++) {
		struct hr_level *level = &axis->levels[i];

		if (!level->summary) {
			free_level(level);
			continue;
		}
		level->load = !isnan(level->offered) && !level->is_rate ? level->offered : level->summary->requests.in_flight;
		axis->levels[kept++] = *level;
	}
	axis->level_count = kept;
	if (kept)
		qsort(axis->levels, kept, sizeof(*axis->levels), compare_levels);
}

/* Neither marks nor requests: all intervals are one level. */
static int one_level(struct axis_load *load)
{
	load->axis->kind = HR_AXIS_NONE;
	if (!load->interval_count)
		return 0;
	if (!add_level(load, NULL))
		return -ENOMEM;
	for (size_t i = 0; i < load->interval_count; i++)
		load->intervals[i].level = 0;
	return 0;
}

static int find_levels(struct axis_load *load)
{
	bool has_marks;
	int ret = hr_reader_has(load->reader, "levels", NULL, &has_marks, load->err);

	if (!ret && has_marks)
		ret = load_marks(load);
	if (ret)
		return ret;
	load->axis->kind = HR_AXIS_MARKED;
	if (load->axis->level_count)
		return 0;
	load->axis->kind = HR_AXIS_GROUPED;
	ret = group_intervals(load);
	if (!ret && !load->axis->level_count)
		ret = one_level(load);
	else if (!ret)
		name_groups(load);
	return ret;
}

int hr_axis_load(struct hr_reader *reader, const struct hr_summary *whole, struct hr_axis *ret_axis, struct hr_err *err)
{
	struct hr_axis axis = { 0 };
	struct axis_load load = { .reader = reader, .axis = &axis, .err = err };
	int ret = load_intervals(&load, whole);

	if (!ret)
		ret = find_levels(&load);
	if (!ret && load.out_of_memory)
		ret = hr_err_set(err, -ENOMEM, "no memory for the levels of '%s'", hr_reader_path(reader));
	for (size_t i = 0; i < axis.level_count && !ret; i++)
		ret = fill_level(&load, i);
	free(load.intervals);
	if (ret) {
		hr_axis_fini(&axis);
		return ret;
	}
	arrange(&axis);
	*ret_axis = axis;
	return 0;
}

void hr_axis_fini(struct hr_axis *axis)
{
	for (size_t i = 0; i < axis->level_count; i++)
		free_level(&axis->levels[i]);
	free(axis->levels);
	hr_texts_free(&axis->texts);
	*axis = (struct hr_axis){ 0 };
}
