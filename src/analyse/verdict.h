/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_VERDICT_H
#define HR_ANALYSE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/knee.h"
#include "analyse/levels.h"
#include "analyse/model.h"
#include "analyse/texts.h"

/* What keeps throughput from growing: one class, its subject, how sure that is, by what numbers, and what would help. */

#define HR_VERDICT_CLASSES(CLASS) \
	CLASS(NOT_SATURATED, "not-saturated") \
	CLASS(CLIENT_LIMITED, "client-limited") \
	CLASS(CPU_SATURATED, "cpu-saturated") \
	CLASS(CPU_OVERSUBSCRIBED, "cpu-oversubscribed") \
	CLASS(CPU_QUOTA, "cpu-quota") \
	CLASS(CPU_NEIGHBOUR, "cpu-neighbour") \
	CLASS(SERIAL_THREAD, "serial-thread") \
	CLASS(LOCK_CONTENTION, "lock-contention") \
	CLASS(KERNEL_LOCK, "kernel-lock") \
	CLASS(DISK_IO, "disk-io") \
	CLASS(MEMORY, "memory") \
	CLASS(DEVICE, "device") \
	CLASS(DOWNSTREAM, "downstream") \
	CLASS(WORKER_POOL, "worker-pool") \
	CLASS(ACCEPT_BACKLOG, "accept-backlog") \
	CLASS(NETWORK_SEND, "network-send") \
	CLASS(NETWORK_LOSS, "network-loss") \
	CLASS(TIMER, "timer") \
	CLASS(INCONCLUSIVE, "inconclusive")

enum hr_verdict_class {
#define HR_VERDICT_ID(id, name) HR_VERDICT_##id,
	HR_VERDICT_CLASSES(HR_VERDICT_ID)
#undef HR_VERDICT_ID
	HR_VERDICT_COUNT
};

#define HR_ACTIONS(ACTION) \
	ACTION(SCALE_OUT, "scale_out") \
	ACTION(SCALE_UP_CPU, "scale_up_cpu") \
	ACTION(RAISE_QUOTA, "raise_quota") \
	ACTION(RAISE_CONCURRENCY, "raise_concurrency") \
	ACTION(LOWER_CONCURRENCY, "lower_concurrency") \
	ACTION(FIX_SERIAL_SECTION, "fix_serial_section") \
	ACTION(FIX_STORAGE, "fix_storage") \
	ACTION(FIX_MEMORY, "fix_memory") \
	ACTION(FIX_NETWORK, "fix_network") \
	ACTION(FIX_DOWNSTREAM, "fix_downstream") \
	ACTION(FIX_CLIENT, "fix_client") \
	ACTION(ISOLATE_HOST, "isolate_host") \
	ACTION(NONE, "none") \
	ACTION(MEASURE_AGAIN, "measure_again")

enum hr_action {
#define HR_ACTION_ID(id, name) HR_ACTION_##id,
	HR_ACTIONS(HR_ACTION_ID)
#undef HR_ACTION_ID
	HR_ACTION_COUNT
};

/* "lock-contention"; "scale_out". */
const char *hr_verdict_class_name(enum hr_verdict_class class);
const char *hr_action_name(enum hr_action action);

struct hr_evidence {
	const char *what; /* "share of the run with a waiter, at 16" */
	double value;
	const char *unit; /* "share", "us/request", "1/s", "threads", ... */
};

#define HR_EVIDENCE_MAX 10

struct hr_finding {
	enum hr_verdict_class class;
	const char *subject;	  /* which thread, lock, peer, file; NULL: there is none to name */
	double confidence;	  /* 0 to 1 */
	double limit_rps;	  /* the throughput that it allows; NAN: not known */
	const char *limit_basis;  /* what that is made of: "4 slots / 2.04 ms"; NULL */
	struct hr_evidence evidence[HR_EVIDENCE_MAX];
	size_t evidence_count;
	const char *advice;	  /* a sentence or two */
	enum hr_action action;
};

/* What would change, if. */
#define HR_CHANGES(CHANGE) \
	CHANGE(TWICE_CPUS, "twice_cpus", "twice the CPUs") \
	CHANGE(TWICE_WORKERS, "twice_workers", "twice the workers") \
	CHANGE(TWICE_REPLICAS, "twice_replicas", "twice the replicas") \
	CHANGE(CAUSE_REMOVED, "cause_removed", "the cause removed")

enum hr_change {
#define HR_CHANGE_ID(id, name, words) HR_CHANGE_##id,
	HR_CHANGES(HR_CHANGE_ID)
#undef HR_CHANGE_ID
	HR_CHANGE_COUNT
};

const char *hr_change_name(enum hr_change change);  /* "twice_cpus" */
const char *hr_change_words(enum hr_change change); /* "twice the CPUs" */

/* The highest throughput, at loads up to the highest that was offered. */
struct hr_prediction {
	enum hr_change change;
	double throughput_rps;
	struct hr_range range; /* 95 % */
	const char *limit;     /* what limits then, in words; NULL: not known */
};

struct hr_verdict {
	struct hr_finding finding;
	bool has_runner_up;
	struct hr_finding runner_up;
	double throughput_rps; /* the highest that was measured; NAN: no requests were seen */
	double load;	       /* at which; NAN likewise */
	double headroom;       /* not-saturated: the factor by which it can grow at least or as far as known; NAN: not known */
	struct hr_knee knee;
	struct hr_prediction predictions[HR_CHANGE_COUNT];
	size_t prediction_count;
	struct hr_text *texts; /* every string above that is not static or the axis' */
};

/*
 * Judge a run by the rules of rules.h. The verdict points into the axis, which must outlive it; empty it with hr_verdict_fini().
 * Out of memory, some texts are NULL.
 */
void hr_verdict_find(const struct hr_summary *whole, const struct hr_axis *axis, struct hr_verdict *ret_verdict);
void hr_verdict_fini(struct hr_verdict *verdict);

#endif
