/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/json_requests.h"

#include <string.h>

#include "report/json_values.h"

static json_t *millis(double ns)
{
	return real(ns / 1e6);
}

static json_t *known_micros(int64_t ns)
{
	return ns == HR_NULL ? json_null() : micros((double)ns);
}

json_t *hr_json_latency_ms(const struct hr_stage_summary *stage)
{
	if (!stage->count)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o}",
			 "mean", millis(hr_stage_mean_ns(stage)),
			 "p50", millis(stage->latency.p50_ns),
			 "p90", millis(stage->latency.p90_ns),
			 "p99", millis(stage->latency.p99_ns));
}

json_t *hr_json_budget(const struct hr_summary *summary, const struct hr_budget *budget)
{
	json_t *all;

	if (!budget->requests)
		return json_null();
	all = json_object();
	for (int i = 0; i < HR_STATES; i++)
		all = with(all, hr_state_name(i), summary->state_known[i] || budget->state_ns[i] ?
			   micros((double)budget->state_ns[i] / (double)budget->requests) : json_null());
	return with(all, HR_HANDOFF_NAME, micros((double)budget->handoff_ns / (double)budget->requests));
}

json_t *hr_json_stages_ms(const struct hr_request_summary *requests)
{
	json_t *all = json_object();

	for (int i = 0; i < HR_STAGES; i++) {
		const struct hr_stage_summary *stage = &requests->stages[i];
		json_t *item = hr_json_latency_ms(stage);

		if (json_is_object(item))
			item = with(item, "count", count(stage->count));
		all = with(all, hr_stage_name(i), item);
	}
	return all;
}

json_t *hr_json_multiplexed(const struct hr_request_summary *requests)
{
	return json_pack("{s:o, s:o}",
			 "connections", count(requests->multiplexed_connections),
			 "reads", count(requests->multiplexed_reads));
}

static json_t *endings(const struct hr_flow_summary *flow)
{
	json_t *all = json_object();

	for (int ending = 0; ending < HR_ENDINGS; ending++)
		all = with(all, hr_ending_name(ending), count(flow->endings[ending]));
	return all;
}

static json_t *multiplexed(const struct hr_flow_summary *flow)
{
	json_t *all = json_object();

	for (int reason = 0; reason < HR_MULTIPLEXED_REASONS; reason++)
		all = with(all, hr_multiplexed_name(1U << reason), count(flow->multiplexed[reason]));
	return all;
}

/* Calls of a function have no connections. */
static json_t *connections(const struct hr_summary *summary, const struct hr_flow_summary *flow)
{
	if (flow->role == HR_ROLE_PROBE)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "opened", count(flow->opened),
			 "closed", whole(flow->closed),
			 "connect_failures", count(flow->connect_failures),
			 "resets_in", summary->resets_in_known ? count(flow->resets_in) : json_null(),
			 "resets_out", summary->resets_out_known ? count(flow->resets_out) : json_null(),
			 "listed", count(flow->listed),
			 "open", count(flow->open),
			 "endings", endings(flow),
			 "multiplexed", multiplexed(flow),
			 "reads", count(flow->requests.reads),
			 "writes", count(flow->writes),
			 "in_bytes", count(flow->in_bytes),
			 "out_bytes", count(flow->out_bytes),
			 "send_full", count(flow->send_full),
			 "send_full_s", seconds(flow->send_full_ns));
}

static json_t *tcp(const struct hr_summary *summary, const struct hr_flow_summary *flow)
{
	if (strcmp(flow->transport, hr_transport_name(HR_TRANSPORT_TCP)) != 0)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "srtt_median_us", known_micros(flow->srtt_median_ns),
			 "srtt_worst_us", known_micros(flow->srtt_worst_ns),
			 "min_rtt_us", known_micros(flow->min_rtt_ns),
			 "retransmits", summary->retransmits_known ? count(flow->retransmits) : json_null(),
			 "lost", whole(flow->lost),
			 "reordered", whole(flow->reordered),
			 "in_segments", whole(flow->in_segments),
			 "out_segments", whole(flow->out_segments),
			 "zero_window_s", known_seconds(flow->zero_window_ns),
			 "send_limited_s", known_seconds(flow->send_limited_ns));
}

static json_t *flow_item(const struct hr_summary *summary, const struct hr_flow_summary *flow)
{
	const struct hr_request_summary *requests = &flow->requests;
	json_t *in_flight = json_pack("{s:o, s:o}",
				      "counted", real(requests->in_flight),
				      "little", real(requests->in_flight_little));

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "process", text(flow->process),
			 "processes", count(flow->process_count),
			 "role", text(hr_role_name(flow->role)),
			 "transport", text(flow->transport),
			 "endpoint", text(flow->endpoint),
			 "front", json_boolean(flow->is_front),
			 "requests", whole(requests->requests),
			 "throughput_rps", real(requests->throughput_rps),
			 "unanswered", count(requests->unanswered),
			 "multiplexed_reads", count(requests->multiplexed_reads),
			 "in_flight", in_flight,
			 "stages_ms", hr_json_stages_ms(requests),
			 "states_per_request_us", hr_json_budget(summary, &requests->budget),
			 "connections", connections(summary, flow),
			 "tcp", tcp(summary, flow));
}

json_t *hr_json_connections(const struct hr_summary *summary)
{
	json_t *all = summary->requests_known ? json_array() : json_null();

	for (size_t i = 0; i < summary->flow_count; i++)
		all = append(all, flow_item(summary, &summary->flows[i]));
	return all;
}

json_t *hr_json_listeners(const struct hr_summary *summary)
{
	json_t *all = summary->requests_known ? json_array() : json_null();

	for (size_t i = 0; i < summary->listener_count; i++) {
		const struct hr_listener_summary *listener = &summary->listeners[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
					    "process", text(listener->process),
					    "transport", text(listener->transport),
					    "address", text(listener->address),
					    "backlog_highest", count(listener->backlog_highest),
					    "backlog_max", count(listener->backlog_max),
					    "drops", whole(listener->drops)));
	}
	return all;
}

json_t *hr_json_network_counters(const struct hr_summary *summary)
{
	json_t *all = summary->requests_known || summary->counter_count ? json_object() : json_null();

	for (size_t i = 0; i < summary->counter_count; i++)
		all = with(all, summary->counters[i].name, whole(summary->counters[i].count));
	return all;
}
