/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "report/json_code.h"
#include "report/json_document.h"
#include "report/json_levels.h"
#include "report/json_requests.h"
#include "report/json_resources.h"
#include "report/json_values.h"
#include "report/json_verdict.h"
#include "report/json_waits.h"
#include "report/json_write.h"
#include "report/report.h"
#include "store/tables.h"

static json_t *started(int64_t unix_ns)
{
	time_t unix_s = (time_t)(unix_ns / 1000000000);
	char date[32], stamp[48];
	struct tm utc;

	if (unix_ns == HR_NULL || unix_ns < 0 || !gmtime_r(&unix_s, &utc))
		return json_null();
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(stamp, sizeof(stamp), "%s.%03dZ", date, (int)(unix_ns / 1000000 % 1000));
	return json_string(stamp);
}

static json_t *run_facts(const struct hr_summary *summary)
{
	const struct hr_run_facts *run = &summary->run;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "run_id", text(run->run_id),
			 "host", text(run->host),
			 "kernel", text(run->kernel),
			 "arch", text(run->arch),
			 "cpus", whole(run->cpu_count),
			 "headroom_version", text(run->headroom_version),
			 "target", text(run->target),
			 "started", started(run->started_unix_ns),
			 "seconds", seconds(run->recorded_ns),
			 "interval_s", known_seconds(run->interval_ns),
			 "intervals", count(run->interval_count),
			 "gaps", count(run->gap_count),
			 "complete", json_boolean(run->ended_ns != HR_NULL),
			 "target_status", whole(run->target_status));
}

static json_t *losses_by_reason(const struct hr_summary *summary)
{
	json_t *lost = summary->run.interval_count || summary->loss_count ? json_object() : json_null();

	for (size_t i = 0; i < summary->loss_count; i++)
		lost = with(lost, summary->losses[i].name, count(summary->losses[i].count));
	return lost;
}

static json_t *losses(const struct hr_summary *summary)
{
	json_t *all = summary->run.interval_count || summary->loss_count ? json_array() : json_null();

	for (size_t i = 0; i < summary->loss_count; i++) {
		const struct hr_loss_summary *loss = &summary->losses[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o}",
					    "reason", text(loss->name),
					    "count", count(loss->count),
					    "kind", text(loss->info ? hr_loss_kind_name(loss->info->kind) : NULL),
					    "above_limit", json_boolean(loss->above_limit),
					    "meaning", text(loss->info ? loss->info->sentence : NULL)));
	}
	return all;
}

static json_t *programs(const struct hr_summary *summary)
{
	json_t *all = summary->probe_count ? json_array() : json_null();

	for (size_t i = 0; i < summary->probe_count; i++) {
		const struct hr_probe_summary *probe = &summary->probes[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o}",
					    "program", text(probe->program),
					    "runs", count(probe->runs),
					    "mean_ns", real(ratio((double)probe->run_ns, (double)probe->runs)),
					    "cpu_share", real(ratio((double)probe->run_ns,
								    (double)summary->cost.bpf_window_ns))));
	}
	return all;
}

static json_t *features(const struct hr_summary *summary)
{
	json_t *all = summary->feature_count ? json_array() : json_null();

	for (size_t i = 0; i < summary->feature_count; i++) {
		const struct hr_feature_summary *feature = &summary->features[i];

		all = append(all, json_pack("{s:o, s:o, s:o}",
					    "feature", text(feature->name),
					    "has", json_boolean(feature->has),
					    "lost_without", text(feature->lost_without)));
	}
	return all;
}

static json_t *health(const struct hr_summary *summary)
{
	const struct hr_accounted *accounted = &summary->accounted;
	const struct hr_cost *cost = &summary->cost;
	bool any = !isnan(accounted->worst_share);
	json_t *costs = json_pack("{s:o, s:o, s:o, s:o, s:o}",
				  "bpf_cpu_share", real(cost->bpf_cpu_share),
				  "bpf_sampled_s", cost->bpf_window_ns ? seconds(cost->bpf_window_ns) : json_null(),
				  "bpf_programs", programs(summary),
				  "collector_cpu_share", real(cost->collector_cpu_share),
				  "collector_rss_bytes", whole(cost->collector_rss_bytes));

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "accounted_share", real(accounted->share),
			 "worst_thread_off_share", real(accounted->worst_share),
			 "worst_thread_tid", any ? whole(summary->threads[accounted->worst].tid) : json_null(),
			 "lossy", summary->run.interval_count ? json_boolean(summary->lossy) : json_null(),
			 "lost", losses_by_reason(summary),
			 "losses", losses(summary),
			 "cost", costs,
			 "features", features(summary));
}

static json_t *errors(const struct hr_call_summary *call)
{
	json_t *all = json_object();

	for (size_t i = 0; i < call->top_count; i++)
		all = with(all, call->top[i].name, count(call->top[i].count));
	return all;
}

static json_t *syscalls(const struct hr_summary *summary)
{
	json_t *all = json_array();

	for (size_t i = 0; i < summary->call_count; i++) {
		const struct hr_call_summary *call = &summary->calls[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
					    "name", text(call->name),
					    "abi", text(call->abi),
					    "calls", count(call->calls),
					    "timed", count(call->timed),
					    "errors", count(call->errors),
					    "errors_by_name", errors(call),
					    "p50_us", micros(call->latency.p50_ns),
					    "p90_us", micros(call->latency.p90_ns),
					    "p99_us", micros(call->latency.p99_ns),
					    "total_s", seconds(call->total_ns),
					    "in_progress", count(call->in_progress),
					    "in_progress_s", seconds(call->in_progress_ns)));
	}
	return all;
}

/* What threads, groups of them and processes have in common; of a run without an interval there is nothing to tell. */
static json_t *account(const struct hr_summary *summary, const struct hr_account *of)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "life_s", seconds(of->life_ns),
			 "states_s", hr_json_states(summary, of),
			 "syscalls", count(of->syscalls),
			 "voluntary_switches", count(of->voluntary),
			 "involuntary_switches", count(of->involuntary),
			 "migrations", count(of->migrations),
			 "mmap_lock_s", seconds(of->mmap_lock_ns),
			 "estimated_split_s", seconds(of->estimated_ns),
			 "not_run_s", known_seconds(of->not_run_ns));
}

static json_t *thread_groups(const struct hr_summary *summary)
{
	json_t *all = json_array();

	for (size_t i = 0; i < summary->group_count; i++) {
		const struct hr_group_summary *group = &summary->groups[i];
		json_t *item = account(summary, &group->account);

		item = with(item, "name", text(group->label));
		item = with(item, "process", text(group->process));
		item = with(item, "thread", text(group->pattern));
		item = with(item, "threads", count(group->thread_count));
		item = with(item, "processes", count(group->process_count));
		item = with(item, "busiest_tid", whole(summary->threads[group->busiest].tid));
		all = append(all, item);
	}
	return all;
}

static json_t *waits(const struct hr_latency *latency)
{
	return json_pack("{s:o, s:o, s:o, s:o}",
			 "count", count(latency->count),
			 "p50_us", micros(latency->p50_ns),
			 "p90_us", micros(latency->p90_ns),
			 "p99_us", micros(latency->p99_ns));
}

/* Time with j threads on CPU at index j, up to the last j that occurred. */
static json_t *parallelism(const struct hr_process_summary *process)
{
	int last = HR_PARALLEL_BINS - 1;
	json_t *all;

	if (isnan(process->parallel_mean))
		return json_null();
	while (last > 0 && !process->parallel_ns[last])
		last--;
	all = json_array();
	for (int bin = 0; bin <= last; bin++)
		all = append(all, seconds(process->parallel_ns[bin]));
	return all;
}

static json_t *processes(const struct hr_summary *summary)
{
	json_t *all = json_array();

	for (size_t i = 0; i < summary->process_count; i++) {
		const struct hr_process_summary *process = &summary->processes[i];
		json_t *item = account(summary, &process->account);

		item = with(item, "name", text(process->name));
		item = with(item, "pid", whole(process->pid));
		item = with(item, "parent_pid", whole(process->parent_pid));
		item = with(item, "command", text(process->command));
		item = with(item, "ended", json_boolean(process->ended));
		item = with(item, "threads", count(process->thread_count));
		item = with(item, "runq", waits(&process->runq));
		item = with(item, "preempted", waits(&process->preempted));
		item = with(item, "on_cpu_at_once_s", parallelism(process));
		item = with(item, "on_cpu_at_once_mean", real(process->parallel_mean));
		all = append(all, item);
	}
	return all;
}

static json_t *owners(const struct hr_summary *summary, const uint64_t owner_ns[HR_OWNERS])
{
	json_t *all = json_object();

	for (int owner = 0; owner < HR_OWNERS; owner++)
		all = with(all, hr_owner_name(owner), summary->owner_known[owner] || owner_ns[owner] ?
			   seconds(owner_ns[owner]) : json_null());
	return all;
}

static json_t *cpu_wait(const struct hr_summary *summary, uint64_t total_ns, const uint64_t owner_ns[HR_OWNERS],
			const struct hr_latency *latency)
{
	json_t *item = waits(latency);

	item = with(item, "total_s", seconds(total_ns));
	return with(item, "owners_s", owners(summary, owner_ns));
}

static json_t *cpu_waits(const struct hr_summary *summary)
{
	const struct hr_account *total = &summary->total;

	if (!total->life_ns)
		return json_null();
	return json_pack("{s:o, s:o}",
			 "runq", cpu_wait(summary, total->state_ns[HR_STATE_RUNQ], total->runq_owner_ns,
					  &summary->runq),
			 "preempted", cpu_wait(summary, total->state_ns[HR_STATE_PREEMPTED], total->preempted_owner_ns,
					       &summary->preempted));
}

static json_t *cpus(const struct hr_summary *summary)
{
	json_t *all = json_array();

	for (size_t i = 0; i < summary->cpu_count; i++) {
		const struct hr_cpu_summary *cpu = &summary->cpus[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
					    "cpu", whole(cpu->cpu),
					    "target_s", seconds(cpu->target_ns),
					    "other_s", seconds(cpu->other_ns),
					    "idle_s", seconds(cpu->idle_ns),
					    "steal_s", known_seconds(cpu->steal_ns),
					    "irq_s", known_seconds(cpu->irq_ns)));
	}
	return all;
}

static json_t *neighbours(const struct hr_summary *summary)
{
	json_t *all = json_array();

	for (size_t i = 0; i < summary->neighbour_count; i++)
		all = append(all, json_pack("{s:o, s:o, s:o}",
					    "pid", whole(summary->neighbours[i].pid),
					    "name", text(summary->neighbours[i].name),
					    "cpu_s", seconds(summary->neighbours[i].cpu_ns)));
	return all;
}

static json_t *quotas(const struct hr_summary *summary)
{
	json_t *all = summary->quotas_known || summary->quota_count ? json_array() : json_null();

	for (size_t i = 0; i < summary->quota_count; i++) {
		const struct hr_quota_summary *quota = &summary->quotas[i];
		double cpu_count = ratio((double)quota->quota_ns, (double)quota->period_ns);

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
					    "cgroup", text(quota->cgroup),
					    "quota_cpus", real(cpu_count),
					    "period_s", seconds(quota->period_ns),
					    "periods", count(quota->periods),
					    "throttled_periods", count(quota->throttled_periods),
					    "throttled_s", seconds(quota->throttled_ns)));
	}
	return all;
}

json_t *hr_json_document(const struct hr_analysis *analysis)
{
	const struct hr_summary *summary = analysis->summary;
	bool any = analysis->axis.level_count > 0;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o}",
			 "schema", "headroom.report/1",
			 "run", run_facts(summary),
			 "health", health(summary),
			 "total", hr_json_level(summary, NULL),
			 "levels", hr_json_levels(analysis),
			 "model", any ? hr_json_model(&analysis->model) : json_null(),
			 "verdict", any ? hr_json_verdict(&analysis->verdict) : json_null(),
			 "runner_up", any ? hr_json_runner_up(&analysis->verdict) : json_null(),
			 "waits", hr_json_waits(summary),
			 "blame", hr_json_blame(summary),
			 "locks", hr_json_locks(summary),
			 "code", hr_json_code(summary),
			 "syscalls", syscalls(summary),
			 "connections", hr_json_connections(summary),
			 "listeners", hr_json_listeners(summary),
			 "network_counters", hr_json_network_counters(summary),
			 "thread_groups", thread_groups(summary),
			 "processes", processes(summary),
			 "cpu_waits", cpu_waits(summary),
			 "cpus", cpus(summary),
			 "neighbours", neighbours(summary),
			 "quotas", quotas(summary),
			 "disks", hr_json_disks(summary),
			 "memory", hr_json_memory(summary),
			 "pressure", hr_json_pressure(summary));
}

int hr_report_json(const struct hr_analysis *analysis, FILE *out, struct hr_err *err)
{
	return hr_json_write(hr_json_document(analysis), "the report", out, err);
}
