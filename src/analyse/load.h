/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_LOAD_H
#define HR_ANALYSE_LOAD_H

#include "analyse/summary.h"

/* How a summary is put together: each part is a query and a function for its rows. Inside src/analyse/ only. */

struct hr_span {
	uint64_t start_ns, end_ns;
	uint64_t before_ns; /* length of all spans before this one */
};

struct hr_load {
	struct hr_reader *reader;
	struct hr_summary *summary;
	struct hr_err *err;
	struct hr_span *spans; /* the intervals, in order */
	size_t span_count;
	struct hr_slot *slots; /* of the histogram that is being read */
	size_t slot_count;
	struct hr_latency *latency; /* where it goes; NULL: nowhere */
	struct hr_stage_slots { /* of the front flows, in no order */
		struct hr_slot *slots;
		size_t count;
	} front[HR_STAGES];
	struct hr_stack_load *stacks; /* in stacks.c */
	struct hr_edges *edges;	 /* edges.h */
	bool out_of_memory;
};

/* Called for each row; a negative errno ends the query. */
typedef int hr_load_row(struct hr_load *load, struct hr_query *query);

/*
 * Run the query; row may be NULL if it has no rows. Row functions may leave load->out_of_memory set instead of
 * returning it.
 */
int hr_load_query(struct hr_load *load, const char *sql, hr_load_row *row);

/*
 * Grow an array of count items by one, zeroed; a power of two of them is allocated. NULL, and the array as it was: no
 * memory.
 */
void *hr_load_grow(void *items, size_t count, size_t item_bytes);
#define HR_LOAD_APPEND(load, array, count) ({ \
	void *grown_ = hr_load_grow(array, count, sizeof(*(array))); \
	if (grown_) \
		(array) = grown_; \
	else \
		(load)->out_of_memory = true; \
	grown_ ? &(array)[(count)++] : NULL; })

/* Has the file that table, and an interval to fill it? Files of earlier versions lack the later tables. */
int hr_load_has_table(struct hr_load *load, const char *name, bool *ret);

/* A clean copy that lives as long as the summary; NULL for NULL. */
const char *hr_load_text(struct hr_load *load, const char *text);

/* For people: "matmul", "libc.so.6+0x90bf0", "[unknown]". Texts of the summary. */
const char *hr_load_frame_label(struct hr_load *load, const char *function, const char *module, int64_t offset);

/* A column that counts or measures. */
static inline uint64_t hr_load_amount(struct hr_query *query, int column)
{
	return hr_query_amount(query, column);
}

/* The recorded part of [first_ns, last_ns]; last_ns HR_NULL: to the end. */
uint64_t hr_load_recorded_ns(const struct hr_load *load, int64_t first_ns, int64_t last_ns);

struct hr_thread_summary *hr_load_thread(struct hr_load *load, int64_t thread_id);   /* NULL: no such */
struct hr_process_summary *hr_load_process(struct hr_load *load, int64_t process_id);

/*
 * A slot of the histogram that ends up at `latency`. Slots of one histogram come in one go, in ascending order;
 * hr_load_slots_end() ends the last one.
 */
void hr_load_slot(struct hr_load *load, struct hr_latency *latency, const struct hr_slot *slot);
void hr_load_slots_end(struct hr_load *load);

/* The parts, in this order. */
int hr_load_threads(struct hr_load *load); /* processes, threads, states, waits, groups */
int hr_load_calls(struct hr_load *load);   /* syscalls, their errors and histograms */
int hr_load_host(struct hr_load *load);	   /* CPUs, neighbours, quotas */
int hr_load_requests(struct hr_load *load); /* flows, their requests and connections, listeners, network counters */
int hr_load_resources(struct hr_load *load); /* disks, memory, pressure */
int hr_load_stacks(struct hr_load *load);  /* sampled stacks, hot and waiting code */
int hr_load_waits(struct hr_load *load);   /* who waits for whom, locks; after the requests */
int hr_load_health(struct hr_load *load);  /* losses, costs, features */

#endif
