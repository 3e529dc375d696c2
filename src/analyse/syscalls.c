/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/load.h"
#include "store/tables.h"

static int on_call(struct hr_load *load, struct hr_query *query)
{
	struct hr_call_summary *call = HR_LOAD_APPEND(load, load->summary->calls, load->summary->call_count);
	const char *abi, *name;

	if (!call)
		return 0;
	abi = hr_load_text(load, hr_query_text(query, 0));
	name = hr_load_text(load, hr_query_text(query, 1));
	*call = (struct hr_call_summary){
		.abi = abi ? abi : "native",
		.name = name ? name : "?",
		.calls = hr_load_amount(query, 2),
		.timed = hr_load_amount(query, 3),
		.errors = hr_load_amount(query, 4),
		.total_ns = hr_load_amount(query, 5),
		.in_progress = hr_load_amount(query, 6),
		.in_progress_ns = hr_load_amount(query, 7),
		.latency = hr_slots_latency(NULL, 0),
	};
	return 0;
}

static struct hr_call_summary *find_call(struct hr_load *load, const char *abi, const char *name)
{
	for (size_t i = 0; abi && name && i < load->summary->call_count; i++)
		if (strcmp(load->summary->calls[i].name, name) == 0 && strcmp(load->summary->calls[i].abi, abi) == 0)
			return &load->summary->calls[i];
	return NULL;
}

static int on_error(struct hr_load *load, struct hr_query *query)
{
	struct hr_call_summary *call = find_call(load, hr_query_text(query, 0), hr_query_text(query, 1));
	struct hr_error_summary *error;

	if (!call)
		return 0;
	error = HR_LOAD_APPEND(load, call->top, call->top_count);
	if (error) {
		error->name = hr_load_text(load, hr_query_text(query, 2));
		error->count = hr_load_amount(query, 3);
		if (!error->name)
			error->name = "?";
	}
	return 0;
}

static int on_slot(struct hr_load *load, struct hr_query *query)
{
	const char *name = hr_query_text(query, 0);
	struct hr_call_summary *call = find_call(load, "native", name);
	struct hr_slot slot = { hr_load_amount(query, 1), hr_load_amount(query, 2), hr_load_amount(query, 3) };

	/* both ABIs share the histogram of a name; native calls are nearly all of it where there are any */
	if (!call)
		call = find_call(load, "compat", name);
	hr_load_slot(load, call ? &call->latency : NULL, &slot);
	return 0;
}

static int compare_calls(const void *a, const void *b)
{
	const struct hr_call_summary *left = a, *right = b;
	uint64_t left_ns = left->total_ns + left->in_progress_ns, right_ns = right->total_ns + right->in_progress_ns;

	if (left_ns != right_ns)
		return left_ns > right_ns ? -1 : 1;
	return left->calls > right->calls ? -1 : left->calls < right->calls;
}

int hr_load_calls(struct hr_load *load)
{
	struct hr_summary *summary = load->summary;
	int err;

	/*
	 * what is in progress at the end of an interval is finished or in progress in the next: only the last one
	 * counts
	 */
	err = hr_load_query(load, "SELECT abi, syscall, sum(calls), sum(timed), sum(errors), sum(total_ns), "
			    "sum(in_progress * (interval_id = last.id)), sum(in_progress_ns * (interval_id = last.id)) "
			    "FROM syscalls, (SELECT max(interval_id) AS id FROM intervals) AS last "
			    "GROUP BY abi, syscall",
			    on_call);
	if (!err)
		err = hr_load_query(load, "SELECT abi, syscall, error, sum(calls) AS count FROM syscall_errors "
				    "GROUP BY abi, syscall, error ORDER BY count DESC, error", on_error);
	if (!err)
		err = hr_load_query(load, "SELECT label, low_ns, high_ns, sum(count) FROM histograms "
				    "WHERE metric = 'syscall' GROUP BY label, low_ns, high_ns ORDER BY label, low_ns",
				    on_slot);
	hr_load_slots_end(load);
	if (!err && summary->call_count)
		qsort(summary->calls, summary->call_count, sizeof(*summary->calls), compare_calls);
	return err;
}
