/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/load.h"
#include "analyse/texts.h"
#include "store/tables.h"

int hr_load_query(struct hr_load *load, const char *sql, hr_load_row *row)
{
	struct hr_query *query;
	int err;

	err = hr_query_open(load->reader, &query, load->err, sql, "");
	if (err)
		return err;
	while ((err = hr_query_next(query)) > 0) {
		err = row(load, query);
		if (!err && load->out_of_memory)
			err = hr_err_set(load->err, -ENOMEM, "no memory for the summary of '%s'",
					 hr_reader_path(load->reader));
		if (err)
			break;
	}
	hr_query_close(query);
	return err;
}

int hr_load_has_table(struct hr_load *load, const char *name, bool *ret)
{
	bool has;
	int err = hr_reader_has(load->reader, name, NULL, &has, load->err);

	if (!err)
		*ret = has && load->summary->run.interval_count > 0;
	return err;
}

void *hr_load_grow(void *items, size_t count, size_t item_bytes)
{
	char *grown = items;

	if ((count & (count - 1)) == 0) /* 0, 1, 2, 4, ...: full */
		grown = realloc(items, (count ? 2 * count : 1) * item_bytes);
	if (grown)
		memset(grown + count * item_bytes, 0, item_bytes);
	return grown;
}

const char *hr_load_text(struct hr_load *load, const char *text)
{
	const char *kept = hr_texts_keep(&load->summary->texts, text);

	load->out_of_memory |= text && !kept;
	return kept;
}

/* Recorded time before ns: the spans that begin before it, less what of the last one lies after it. */
static uint64_t recorded_before_ns(const struct hr_load *load, uint64_t ns)
{
	size_t low = 0, high = load->span_count;
	const struct hr_span *span;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (load->spans[middle].start_ns < ns)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return 0;
	span = &load->spans[low - 1];
	return span->before_ns + (ns < span->end_ns ? ns : span->end_ns) - span->start_ns;
}

uint64_t hr_load_recorded_ns(const struct hr_load *load, int64_t first_ns, int64_t last_ns)
{
	uint64_t from_ns = first_ns > 0 ? (uint64_t)first_ns : 0;
	uint64_t to_ns = last_ns == HR_NULL ? UINT64_MAX : last_ns > 0 ? (uint64_t)last_ns : 0;

	return to_ns > from_ns ? recorded_before_ns(load, to_ns) - recorded_before_ns(load, from_ns) : 0;
}

void hr_load_slot(struct hr_load *load, struct hr_latency *latency, const struct hr_slot *slot)
{
	struct hr_slot *added;

	if (latency != load->latency)
		hr_load_slots_end(load);
	load->latency = latency;
	if (!latency)
		return;
	added = HR_LOAD_APPEND(load, load->slots, load->slot_count);
	if (added)
		*added = *slot;
}

void hr_load_slots_end(struct hr_load *load)
{
	if (load->latency)
		*load->latency = hr_slots_latency(load->slots, load->slot_count);
	load->latency = NULL;
	free(load->slots);
	load->slots = NULL;
	load->slot_count = 0;
}

static int on_run(struct hr_load *load, struct hr_query *query)
{
	load->summary->run = (struct hr_run_facts){
		.run_id = hr_load_text(load, hr_query_text(query, 0)),
		.host = hr_load_text(load, hr_query_text(query, 1)),
		.kernel = hr_load_text(load, hr_query_text(query, 2)),
		.arch = hr_load_text(load, hr_query_text(query, 3)),
		.cpu_count = hr_query_int(query, 4),
		.headroom_version = hr_load_text(load, hr_query_text(query, 5)),
		.target = hr_load_text(load, hr_query_text(query, 6)),
		.started_unix_ns = hr_query_int(query, 7),
		.interval_ns = hr_query_int(query, 8),
		.ended_ns = hr_query_int(query, 9),
		.target_status = hr_query_int(query, 10),
	};
	return 0;
}

static int on_interval(struct hr_load *load, struct hr_query *query)
{
	struct hr_run_facts *run = &load->summary->run;
	struct hr_span *last = load->span_count ? &load->spans[load->span_count - 1] : NULL;
	struct hr_span next = {
		.start_ns = hr_load_amount(query, 0),
		.end_ns = hr_load_amount(query, 1),
		.before_ns = run->recorded_ns,
	};
	struct hr_span *added;

	if (next.end_ns < next.start_ns || (last && next.start_ns < last->end_ns))
		return hr_err_set(load->err, -EINVAL, "'%s' is damaged: interval %lld overlaps the one before it",
				  hr_reader_path(load->reader), (long long)hr_query_int(query, 2));
	if (last && next.start_ns > last->end_ns)
		run->gap_count++;
	run->recorded_ns += next.end_ns - next.start_ns;
	run->interval_count++;
	added = HR_LOAD_APPEND(load, load->spans, load->span_count);
	if (added)
		*added = next;
	return 0;
}

static int load_run(struct hr_load *load)
{
	int err;

	err = hr_load_query(load, "SELECT run_id, host, kernel, arch, cpus, headroom_version, target, started_unix_ns, "
			    "interval_ns, ended_ns, target_status FROM run LIMIT 1", on_run);
	if (err)
		return err;
	if (!load->summary->run.run_id)
		return hr_err_set(load->err, -EINVAL, "'%s' holds no run: its recording has not begun yet, or ended before it did",
				  hr_reader_path(load->reader));
	return hr_load_query(load, "SELECT start_ns, end_ns, interval_id FROM intervals ORDER BY start_ns",
			     on_interval);
}

int hr_summary_load(struct hr_reader *reader, struct hr_summary **ret_summary, struct hr_err *err)
{
	static int (*const parts[])(struct hr_load *) = {
		load_run, hr_load_threads, hr_load_calls, hr_load_host, hr_load_requests, hr_load_resources, hr_load_waits,
		hr_load_stacks, hr_load_health,
	};
	struct hr_load load = { .reader = reader, .err = err };
	int result;

	load.summary = calloc(1, sizeof(*load.summary));
	if (!load.summary)
		return hr_err_set(err, -ENOMEM, "no memory for the summary of '%s'", hr_reader_path(reader));
	/* one snapshot for all queries: the file may still be written to */
	result = hr_load_query(&load, "BEGIN", NULL);
	for (size_t i = 0; !result && i < sizeof(parts) / sizeof(parts[0]); i++)
		result = parts[i](&load);
	hr_load_query(&(struct hr_load){ .reader = reader }, "COMMIT", NULL);
	free(load.spans);
	free(load.slots);
	if (result)
		hr_summary_free(load.summary);
	else
		*ret_summary = load.summary;
	return result;
}

void hr_summary_free(struct hr_summary *summary)
{
	if (!summary)
		return;
	for (size_t i = 0; i < summary->call_count; i++)
		free(summary->calls[i].top);
	free(summary->threads);
	free(summary->groups);
	free(summary->processes);
	free(summary->calls);
	free(summary->cpus);
	free(summary->neighbours);
	free(summary->quotas);
	free(summary->flows);
	free(summary->listeners);
	free(summary->counters);
	free(summary->disks);
	free(summary->memory_limits);
	free(summary->pressures);
	hr_profile_fini(&summary->profile);
	hr_code_fini(&summary->code);
	hr_waits_fini(&summary->waits);
	free(summary->losses);
	free(summary->probes);
	free(summary->features);
	hr_texts_free(&summary->texts);
	free(summary);
}

static uint64_t thread_busy_ns(const struct hr_thread_summary *thread)
{
	return hr_account_group_ns(&thread->account, HR_GROUP_ON_CPU);
}

double hr_summary_busy_share(const struct hr_summary *summary, const struct hr_thread_summary *thread)
{
	if (!summary->run.recorded_ns)
		return NAN;
	return (double)thread_busy_ns(thread) / (double)summary->run.recorded_ns;
}

size_t hr_summary_busiest(const struct hr_summary *summary, size_t *ret_threads, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < summary->thread_count; i++) {
		uint64_t busy_ns = thread_busy_ns(&summary->threads[i]);
		size_t at = n;

		while (at > 0 && busy_ns > thread_busy_ns(&summary->threads[ret_threads[at - 1]]))
			at--;
		if (!busy_ns || at == max)
			continue;
		if (n < max)
			n++;
		memmove(&ret_threads[at + 1], &ret_threads[at], (n - 1 - at) * sizeof(*ret_threads));
		ret_threads[at] = i;
	}
	return n;
}
