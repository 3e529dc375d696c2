/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/load.h"
#include "store/tables.h"

static const char nameless[] = "?";

static int on_process(struct hr_load *load, struct hr_query *query)
{
	struct hr_summary *summary = load->summary;
	struct hr_process_summary *process = HR_LOAD_APPEND(load, summary->processes, summary->process_count);
	const char *name;

	if (!process)
		return 0;
	name = hr_load_text(load, hr_query_text(query, 3));
	*process = (struct hr_process_summary){
		.process_id = hr_query_int(query, 0),
		.pid = hr_query_int(query, 1),
		.parent_pid = hr_query_int(query, 2),
		.name = name ? name : nameless,
		.command = hr_load_text(load, hr_query_text(query, 4)),
		.ended = !hr_query_is_null(query, 6),
		.life_ns = hr_load_recorded_ns(load, hr_query_int(query, 5), hr_query_int(query, 6)),
		.account = hr_account_none(),
		.parallel_mean = NAN,
		.runq = hr_slots_latency(NULL, 0),
		.preempted = hr_slots_latency(NULL, 0),
	};
	return 0;
}

static int on_thread(struct hr_load *load, struct hr_query *query)
{
	struct hr_process_summary *process = hr_load_process(load, hr_query_int(query, 1));
	struct hr_thread_summary *thread;
	const char *name;

	if (!process)
		return hr_err_set(load->err, -EINVAL, "'%s' is damaged: thread %lld belongs to no process",
				  hr_reader_path(load->reader), (long long)hr_query_int(query, 0));
	thread = HR_LOAD_APPEND(load, load->summary->threads, load->summary->thread_count);
	if (!thread)
		return 0;
	name = hr_load_text(load, hr_query_text(query, 3));
	*thread = (struct hr_thread_summary){
		.thread_id = hr_query_int(query, 0),
		.tid = hr_query_int(query, 2),
		.process = (size_t)(process - load->summary->processes),
		.name = name ? name : nameless,
		.ended = hr_query_int(query, 6) == 1,
		.account = hr_account_none(),
	};
	thread->account.life_ns = hr_load_recorded_ns(load, hr_query_int(query, 4), hr_query_int(query, 5));
	process->thread_count++;
	return 0;
}

/* Both arrays are in ascending order of their id, the first member of each row. */
static int compare_id(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

struct hr_thread_summary *hr_load_thread(struct hr_load *load, int64_t thread_id)
{
	struct hr_summary *summary = load->summary;

	return summary->thread_count ? bsearch(&thread_id, summary->threads, summary->thread_count,
					       sizeof(*summary->threads), compare_id) : NULL;
}

struct hr_process_summary *hr_load_process(struct hr_load *load, int64_t process_id)
{
	struct hr_summary *summary = load->summary;

	return summary->process_count ? bsearch(&process_id, summary->processes, summary->process_count,
						sizeof(*summary->processes), compare_id) : NULL;
}

static int on_state(struct hr_load *load, struct hr_query *query)
{
	struct hr_thread_summary *thread = hr_load_thread(load, hr_query_int(query, 0));
	const char *name = hr_query_text(query, 1);
	int state = name ? hr_state_from_name(name) : -1;

	if (!thread)
		return 0;
	/* a state of a later version: its time is not lost, so that the account still adds up */
	thread->account.state_ns[state < 0 ? HR_STATE_OTHER : state] += hr_load_amount(query, 2);
	return 0;
}

static int on_counters(struct hr_load *load, struct hr_query *query)
{
	struct hr_thread_summary *thread = hr_load_thread(load, hr_query_int(query, 0));

	if (!thread)
		return 0;
	thread->account.syscalls = hr_load_amount(query, 1);
	thread->account.voluntary = hr_load_amount(query, 2);
	thread->account.involuntary = hr_load_amount(query, 3);
	thread->account.migrations = hr_load_amount(query, 4);
	thread->account.mmap_lock_ns = hr_load_amount(query, 5);
	thread->account.estimated_ns = hr_load_amount(query, 6);
	thread->account.not_run_ns = hr_query_int(query, 7);
	return 0;
}

static int on_cpu_wait(struct hr_load *load, struct hr_query *query)
{
	struct hr_thread_summary *thread = hr_load_thread(load, hr_query_int(query, 0));
	const char *state = hr_query_text(query, 1), *owner_name = hr_query_text(query, 2);
	int owner = owner_name ? hr_owner_from_name(owner_name) : -1;

	if (!thread || !state || owner < 0)
		return 0;
	if (hr_state_from_name(state) == HR_STATE_RUNQ)
		thread->account.runq_owner_ns[owner] += hr_load_amount(query, 3);
	else if (hr_state_from_name(state) == HR_STATE_PREEMPTED)
		thread->account.preempted_owner_ns[owner] += hr_load_amount(query, 3);
	return 0;
}

static int on_parallelism(struct hr_load *load, struct hr_query *query)
{
	struct hr_process_summary *process = hr_load_process(load, hr_query_int(query, 0));
	int64_t bin = hr_query_int(query, 1);

	if (process && bin >= 1)
		process->parallel_ns[bin < HR_PARALLEL_BINS ? bin : HR_PARALLEL_BINS - 1] += hr_load_amount(query, 2);
	return 0;
}

static void finish_parallelism(struct hr_process_summary *process)
{
	uint64_t busy_ns = 0;
	double weighted = 0;

	for (int bin = 1; bin < HR_PARALLEL_BINS; bin++) {
		busy_ns += process->parallel_ns[bin];
		weighted += (double)bin * (double)process->parallel_ns[bin];
	}
	process->parallel_ns[0] = process->life_ns > busy_ns ? process->life_ns - busy_ns : 0;
	if (busy_ns)
		process->parallel_mean = weighted / (double)busy_ns;
}

static void add_up(struct hr_summary *summary)
{
	struct hr_accounted *accounted = &summary->accounted;

	*accounted = (struct hr_accounted){ .share = NAN, .worst_share = NAN };
	summary->total = hr_account_none();
	for (size_t i = 0; i < summary->thread_count; i++) {
		const struct hr_thread_summary *thread = &summary->threads[i];
		double life_ns = (double)thread->account.life_ns, off;

		hr_account_add(&summary->total, &thread->account);
		hr_account_add(&summary->processes[thread->process].account, &thread->account);
		if (!thread->account.life_ns)
			continue;
		off = fabs((double)hr_account_total_ns(&thread->account) - life_ns) / life_ns;
		if (isnan(accounted->worst_share) || off > accounted->worst_share) {
			accounted->worst_share = off;
			accounted->worst = i;
		}
	}
	if (summary->total.life_ns)
		accounted->share = (double)hr_account_total_ns(&summary->total) / (double)summary->total.life_ns;
	for (size_t i = 0; i < summary->process_count; i++)
		finish_parallelism(&summary->processes[i]);
}

static uint64_t busy_ns(const struct hr_account *account)
{
	return hr_account_group_ns(account, HR_GROUP_ON_CPU);
}

/* Most time on CPU first; then the longest lives. */
static int compare_busy(const struct hr_account *a, const struct hr_account *b)
{
	if (busy_ns(a) != busy_ns(b))
		return busy_ns(a) > busy_ns(b) ? -1 : 1;
	return a->life_ns > b->life_ns ? -1 : a->life_ns < b->life_ns;
}

static int compare_groups(const void *a, const void *b)
{
	const struct hr_group_summary *left = a, *right = b;

	return compare_busy(&left->account, &right->account);
}

static int compare_processes(const void *a, const void *b, void *processes)
{
	const struct hr_process_summary *all = processes;

	return compare_busy(&all[*(const size_t *)a].account, &all[*(const size_t *)b].account);
}

/* A thread on its way into its group. */
struct member {
	const char *process;
	char pattern[64]; /* comm is 15 bytes, 45 once cleaned */
	size_t thread, process_index;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	int order = strcmp(left->process, right->process);

	if (!order)
		order = strcmp(left->pattern, right->pattern);
	if (!order)
		order = left->process_index < right->process_index ? -1 : left->process_index > right->process_index;
	if (!order)
		order = left->thread < right->thread ? -1 : left->thread > right->thread;
	return order;
}

/* The members of one group, count of them. */
static void add_group(struct hr_load *load, const struct member *members, size_t count)
{
	struct hr_summary *summary = load->summary;
	struct hr_group_summary *group = HR_LOAD_APPEND(load, summary->groups, summary->group_count);
	const char *name = summary->threads[members[0].thread].name;
	char label[256];
	bool same = true;

	if (!group)
		return;
	group->account = hr_account_none();
	group->busiest = members[0].thread;
	for (size_t i = 0; i < count; i++) {
		const struct hr_thread_summary *thread = &summary->threads[members[i].thread];

		hr_account_add(&group->account, &thread->account);
		summary->threads[members[i].thread].group = summary->group_count - 1;
		group->process_count += i == 0 || members[i].process_index != members[i - 1].process_index;
		same = same && strcmp(thread->name, name) == 0;
		if (busy_ns(&thread->account) > busy_ns(&summary->threads[group->busiest].account))
			group->busiest = members[i].thread;
	}
	group->thread_count = count;
	group->process = members[0].process;
	group->pattern = same ? name : hr_load_text(load, members[0].pattern);
	if (load->out_of_memory)
		return;
	if (strcmp(group->process, group->pattern) == 0) {
		group->label = group->process;
		return;
	}
	snprintf(label, sizeof(label), "%s/%s", group->process, group->pattern);
	group->label = hr_load_text(load, label);
}

/* Most time on CPU first. Threads follow their group to its new place. */
static int rank_groups(struct hr_summary *summary)
{
	size_t *place = calloc(summary->group_count, sizeof(*place));

	if (!place)
		return -ENOMEM;
	qsort(summary->groups, summary->group_count, sizeof(*summary->groups), compare_groups);
	for (size_t i = 0; i < summary->group_count; i++)
		place[summary->threads[summary->groups[i].busiest].group] = i;
	for (size_t i = 0; i < summary->thread_count; i++)
		summary->threads[i].group = place[summary->threads[i].group];
	free(place);
	return 0;
}

static int group_threads(struct hr_load *load)
{
	struct hr_summary *summary = load->summary;
	size_t count = summary->thread_count, begin = 0;
	struct member *members;

	if (!count)
		return 0;
	members = calloc(count, sizeof(*members));
	if (!members)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		members[i].thread = i;
		members[i].process_index = summary->threads[i].process;
		members[i].process = summary->processes[summary->threads[i].process].name;
		hr_thread_pattern(members[i].pattern, sizeof(members[i].pattern), summary->threads[i].name);
	}
	qsort(members, count, sizeof(*members), compare_members);
	for (size_t i = 1; i <= count; i++) {
		if (i < count && strcmp(members[i].process, members[begin].process) == 0 &&
		    strcmp(members[i].pattern, members[begin].pattern) == 0)
			continue;
		add_group(load, &members[begin], i - begin);
		begin = i;
	}
	free(members);
	return load->out_of_memory ? -ENOMEM : rank_groups(summary);
}

/* Last of all: until then processes are looked up by their id. */
static int rank_processes(struct hr_summary *summary)
{
	size_t count = summary->process_count;
	struct hr_process_summary *ranked = calloc(count + 1, sizeof(*ranked));
	size_t *order = calloc(count + 1, sizeof(*order)), *place = calloc(count + 1, sizeof(*place));
	int err = ranked && order && place ? 0 : -ENOMEM;

	if (err)
		goto out;
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare_processes, summary->processes);
	for (size_t i = 0; i < count; i++) {
		ranked[i] = summary->processes[order[i]];
		place[order[i]] = i;
	}
	for (size_t i = 0; i < summary->thread_count; i++)
		summary->threads[i].process = place[summary->threads[i].process];
	free(summary->processes);
	summary->processes = ranked;
	ranked = NULL;
out:
	free(ranked);
	free(order);
	free(place);
	return err;
}

static int on_process_wait(struct hr_load *load, struct hr_query *query)
{
	struct hr_process_summary *process = hr_load_process(load, hr_query_int(query, 0));
	struct hr_slot slot = { hr_load_amount(query, 2), hr_load_amount(query, 3), hr_load_amount(query, 4) };
	const char *metric = hr_query_text(query, 1);

	if (process && metric)
		hr_load_slot(load, strcmp(metric, "runq") == 0 ? &process->runq : &process->preempted, &slot);
	return 0;
}

static int on_wait(struct hr_load *load, struct hr_query *query)
{
	struct hr_summary *summary = load->summary;
	struct hr_slot slot = { hr_load_amount(query, 1), hr_load_amount(query, 2), hr_load_amount(query, 3) };
	const char *metric = hr_query_text(query, 0);

	if (metric)
		hr_load_slot(load, strcmp(metric, "runq") == 0 ? &summary->runq : &summary->preempted, &slot);
	return 0;
}

int hr_load_threads(struct hr_load *load)
{
	static const struct {
		const char *sql;
		hr_load_row *row;
	} queries[] = {
		{ "SELECT process_id, pid, parent_pid, name, command, first_ns, last_ns FROM processes "
		  "ORDER BY process_id",
		  on_process },
		{ "SELECT thread_id, process_id, tid, name, first_ns, last_ns, ended FROM threads ORDER BY thread_id",
		  on_thread },
		{ "SELECT thread_id, state, sum(time_ns) FROM thread_states GROUP BY thread_id, state", on_state },
		{ "SELECT thread_id, sum(syscalls), sum(voluntary), sum(involuntary), sum(migrations), "
		  "sum(mmap_lock_ns), sum(estimated_ns), sum(not_run_ns) FROM thread_counters GROUP BY thread_id",
		  on_counters },
		{ "SELECT thread_id, state, owner, sum(time_ns) FROM cpu_waits GROUP BY thread_id, state, owner",
		  on_cpu_wait },
		{ "SELECT process_id, threads_on_cpu, sum(time_ns) FROM parallelism "
		  "GROUP BY process_id, threads_on_cpu",
		  on_parallelism },
		{ "SELECT process_id, metric, low_ns, high_ns, sum(count) FROM histograms "
		  "WHERE metric IN ('runq', 'preempted') GROUP BY process_id, metric, low_ns, high_ns "
		  "ORDER BY process_id, metric, low_ns", on_process_wait },
		{ "SELECT metric, low_ns, high_ns, sum(count) FROM histograms WHERE metric IN ('runq', 'preempted') "
		  "GROUP BY metric, low_ns, high_ns ORDER BY metric, low_ns", on_wait },
	};
	int err = 0;

	load->summary->runq = load->summary->preempted = hr_slots_latency(NULL, 0);
	for (size_t i = 0; !err && i < sizeof(queries) / sizeof(queries[0]); i++) {
		err = hr_load_query(load, queries[i].sql, queries[i].row);
		hr_load_slots_end(load);
	}
	if (err)
		return err;
	add_up(load->summary);
	err = rank_processes(load->summary);
	if (!err)
		err = group_threads(load);
	return err ? hr_err_set(load->err, err, "no memory for the summary of '%s'", hr_reader_path(load->reader)) : 0;
}
