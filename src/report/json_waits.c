/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/json_waits.h"

#include <math.h>

#include "report/json_values.h"

#define WAITS_LISTED 50
#define ENDS_LISTED 500

static json_t *real_seconds(double ns)
{
	return real(ns / 1e9);
}

static double mean_ns(int64_t sum_ns, uint64_t of)
{
	return sum_ns == HR_NULL ? NAN : ratio((double)sum_ns, (double)of);
}

/* What the waker did, in shares of what is known of it; null where nothing is. */
static json_t *waker_states(const struct hr_wait_summary *wait)
{
	double known_ns = 0;
	json_t *all;

	for (int state = 0; state < HR_STATES; state++)
		known_ns += (double)wait->waker_state_ns[state];
	if (known_ns <= 0)
		return json_null();
	all = json_object();
	for (int state = 0; state < HR_STATES; state++)
		if (wait->waker_state_ns[state])
			all = with(all, hr_state_name(state), real((double)wait->waker_state_ns[state] / known_ns));
	return all;
}

static json_t *wait_item(const struct hr_summary *summary, const struct hr_wait_summary *wait)
{
	const struct hr_group_summary *group = &summary->groups[wait->group];

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "waiter", text(group->label),
			 "threads", count(wait->thread_count),
			 "state", text(hr_state_name(wait->state)),
			 "subject_kind", text(hr_subject_name(wait->kind)),
			 "subject", text(wait->subject),
			 "source", text(wait->source),
			 "waker", text(wait->waker),
			 "count", count(wait->count),
			 "seconds", seconds(wait->time_ns),
			 "idle_s", real_seconds(wait->idle_ns),
			 "share_of_time", real(ratio((double)wait->time_ns, (double)group->account.life_ns)),
			 "p50_us", micros(wait->latency.p50_ns),
			 "p99_us", micros(wait->latency.p99_ns),
			 "handover_us", micros(mean_ns(wait->handover_ns, wait->count)),
			 "window_s", seconds(wait->window_ns),
			 "waker_states", waker_states(wait));
}

json_t *hr_json_waits(const struct hr_summary *summary)
{
	const struct hr_waits_summary *waits = &summary->waits;
	json_t *all = waits->is_known ? json_array() : json_null();

	for (size_t i = 0; i < waits->wait_count && i < WAITS_LISTED; i++)
		all = append(all, wait_item(summary, &waits->waits[i]));
	return all;
}

static json_t *ends(const struct hr_summary *summary)
{
	json_t *all = json_array();

	for (size_t i = 0; i < summary->waits.blame_count && i < ENDS_LISTED; i++) {
		const struct hr_blame_summary *blame = &summary->waits.blames[i];

		all = append(all, json_pack("{s:o, s:o, s:o, s:o, s:o}",
					    "waiter", text(summary->groups[blame->group].label),
					    "terminal", text(hr_blame_end_name(blame->end)),
					    "owner", text(blame->owner),
					    "seconds", real_seconds(blame->time_ns),
					    "share", real(blame->share)));
	}
	return all;
}

/* An array of knots, each an array of its members. */
static json_t *knots(const struct hr_waits_summary *waits)
{
	json_t *all = json_array(), *members = NULL;

	for (size_t i = 0; i < waits->knot_count; i++) {
		if (i == 0 || waits->knots[i].knot != waits->knots[i - 1].knot) {
			all = i ? append(all, members) : all;
			members = json_array();
		}
		members = append(members, text(waits->knots[i].name));
	}
	return waits->knot_count ? append(all, members) : all;
}

json_t *hr_json_blame(const struct hr_summary *summary)
{
	const struct hr_waits_summary *waits = &summary->waits;

	if (!waits->is_known)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
			 "waited_s", real_seconds(waits->waited_ns),
			 "idle_s", real_seconds(waits->idle_ns),
			 "residual_share", real(ratio(waits->residual_ns, waits->waited_ns)),
			 "ends", ends(summary),
			 "knots", knots(waits),
			 "knots_differ", json_boolean(waits->knots_differ));
}

static json_t *lock_item(const struct hr_summary *summary, const struct hr_lock_summary *lock)
{
	double recorded_ns = (double)summary->run.recorded_ns;
	double contended_ns = lock->contended_ns == HR_NULL ? NAN : (double)lock->contended_ns;

	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "name", text(lock->name),
			 "kind", lock->is_kernel ? "kernel" : lock->is_lock ? "lock" : "queue",
			 "gil", json_boolean(lock->is_gil),
			 "process", text(lock->process),
			 "pid", whole(lock->pid),
			 "processes", count(lock->process_count),
			 "address", text(lock->address),
			 "symbol", text(lock->symbol),
			 "mapping", text(lock->mapping),
			 "site", text(lock->site),
			 "site_module", text(lock->site_module),
			 "site_share", real(lock->site_share),
			 "threads", count(lock->thread_count),
			 "count", count(lock->count),
			 "seconds", seconds(lock->time_ns),
			 "contended_share", real(ratio(contended_ns, recorded_ns)),
			 "longest_queue", whole(lock->longest),
			 "handover_us", micros(mean_ns(lock->handover_ns, lock->count)),
			 "released_by", text(lock->releaser));
}

json_t *hr_json_locks(const struct hr_summary *summary)
{
	const struct hr_waits_summary *waits = &summary->waits;
	json_t *all = waits->is_known ? json_array() : json_null();

	for (size_t i = 0; i < waits->lock_count && i < WAITS_LISTED; i++)
		all = append(all, lock_item(summary, &waits->locks[i]));
	return all;
}
