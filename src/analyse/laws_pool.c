/* SPDX-License-Identifier: BSD-2-Clause */
/* The laws of pools: of workers, of connections to a peer, and of threads that wait for each other. */
#include "analyse/laws_parts.h"

#include <string.h>

/* Which part of a wait takes the thread from other work. */
typedef double part_of_wait(const struct hr_wait_summary *wait);

/*
 * A thread of a pool waits for work in a queue: that its feeder is busy meanwhile does not take it. A sleep or a poll is home only
 * as far as no request is in service, which idle_ns knows. No work comes from a device.
 */
static double taken_ns(const struct hr_wait_summary *wait)
{
	bool is_queue = wait->state == HR_STATE_FUTEX || (wait->state == HR_STATE_IPC && wait->kind != HR_SUBJECT_DEVICE);

	return is_queue ? (double)(wait->time_ns - wait->home_ns) : hr_laws_not_idle_ns(wait);
}

/* One that watches many requests at once is not taken by any of them. */
static double taken_but_poll_ns(const struct hr_wait_summary *wait)
{
	return wait->state == HR_STATE_POLL ? 0 : taken_ns(wait);
}

/*
 * Time of a group on CPU, runnable, and in waits of that part. Waits count in the level in which they end, so no state has more of
 * them than its time; one that lasts through the whole level, as that of a main thread for a signal, is none of them.
 */
static double active_ns_of(const struct hr_summary *summary, size_t group, part_of_wait *part_ns)
{
	const struct hr_account *account = &summary->groups[group].account;
	double waited_ns[HR_STATES] = { 0 }, active_ns = 0;

	for (size_t i = 0; i < summary->waits.wait_count; i++)
		if (summary->waits.waits[i].group == group)
			waited_ns[summary->waits.waits[i].state] += part_ns(&summary->waits.waits[i]);
	for (int state = 0; state < HR_STATES; state++) {
		double time_ns = (double)account->state_ns[state];

		active_ns += hr_state_group(state) == HR_GROUP_BLOCKED ? fmin(time_ns, waited_ns[state]) : time_ns;
	}
	return active_ns;
}

/* A parent of processes of its own kind that runs less than so much of what they do on the average only minds them. */
#define MINDER_SHARE 0.2

static bool is_parent_in(const struct hr_summary *summary, const struct hr_thread_summary *thread)
{
	for (size_t i = 0; i < summary->thread_count; i++) {
		const struct hr_thread_summary *other = &summary->threads[i];

		if (other->group == thread->group && other->process != thread->process &&
		    summary->processes[other->process].parent_pid == summary->processes[thread->process].pid)
			return true;
	}
	return false;
}

/* Of the blocked time: a thread that waits where the others do not is no worker, though it has their name, as one that accepts for them. */
#define APART_OWN 0.9
#define APART_OTHERS 0.02
#define APART_THREADS_MIN 3 /* of two, either is apart from the other */

static bool is_apart(const struct hr_account *thread, const struct hr_account *group)
{
	double own_ns = (double)hr_account_group_ns(thread, HR_GROUP_BLOCKED);
	double others_ns = (double)hr_account_group_ns(group, HR_GROUP_BLOCKED) - own_ns;

	for (int state = 0; state < HR_STATES; state++) {
		double here_ns = (double)thread->state_ns[state];

		if (hr_state_group(state) == HR_GROUP_BLOCKED && here_ns > APART_OWN * own_ns)
			return (double)group->state_ns[state] - here_ns < APART_OTHERS * others_ns;
	}
	return false;
}

/* Threads of a group that are no workers, but start and mind those, or feed them. */
static size_t count_minders(const struct hr_summary *summary, size_t group, double *ret_life_ns)
{
	const struct hr_group_summary *of = &summary->groups[group];
	double mean_ns = (double)hr_account_group_ns(&of->account, HR_GROUP_ON_CPU) / (double)of->thread_count;
	size_t count = 0;

	*ret_life_ns = 0;
	for (size_t i = 0; i < summary->thread_count; i++) {
		const struct hr_thread_summary *thread = &summary->threads[i];
		bool minds, feeds;

		if (thread->group != group)
			continue;
		minds = of->process_count > 1 && is_parent_in(summary, thread) &&
			(double)hr_account_group_ns(&thread->account, HR_GROUP_ON_CPU) < MINDER_SHARE * mean_ns;
		feeds = of->thread_count >= APART_THREADS_MIN && is_apart(&thread->account, &of->account);
		if (minds || feeds) {
			*ret_life_ns += (double)hr_account_total_ns(&thread->account);
			count++;
		}
	}
	return count;
}

/* Requests that were read and not yet answered, more than one for each thread: a thread has several at a time. */
#define SEVERAL 1.25

static part_of_wait *part_that_takes(const struct hr_law_parts *of, size_t group)
{
	double in_service = of->laws->value[HR_LAW_THROUGHPUT] * of->laws->value[HR_LAW_SERVICE] / 1e6;

	return in_service > SEVERAL * (double)of->summary->groups[group].thread_count ? taken_but_poll_ns : taken_ns;
}

/* Of the server's time on CPUs: who serves requests has more of it, however little that is. */
#define POOL_CPU_SHARE 0.1

/* The pool is the group that has most to do, of those that run at all. */
void hr_laws_pool(struct hr_law_parts *of)
{
	const struct hr_summary *summary = of->summary;
	double on_cpu_ns = (double)hr_account_group_ns(&summary->total, HR_GROUP_ON_CPU), most_ns = 0, life_ns, minders_ns;
	size_t pool = 0, workers;

	for (size_t i = 0; i < summary->group_count; i++) {
		double pool_ns = active_ns_of(summary, i, part_that_takes(of, i));

		of->taken_ns += active_ns_of(summary, i, taken_ns);
		of->busy_ns += active_ns_of(summary, i, hr_laws_not_idle_ns);
		if (pool_ns > most_ns &&
		    (double)hr_account_group_ns(&summary->groups[i].account, HR_GROUP_ON_CPU) >= POOL_CPU_SHARE * on_cpu_ns) {
			most_ns = pool_ns;
			pool = i;
		}
	}
	if (!summary->waits.is_known || most_ns <= 0)
		return;
	workers = summary->groups[pool].thread_count - count_minders(summary, pool, &minders_ns);
	life_ns = (double)hr_account_total_ns(&summary->groups[pool].account) - minders_ns;
	of->laws->subject.pool = hr_texts_print(of->texts, "%s, %zu thread%s", summary->groups[pool].label, workers,
						workers == 1 ? "" : "s");
	hr_laws_set(of, HR_LAW_POOL_SLOTS, life_ns / of->recorded_ns);
	hr_laws_set(of, HR_LAW_POOL_BUSY, fmin(1, hr_laws_ratio(most_ns, life_ns)));
	hr_laws_set(of, HR_LAW_POOL_DEMAND, most_ns / of->requests / 1e3);
	hr_laws_set(of, HR_LAW_POOL_EXCESS, fmax(0, 1 - hr_laws_ratio(life_ns / of->recorded_ns, summary->requests.in_flight)));
	hr_laws_set(of, HR_LAW_THREADS_BUSY, hr_laws_ratio(of->busy_ns, of->recorded_ns));
	hr_laws_set(of, HR_LAW_BUSY_TIME, of->busy_ns / of->requests / 1e3);
}

/* Of a pipe, a socket or an event it is known what it is; of a semaphore or of a lock of a file it is not. */
static bool is_at_lock(const struct hr_wait_summary *wait)
{
	return wait->state == HR_STATE_IPC && wait->kind == HR_SUBJECT_NONE;
}

/* The law to which a wait counts that a thread of the same kind ended; HR_LAW_COUNT: none. */
static enum hr_law law_of_turn(const struct hr_wait_summary *wait)
{
	switch (wait->state) {
	case HR_STATE_POLL:
	case HR_STATE_SLEEP: return HR_LAW_TURNS_IN_POLL;
	case HR_STATE_IPC: return is_at_lock(wait) ? HR_LAW_TURNS_AT_LOCK : HR_LAW_TURNS_IN_IPC;
	default: return HR_LAW_COUNT;
	}
}

static bool is_by_own_kind(const struct hr_summary *summary, const struct hr_wait_summary *wait)
{
	return wait->waker && strcmp(wait->source, "thread") == 0 && strcmp(wait->waker, summary->groups[wait->group].label) == 0;
}

bool hr_wait_is_turn(const struct hr_summary *summary, const struct hr_wait_summary *wait)
{
	return law_of_turn(wait) != HR_LAW_COUNT && is_by_own_kind(summary, wait);
}

/*
 * Threads of one kind that end each other's waits, not in a futex. Blame may take such a wait for home, as it does with polls; but
 * clients and other threads are who end what is idle.
 */
void hr_laws_turns(struct hr_law_parts *of)
{
	static const enum hr_law laws[] = { HR_LAW_TURNS_IN_POLL, HR_LAW_TURNS_IN_IPC, HR_LAW_TURNS_AT_LOCK };
	const struct hr_waits_summary *waits = &of->summary->waits;
	double turns_ns[HR_LAW_COUNT] = { 0 }, most_ns = 0, taken_all_ns = of->taken_ns;

	for (size_t i = 0; i < waits->wait_count; i++) {
		const struct hr_wait_summary *wait = &waits->waits[i];
		enum hr_law law = law_of_turn(wait);

		if (!hr_wait_is_turn(of->summary, wait))
			continue;
		turns_ns[law] += (double)wait->time_ns;
		taken_all_ns += (double)wait->time_ns - taken_ns(wait);
		if ((double)wait->time_ns > most_ns) {
			most_ns = (double)wait->time_ns;
			of->laws->subject.turns = of->summary->groups[wait->group].label;
		}
	}
	for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++)
		hr_laws_set(of, laws[i], hr_laws_ratio(turns_ns[laws[i]], taken_all_ns));
}

/*
 * Who waits for a lock of the program's own does so on a futex that is his alone, and so may who waits for work; but that is not in
 * the midst of a request. Mutexes are known as such, and have laws of their own.
 */
void hr_laws_own_futexes(struct hr_law_parts *of)
{
	const struct hr_waits_summary *waits = &of->summary->waits;
	const struct hr_budget *budget = &of->summary->requests.budget;
	double futex_ns = (double)budget->state_ns[HR_STATE_FUTEX], turns_ns, ended_ns, most_ns = 0;

	for (size_t group = 0; group < of->summary->group_count; group++) {
		turns_ns = ended_ns = 0;
		for (size_t i = 0; i < waits->wait_count; i++) {
			const struct hr_wait_summary *wait = &waits->waits[i];

			if (wait->group != group || wait->state != HR_STATE_FUTEX || wait->is_lock || !wait->waker)
				continue;
			ended_ns += (double)wait->time_ns;
			turns_ns += is_by_own_kind(of->summary, wait) ? (double)wait->time_ns : 0;
		}
		if (turns_ns <= most_ns)
			continue;
		most_ns = turns_ns;
		of->laws->subject.futex_turns = of->summary->groups[group].label;
		hr_laws_set(of, HR_LAW_TURNS_IN_FUTEX, hr_laws_ratio(turns_ns, ended_ns));
	}
	hr_laws_set(of, HR_LAW_SERVED_IN_FUTEX, hr_laws_ratio(futex_ns, (double)hr_budget_total_ns(budget)));
	hr_laws_set(of, HR_LAW_SERVED_FUTEX_TIME, hr_laws_ratio(futex_ns, (double)budget->requests) / 1e3);
}

/* Calls that say that somebody else has the lock: of a file, or a file that is one. */
static bool is_refusal(const char *call, const char *error)
{
	static const struct {
		const char *call, *error;
	} refusals[] = {
		{ "fcntl", "EAGAIN" }, { "fcntl", "EACCES" }, { "flock", "EAGAIN" },
		{ "semop", "EAGAIN" }, { "semtimedop", "EAGAIN" },
		{ "openat", "EEXIST" }, { "open", "EEXIST" }, { "link", "EEXIST" },
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strcmp(refusals[i].call, call) == 0 && strcmp(refusals[i].error, error) == 0)
			return true;
	return false;
}

void hr_laws_refusals(struct hr_law_parts *of)
{
	double refused = 0;

	for (size_t i = 0; i < of->summary->call_count; i++) {
		const struct hr_call_summary *call = &of->summary->calls[i];

		for (size_t k = 0; k < call->top_count; k++)
			if (is_refusal(call->name, call->top[k].name))
				refused += (double)call->top[k].count;
	}
	hr_laws_set(of, HR_LAW_LOCK_REFUSED, refused / of->requests);
}
