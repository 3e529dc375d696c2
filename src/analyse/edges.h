/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_EDGES_H
#define HR_ANALYSE_EDGES_H

#include "analyse/load.h"
#include "analyse/waits.h"

/* The edges of a run on their way into its summary. Inside src/analyse/ only: waits.c, waits_blame.c, locks.c and lock_sites.c. */

#define HR_NO_INDEX SIZE_MAX

/* An edge of the file, over the run. */
struct hr_edge_load {
	int64_t edge_id; /* first, to be found by */
	size_t thread, group;
	size_t waker, waker_group; /* HR_NO_INDEX: no thread of the target, or one of several */
	enum hr_state state;
	enum hr_subject kind;
	enum hr_source source;
	bool is_open;
	const char *subject;	/* as in the file */
	const char *futex_pair;	/* what is the same for the same lock: see locks.c; NULL: it is no futex */
	const char *waker_name; /* label of its group, or name of a thread outside the target */
	size_t lock;		/* index in summary.waits.locks; HR_NO_INDEX: it is for none */
	uint32_t futex, label;	/* numbers: of the pair; of the peer or the waker's name; HR_BLAME_NONE: none */
	uint64_t count, time_ns, window_ns;
	int64_t handover_ns;
	uint64_t waker_state_ns[HR_STATES];
	size_t row;		/* index in summary.waits.waits */
};

/* Texts by number. */
struct hr_numbered {
	const char **texts;
	size_t count;
};

struct hr_edges {
	struct hr_edge_load *all; /* in order of their id */
	size_t count;
	struct hr_row_slot {
		size_t row;
		struct hr_slot slot;
	} *slots;
	size_t slot_count;
	struct hr_lock_site *sites; /* of lock_sites.c */
	size_t site_count;
	struct hr_numbered futexes, labels;
	struct hr_blame blame;
};

/* waits_blame.c: numbers the edges' futexes and labels, and finds what they are due to. 0 or -ENOMEM. */
int hr_edges_blame(struct hr_load *load, struct hr_edges *edges);

/* waits_blame.c: summary.waits.knots. 0 or -ENOMEM. */
int hr_edges_knots(struct hr_load *load, struct hr_edges *edges);

/* locks.c: reads the locks of the file, before the edges; what the edges say of them, after. */
int hr_load_locks(struct hr_load *load);
size_t hr_futex_index(const struct hr_load *load, int64_t process_id, const char *address); /* before hr_edges_locks() only */
const char *hr_futex_pair(struct hr_load *load, int64_t process_id, const char *address);
const char *hr_lock_shown(const struct hr_waits_summary *waits, size_t lock);
int hr_edges_locks(struct hr_load *load, struct hr_edges *edges);

/* lock_sites.c: the code that waits for the locks of the file, right after hr_load_locks(); the name of one that has no symbol. */
int hr_load_lock_sites(struct hr_load *load);
void hr_lock_name_by_site(struct hr_load *load, struct hr_lock_summary *lock);

#endif
