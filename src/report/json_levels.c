/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/json_levels.h"

#include <inttypes.h>
#include <math.h>

#include "analyse/laws.h"
#include "report/json_requests.h"
#include "report/json_values.h"

#define BUSIEST_THREADS 8 /* resources of their own */

/*
 * All states, those without time included: 0 s was measured. null: a state that this kernel cannot tell, and the whole
 * where no thread was seen.
 */
json_t *hr_json_states(const struct hr_summary *summary, const struct hr_account *account)
{
	json_t *all = account->life_ns || hr_account_total_ns(account) ? json_object() : json_null();

	for (int i = 0; json_is_object(all) && i < HR_STATES; i++)
		all = with(all, hr_state_name(i), summary->state_known[i] || account->state_ns[i] ?
			   seconds(account->state_ns[i]) : json_null());
	return all;
}

/* The demand by the utilisation law: D = U / X. */
static json_t *resource(const struct hr_summary *summary, json_t *name, const char *kind, double utilisation)
{
	return json_pack("{s:o, s:s, s:o, s:o}",
			 "name", name,
			 "kind", kind,
			 "utilisation", real(utilisation),
			 "demand_us", real(ratio(utilisation * 1e6, summary->requests.throughput_rps)));
}

static json_t *thread_resource(const struct hr_summary *summary, const struct hr_thread_summary *thread)
{
	const struct hr_process_summary *process = &summary->processes[thread->process];
	json_t *name = json_sprintf("thread %s/%s %" PRId64, process->name, thread->name, thread->tid), *item;

	item = resource(summary, name, "thread", hr_summary_busy_share(summary, thread));
	item = with(item, "pid", whole(process->pid));
	return with(item, "tid", whole(thread->tid));
}

static json_t *resources(const struct hr_summary *summary)
{
	const struct hr_cpu_summary *cpus = &summary->cpu_total;
	double used_ns = (double)(cpus->target_ns + cpus->other_ns);
	size_t busiest[BUSIEST_THREADS], n;
	json_t *all = json_array();

	if (summary->cpu_count)
		all = append(all, resource(summary, json_string("cpu"), "cpu",
					   ratio(used_ns, used_ns + (double)cpus->idle_ns)));
	for (size_t i = 0; i < summary->disk_count; i++)
		all = append(all, resource(summary, json_sprintf("disk:%s", summary->disks[i].name ? summary->disks[i].name : "?"), "disk",
					   hr_disk_utilisation(summary, &summary->disks[i])));
	n = hr_summary_busiest(summary, busiest, BUSIEST_THREADS);
	for (size_t i = 0; i < n; i++)
		all = append(all, thread_resource(summary, &summary->threads[busiest[i]]));
	return all;
}

static json_t *client(const struct hr_client_result *result)
{
	if (isnan(result->throughput_rps) && isnan(result->errors) && isnan(result->p50_ns) && isnan(result->p90_ns) && isnan(result->p99_ns))
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
			 "throughput_rps", real(result->throughput_rps),
			 "errors", real(result->errors),
			 "p50_ms", real(result->p50_ns / 1e6),
			 "p90_ms", real(result->p90_ns / 1e6),
			 "p99_ms", real(result->p99_ns / 1e6));
}

/* The quantities by which verdicts are given. */
static json_t *laws(const struct hr_level *level)
{
	struct hr_text *texts = NULL;
	struct hr_laws of;
	json_t *all = json_object();

	hr_laws_of(level, &texts, &of);
	for (int law = 0; law < HR_LAW_COUNT; law++)
		all = with(all, hr_law_infos[law].name, real(of.value[law]));
	hr_texts_free(&texts);
	return all;
}

/* What only a level has; null of the whole run. */
static json_t *axis_facts(json_t *item, const struct hr_level *level)
{
	item = with(item, "level", text(level ? level->label : NULL));
	item = with(item, "offered", real(level ? level->offered : NAN));
	item = with(item, "offered_unit", text(!level || isnan(level->offered) ? NULL : level->is_rate ? "rps" : "clients"));
	item = with(item, "load", real(level ? level->load : NAN));
	item = with(item, "windows", level ? count(level->window_count) : json_null());
	item = with(item, "client", level ? client(&level->client) : json_null());
	item = with(item, "laws", level ? laws(level) : json_null());
	item = with(item, "command_status", whole(level ? level->status : HR_NULL));
	return with(item, "settled_s", known_seconds(level ? level->settled_ns : HR_NULL));
}

json_t *hr_json_level(const struct hr_summary *summary, const struct hr_level *level)
{
	const struct hr_request_summary *requests = &summary->requests;
	bool any = requests->requests != HR_NULL;
	json_t *item;

	item = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "seconds", seconds(summary->run.recorded_ns),
			 "throughput_rps", real(requests->throughput_rps),
			 "in_flight", real(requests->in_flight),
			 "in_flight_little", real(requests->in_flight_little),
			 "latency_ms", any ? hr_json_latency_ms(&requests->stages[HR_STAGE_TOTAL]) : json_null(),
			 "stages_ms", any ? hr_json_stages_ms(requests) : json_null(),
			 "multiplexed", summary->requests_known ? hr_json_multiplexed(requests) : json_null(),
			 "states_s", hr_json_states(summary, &summary->total),
			 "states_per_request_us", any ? hr_json_budget(summary, &requests->budget) : json_null(),
			 "resources", resources(summary));
	return axis_facts(item, level);
}

json_t *hr_json_levels(const struct hr_analysis *analysis)
{
	json_t *all = json_array();

	for (size_t i = 0; i < analysis->axis.level_count; i++)
		all = append(all, hr_json_level(analysis->axis.levels[i].summary, &analysis->axis.levels[i]));
	return all;
}
