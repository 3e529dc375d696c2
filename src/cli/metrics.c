/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/losses.h"
#include "base/states.h"
#include "headroom/hist.h"
#include "store/tables.h"

/* One exposition while it is written. */
struct page {
	const struct hr_metrics *metrics;
	FILE *out;
	const char *name; /* of the metric that is being written */
};

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void begin(struct page *page, const char *name, const char *type, const char *help)
{
	page->name = name;
	fprintf(page->out, "# HELP headroom_%s %s\n# TYPE headroom_%s %s\n", name, help, name, type);
}

/* A label's value: '\', '"' and newlines are escaped. */
static void put_value(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text, out);
	}
}

/* headroom_NAMEsuffix{target="...",label="value"} with its value to follow; label NULL: none. */
static void put_name(const struct page *page, const char *suffix, const char *label, const char *value)
{
	fprintf(page->out, "headroom_%s%s{target=\"", page->name, suffix);
	put_value(page->metrics->target, page->out);
	if (label) {
		fprintf(page->out, "\",%s=\"", label);
		put_value(value, page->out);
	}
	fputs("\"} ", page->out);
}

static void put_count(const struct page *page, const char *label, const char *value, uint64_t count)
{
	put_name(page, "", label, value);
	fprintf(page->out, "%" PRIu64 "\n", count);
}

static void put_real(const struct page *page, const char *label, const char *value, double number)
{
	put_name(page, "", label, value);
	fprintf(page->out, "%.9g\n", number);
}

static void put_time(const struct page *page, const char *label, const char *value, uint64_t ns)
{
	put_name(page, "", label, value);
	fprintf(page->out, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static void write_run(struct page *page)
{
	const struct hr_metrics *metrics = page->metrics;
	const struct hr_live *live = metrics->live;

	begin(page, "build_info", "gauge", "The version of headroom that writes this.");
	put_count(page, "version", HR_VERSION, 1);
	begin(page, "recording", "gauge", "1 while the recording goes on; 0: it is over, and what was counted stays.");
	put_count(page, NULL, NULL, metrics->recording);
	begin(page, "start_timestamp_seconds", "gauge", "When the recording began.");
	put_time(page, NULL, NULL, metrics->started_unix_ns);
	if (live->interval_ns) {
		begin(page, "last_interval_timestamp_seconds", "gauge", "When the last interval ended: what is counted is as of then.");
		put_time(page, NULL, NULL, metrics->started_unix_ns + (live->ended_ns - metrics->started_ns));
	}
}

/*
 * Values of at most the bound. A slot that the bound cuts counts above it: so the bound is met within a slot, 1/32 of its value.
 */
static uint64_t count_up_to(const struct hr_live *live, uint64_t bound_ns)
{
	uint64_t count = 0;

	for (uint32_t slot = 0; slot < HR_STAGE_SLOTS && hr_hist_low(slot + 1, HR_STAGE_BITS) <= bound_ns + 1; slot++)
		count += live->latency_slots[slot];
	return count;
}

static void write_latency(struct page *page)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} bounds[HR_METRICS_BUCKETS] = {
		{ "0.0001", 100000 },	{ "0.0002", 200000 },	{ "0.0005", 500000 },	{ "0.001", 1000000 },
		{ "0.002", 2000000 },	{ "0.005", 5000000 },	{ "0.01", 10000000 },	{ "0.02", 20000000 },
		{ "0.05", 50000000 },	{ "0.1", 100000000 },	{ "0.2", 200000000 },	{ "0.5", 500000000 },
		{ "1", 1000000000 },	{ "2", 2000000000 },	{ "5", 5000000000 },	{ "10", 10000000000 },
		{ "20", 20000000000 },	{ "50", 50000000000 },	{ "100", 100000000000 },
	};
	const struct hr_live *live = page->metrics->live;

	begin(page, "request_duration_seconds", "histogram",
	      "Time of requests from the arrival of data to the last write of the answer.");
	for (size_t i = 0; i < HR_METRICS_BUCKETS; i++) {
		put_name(page, "_bucket", "le", bounds[i].text);
		fprintf(page->out, "%" PRIu64 "\n", count_up_to(live, bounds[i].ns));
	}
	put_name(page, "_bucket", "le", "+Inf");
	fprintf(page->out, "%" PRIu64 "\n", live->latencies);
	put_name(page, "_sum", NULL, NULL);
	fprintf(page->out, "%.9f\n", seconds(live->latency_ns));
	put_name(page, "_count", NULL, NULL);
	fprintf(page->out, "%" PRIu64 "\n", live->latencies);
}

static void write_requests(struct page *page)
{
	const struct hr_live *live = page->metrics->live;

	if (live->requests_known || live->requests) { /* nobody knows is not 0 */
		begin(page, "requests_total", "counter", "Requests that the target answered.");
		put_count(page, NULL, NULL, live->requests);
		write_latency(page);
	}
	begin(page, "requests_known", "gauge", "1 if requests could be told apart in the last interval; 0: none were counted.");
	put_count(page, NULL, NULL, live->requests_known);
	if (page->metrics->recording && !isnan(live->in_flight)) {
		begin(page, "requests_in_flight", "gauge", "Mean number of requests in flight in the last interval.");
		put_real(page, NULL, NULL, live->in_flight);
	}
}

static void write_threads(struct page *page)
{
	const struct hr_live *live = page->metrics->live;

	begin(page, "thread_seconds_total", "counter", "Time of the target's threads by what they did: each is always in one state.");
	for (int state = 0; state < HR_STATES; state++)
		put_time(page, "state", hr_state_name(state), live->state_ns[state]);
	begin(page, "syscalls_total", "counter", "System calls of the target.");
	put_count(page, NULL, NULL, live->calls);
	if (page->metrics->recording && live->interval_ns) {
		begin(page, "threads", "gauge", "Threads of the target at the end of the last interval.");
		put_count(page, NULL, NULL, live->threads);
	}
}

static void write_cpus(struct page *page)
{
	const struct hr_live *live = page->metrics->live;

	begin(page, "cpu_seconds_total", "counter", "Time of the host's CPUs by who had them.");
	for (int owner = 0; owner < HR_OWNERS_KERNEL; owner++)
		if (owner == HR_OWNER_TARGET || owner == HR_OWNER_OTHER || owner == HR_OWNER_IDLE)
			put_time(page, "owner", hr_owner_name(owner), live->owner_ns[owner]);
	if (page->metrics->recording && live->interval_ns) {
		begin(page, "cpus", "gauge", "CPUs of the host that were online in the last interval.");
		put_count(page, NULL, NULL, live->cpus);
	}
}

/* The resources that can be told live. A share over 1 is read when threads were looked at later than the interval ended. */
static void write_utilisation(struct page *page)
{
	const struct hr_live *live = page->metrics->live;
	const uint64_t *owner_ns = live->interval_owner_ns;
	double busy_ns = (double)owner_ns[HR_OWNER_TARGET] + (double)owner_ns[HR_OWNER_OTHER];
	double all_ns = busy_ns + (double)owner_ns[HR_OWNER_IDLE], length_ns = (double)live->interval_ns;

	if (!page->metrics->recording || !live->interval_ns)
		return;
	begin(page, "resource_utilization_ratio", "gauge",
	      "Share of the last interval in which a resource was busy: all CPUs of the host, the target's busiest thread on its CPU, "
	      "its CPU quota.");
	if (all_ns > 0)
		put_real(page, "resource", "cpus", busy_ns / all_ns);
	put_real(page, "resource", "busiest_thread", fmin(1, (double)live->busiest_ns / length_ns));
	if (live->quota_cpus > 0)
		put_real(page, "resource", "cpu_quota", (double)owner_ns[HR_OWNER_TARGET] / (live->quota_cpus * length_ns));
}

static void write_health(struct page *page)
{
	const struct hr_live *live = page->metrics->live;

	begin(page, "losses_total", "counter", "What the recording missed or guessed, by reason.");
	for (int reason = 0; reason < HR_LOSSES; reason++)
		put_count(page, "reason", hr_loss_name(reason), live->losses[reason]);
	begin(page, "recorder_cpu_seconds_total", "counter", "CPU time of the recorder itself.");
	put_time(page, NULL, NULL, live->collector_cpu_ns);
	if (!page->metrics->recording)
		return;
	if (live->collector_rss_bytes != HR_NULL) {
		begin(page, "recorder_resident_memory_bytes", "gauge", "Resident memory of the recorder.");
		put_count(page, NULL, NULL, (uint64_t)live->collector_rss_bytes);
	}
	if (!isnan(live->probes_share)) {
		begin(page, "probes_utilization_ratio", "gauge", "What the probes take of one CPU, as last sampled.");
		put_real(page, NULL, NULL, live->probes_share);
	}
}

void hr_metrics_write(const struct hr_metrics *metrics, FILE *out)
{
	struct page page = { .metrics = metrics, .out = out };

	write_run(&page);
	write_requests(&page);
	write_threads(&page);
	write_cpus(&page);
	write_utilisation(&page);
	write_health(&page);
}
