/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/laws.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/laws_parts.h"
#include "analyse/lock_use.h"
#include "headroom/net.h"

#define HR_LAW_INFO(id, name, unit, meaning) [HR_LAW_##id] = { name, unit, meaning },
const struct hr_law_info hr_law_infos[HR_LAW_COUNT] = { HR_LAWS_LIST(HR_LAW_INFO) };

/* Of the server's CPU time: a CPU on which it has less is none of its own. */
#define USABLE_SHARE 0.01

/* Of a request's time in the server, so much. */
static void set_stage_share(struct hr_law_parts *of, enum hr_law law, enum hr_stage stage)
{
	const struct hr_stage_summary *stages = of->summary->requests.stages;

	if (stages[HR_STAGE_TOTAL].count)
		hr_laws_set(of, law, hr_laws_ratio((double)stages[stage].total_ns, (double)stages[HR_STAGE_TOTAL].total_ns));
}

static void requests_laws(struct hr_law_parts *of)
{
	const struct hr_request_summary *requests = &of->summary->requests;
	const struct hr_level *level = of->level;

	hr_laws_set(of, HR_LAW_THROUGHPUT, requests->throughput_rps);
	hr_laws_set(of, HR_LAW_IN_FLIGHT, requests->in_flight);
	hr_laws_set(of, HR_LAW_LATENCY, hr_stage_mean_ns(&requests->stages[HR_STAGE_TOTAL]) / 1e3);
	hr_laws_set(of, HR_LAW_SERVICE, hr_stage_mean_ns(&requests->stages[HR_STAGE_SERVICE]) / 1e3);
	if (!level->is_rate) {
		hr_laws_set(of, HR_LAW_CLIENTS, level->offered);
		hr_laws_set(of, HR_LAW_REACHED, hr_laws_ratio(requests->in_flight, level->offered));
	} else {
		hr_laws_set(of, HR_LAW_RATE_REACHED, hr_laws_ratio(requests->throughput_rps, level->offered));
	}
	set_stage_share(of, HR_LAW_ACCEPT_SHARE, HR_STAGE_ACCEPT);
	set_stage_share(of, HR_LAW_QUEUE_SHARE, HR_STAGE_QUEUE);
	set_stage_share(of, HR_LAW_STREAM_SHARE, HR_STAGE_STREAM);
}

static int compare_names(const void *a, const void *b)
{
	const struct hr_neighbour_summary *left = *(const struct hr_neighbour_summary *const *)a;
	const struct hr_neighbour_summary *right = *(const struct hr_neighbour_summary *const *)b;

	return strcmp(left->name, right->name);
}

/* Who else used the CPUs most, if it was worth a name. Processes of one name are one: a build or a script is many short ones. */
static const char *main_neighbour(const struct hr_summary *summary)
{
	const struct hr_neighbour_summary **named = calloc(summary->neighbour_count + 1, sizeof(const struct hr_neighbour_summary *));
	const char *most = NULL;
	uint64_t sum_ns = 0, most_ns = 0;
	size_t count = 0;

	if (!named)
		return NULL;
	for (size_t i = 0; i < summary->neighbour_count; i++)
		if (summary->neighbours[i].pid != HR_NULL && summary->neighbours[i].name)
			named[count++] = &summary->neighbours[i];
	qsort(named, count, sizeof(*named), compare_names);
	for (size_t i = 0; i < count; i++) {
		sum_ns = (i && strcmp(named[i - 1]->name, named[i]->name) == 0 ? sum_ns : 0) + named[i]->cpu_ns;
		if (sum_ns > most_ns) {
			most_ns = sum_ns;
			most = named[i]->name;
		}
	}
	free(named);
	return most;
}

static void cpu_laws(struct hr_law_parts *of)
{
	const struct hr_cpu_summary *cpus = &of->summary->cpu_total;
	double target_ns = (double)cpus->target_ns, other_ns = (double)cpus->other_ns, here_ns = 0, usable = 0;

	if (!of->summary->cpu_count)
		return;
	hr_laws_set(of, HR_LAW_CPUS_BUSY, hr_laws_ratio(target_ns + other_ns, target_ns + other_ns + (double)cpus->idle_ns));
	for (size_t i = 0; i < of->summary->cpu_count; i++) {
		const struct hr_cpu_summary *cpu = &of->summary->cpus[i];
		double used_ns = (double)(cpu->target_ns + cpu->other_ns);

		usable += (double)cpu->target_ns >= USABLE_SHARE * target_ns;
		here_ns += used_ns > 0 ? (double)cpu->target_ns * used_ns / (used_ns + (double)cpu->idle_ns) : 0;
	}
	hr_laws_set(of, HR_LAW_CPUS_HERE, hr_laws_ratio(here_ns, target_ns));
	hr_laws_set(of, HR_LAW_CPUS_USABLE, target_ns > 0 ? usable : NAN);
	hr_laws_set(of, HR_LAW_CPUS_TARGET, hr_laws_ratio(target_ns, of->recorded_ns));
	hr_laws_set(of, HR_LAW_CPUS_OTHER, hr_laws_ratio(other_ns, of->recorded_ns));
	hr_laws_set(of, HR_LAW_CPU_TARGET_SHARE, hr_laws_ratio(target_ns, target_ns + other_ns));
	hr_laws_set(of, HR_LAW_CPU_DEMAND, target_ns / of->requests / 1e3);
	hr_laws_set(of, HR_LAW_CPU_DEMAND_OTHER, other_ns / of->requests / 1e3);
	of->laws->subject.neighbour = main_neighbour(of->summary);
}

/* The quota that was used up most often. */
static void quota_laws(struct hr_law_parts *of)
{
	const struct hr_quota_summary *worst = NULL;

	for (size_t i = 0; i < of->summary->quota_count; i++) {
		const struct hr_quota_summary *quota = &of->summary->quotas[i];

		if (quota->periods && (!worst || quota->throttled_periods * worst->periods > worst->throttled_periods * quota->periods))
			worst = quota;
	}
	if (!worst)
		return;
	of->laws->subject.quota = worst->cgroup;
	hr_laws_set(of, HR_LAW_QUOTA_THROTTLED, hr_laws_ratio((double)worst->throttled_periods, (double)worst->periods));
	hr_laws_set(of, HR_LAW_QUOTA_USED, hr_laws_ratio((double)of->summary->cpu_total.target_ns / of->recorded_ns,
					 hr_laws_ratio((double)worst->quota_ns, (double)worst->period_ns)));
}

static double owner_ns(const struct hr_account *account, enum hr_cpu_owner owner)
{
	return (double)account->runq_owner_ns[owner] + (double)account->preempted_owner_ns[owner];
}

static void cpu_wait_laws(struct hr_law_parts *of)
{
	const struct hr_account *total = &of->summary->total;
	double runnable_ns = (double)hr_account_group_ns(total, HR_GROUP_RUNNABLE);
	double on_cpu_ns = (double)hr_account_group_ns(total, HR_GROUP_ON_CPU);

	hr_laws_set(of, HR_LAW_CPU_WAIT, hr_laws_ratio(runnable_ns, runnable_ns + on_cpu_ns));
	hr_laws_set(of, HR_LAW_CPU_WAIT_OTHERS,
		    hr_laws_ratio(owner_ns(total, HR_OWNER_OTHER) + owner_ns(total, HR_OWNER_STEAL), runnable_ns));
	hr_laws_set(of, HR_LAW_CPU_WAIT_QUOTA, hr_laws_ratio(owner_ns(total, HR_OWNER_QUOTA), runnable_ns));
}

static void thread_laws(struct hr_law_parts *of)
{
	const struct hr_summary *summary = of->summary;
	const struct hr_process_summary *process = summary->process_count ? &summary->processes[0] : NULL;
	const struct hr_thread_summary *thread;
	double on_cpu_ns, runnable_ns;
	size_t busiest;

	if (!hr_summary_busiest(summary, &busiest, 1))
		return;
	thread = &summary->threads[busiest];
	on_cpu_ns = (double)hr_account_group_ns(&thread->account, HR_GROUP_ON_CPU);
	runnable_ns = (double)hr_account_group_ns(&thread->account, HR_GROUP_RUNNABLE);
	hr_laws_set(of, HR_LAW_THREAD_BUSY, hr_laws_ratio(on_cpu_ns, of->recorded_ns));
	hr_laws_set(of, HR_LAW_THREAD_OCCUPIED, hr_laws_ratio(on_cpu_ns + runnable_ns, of->recorded_ns));
	hr_laws_set(of, HR_LAW_THREAD_OF_TARGET, hr_laws_ratio(on_cpu_ns, (double)hr_account_group_ns(&summary->total, HR_GROUP_ON_CPU)));
	of->laws->subject.thread = hr_texts_print(of->texts, "%s (tid %lld)", summary->groups[thread->group].label,
						  (long long)thread->tid);
	if (!process || isnan(process->parallel_mean))
		return;
	of->laws->subject.process = process->name;
	hr_laws_set(of, HR_LAW_ONE_AT_A_TIME, hr_laws_ratio((double)process->parallel_ns[1], of->recorded_ns));
	hr_laws_set(of, HR_LAW_PARALLEL, process->parallel_mean);
}

/* The label of the busiest thread's group, if it is alone in it. */
static const char *busiest_alone(const struct hr_summary *summary)
{
	size_t busiest;

	if (!hr_summary_busiest(summary, &busiest, 1))
		return NULL;
	if (summary->groups[summary->threads[busiest].group].thread_count > 1)
		return NULL;
	return summary->groups[summary->threads[busiest].group].label;
}

/* Where what is not idle ends, along the chains of waits. */
static void busy_laws(struct hr_law_parts *of)
{
	static const struct {
		enum hr_blame_end end;
		enum hr_law law;
	} ends[] = {
		{ HR_BLAME_DISK, HR_LAW_BUSY_DISK },	 { HR_BLAME_FAULT, HR_LAW_BUSY_MEMORY },
		{ HR_BLAME_RECLAIM, HR_LAW_BUSY_MEMORY }, { HR_BLAME_KLOCK, HR_LAW_BUSY_KLOCK },
		{ HR_BLAME_PEER, HR_LAW_BUSY_PEER },	 { HR_BLAME_OTHER, HR_LAW_BUSY_PEER },
		{ HR_BLAME_TIMER, HR_LAW_BUSY_SLEEP },	 { HR_BLAME_DEVICE, HR_LAW_BUSY_DEVICE },
	};
	const struct hr_waits_summary *waits = &of->summary->waits;
	const struct hr_account *total = &of->summary->total;
	double sums_ns[HR_LAW_COUNT] = { 0 }, send_ns = 0, peer_ns = 0, blamed_ns = 0;
	const char *busiest = busiest_alone(of->summary);

	if (!waits->is_known || of->busy_ns <= 0)
		return;
	for (size_t i = 0; i < waits->end_count; i++) {
		for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++)
			if (ends[k].end == waits->ends[i].end)
				sums_ns[ends[k].law] += waits->ends[i].time_ns;
		if (waits->ends[i].end == HR_BLAME_ON_CPU && busiest && waits->ends[i].owner && strcmp(waits->ends[i].owner, busiest) == 0)
			blamed_ns += waits->ends[i].time_ns;
		if (waits->ends[i].end == HR_BLAME_PEER && waits->ends[i].time_ns > peer_ns && waits->ends[i].owner) {
			peer_ns = waits->ends[i].time_ns;
			of->laws->subject.peer = waits->ends[i].owner;
		}
	}
	for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++)
		hr_laws_set(of, ends[k].law, sums_ns[ends[k].law] / of->busy_ns);
	for (size_t i = 0; i < waits->wait_count; i++)
		if (waits->waits[i].state == HR_STATE_NET_SEND)
			send_ns += (double)waits->waits[i].time_ns - waits->waits[i].idle_ns;
	hr_laws_set(of, HR_LAW_BLAMED_THREAD, blamed_ns / of->busy_ns);
	hr_laws_set(of, HR_LAW_BUSY_SEND, send_ns / of->busy_ns);
	hr_laws_set(of, HR_LAW_BUSY_CPU, (double)hr_account_group_ns(total, HR_GROUP_ON_CPU) / of->busy_ns);
	hr_laws_set(of, HR_LAW_BUSY_CPU_WAIT, (double)hr_account_group_ns(total, HR_GROUP_RUNNABLE) / of->busy_ns);
	hr_laws_set(of, HR_LAW_DISK_TIME, sums_ns[HR_LAW_BUSY_DISK] / of->requests / 1e3);
	hr_laws_set(of, HR_LAW_SLEEP_TIME, sums_ns[HR_LAW_BUSY_SLEEP] / of->requests / 1e3);
}

/* The name of what is waited for most, of that kind. */
static const char *main_subject(const struct hr_summary *summary, enum hr_subject kind)
{
	const char *subject = NULL;
	double most_ns = 0;

	for (size_t i = 0; i < summary->waits.wait_count; i++) {
		const struct hr_wait_summary *wait = &summary->waits.waits[i];

		if (wait->kind == kind && wait->subject && (double)wait->time_ns - wait->idle_ns > most_ns) {
			most_ns = (double)wait->time_ns - wait->idle_ns;
			subject = wait->subject;
		}
	}
	return subject;
}

static void lock_laws(struct hr_law_parts *of)
{
	const struct hr_lock_summary *worst = hr_lock_worst(of->summary);
	struct hr_lock_use use;
	char name[256];

	of->laws->subject.kernel_lock = main_subject(of->summary, HR_SUBJECT_KLOCK);
	of->laws->subject.device = main_subject(of->summary, HR_SUBJECT_DEVICE);
	if (!worst)
		return;
	use = hr_lock_use_of(of->summary, worst);
	of->laws->subject.lock = hr_texts_keep(of->texts, hr_lock_title(worst->name, worst->is_gil, name, sizeof(name)));
	of->laws->subject.holder = worst->releaser;
	hr_laws_set(of, HR_LAW_LOCK_CONTENDED, fmin(1, use.contended_ns / of->recorded_ns));
	hr_laws_set(of, HR_LAW_LOCK_WAITERS, use.waited_ns / of->recorded_ns);
	hr_laws_set(of, HR_LAW_LOCK_OF_BUSY, hr_laws_ratio(use.process_waited_ns, of->busy_ns));
	hr_laws_set(of, HR_LAW_LOCK_WAIT, use.waited_ns / of->requests / 1e3);
}

static void disk_laws(struct hr_law_parts *of)
{
	double most = NAN;

	for (size_t i = 0; i < of->summary->disk_count; i++) {
		const struct hr_disk_summary *disk = &of->summary->disks[i];
		uint64_t by_target = 0;

		for (int operation = 0; operation < HR_DISK_OPERATIONS; operation++)
			by_target += disk->operations[operation].target.count;
		if (!by_target || hr_disk_utilisation(of->summary, disk) <= most)
			continue;
		most = hr_disk_utilisation(of->summary, disk);
		of->laws->subject.disk = disk->name;
	}
	/* what a limit on the disk holds back is handed to it by the kernel's own threads */
	if (!of->laws->subject.disk)
		of->laws->subject.disk = main_subject(of->summary, HR_SUBJECT_FILE);
	hr_laws_set(of, HR_LAW_DISK_BUSY, most);
	hr_laws_set(of, HR_LAW_MAJOR_FAULTS, hr_laws_known(of->summary->memory.major_faults) / of->requests);
	for (size_t i = 0; i < of->summary->memory_limit_count; i++) {
		const struct hr_memory_limit_summary *limit = &of->summary->memory_limits[i];

		if (limit->hits != HR_NULL)
			hr_laws_set(of, HR_LAW_MEMORY_HITS, fmax((double)limit->hits / of->recorded_ns * 1e9,
							 isnan(of->laws->value[HR_LAW_MEMORY_HITS]) ? 0 : of->laws->value[HR_LAW_MEMORY_HITS]));
	}
}

#define SAME_NUMBER 0.2

/*
 * Of workers who have a connection each, it is the workers there are more or fewer of. Those who wait for a connection, with a request
 * in hand, are taken by nothing: there are more workers than connections, and more requests.
 */
static bool is_one_each(const struct hr_law_parts *of, double links)
{
	double slots = of->laws->value[HR_LAW_POOL_SLOTS], taken = slots * of->laws->value[HR_LAW_POOL_BUSY];
	double most = links * (1 + SAME_NUMBER);

	return fabs(links - taken) < SAME_NUMBER * links && !(slots > most && of->summary->requests.in_flight > most);
}

/* An answer that lies there unread waits for the server, and not for the peer. NAN: none was seen. */
static double peer_ns(const struct hr_flow_summary *flow)
{
	double wait_ns = hr_stage_mean_ns(&flow->requests.stages[HR_STAGE_WAIT]);
	double unread_ns = hr_stage_mean_ns(&flow->requests.stages[HR_STAGE_QUEUE]);

	return isnan(unread_ns) ? wait_ns : fmax(0, wait_ns - unread_ns);
}

static void flow_laws(struct hr_law_parts *of)
{
	const struct hr_summary *summary = of->summary;
	double in_peer = 0, send_full_ns = 0, retransmits = 0, sending_ns = 0, connected_ns = 0, segments = 0, links, wait_ns;

	for (size_t i = 0; i < summary->flow_count; i++) {
		const struct hr_flow_summary *flow = &summary->flows[i];

		if (flow->is_front) {
			send_full_ns += (double)flow->send_full_ns;
			retransmits += (double)flow->retransmits;
			segments += flow->out_segments == HR_NULL ? 0 : (double)flow->out_segments;
			sending_ns += flow->sending_ns == HR_NULL ? 0 : (double)flow->sending_ns;
			connected_ns += flow->connected_ns == HR_NULL ? 0 : (double)flow->connected_ns;
			if (!of->laws->subject.flow)
				of->laws->subject.flow = hr_texts_print(of->texts, "%s %s", flow->process ? flow->process : "?",
									flow->endpoint);
		}
		if (flow->role != HR_ROLE_DOWNSTREAM || !(flow->requests.in_flight > in_peer))
			continue;
		in_peer = flow->requests.in_flight;
		of->laws->subject.peer = flow->endpoint;
		wait_ns = hr_stage_mean_ns(&flow->requests.stages[HR_STAGE_WAIT]);
		hr_laws_set(of, HR_LAW_DOWNSTREAM_SHARE,
			    hr_laws_ratio(in_peer, summary->requests.in_flight) * hr_laws_ratio(peer_ns(flow), wait_ns));
		hr_laws_set(of, HR_LAW_DOWNSTREAM_WAIT, wait_ns / 1e3);
		hr_laws_set(of, HR_LAW_PEER_TIME, peer_ns(flow) / 1e3);
		links = (double)flow->standing_ns / of->recorded_ns;
		if (is_one_each(of, links))
			continue;
		hr_laws_set(of, HR_LAW_LINKS, links);
		hr_laws_set(of, HR_LAW_LINKS_BUSY, hr_laws_ratio(in_peer, links));
		hr_laws_set(of, HR_LAW_LINKS_EXCESS, fmax(0, 1 - hr_laws_ratio(links, summary->requests.in_flight)));
		of->laws->subject.links = hr_texts_print(of->texts, "%.0f connection%s to %s", links,
							 round(links) == 1 ? "" : "s", flow->endpoint);
	}
	if (!summary->requests_known)
		return;
	hr_laws_set(of, HR_LAW_SENDING, hr_laws_ratio(sending_ns, connected_ns));
	hr_laws_set(of, HR_LAW_SEND_FULL, hr_laws_ratio(send_full_ns / of->recorded_ns, summary->requests.in_flight));
	if (summary->retransmits_known)
		hr_laws_set(of, HR_LAW_RETRANSMITS, hr_laws_ratio(retransmits, segments));
}

static void listener_laws(struct hr_law_parts *of)
{
	double fullest = NAN, drops = NAN;

	for (size_t i = 0; i < of->summary->listener_count; i++) {
		const struct hr_listener_summary *listener = &of->summary->listeners[i];
		double full = hr_laws_ratio((double)listener->backlog_highest, (double)listener->backlog_max);

		if (!(full <= fullest)) {
			fullest = full;
			of->laws->subject.listener = hr_texts_print(of->texts, "%s %s", listener->process ? listener->process : "?",
								    listener->address);
		}
		if (listener->drops != HR_NULL)
			drops = (isnan(drops) ? 0 : drops) + (double)listener->drops;
	}
	hr_laws_set(of, HR_LAW_BACKLOG_FULL, fullest);
	hr_laws_set(of, HR_LAW_DROPS, drops / of->recorded_ns * 1e9);
}

/* Whatever the state: a terminal is a device too, and a wait for it is ipc. */
static double device_ns(const struct hr_summary *summary)
{
	double waited_ns = 0;

	for (size_t i = 0; i < summary->waits.wait_count; i++)
		if (summary->waits.waits[i].kind == HR_SUBJECT_DEVICE)
			waited_ns += hr_laws_not_idle_ns(&summary->waits.waits[i]);
	return waited_ns;
}

static void at_least(struct hr_law_parts *of, enum hr_law law, double value)
{
	of->laws->value[law] = fmax(of->laws->value[law], value);
}

void hr_laws_of(const struct hr_level *level, struct hr_text **texts, struct hr_laws *ret_laws)
{
	static void (*const parts[])(struct hr_law_parts *) = {
		requests_laws, cpu_laws, quota_laws, cpu_wait_laws, thread_laws, hr_laws_pool, busy_laws, lock_laws, hr_laws_turns,
		hr_laws_own_futexes, hr_laws_refusals, disk_laws, flow_laws, listener_laws,
	};
	const struct hr_summary *summary = level->summary;
	struct hr_law_parts of = {
		.level = level,
		.summary = summary,
		.texts = texts,
		.laws = ret_laws,
		.recorded_ns = (double)summary->run.recorded_ns,
		.requests = summary->requests.requests > 0 ? (double)summary->requests.requests : NAN,
	};

	*ret_laws = (struct hr_laws){ 0 };
	for (int law = 0; law < HR_LAW_COUNT; law++)
		ret_laws->value[law] = NAN;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		parts[i](&of);
	/* also where somebody outside the target ends the waits: blame calls that end a peer */
	if (summary->waits.is_known && of.busy_ns > 0) {
		at_least(&of, HR_LAW_BUSY_KLOCK, (double)summary->total.state_ns[HR_STATE_KLOCK] / of.busy_ns);
		at_least(&of, HR_LAW_BUSY_DEVICE, device_ns(summary) / of.busy_ns);
	}
}
