/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/samples.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/percentile.h"
#include "headroom/hist.h"
#include "store/views.h"

/* What is being read. */
struct load {
	struct hr_samples *samples;
	bool requests_known;
};

/* Room for one more; doubles at powers of two. */
static int make_room(void *array, size_t count, size_t item_bytes)
{
	void *items, *grown;

	if (count & (count - 1))
		return 0;
	memcpy(&items, array, sizeof(items));
	grown = reallocarray(items, count ? 2 * count : 1, item_bytes);
	if (!grown)
		return -ENOMEM;
	memcpy(array, &grown, sizeof(grown));
	return 0;
}

static int on_interval(void *context, struct hr_query *query)
{
	struct load *load = context;
	struct hr_samples *samples = load->samples;

	if (make_room(&samples->items, samples->count, sizeof(*samples->items)))
		return -ENOMEM;
	samples->items[samples->count++] = (struct hr_sample){
		.interval_id = hr_query_int(query, 0),
		.seconds = ((double)hr_query_amount(query, 2) - (double)hr_query_amount(query, 1)) / 1e9,
		.requests = load->requests_known ? 0 : NAN,
	};
	return 0;
}

static int compare_id(const void *key, const void *item)
{
	int64_t id = *(const int64_t *)key, other = ((const struct hr_sample *)item)->interval_id;

	return id < other ? -1 : id > other;
}

static struct hr_sample *find(struct hr_samples *samples, int64_t interval_id)
{
	return samples->count ? bsearch(&interval_id, samples->items, samples->count, sizeof(*samples->items), compare_id) : NULL;
}

static int on_traffic(void *context, struct hr_query *query)
{
	struct load *load = context;
	struct hr_sample *sample = find(load->samples, hr_query_int(query, 0));

	if (sample)
		sample->requests = (double)hr_query_amount(query, 1);
	return 0;
}

static int on_total(void *context, struct hr_query *query)
{
	struct load *load = context;
	struct hr_sample *sample = find(load->samples, hr_query_int(query, 0));

	if (sample) {
		sample->latencies = hr_query_amount(query, 1);
		sample->latency_ns = hr_query_amount(query, 2);
	}
	return 0;
}

static int on_slot(void *context, struct hr_query *query)
{
	struct load *load = context;
	struct hr_sample *sample = find(load->samples, hr_query_int(query, 0));
	struct hr_samples *samples = load->samples;

	if (!sample)
		return 0;
	if (make_room(&samples->slots, samples->slot_count, sizeof(*samples->slots)))
		return -ENOMEM;
	if (!sample->slots++)
		sample->first = samples->slot_count;
	samples->slots[samples->slot_count++] = (struct hr_sample_slot){
		.slot = hr_hist_slot(hr_query_amount(query, 1), HR_STAGE_BITS, HR_STAGE_SLOTS),
		.count = hr_query_amount(query, 2),
	};
	return 0;
}

int hr_samples_load(struct hr_reader *reader, bool requests_known, struct hr_samples *ret_samples, struct hr_err *err)
{
	static const struct {
		const char *sql;
		hr_query_row *row;
		bool of_requests;
	} parts[] = {
		{ "SELECT interval_id, start_ns, end_ns FROM intervals ORDER BY interval_id", on_interval, false },
		{ "SELECT interval_id, sum(requests) FROM traffic WHERE flow_id IN (" HR_SQL_FRONT_FLOWS ") GROUP BY interval_id",
		  on_traffic, true },
		{ "SELECT interval_id, sum(count), sum(total_ns) FROM request_stages WHERE stage = 'total' "
		  "AND flow_id IN (" HR_SQL_FRONT_FLOWS ") GROUP BY interval_id", on_total, true },
		{ "SELECT interval_id, low_ns, sum(count) FROM requests WHERE stage = 'total' "
		  "AND flow_id IN (" HR_SQL_FRONT_FLOWS ") GROUP BY interval_id, low_ns ORDER BY interval_id, low_ns", on_slot, true },
	};
	struct hr_samples samples = { 0 };
	struct load load = { &samples, requests_known };
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (requests_known || !parts[i].of_requests)
			ret = hr_query_each(reader, parts[i].sql, parts[i].row, &load, err);
	if (ret == -ENOMEM)
		hr_err_set(err, ret, "no memory for the intervals of '%s'", hr_reader_path(reader));
	if (ret)
		hr_samples_fini(&samples);
	else
		*ret_samples = samples;
	return ret;
}

void hr_samples_fini(struct hr_samples *samples)
{
	free(samples->items);
	free(samples->slots);
	*samples = (struct hr_samples){ 0 };
}

int hr_run_load(const char *path, struct hr_run *ret_run, struct hr_err *err)
{
	struct hr_run run = { .path = path };
	struct hr_reader *reader;
	int ret = hr_reader_open(path, &reader, err);

	if (ret)
		return ret;
	ret = hr_analysis_load(reader, &run.analysis, err);
	if (!ret)
		ret = hr_samples_load(reader, run.analysis->summary->requests.requests != HR_NULL, &run.samples, err);
	hr_reader_close(reader);
	if (ret)
		hr_run_fini(&run);
	else
		*ret_run = run;
	return ret;
}

void hr_run_fini(struct hr_run *run)
{
	hr_analysis_free(run->analysis);
	hr_samples_fini(&run->samples);
	*run = (struct hr_run){ 0 };
}

const struct hr_level *hr_run_level(const struct hr_run *run, const char *label)
{
	const struct hr_axis *axis = &run->analysis->axis;

	for (size_t i = 0; i < axis->level_count && axis->kind == HR_AXIS_MARKED; i++)
		if (strcmp(axis->levels[i].label, label) == 0)
			return &axis->levels[i];
	return NULL;
}

static void cover(struct hr_pool *pool, uint32_t low, uint32_t high)
{
	if (low >= high)
		return;
	pool->low = pool->high && pool->low < low ? pool->low : low;
	pool->high = pool->high > high ? pool->high : high;
}

void hr_pool_add(struct hr_pool *pool, const struct hr_samples *samples, const struct hr_sample *sample)
{
	pool->seconds += sample->seconds;
	pool->requests += sample->requests;
	pool->latencies += sample->latencies;
	pool->latency_ns += sample->latency_ns;
	for (size_t i = sample->first; i < sample->first + sample->slots; i++) {
		pool->slots[samples->slots[i].slot] += samples->slots[i].count;
		cover(pool, samples->slots[i].slot, samples->slots[i].slot + 1);
	}
}

void hr_pool_add_pool(struct hr_pool *pool, const struct hr_pool *more)
{
	pool->seconds += more->seconds;
	pool->requests += more->requests;
	pool->latencies += more->latencies;
	pool->latency_ns += more->latency_ns;
	for (uint32_t slot = more->low; slot < more->high; slot++)
		pool->slots[slot] += more->slots[slot];
	cover(pool, more->low, more->high);
}

bool hr_level_has_sample(const struct hr_level *level, const struct hr_sample *sample)
{
	if (!level)
		return true;
	for (size_t i = 0; i < level->window_count; i++)
		if (level->windows[i].interval_id == sample->interval_id)
			return true;
	return false;
}

void hr_pool_add_level(struct hr_pool *pool, const struct hr_run *run, const struct hr_level *level)
{
	for (size_t i = 0; i < run->samples.count; i++)
		if (hr_level_has_sample(level, &run->samples.items[i]))
			hr_pool_add(pool, &run->samples, &run->samples.items[i]);
}

double hr_pool_throughput_rps(const struct hr_pool *pool)
{
	return pool->seconds > 0 ? pool->requests / pool->seconds : NAN;
}

double hr_pool_mean_ns(const struct hr_pool *pool)
{
	return pool->latencies ? (double)pool->latency_ns / (double)pool->latencies : NAN;
}

/* By hand: a bootstrap asks for it often. */
double hr_pool_percentile_ns(const struct hr_pool *pool, double share)
{
	uint64_t count = 0;
	double rank, below = 0;

	for (uint32_t slot = pool->low; slot < pool->high; slot++)
		count += pool->slots[slot];
	rank = ceil(share * (double)count);
	for (uint32_t slot = pool->low; slot < pool->high; slot++) {
		below += (double)pool->slots[slot];
		if (pool->slots[slot] && below >= rank)
			return hr_slots_percentile(&(struct hr_slot){ hr_hist_low(slot, HR_STAGE_BITS), hr_hist_low(slot + 1, HR_STAGE_BITS), 1 },
						   1, 1);
	}
	return NAN;
}
