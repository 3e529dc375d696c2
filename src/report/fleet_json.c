/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/fleet.h"

#include "report/fleet_document.h"
#include "report/json_values.h"
#include "report/json_write.h"

static json_t *latency_ms(const struct hr_fleet_level *level)
{
	return json_pack("{s:o, s:o, s:o, s:o}",
			 "mean", real(level->mean_ns / 1e6),
			 "p50", real(level->p50_ns / 1e6),
			 "p90", real(level->p90_ns / 1e6),
			 "p99", real(level->p99_ns / 1e6));
}

/* In the order of the hosts. */
static json_t *by_host(const struct hr_fleet *fleet, const struct hr_fleet_level *level)
{
	json_t *all = json_array();

	for (size_t i = 0; i < fleet->run_count; i++) {
		const struct hr_fleet_share *share = &level->shares[i];

		all = append(all, json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}",
					    "host", text(fleet->runs[i].analysis->summary->run.host),
					    "has_level", share->has,
					    "throughput_rps", real(share->throughput_rps),
					    "in_flight", real(share->in_flight),
					    "latency_mean_ms", real(share->mean_ns / 1e6),
					    "latency_p99_ms", real(share->p99_ns / 1e6),
					    "throughput_off_share", real(share->throughput_off),
					    "latency_p99_off_share", real(share->p99_off)));
	}
	return all;
}

static json_t *level_of(const struct hr_fleet *fleet, const struct hr_fleet_level *level)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
			 "level", text(level->label),
			 "hosts", count(level->hosts),
			 "throughput_rps", real(level->throughput_rps),
			 "in_flight", real(level->in_flight),
			 "latency_ms", latency_ms(level),
			 "by_host", by_host(fleet, level));
}

static json_t *levels(const struct hr_fleet *fleet)
{
	json_t *all = json_array();

	for (size_t i = 0; i < fleet->level_count; i++)
		all = append(all, level_of(fleet, &fleet->levels[i]));
	return all;
}

static json_t *hosts(const struct hr_fleet *fleet)
{
	json_t *all = json_array();

	for (size_t i = 0; i < fleet->run_count; i++) {
		const struct hr_summary *summary = fleet->runs[i].analysis->summary;
		const struct hr_finding *finding = &fleet->runs[i].analysis->verdict.finding;
		json_t *verdict = json_pack("{s:s, s:o, s:f, s:o, s:o, s:s}",
					    "class", hr_verdict_class_name(finding->class),
					    "subject", text(finding->subject),
					    "confidence", finding->confidence,
					    "limit_rps", real(finding->limit_rps),
					    "advice", text(finding->advice),
					    "action", hr_action_name(finding->action));

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:o}",
					    "path", text(fleet->runs[i].path),
					    "run_id", text(summary->run.run_id),
					    "host", text(summary->run.host),
					    "kernel", text(summary->run.kernel),
					    "target", text(summary->run.target),
					    "started_unix_ms", whole(summary->run.started_unix_ns / 1000000),
					    "seconds", seconds(summary->run.recorded_ns),
					    "lossy", summary->lossy,
					    "off", hr_fleet_is_off(fleet, i),
					    "verdict_off", hr_fleet_verdict_is_off(fleet, i),
					    "verdict", verdict));
	}
	return all;
}

static json_t *verdicts(const struct hr_fleet *fleet)
{
	json_t *all = json_object();

	for (int class = 0; class < HR_VERDICT_COUNT; class++) {
		uint64_t n = 0;

		for (size_t i = 0; i < fleet->run_count; i++)
			n += fleet->runs[i].analysis->verdict.finding.class == (enum hr_verdict_class)class;
		if (n)
			all = with(all, hr_verdict_class_name(class), count(n));
	}
	return all;
}

json_t *hr_fleet_document(const struct hr_fleet *fleet)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
			 "schema", "headroom.fleet/1",
			 "hosts", hosts(fleet),
			 "levels", levels(fleet),
			 "total", level_of(fleet, &fleet->whole),
			 "verdicts", verdicts(fleet),
			 "limit_rps", real(fleet->limit_rps),
			 "started_spread_s", real(fleet->spread_s),
			 "overlap_s", real(fleet->overlap_s),
			 "at_once", fleet->at_once);
}

int hr_fleet_json(const struct hr_fleet *fleet, FILE *out, struct hr_err *err)
{
	return hr_json_write(hr_fleet_document(fleet), "the report", out, err);
}
