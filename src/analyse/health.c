/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "analyse/load.h"
#include "store/tables.h"

/* How much there was of what a loss is compared with. */
static uint64_t base_count(const struct hr_summary *summary, enum hr_loss_base base)
{
	uint64_t count = 0;

	switch (base) {
	case HR_LOSS_OF_NOTHING:
		return 0;
	case HR_LOSS_OF_SWITCHES:
		return summary->total.voluntary + summary->total.involuntary;
	case HR_LOSS_OF_CALLS:
		for (size_t i = 0; i < summary->call_count; i++)
			count += summary->calls[i].calls;
		return count;
	}
	return 0;
}

static int on_loss(struct hr_load *load, struct hr_query *query)
{
	struct hr_summary *summary = load->summary;
	struct hr_loss_summary *loss;

	if (!hr_load_amount(query, 1))
		return 0;
	loss = HR_LOAD_APPEND(load, summary->losses, summary->loss_count);
	if (!loss)
		return 0;
	loss->name = hr_load_text(load, hr_query_text(query, 0));
	loss->count = hr_load_amount(query, 1);
	if (!loss->name)
		loss->name = "?";
	loss->info = hr_loss_by_name(loss->name);
	loss->base_count = loss->info ? base_count(summary, loss->info->base) : 0;
	loss->above_limit = hr_loss_is_above_limit(loss->info, loss->count, loss->base_count);
	summary->lossy = summary->lossy || loss->above_limit;
	return 0;
}

static int on_collector_cost(struct hr_load *load, struct hr_query *query)
{
	struct hr_cost *cost = &load->summary->cost;

	cost->collector_rss_bytes = hr_query_int(query, 1);
	if (!hr_query_is_null(query, 0) && hr_query_int(query, 2) > 0)
		cost->collector_cpu_share = (double)hr_load_amount(query, 0) / (double)hr_query_int(query, 2);
	return 0;
}

static int on_bpf_cost(struct hr_load *load, struct hr_query *query)
{
	struct hr_cost *cost = &load->summary->cost;

	cost->bpf_window_ns = hr_load_amount(query, 1);
	if (cost->bpf_window_ns)
		cost->bpf_cpu_share = (double)hr_load_amount(query, 0) / (double)cost->bpf_window_ns;
	return 0;
}

static int on_probe(struct hr_load *load, struct hr_query *query)
{
	struct hr_probe_summary *probe = HR_LOAD_APPEND(load, load->summary->probes, load->summary->probe_count);

	if (!probe)
		return 0;
	probe->program = hr_load_text(load, hr_query_text(query, 0));
	probe->runs = hr_load_amount(query, 1);
	probe->run_ns = hr_load_amount(query, 2);
	return 0;
}

/* What cannot be told without a feature. */
static const struct {
	const char *feature;
	int state, owner; /* -1: none */
} needs[] = {
	{ "contention", HR_STATE_KLOCK, -1 },
	{ "direct_reclaim", HR_STATE_RECLAIM, -1 },
	{ "cpu_throttling", -1, HR_OWNER_QUOTA },
};

static bool lacks(const struct hr_summary *summary, const char *feature)
{
	for (size_t i = 0; i < summary->feature_count; i++)
		if (strcmp(summary->features[i].name, feature) == 0)
			return !summary->features[i].has;
	return false;
}

/* Without the hooks nothing is seen of sockets, and that is not the same as nothing having happened. */
static void note_what_is_known_of_requests(struct hr_summary *summary)
{
	bool unseen = lacks(summary, "socket_storage") ||
		      (lacks(summary, "request_hooks") && lacks(summary, "request_fentry"));

	if (unseen && !summary->flow_count && !summary->listener_count)
		summary->requests_known = false;
	summary->retransmits_known = !lacks(summary, "tcp_retransmit_skb");
	summary->resets_in_known = !lacks(summary, "tcp_receive_reset");
	summary->resets_out_known = !lacks(summary, "tcp_send_reset");
}

static void note_what_is_known(struct hr_summary *summary)
{
	for (int i = 0; i < HR_STATES; i++)
		summary->state_known[i] = true;
	for (int i = 0; i < HR_OWNERS; i++)
		summary->owner_known[i] = true;
	summary->owner_known[HR_OWNER_STEAL] = summary->cpu_total.steal_ns != HR_NULL;
	summary->owner_known[HR_OWNER_IRQ] = summary->cpu_total.irq_ns != HR_NULL;
	summary->quotas_known = summary->run.interval_count > 0;
	summary->disks_known = summary->run.interval_count > 0 && !lacks(summary, "block_io");
	summary->pressure_known = summary->pressure_count > 0;
	note_what_is_known_of_requests(summary);
	for (size_t i = 0; i < summary->feature_count; i++) {
		if (!summary->features[i].has && strcmp(summary->features[i].name, "cpu_cgroup") == 0)
			summary->quotas_known = summary->quota_count > 0;
		for (size_t n = 0; n < sizeof(needs) / sizeof(needs[0]); n++) {
			if (summary->features[i].has || strcmp(summary->features[i].name, needs[n].feature) != 0)
				continue;
			if (needs[n].state >= 0)
				summary->state_known[needs[n].state] = false;
			if (needs[n].owner >= 0)
				summary->owner_known[needs[n].owner] = false;
		}
	}
}

static int on_feature(struct hr_load *load, struct hr_query *query)
{
	struct hr_summary *summary = load->summary;
	struct hr_feature_summary *feature = HR_LOAD_APPEND(load, summary->features, summary->feature_count);

	if (!feature)
		return 0;
	feature->name = hr_load_text(load, hr_query_text(query, 0));
	feature->has = hr_query_int(query, 1) == 1;
	feature->lost_without = hr_load_text(load, hr_query_text(query, 2));
	if (!feature->name)
		feature->name = "?";
	if (!feature->lost_without)
		feature->lost_without = "?";
	return 0;
}

int hr_load_health(struct hr_load *load)
{
	static const struct {
		const char *sql;
		hr_load_row *row;
	} queries[] = {
		{ "SELECT reason, sum(count) AS count FROM losses GROUP BY reason ORDER BY count DESC, reason",
		  on_loss },
		{ "SELECT sum(collector_cpu_ns), max(collector_rss_bytes), "
		  "sum(CASE WHEN collector_cpu_ns IS NOT NULL THEN end_ns - start_ns END) "
		  "FROM costs JOIN intervals USING (interval_id)", on_collector_cost },
		/* every program of a sample has the sample's window */
		{ "SELECT sum(run_ns), sum(window_ns) FROM (SELECT sum(time_ns) AS run_ns, max(window_ns) AS window_ns "
		  "FROM probe_costs GROUP BY interval_id)", on_bpf_cost },
		{ "SELECT program, sum(runs), sum(time_ns) AS run_ns FROM probe_costs GROUP BY program "
		  "ORDER BY run_ns DESC, program",
		  on_probe },
		{ "SELECT feature, has, lost_without FROM features ORDER BY has, feature", on_feature },
	};
	int err = 0;

	load->summary->cost = (struct hr_cost){
		.collector_cpu_share = NAN, .collector_rss_bytes = HR_NULL, .bpf_cpu_share = NAN,
	};
	for (size_t i = 0; !err && i < sizeof(queries) / sizeof(queries[0]); i++)
		err = hr_load_query(load, queries[i].sql, queries[i].row);
	note_what_is_known(load->summary);
	return err;
}
