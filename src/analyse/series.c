/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "headroom/hist.h"
#include "store/views.h"

#define ROWS 256 /* up to 2^64 ns */

struct interval {
	int64_t interval_id;
	uint64_t start_ns, end_ns;
	size_t point, column;
};

struct series_load {
	struct hr_reader *reader;
	const struct hr_summary *whole;
	struct hr_series *series;
	struct hr_err *err;
	struct interval *intervals;
	size_t interval_count;
	size_t last;	  /* the interval that was found last: rows come in order of time */
	uint64_t *counts; /* of the latencies: ROWS per column */
};

static int no_memory(const struct series_load *load)
{
	return hr_err_set(load->err, -ENOMEM, "no memory for the course of '%s'", hr_reader_path(load->reader));
}

/* ---- intervals, and the points that they are drawn as ---- */

static int on_interval(void *context, struct hr_query *query)
{
	struct series_load *load = context;
	struct interval *grown = load->intervals;

	if ((load->interval_count & (load->interval_count - 1)) == 0) /* 0, 1, 2, 4, ...: full */
		grown = reallocarray(load->intervals, load->interval_count ? 2 * load->interval_count : 1, sizeof(*grown));
	if (!grown)
		return no_memory(load);
	load->intervals = grown;
	grown[load->interval_count++] = (struct interval){
		.interval_id = hr_query_int(query, 0),
		.start_ns = hr_query_amount(query, 1),
		.end_ns = hr_query_amount(query, 2),
	};
	return 0;
}

/* How many spans there are if each holds at most `size` intervals, and none a gap if gaps end them. */
static size_t cut(const struct series_load *load, size_t size, bool at_gaps, size_t *ret_of)
{
	size_t count = 0, held = 0;

	for (size_t i = 0; i < load->interval_count; i++) {
		bool gap = i && load->intervals[i].start_ns > load->intervals[i - 1].end_ns;

		if (i == 0 || held == size || (at_gaps && gap)) {
			count++;
			held = 0;
		}
		held++;
		if (ret_of)
			ret_of[i] = count - 1;
	}
	return count;
}

/* The finest cut into at most max spans; gaps are in the way of it only where there are more of them than spans. */
static size_t cut_at_most(const struct series_load *load, size_t max, size_t *ret_of)
{
	size_t size = (load->interval_count + max - 1) / max, finest = size;

	while (size <= load->interval_count && cut(load, size, true, NULL) > max)
		size += size / 4 + 1;
	return size <= load->interval_count ? cut(load, size, true, ret_of) : cut(load, finest, false, ret_of);
}

static int make_points(struct series_load *load)
{
	struct hr_series *series = load->series;
	size_t *of = calloc(load->interval_count, sizeof(*of));

	if (!of)
		return no_memory(load);
	series->point_count = cut_at_most(load, HR_SERIES_POINTS, of);
	series->points = calloc(series->point_count, sizeof(*series->points));
	for (size_t i = 0; series->points && i < load->interval_count; i++) {
		struct interval *interval = &load->intervals[i];
		struct hr_series_point *point = &series->points[of[i]];
		bool known = load->whole->requests.requests != HR_NULL;

		interval->point = of[i];
		if (!point->end_ns)
			*point = (struct hr_series_point){
				.start_ns = interval->start_ns,
				.requests = known ? 0 : HR_NULL,
				.in_flight_ns = known ? 0 : HR_NULL,
			};
		point->end_ns = interval->end_ns;
		point->recorded_ns += interval->end_ns - interval->start_ns;
	}
	free(of);
	return series->points ? 0 : no_memory(load);
}

static int make_columns(struct series_load *load)
{
	struct hr_series *series = load->series;
	size_t *of = calloc(load->interval_count, sizeof(*of));

	if (!of)
		return no_memory(load);
	series->column_count = cut_at_most(load, HR_SERIES_COLUMNS, of);
	series->columns = calloc(series->column_count, sizeof(*series->columns));
	load->counts = calloc(series->column_count * ROWS, sizeof(*load->counts));
	for (size_t i = 0; series->columns && i < load->interval_count; i++) {
		struct hr_series_column *column = &series->columns[of[i]];

		load->intervals[i].column = of[i];
		if (!column->end_ns)
			column->start_ns = load->intervals[i].start_ns;
		column->end_ns = load->intervals[i].end_ns;
	}
	free(of);
	return series->columns && load->counts ? 0 : no_memory(load);
}

static int compare_interval(const void *key, const void *item)
{
	int64_t left = *(const int64_t *)key, right = ((const struct interval *)item)->interval_id;

	return left < right ? -1 : left > right;
}

/* NULL: a row of an interval that there is not. */
static struct interval *find_interval(struct series_load *load, int64_t interval_id)
{
	struct interval *found = &load->intervals[load->last];

	if (found->interval_id == interval_id)
		return found;
	found = bsearch(&interval_id, load->intervals, load->interval_count, sizeof(*found), compare_interval);
	if (found)
		load->last = (size_t)(found - load->intervals);
	return found;
}

/* ---- what is drawn ---- */

static int on_state(void *context, struct hr_query *query)
{
	struct series_load *load = context;
	struct interval *interval = find_interval(load, hr_query_int(query, 0));
	const char *name = hr_query_text(query, 1);
	int state = name ? hr_state_from_name(name) : -1;

	/* a state of a later version: its time is not lost */
	if (interval)
		load->series->points[interval->point].state_ns[state < 0 ? HR_STATE_OTHER : state] += hr_query_amount(query, 2);
	return 0;
}

static int on_traffic(void *context, struct hr_query *query)
{
	struct series_load *load = context;
	struct interval *interval = find_interval(load, hr_query_int(query, 0));
	struct hr_series_point *point = interval ? &load->series->points[interval->point] : NULL;

	if (!point || point->requests == HR_NULL)
		return 0;
	point->requests += (int64_t)hr_query_amount(query, 1);
	if (hr_query_is_null(query, 2))
		point->in_flight_ns = HR_NULL;
	else if (point->in_flight_ns != HR_NULL)
		point->in_flight_ns += (int64_t)hr_query_amount(query, 2);
	return 0;
}

static int on_slot(void *context, struct hr_query *query)
{
	struct series_load *load = context;
	struct interval *interval = find_interval(load, hr_query_int(query, 0));

	if (interval)
		load->counts[interval->column * ROWS + hr_hist_slot(hr_query_amount(query, 1), HR_SERIES_ROW_BITS, ROWS)] += hr_query_amount(query, 2);
	return 0;
}

static int on_mark(void *context, struct hr_query *query)
{
	struct series_load *load = context;
	struct hr_series *series = load->series;
	const char *label = hr_query_text(query, 0);
	size_t length = label ? strlen(label) : 0, size = 3 * length + 1; /* each byte becomes at most one U+FFFD */
	struct hr_series_mark *grown = reallocarray(series->marks, series->mark_count + 1, sizeof(*grown));
	char *copy = malloc(size);

	if (grown)
		series->marks = grown;
	if (!grown || !copy) {
		free(copy);
		return no_memory(load);
	}
	hr_text_clean(copy, size, label ? label : "", length);
	grown[series->mark_count++] = (struct hr_series_mark){
		.label = copy,
		.start_ns = hr_query_amount(query, 1),
		.measured_ns = hr_query_amount(query, 2),
		.end_ns = hr_query_int(query, 3),
	};
	return 0;
}

static int gather_cells(struct series_load *load)
{
	struct hr_series *series = load->series;
	size_t slots = series->column_count * ROWS, at = 0;

	for (size_t i = 0; i < slots; i++)
		series->cell_count += load->counts[i] > 0;
	series->cells = calloc(series->cell_count ? series->cell_count : 1, sizeof(*series->cells));
	if (!series->cells)
		return no_memory(load);
	for (size_t i = 0; i < slots; i++) {
		uint32_t row = (uint32_t)(i % ROWS);

		if (!load->counts[i])
			continue;
		series->row_low = at == 0 || row < series->row_low ? row : series->row_low;
		series->row_high = row > series->row_high ? row : series->row_high;
		series->cells[at++] = (struct hr_series_cell){ (uint32_t)(i / ROWS), row, load->counts[i] };
	}
	return 0;
}

/* No GROUP BY: the tables are long, and the rows come in order of time without sorting. */
static int load_rows(struct series_load *load)
{
	static const struct {
		const char *table, *sql;
		hr_query_row *row;
		bool of_requests;
	} parts[] = {
		{ "thread_states", "SELECT interval_id, state, time_ns FROM thread_states", on_state, false },
		{ "traffic", "SELECT interval_id, requests, in_flight_ns FROM traffic WHERE flow_id IN (" HR_SQL_FRONT_FLOWS ")", on_traffic, true },
		{ "requests", "SELECT interval_id, low_ns, count FROM requests WHERE stage = 'total' AND flow_id IN (" HR_SQL_FRONT_FLOWS ")",
		  on_slot, true },
		{ "levels", "SELECT level, start_ns, measured_ns, end_ns FROM levels ORDER BY start_ns, level_id", on_mark, false },
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(parts) / sizeof(parts[0]); i++) {
		bool has = false;

		ret = hr_reader_has(load->reader, parts[i].table, NULL, &has, load->err);
		if (!ret && has && (!parts[i].of_requests || load->whole->requests_known))
			ret = hr_query_each(load->reader, parts[i].sql, parts[i].row, load, load->err);
	}
	return ret;
}

int hr_series_load(struct hr_reader *reader, const struct hr_summary *whole, struct hr_series *ret_series, struct hr_err *err)
{
	struct hr_series series = { 0 };
	struct series_load load = { .reader = reader, .whole = whole, .series = &series, .err = err };
	int ret = hr_query_each(reader, "SELECT interval_id, start_ns, end_ns FROM intervals ORDER BY interval_id", on_interval, &load, err);

	if (!ret && load.interval_count) {
		ret = make_points(&load);
		ret = ret ? ret : make_columns(&load);
		ret = ret ? ret : load_rows(&load);
		ret = ret ? ret : gather_cells(&load);
	}
	free(load.intervals);
	free(load.counts);
	if (ret)
		hr_series_fini(&series);
	else
		*ret_series = series;
	return ret;
}

void hr_series_fini(struct hr_series *series)
{
	for (size_t i = 0; i < series->mark_count; i++)
		free(series->marks[i].label);
	free(series->points);
	free(series->columns);
	free(series->cells);
	free(series->marks);
	*series = (struct hr_series){ 0 };
}

uint64_t hr_series_row_ns(uint32_t row)
{
	return row < ROWS ? hr_hist_low(row, HR_SERIES_ROW_BITS) : UINT64_MAX;
}
