/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/rules.h"

#include <math.h>
#include <stddef.h>

#include "base/text.h"

#define SUBJECT(member) offsetof(struct hr_law_subjects, member)
#define TOP(law, no, yes, reason) { HR_AT_TOP, HR_LAW_##law, no, yes, false, reason }
#define TOP_OR_UNKNOWN(law, no, yes, reason) { HR_AT_TOP, HR_LAW_##law, no, yes, true, reason }
#define GROWTH(law, no, yes, reason) { HR_GROWTH, HR_LAW_##law, no, yes, true, reason }
#define SATURATED { HR_ELASTICITY, HR_LAW_THROUGHPUT, 0.7, 0.4, true, "twice the load brings less than a third more" }

static const char *duration(double us, char buf[16])
{
	return hr_text_duration(us > 0 ? (uint64_t)(us * 1e3) : 0, buf);
}

/* Slots of a pool over the time that each request takes one. */
static double pool_limit(const struct hr_laws *top, const char **ret_basis, struct hr_text **texts)
{
	double slots = top->value[HR_LAW_POOL_SLOTS], demand_us = top->value[HR_LAW_POOL_DEMAND];
	char buf[16];

	*ret_basis = hr_texts_print(texts, "%.0f thread%s / %s of one per request", slots, round(slots) == 1 ? "" : "s",
				    duration(demand_us, buf));
	return slots / demand_us * 1e6;
}

/* Connections in use over the time that each request has one. While requests wait for one, no more can be used. */
static double link_limit(const struct hr_laws *top, const char **ret_basis, struct hr_text **texts)
{
	double used = top->value[HR_LAW_LINKS] * top->value[HR_LAW_LINKS_BUSY], wait_us = top->value[HR_LAW_DOWNSTREAM_WAIT];
	char buf[16];

	*ret_basis = hr_texts_print(texts, "%.1f connections in use, of %.0f / %s until the answer", used, top->value[HR_LAW_LINKS],
				    duration(wait_us, buf));
	return used / wait_us * 1e6;
}

static double thread_limit(const struct hr_laws *top, const char **ret_basis, struct hr_text **texts)
{
	double demand_us = top->value[HR_LAW_THREAD_BUSY] / top->value[HR_LAW_THROUGHPUT] * 1e6;
	char buf[16];

	*ret_basis = hr_texts_print(texts, "1 thread / %s of its CPU time per request", duration(demand_us, buf));
	return 1e6 / demand_us;
}

/* Throughput over the share that is used of the CPUs where the server may run: it need not be pinned to all of them. */
static double cpu_limit(const struct hr_laws *top, const char **ret_basis, struct hr_text **texts)
{
	double used_share = top->value[HR_LAW_CPUS_HERE], usable = top->value[HR_LAW_CPUS_USABLE];
	char buf[16];

	*ret_basis = hr_texts_print(texts, "the %.0f CPU%s on which it runs %s %.1f %% used, and a request takes %s of the server's time there",
				    usable, usable == 1 ? "" : "s", usable == 1 ? "is" : "are", 100 * used_share,
				    duration(top->value[HR_LAW_CPU_DEMAND], buf));
	return top->value[HR_LAW_THROUGHPUT] / used_share;
}

static double quota_limit(const struct hr_laws *top, const char **ret_basis, struct hr_text **texts)
{
	double quota = top->value[HR_LAW_CPUS_TARGET] / top->value[HR_LAW_QUOTA_USED];
	char buf[16];

	*ret_basis = hr_texts_print(texts, "%.3g CPUs of quota / %s of CPU time per request", quota,
				    duration(top->value[HR_LAW_CPU_DEMAND], buf));
	return quota / top->value[HR_LAW_CPU_DEMAND] * 1e6;
}

const struct hr_rule hr_rules[] = {
	{ HR_VERDICT_CPU_QUOTA, HR_ACTION_RAISE_QUOTA, SUBJECT(quota),
	  "Raise the CPU quota of %s: the kernel stops the server when it has used it up, while CPUs are free.",
	  { SATURATED,
	    TOP(QUOTA_THROTTLED, 0.1, 0.4, "a quota that binds is used up in most periods, one that does not in few"),
	    TOP(QUOTA_USED, 0.6, 0.85, "bursts are throttled in some periods though the mean is far below the quota") },
	  quota_limit },
	{ HR_VERDICT_ACCEPT_BACKLOG, HR_ACTION_RAISE_CONCURRENCY, SUBJECT(listener),
	  "Raise the backlog of listen() and net.core.somaxconn for %s, and accept faster: connections wait or are dropped before "
	  "the server sees them.",
	  { SATURATED, TOP(BACKLOG_FULL, 0.8, 1, "full: the next connection is dropped"),
	    TOP(DROPS, 0.1, 1, "each drop costs its client a second or more: few are many") },
	  NULL },
	{ HR_VERDICT_NETWORK_LOSS, HR_ACTION_FIX_NETWORK, SUBJECT(flow),
	  "Look for lost packets on the way to the clients of %s: answers are sent again, and each time costs a round trip or a "
	  "timeout of 200 ms.",
	  { TOP(RETRANSMITS, 0.003, 0.015, "in a sound network fewer than one in a thousand segments is sent again"),
	    TOP_OR_UNKNOWN(REACHED, 0.8, 0.4, "what is lost is waited for outside of the server") },
	  NULL },
	{ HR_VERDICT_NETWORK_SEND, HR_ACTION_FIX_NETWORK, SUBJECT(flow),
	  "The clients of %s read more slowly than the server writes, or the link is full: send less, larger buffers, or do not hold "
	  "a worker while an answer drains.",
	  { SATURATED, TOP(SEND_FULL, 0.25, 0.5, "of a request's time, half or more waits for room in the send buffer") },
	  NULL },
	{ HR_VERDICT_NETWORK_SEND, HR_ACTION_FIX_NETWORK, SUBJECT(flow),
	  "The clients of %s get the answers more slowly than the server gives them: a narrow line, or slow readers. Send less, or widen "
	  "the line.",
	  { SATURATED, TOP(SENDING, 0.5, 0.8, "nearly all the time some part of an answer is on its way"),
	    TOP(REACHED, 0.5, 0.2, "while the server has nothing to do"), TOP(CPUS_TARGET, 1, 0.5, "nor is it busy") },
	  NULL },
	{ HR_VERDICT_CPU_NEIGHBOUR, HR_ACTION_ISOLATE_HOST, SUBJECT(neighbour),
	  "Others on this host (%s above all) have the CPUs that the server waits for: move them away, or reserve CPUs.",
	  { SATURATED, TOP(BUSY_CPU_WAIT, 0.15, 0.35, "the server is often ready to run and has no CPU"),
	    TOP(CPU_WAIT_OTHERS, 0.5, 0.75, "and most of that time it is others who have it"),
	    TOP(CPUS_HERE, 0.85, 0.95, "there is no free CPU where it may run"),
	    TOP_OR_UNKNOWN(REACHED, 0.1, 0.3, "and it is there that the requests are, not at the clients"),
	    TOP(CPU_TARGET_SHARE, 0.6, 0.45, "they have more of it than the server") },
	  NULL },
	{ HR_VERDICT_LOCK_CONTENTION, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(lock),
	  "Hold %s for less time, split it, or do without: while one thread holds it, the others wait.",
	  { SATURATED, TOP(LOCK_CONTENDED, 0.4, 0.75, "at the limit somebody always waits"),
	    TOP(LOCK_OF_BUSY, 0.2, 0.45, "it is what the threads do most") },
	  NULL },
	{ HR_VERDICT_KERNEL_LOCK, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(kernel_lock),
	  "The threads wait for a lock in the kernel (%s): fewer threads per process, or fewer of the calls that take it.",
	  { SATURATED, TOP(BUSY_KLOCK, 0.15, 0.35, "waits in the kernel's locks are rare in a sound server") },
	  NULL },
	{ HR_VERDICT_MEMORY, HR_ACTION_FIX_MEMORY, HR_NO_SUBJECT,
	  "Give it more memory, or let it use less: its threads wait for pages that have to be read or reclaimed first.",
	  { SATURATED, TOP(BUSY_MEMORY, 0.15, 0.35, "page faults that block are rare where memory suffices") },
	  NULL },
	{ HR_VERDICT_DISK_IO, HR_ACTION_FIX_STORAGE, SUBJECT(disk),
	  "Faster storage, or fewer writes that wait (group commits, fsync less often): the threads wait for the disk (%s).",
	  { SATURATED, TOP(BUSY_DISK, 0.25, 0.5, "most of what is not idle waits for the disk") },
	  NULL },
	{ HR_VERDICT_DEVICE, HR_ACTION_SCALE_OUT, SUBJECT(device),
	  "The device %s is what the threads wait for: more of them, larger batches, or less work for it.",
	  { SATURATED, TOP(BUSY_DEVICE, 0.25, 0.5, "most of what is not idle waits for it") },
	  NULL },
	{ HR_VERDICT_SERIAL_THREAD, HR_ACTION_SCALE_OUT, SUBJECT(thread),
	  "One thread does the work of all requests and is busy all the time: run more processes of it, or move work off %s.",
	  { SATURATED, TOP(THREAD_BUSY, 0.75, 0.9, "one thread has one CPU at most"),
	    TOP(THREAD_OF_TARGET, 0.6, 0.8, "and the server has no other that runs as much") },
	  thread_limit },
	{ HR_VERDICT_CPU_OVERSUBSCRIBED, HR_ACTION_LOWER_CONCURRENCY, SUBJECT(process),
	  "The CPUs are full, and each request takes more CPU time the more there are at once: run fewer threads in %s, no more than "
	  "there are CPUs, and do not spin.",
	  { SATURATED, TOP(CPUS_HERE, 0.85, 0.95, "there is no free CPU where it may run"),
	    TOP(BUSY_CPU_WAIT, 0.05, 0.2, "and its threads wait for one"),
	    TOP(CPU_WAIT_OTHERS, 0.75, 0.5, "mostly for each other"),
	    GROWTH(CPU_DEMAND, 1.5, 2, "caches and clock rates may cost half as much again; twice is another kind of work") },
	  cpu_limit },
	{ HR_VERDICT_CPU_SATURATED, HR_ACTION_SCALE_UP_CPU, HR_NO_SUBJECT,
	  "The CPUs are full of useful work: more CPUs, more hosts, or less CPU time per request.",
	  { SATURATED, TOP(CPUS_HERE, 0.85, 0.95, "there is no free CPU where it may run"),
	    TOP(BUSY_CPU_WAIT, 0.05, 0.2, "and its threads wait for one"),
	    TOP(CPU_WAIT_OTHERS, 0.75, 0.5, "mostly for each other"),
	    GROWTH(CPU_DEMAND, 2, 1.5, "the same work per request as at low load") },
	  cpu_limit },
	{ HR_VERDICT_CPU_SATURATED, HR_ACTION_SCALE_UP_CPU, HR_NO_SUBJECT,
	  "The CPUs are full of useful work, with no more threads than there are CPUs: more CPUs, more hosts, or less CPU time per request.",
	  { SATURATED, TOP(CPUS_HERE, 0.85, 0.95, "there is no free CPU where it may run"),
	    TOP(CPU_TARGET_SHARE, 0.6, 0.75, "and it is the server who has them"),
	    TOP_OR_UNKNOWN(REACHED, 0.5, 0.8, "requests wait for it: in the program or in front of it, if not its threads for a CPU"),
	    GROWTH(CPU_DEMAND, 2, 1.5, "the same work per request as at low load") },
	  cpu_limit },
	{ HR_VERDICT_DOWNSTREAM, HR_ACTION_FIX_DOWNSTREAM, SUBJECT(peer),
	  "Scale or fix what stands behind the server, %s: requests wait there, and longer the more there are.",
	  { SATURATED, TOP(DOWNSTREAM_SHARE, 0.4, 0.7, "most of what is in the server waits for an answer of the peer"),
	    GROWTH(PEER_TIME, 1.3, 1.8, "a peer that has room answers as fast as at low load") },
	  NULL },
	{ HR_VERDICT_WORKER_POOL, HR_ACTION_RAISE_CONCURRENCY, SUBJECT(links),
	  "All connections of the server to what stands behind it are taken, and requests wait in the server for one: more than %s, or less "
	  "time on each. What stands behind has room: it answers as fast as at low load.",
	  { SATURATED, TOP(LINKS_BUSY, 0.5, 0.8, "a connection that is free lets no request wait"),
	    TOP(LINKS_EXCESS, 0.2, 0.5, "there are more requests than connections"),
	    TOP(THREAD_BUSY, 0.95, 0.8, "no thread is busy all the time, which would be why requests wait"),
	    GROWTH(PEER_TIME, 1.8, 1.3, "a peer that has no room answers later, the more is asked") },
	  link_limit },
	{ HR_VERDICT_SERIAL_THREAD, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(thread),
	  "All others wait for one thread, %s, again and again: give it less to do, or do without waiting for it.",
	  { SATURATED, TOP(BLAMED_THREAD, 0.3, 0.55, "what they do most is to wait until it has done something"),
	    TOP(THREAD_BUSY, 0.3, 0.5, "and it works most of the time"),
	    TOP(THREAD_OF_TARGET, 0.4, 0.6, "while the others hardly do") },
	  NULL },
	{ HR_VERDICT_LOCK_CONTENTION, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(turns),
	  "Threads of %s wait for each other at the lock of a file or at a semaphore: hold it for less time, or have more than one.",
	  { SATURATED, TOP(TURNS_AT_LOCK, 0.3, 0.55, "what they do most is to wait until one of their own lets them go on") },
	  NULL },
	{ HR_VERDICT_LOCK_CONTENTION, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(futex_turns),
	  "Threads of %s wait for each other in the midst of their requests, each on a futex of its own: for a lock of the program's own, as "
	  "of a row, a table or a monitor. Hold it for less time, or split it.",
	  { SATURATED, TOP(SERVED_IN_FUTEX, 0.4, 0.7, "with a request in hand, what they do most is to wait"),
	    GROWTH(SERVED_FUTEX_TIME, 2, 4, "and longer, the more there are"),
	    TOP(TURNS_IN_FUTEX, 0.3, 0.55, "until one of their own lets them go on") },
	  NULL },
	{ HR_VERDICT_LOCK_CONTENTION, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(pool),
	  "Threads ask for the lock of a file that others have, sleep, and ask again (%s): hold it for less time, wait for it instead of "
	  "asking, or have more than one.",
	  { SATURATED, TOP(LOCK_REFUSED, 0.1, 0.5, "a lock that is mostly free is refused to few"),
	    TOP(BUSY_SLEEP, 0.3, 0.6, "most of what is not idle is sleep"),
	    GROWTH(SLEEP_TIME, 1.3, 1.8, "each request sleeps longer, the more there are") },
	  NULL },
	{ HR_VERDICT_LOCK_CONTENTION, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(turns),
	  "Threads of %s wait for each other, though not in a futex: for a lock of the program's own, as of a row or a table. Hold it for "
	  "less time, or split it.",
	  { SATURATED, TOP(TURNS_IN_POLL, 0.3, 0.55, "what they do most is to wait until one of their own lets them go on") },
	  NULL },
	{ HR_VERDICT_SERIAL_THREAD, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(turns),
	  "Threads of %s take turns, by passing something on to each other: let more than one of them work at once.",
	  { SATURATED, TOP(TURNS_IN_IPC, 0.3, 0.55, "what they do most is to wait until one of their own passes it on") },
	  NULL },
	{ HR_VERDICT_TIMER, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(pool),
	  "The server's own sleeps (a rate limit, polling, delayed sending) pace it: %s.",
	  { SATURATED, TOP(BUSY_SLEEP, 0.3, 0.6, "most of what is not idle is sleep"),
	    GROWTH(SLEEP_TIME, 1.3, 1.8, "each request sleeps longer, the more there are") },
	  NULL },
	{ HR_VERDICT_TIMER, HR_ACTION_FIX_SERIAL_SECTION, SUBJECT(pool),
	  "The server keeps requests until a time has come (a rate limit, polling, delayed sending), while it has nothing else to do: %s.",
	  { SATURATED, TOP(BUSY_SLEEP, 0.3, 0.6, "most of what is not idle is a wait for the clock"),
	    TOP(QUEUE_SHARE, 0.5, 0.3, "requests are taken up: it is no worker that lacks"),
	    TOP(POOL_BUSY, 0.6, 0.4, "its threads have several at a time, and none is taken by one"),
	    GROWTH(SERVICE, 1.3, 1.8, "each is kept longer, the more there are") },
	  NULL },
	{ HR_VERDICT_WORKER_POOL, HR_ACTION_RAISE_CONCURRENCY, SUBJECT(pool),
	  "All workers are taken and requests wait in front of them: more workers than %s, or less time in each.",
	  { SATURATED, TOP(POOL_BUSY, 0.75, 0.92, "a pool with a free worker lets no request wait"),
	    TOP(POOL_EXCESS, 0.2, 0.5, "there are more requests than workers"),
	    TOP_OR_UNKNOWN(CPUS_HERE, 0.97, 0.9, "with full CPUs more workers would only share them"),
	    GROWTH(POOL_SLOTS, 1.8, 1.3, "a pool that grows with the load is none") },
	  pool_limit },
	{ HR_VERDICT_WORKER_POOL, HR_ACTION_RAISE_CONCURRENCY, SUBJECT(pool),
	  "All workers are taken and requests wait in front of them: more workers than %s, or less time in each.",
	  { SATURATED, TOP(POOL_BUSY, 0.75, 0.92, "a pool with a free worker lets no request wait"),
	    TOP(POOL_EXCESS, 0.2, 0.5, "there are more requests than workers"),
	    TOP(BUSY_CPU, 0.6, 0.35, "full CPUs are no matter to workers that do not compute"),
	    TOP(BUSY_CPU_WAIT, 0.4, 0.2, "nor wait for a CPU"),
	    GROWTH(POOL_SLOTS, 1.8, 1.3, "a pool that grows with the load is none") },
	  pool_limit },
	{ HR_VERDICT_WORKER_POOL, HR_ACTION_RAISE_CONCURRENCY, SUBJECT(pool),
	  "Requests wait until a worker takes them up, and are then served as fast as at low load: more workers than %s, or less time in each.",
	  { SATURATED, TOP(QUEUE_SHARE, 0.3, 0.5, "most of their time they wait to be read"),
	    TOP(POOL_EXCESS, 0.2, 0.5, "there are more requests than workers"),
	    GROWTH(SERVICE, 1.8, 1.3, "what workers share, as CPUs or a lock, would keep them longer, the more there are"),
	    TOP(THREAD_BUSY, 0.9, 0.7, "no thread is busy all the time"),
	    TOP(BUSY_CPU, 0.6, 0.35, "nor do they compute"), TOP(BUSY_CPU_WAIT, 0.4, 0.2, "nor wait for a CPU") },
	  NULL },
	{ HR_VERDICT_CLIENT_LIMITED, HR_ACTION_FIX_CLIENT, HR_NO_SUBJECT,
	  "The load generator is the limit: the server waits for it. More generators, more connections, or a faster one.",
	  { SATURATED, TOP(REACHED, 0.7, 0.45, "of the clients that were offered, few have a request in the server"),
	    TOP_OR_UNKNOWN(POOL_BUSY, 0.95, 0.8, "and the server has idle threads"),
	    TOP(THREAD_BUSY, 0.95, 0.85, "none of which is busy all the time") },
	  NULL },
	{ HR_VERDICT_CLIENT_LIMITED, HR_ACTION_FIX_CLIENT, HR_NO_SUBJECT,
	  "The load generator is the limit: it does not send at the rate that was asked of it, and the server waits for it. More generators, "
	  "more connections, or a faster one.",
	  { SATURATED, TOP(RATE_REACHED, 0.95, 0.8, "fewer requests come than were offered"),
	    TOP(QUEUE_SHARE, 0.4, 0.15, "those that come are taken up at once"),
	    TOP_OR_UNKNOWN(POOL_BUSY, 0.95, 0.8, "and the server has idle threads"),
	    TOP(THREAD_BUSY, 0.95, 0.85, "none of which is busy all the time") },
	  NULL },
	{ HR_VERDICT_NOT_SATURATED, HR_ACTION_NONE, HR_NO_SUBJECT,
	  "Throughput still grows with the load: offer more to find the limit.",
	  { { HR_ELASTICITY, HR_LAW_THROUGHPUT, 0.4, 0.7, false, "twice the load brings over half more" } },
	  NULL },
	{ HR_VERDICT_NOT_SATURATED, HR_ACTION_NONE, HR_NO_SUBJECT,
	  "Nothing is full at this load: offer more to find the limit.",
	  { { HR_ELASTICITY, HR_LAW_THROUGHPUT, 0.4, 0.7, true, "of one level it is not known whether throughput grows" },
	    TOP(CPUS_BUSY, 0.9, 0.7, "there are free CPUs"), TOP(THREAD_BUSY, 0.85, 0.65, "no thread is busy all the time"),
	    TOP(POOL_BUSY, 0.9, 0.7, "there are idle threads"),
	    TOP(QUEUE_SHARE, 0.4, 0.15, "requests are taken up at once") },
	  NULL },
};
const size_t hr_rule_count = sizeof(hr_rules) / sizeof(hr_rules[0]);

double hr_condition_value(const struct hr_condition *condition, const struct hr_contrast *contrast)
{
	double top = contrast->top.value[condition->law], low = contrast->low.value[condition->law];

	switch (condition->look) {
	case HR_AT_TOP: return top;
	case HR_AT_LOW: return contrast->has_low ? low : NAN;
	case HR_GROWTH: return contrast->has_low && low > 0 ? top / low : NAN;
	case HR_ELASTICITY: return contrast->elasticity;
	}
	return NAN;
}

double hr_condition_degree(const struct hr_condition *condition, const struct hr_contrast *contrast)
{
	double value = hr_condition_value(condition, contrast);

	return fmin(1, fmax(0, (value - condition->no) / (condition->yes - condition->no)));
}

/* For a condition that was not measured and may lack: the rule is less sure by so much. */
#define LACKING_DEGREE 0.7

double hr_rule_degree(const struct hr_rule *rule, const struct hr_contrast *contrast)
{
	double least = 1;

	for (size_t i = 0; i < HR_CONDITIONS_MAX && rule->conditions[i].reason; i++) {
		const struct hr_condition *condition = &rule->conditions[i];

		if (isnan(hr_condition_value(condition, contrast)))
			least = fmin(least, condition->may_lack ? LACKING_DEGREE : 0);
		else
			least = fmin(least, hr_condition_degree(condition, contrast));
	}
	return least;
}
