/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_WAITS_H
#define HR_ANALYSE_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/blame.h"
#include "analyse/percentile.h"
#include "base/states.h"
#include "base/waits.h"

/*
 * Who waited for whom: the part of a summary about it. Threads are told by their groups (hr_group_summary.label); in the file
 * each has edges of its own. Times are nanoseconds; what was not measured is HR_NULL, NAN or NULL.
 */

/* Where CPython keeps the state of its interpreters, the lock of each among it. */
#define HR_GIL_NAME "_PyRuntime"

/* Waits of one group in one state for one subject that one group, or one other, ended. */
struct hr_wait_summary {
	size_t group;		/* index in groups: who waited */
	size_t thread_count;	/* how many of it did */
	enum hr_state state;
	enum hr_subject kind;
	const char *subject;	/* as people know it: a symbol, an address, a peer, a path; NULL: it has no name, or each its own */
	bool is_lock;		/* a futex that is released by those who wait for it */
	bool is_gil;		/* of Python */
	bool is_sited;		/* the subject is a lock that is called by the code that waits for it: "lock at serve (heap)" */
	const char *source;	/* "thread", "interrupt", ..., "open" */
	const char *waker;	/* label of the group that ended them, or name of a thread outside the target; NULL: neither */
	uint64_t count, time_ns;
	double idle_ns;		/* of time_ns, what blame leaves out */
	uint64_t home_ns;	/* of time_ns, where a thread waits that has nothing to do: also if its work is late */
	int64_t handover_ns;	/* from the wake-ups until the threads had a CPU; HR_NULL: not known of any */
	struct hr_latency latency; /* single waits */
	uint64_t window_ns;	/* part of time_ns of which it is known what the waker did */
	uint64_t waker_state_ns[HR_STATES];
};

/* So much of what a group waited is due to that. */
struct hr_blame_summary {
	size_t group;	   /* index in groups: who waited */
	enum hr_blame_end end;
	const char *owner; /* label of a group, a peer, a name; NULL: not known, or many together */
	double time_ns, share; /* of all that is blamed */
};

/* So much of all waiting is due to that. */
struct hr_end_summary {
	enum hr_blame_end end;
	const char *owner; /* as above */
	double time_ns, share;
};

/* Something that is the bottom of the wait-for graph; those of one number hold each other up. */
struct hr_knot_summary {
	uint32_t knot;	   /* from 1 */
	const char *name;  /* label of a group, a peer, "disk", ... */
};

struct hr_lock_summary {
	int64_t process_id; /* first, to be found by */
	const char *address;
	const char *process; /* its name; of a lock that several share, of the first */
	int64_t pid;
	size_t process_count; /* more than 1: they wait for one lock in memory that they share */
	const char *name;    /* its symbol, or where it lies in shared memory, or the code that waits for it, or its address */
	const char *symbol, *mapping; /* NULL: none, or not known */
	const char *site;    /* the function in which most of the waiting was; NULL: not known */
	const char *site_module;
	double site_share;   /* of its waiting, as it was sampled */
	bool is_sited;	     /* its name is made of that */
	bool is_kernel;	     /* a lock of the kernel: known by the waits for it only */
	bool is_lock;	     /* false: those who wake its waiters do not wait there, as of a condition or a queue */
	bool is_gil;
	bool is_shared;	     /* it lies in memory that processes can share */
	size_t thread_count; /* that waited */
	uint64_t count, time_ns; /* waits that are over, or were open at the end */
	int64_t handover_ns; /* of them together; HR_NULL: not known */
	/* HR_NULL: not known; if several processes share it, contended and longest are of that one in which it was most */
	int64_t contended_ns, queued_ns, longest;
	const char *releaser; /* label of the group that ended most waits, or name of a thread outside the target; NULL: not known */
};

struct hr_waits_summary {
	bool is_known;			/* false: the file has nothing of it */
	struct hr_wait_summary *waits;	/* most time that is not idle first */
	struct hr_blame_summary *blames; /* most time first */
	struct hr_end_summary *ends;	/* the same, whoever waited */
	struct hr_knot_summary *knots;
	struct hr_lock_summary *locks;	/* locks first; most time waited first */
	size_t wait_count, blame_count, end_count, knot_count, lock_count;
	double waited_ns;   /* all waits: blames, idle and residual add up to it */
	double idle_ns;
	double residual_ns;
	bool knots_differ;  /* what is to blame most is in no knot, though a knot could hold it */
};

void hr_waits_fini(struct hr_waits_summary *waits);

/* "model_lock", or what else people know it by, with what it is: "_PyRuntime+0x1a8 (the GIL)". In name, which is returned. */
const char *hr_lock_title(const char *subject, bool is_gil, char *name, size_t size);

#endif
