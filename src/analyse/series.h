/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_SERIES_H
#define HR_ANALYSE_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/summary.h"
#include "base/err.h"
#include "base/states.h"
#include "store/reader.h"

/*
 * A run over time, small enough to be drawn: states of the threads, requests, their latencies, and the marks of the load.
 * Neighbouring intervals are one point where there are too many; nothing is left out, so sums are those of the run. A point
 * does not reach over a time in which recording was off. Times are nanoseconds since the run's start.
 */
#define HR_SERIES_POINTS 2000
#define HR_SERIES_COLUMNS 240 /* of the latencies */
#define HR_SERIES_ROW_BITS 2  /* a row is a quarter of a power of two; requests are kept finer, and their slots fit in */

struct hr_series_point {
	uint64_t start_ns, end_ns;
	uint64_t recorded_ns;	  /* less than its length if recording was off in between, after all */
	uint64_t state_ns[HR_STATES];
	int64_t requests;	  /* answered, of the front flows; HR_NULL: not known, as what follows */
	int64_t in_flight_ns;	  /* requests in flight, summed over time */
};

/* End to end latencies of requests of the front flows: how many of [start, end) took [low, high). Only where there are any. */
struct hr_series_cell {
	uint32_t column, row;
	uint64_t count;
};

struct hr_series_column {
	uint64_t start_ns, end_ns;
};

struct hr_series_mark {
	char *label;
	uint64_t start_ns, measured_ns;
	int64_t end_ns; /* HR_NULL: never closed */
};

struct hr_series {
	struct hr_series_point *points;
	struct hr_series_column *columns;
	struct hr_series_cell *cells; /* by column, then row */
	struct hr_series_mark *marks; /* in order of time */
	size_t point_count, column_count, cell_count, mark_count;
	uint32_t row_low, row_high;   /* the lowest and the highest row of all cells; see hr_series_row_ns() */
};

/* The lowest latency of a row; that of the next is where it ends. */
uint64_t hr_series_row_ns(uint32_t row);

/*
 * Read; whole is the summary of the whole run: where that does not know its requests, no point does. 0 and *ret_series (empty
 * it with hr_series_fini()); -EINVAL: damaged; -ENOMEM. A run without an interval has no point.
 */
int hr_series_load(struct hr_reader *reader, const struct hr_summary *whole, struct hr_series *ret_series, struct hr_err *err);

/* Takes one that is all zero. */
void hr_series_fini(struct hr_series *series);

#endif
