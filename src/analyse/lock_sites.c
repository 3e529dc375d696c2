/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks that no symbol has, as those on the heap, are called by the code that waits for them: of each stack the innermost
 * function that is the program's own. If there are several, by the one in which most of the waiting was.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/code.h"
#include "analyse/edges.h"

/* One stack in which threads waited for a lock. */
struct hr_lock_site {
	size_t lock;
	int64_t stack_id;
	uint64_t time_ns;
	const char *function; /* label of the frame; NULL: none in the stack is the program's own */
	const char *module;
};

/* Frames of one stack follow each other, the innermost first. */
static int on_frame(struct hr_load *load, struct hr_query *query)
{
	struct hr_edges *edges = load->edges;
	struct hr_lock_site *site = edges->site_count ? &edges->sites[edges->site_count - 1] : NULL;
	size_t lock = hr_futex_index(load, hr_query_int(query, 0), hr_query_text(query, 1));
	int64_t stack_id = hr_query_int(query, 2);
	const char *function = hr_query_text(query, 4), *module = hr_query_text(query, 5);

	if (lock == HR_NO_INDEX)
		return 0;
	if (!site || site->lock != lock || site->stack_id != stack_id) {
		site = HR_LOAD_APPEND(load, edges->sites, edges->site_count);
		if (!site)
			return 0;
		*site = (struct hr_lock_site){ .lock = lock, .stack_id = stack_id, .time_ns = hr_load_amount(query, 3) };
	}
	if (!site->function && (function || module) && !hr_code_is_runtime(function, module)) {
		site->module = hr_load_text(load, module);
		site->function = hr_load_frame_label(load, hr_load_text(load, function), site->module, hr_query_int(query, 6));
	}
	return 0;
}

static int compare_functions(const void *a, const void *b)
{
	const struct hr_lock_site *left = a, *right = b;

	if (left->lock != right->lock)
		return left->lock < right->lock ? -1 : 1;
	if (!left->function || !right->function)
		return (left->function != NULL) - (right->function != NULL);
	return strcmp(left->function, right->function);
}

/* All sites of one lock, by function. */
static void choose(struct hr_lock_summary *lock, const struct hr_lock_site *sites, size_t count)
{
	uint64_t total_ns = 0, most_ns = 0, time_ns = 0;

	for (size_t i = 0; i < count; i++) {
		total_ns += sites[i].time_ns;
		time_ns = i && compare_functions(&sites[i - 1], &sites[i]) == 0 ? time_ns + sites[i].time_ns : sites[i].time_ns;
		if (sites[i].function && time_ns > most_ns) {
			most_ns = time_ns;
			lock->site = sites[i].function;
			lock->site_module = sites[i].module;
		}
	}
	if (lock->site)
		lock->site_share = (double)most_ns / (double)total_ns;
}

int hr_load_lock_sites(struct hr_load *load)
{
	struct hr_edges *edges = load->edges;
	bool is_in_file;
	int err = hr_load_has_table(load, "lock_stacks", &is_in_file);

	if (!err && is_in_file)
		err = hr_load_query(load, "SELECT s.process_id, s.address, s.stack_id, s.time_ns, f.name, f.module, f.offset FROM "
				    "(SELECT l.process_id, l.address, k.stack_id, sum(k.time_ns) AS time_ns FROM lock_stacks AS k "
				    "JOIN locks AS l ON l.lock_id = k.lock_id GROUP BY 1, 2, 3) AS s "
				    "JOIN stacks AS t ON t.stack_id = s.stack_id JOIN frames AS f ON f.frame_id = t.frame_id "
				    "ORDER BY 1, 2, 3, t.depth", on_frame);
	if (err)
		return err;
	if (edges->site_count)
		qsort(edges->sites, edges->site_count, sizeof(*edges->sites), compare_functions);
	for (size_t from = 0, to; from < edges->site_count; from = to) {
		for (to = from; to < edges->site_count && edges->sites[to].lock == edges->sites[from].lock; to++)
			;
		choose(&load->summary->waits.locks[edges->sites[from].lock], &edges->sites[from], to - from);
	}
	return 0;
}

/* Where it lies, in a word: "heap", "libfoo.so"; NULL: not known. */
static const char *place_of(const char *mapping, char *place, size_t size)
{
	const char *slash = mapping ? strrchr(mapping, '/') : NULL;

	if (!mapping)
		return NULL;
	if (slash)
		return slash + 1;
	if (mapping[0] != '[')
		return mapping;
	snprintf(place, size, "%.*s", (int)strcspn(mapping + 1, ":]"), mapping + 1); /* a stack may have its thread behind a colon */
	return place;
}

void hr_lock_name_by_site(struct hr_load *load, struct hr_lock_summary *lock)
{
	char name[512], place[64];
	const char *where = place_of(lock->mapping, place, sizeof(place));

	if (lock->symbol || lock->is_shared || lock->is_kernel || !lock->site)
		return;
	snprintf(name, sizeof(name), "%s at %s%s%s%s", lock->is_lock ? "lock" : "queue", lock->site, where ? " (" : "", where ? where : "",
		 where ? ")" : "");
	lock->name = hr_load_text(load, name);
	lock->is_sited = true;
}
