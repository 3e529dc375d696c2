/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/edges.h"
#include "store/tables.h"

static const char nameless[] = "?";

const char *hr_lock_title(const char *subject, bool is_gil, char *name, size_t size)
{
	snprintf(name, size, "%s%s", subject, is_gil ? " (the GIL)" : "");
	return name;
}

static const char *or_nameless(const char *text)
{
	return text ? text : nameless;
}

static struct hr_lock_summary *add_lock(struct hr_load *load)
{
	struct hr_lock_summary *lock = HR_LOAD_APPEND(load, load->summary->waits.locks, load->summary->waits.lock_count);

	if (lock)
		*lock = (struct hr_lock_summary){
			.handover_ns = HR_NULL, .contended_ns = HR_NULL, .queued_ns = HR_NULL, .longest = HR_NULL,
			.site_share = NAN,
		};
	return lock;
}

/* src/collect/symbols.c writes it so where stores reach other processes, and only there. */
#define SHARED_MARK " (inode "

static bool is_shared(const char *mapping)
{
	return mapping && strstr(mapping, SHARED_MARK) && mapping[strlen(mapping) - 1] == ')';
}

static int on_lock(struct hr_load *load, struct hr_query *query)
{
	struct hr_lock_summary *lock = add_lock(load);

	if (!lock)
		return 0;
	lock->process_id = hr_query_int(query, 0);
	lock->address = or_nameless(hr_load_text(load, hr_query_text(query, 1)));
	lock->process = or_nameless(hr_load_text(load, hr_query_text(query, 2)));
	lock->pid = hr_query_int(query, 3);
	lock->symbol = hr_load_text(load, hr_query_text(query, 4));
	lock->mapping = hr_load_text(load, hr_query_text(query, 5));
	lock->contended_ns = hr_query_int(query, 6);
	lock->queued_ns = hr_query_int(query, 7);
	lock->longest = hr_query_int(query, 8);
	lock->is_shared = is_shared(lock->mapping);
	lock->process_count = 1;
	lock->name = lock->symbol ? lock->symbol : lock->is_shared ? lock->mapping : lock->address;
	lock->is_gil = lock->symbol && strncmp(lock->symbol, HR_GIL_NAME, strlen(HR_GIL_NAME)) == 0;
	return 0;
}

int hr_load_locks(struct hr_load *load)
{
	return hr_load_query(load, "SELECT l.process_id, l.address, max(p.name), max(p.pid), max(l.symbol), max(l.mapping), "
			     "sum(c.contended_ns), sum(c.queued_ns), max(c.longest) FROM locks AS l "
			     "LEFT JOIN lock_contention AS c ON c.lock_id = l.lock_id "
			     "LEFT JOIN processes AS p ON p.process_id = l.process_id "
			     "GROUP BY l.process_id, l.address ORDER BY l.process_id, l.address", on_lock);
}

static int compare_key(const void *a, const void *b)
{
	const struct hr_lock_summary *left = a, *right = b;

	if (left->process_id != right->process_id)
		return left->process_id < right->process_id ? -1 : 1;
	return strcmp(left->address, right->address);
}

/* As long as they are in the order in which they were read. */
size_t hr_futex_index(const struct hr_load *load, int64_t process_id, const char *address)
{
	const struct hr_waits_summary *waits = &load->summary->waits;
	const struct hr_lock_summary key = { .process_id = process_id, .address = address }, *found = NULL;

	if (waits->lock_count && address)
		found = bsearch(&key, waits->locks, waits->lock_count, sizeof(key), compare_key);
	return found ? (size_t)(found - waits->locks) : HR_NO_INDEX;
}

/*
 * A condition of glibc is two futexes, side by side in 8 bytes, which take turns: they are one thing. Nothing else that is common
 * has two so close.
 */
#define PAIR_BYTES 8

static uint64_t pair_of(const char *address)
{
	return strtoull(address, NULL, 16) & ~(uint64_t)(PAIR_BYTES - 1);
}

/* What differs for locks that are not the same: memory that processes share is the same in each of them, whatever its address. */
const char *hr_futex_pair(struct hr_load *load, int64_t process_id, const char *address)
{
	size_t index = hr_futex_index(load, process_id, address);
	const struct hr_lock_summary *lock = index == HR_NO_INDEX ? NULL : &load->summary->waits.locks[index];
	const char *mark = lock && lock->is_shared ? strstr(lock->mapping, SHARED_MARK) : NULL;
	char pair[512];

	if (!address)
		return NULL;
	if (mark) {
		const char *offset = mark;

		while (offset > lock->mapping && *offset != '+')
			offset--;
		snprintf(pair, sizeof(pair), "%.*s+0x%" PRIx64 "%s", (int)(offset - lock->mapping), lock->mapping, pair_of(offset + 1), mark);
	} else {
		snprintf(pair, sizeof(pair), "%" PRId64 " 0x%" PRIx64, process_id, pair_of(address));
	}
	return hr_load_text(load, pair);
}

/* What people know it by. Of a pair, that is the first; Python's lock is several futexes. */
const char *hr_lock_shown(const struct hr_waits_summary *waits, size_t index)
{
	const struct hr_lock_summary *lock = &waits->locks[index], *before = index ? lock - 1 : NULL;

	if (lock->is_gil)
		return HR_GIL_NAME;
	if (before && !lock->is_kernel && before->process_id == lock->process_id && pair_of(before->address) == pair_of(lock->address))
		lock = before;
	return lock->name;
}

/* Locks of the kernel have no table: they are what waits are for. They come behind the others. */
static size_t kernel_lock_of(struct hr_load *load, const struct hr_edge_load *edge, size_t first)
{
	const struct hr_summary *summary = load->summary;
	const struct hr_process_summary *process = &summary->processes[summary->threads[edge->thread].process];
	struct hr_lock_summary *lock;

	for (size_t i = first; i < summary->waits.lock_count; i++)
		if (summary->waits.locks[i].process_id == process->process_id &&
		    strcmp(summary->waits.locks[i].address, edge->subject) == 0)
			return i;
	lock = add_lock(load);
	if (!lock)
		return HR_NO_INDEX;
	lock->process_id = process->process_id;
	lock->process = process->name;
	lock->pid = process->pid;
	lock->address = lock->name = edge->subject;
	lock->is_kernel = lock->is_lock = true;
	lock->process_count = 1;
	return summary->waits.lock_count - 1;
}

/* Edges of one lock together, by thread. */
static int compare_edges(const void *a, const void *b)
{
	const struct hr_edge_load *left = *(struct hr_edge_load *const *)a, *right = *(struct hr_edge_load *const *)b;

	if (left->lock != right->lock)
		return left->lock < right->lock ? -1 : 1;
	if (left->thread != right->thread)
		return left->thread < right->thread ? -1 : 1;
	return left->edge_id < right->edge_id ? -1 : left->edge_id > right->edge_id;
}

static int compare_wakers(const void *a, const void *b)
{
	const struct hr_edge_load *left = *(struct hr_edge_load *const *)a, *right = *(struct hr_edge_load *const *)b;

	if (!left->waker_name || !right->waker_name)
		return (left->waker_name == NULL) - (right->waker_name == NULL);
	return strcmp(left->waker_name, right->waker_name);
}

/* Whoever ended most of the waits; orders the edges anew. */
static const char *most_frequent_waker(struct hr_edge_load **edges, size_t count)
{
	const char *most = NULL;
	uint64_t most_count = 0;

	qsort(edges, count, sizeof(*edges), compare_wakers);
	for (size_t from = 0, to; from < count && edges[from]->waker_name; from = to) {
		uint64_t waits = 0;

		for (to = from; to < count && compare_wakers(&edges[from], &edges[to]) == 0; to++)
			waits += edges[to]->count;
		if (waits > most_count) {
			most_count = waits;
			most = edges[from]->waker_name;
		}
	}
	return most;
}

static void describe_lock(struct hr_lock_summary *lock, const struct hr_edges *edges, struct hr_edge_load **of, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		lock->thread_count += i == 0 || of[i]->thread != of[i - 1]->thread;
		lock->count += of[i]->count;
		lock->time_ns += of[i]->time_ns;
		lock->handover_ns = hr_account_known_sum(lock->handover_ns, of[i]->handover_ns);
		lock->is_lock = lock->is_lock || (of[i]->futex != HR_BLAME_NONE && edges->blame.is_lock[of[i]->futex]);
	}
	lock->releaser = most_frequent_waker(of, count);
}

/* The first of the rows for one lock in memory that processes share. */
static size_t first_of_shared(const struct hr_waits_summary *waits, size_t index)
{
	const struct hr_lock_summary *lock = &waits->locks[index];

	for (size_t i = 0; i < index && lock->is_shared; i++)
		if (waits->locks[i].is_shared && strcmp(waits->locks[i].mapping, lock->mapping) == 0)
			return i;
	return index;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b; /* HR_NULL is below all */
}

/*
 * What each process counted of a lock that they share comes together in the first. When they waited at the same time is not known:
 * contended and longest are of that process in which it was most.
 */
static int merge_shared(struct hr_load *load, struct hr_edges *edges)
{
	struct hr_waits_summary *waits = &load->summary->waits;
	size_t *now_at = calloc(waits->lock_count + 1, sizeof(*now_at));
	size_t kept = 0;

	if (!now_at)
		return -ENOMEM;
	for (size_t i = 0; i < waits->lock_count; i++) {
		struct hr_lock_summary lock = waits->locks[i], *first;

		waits->locks[kept] = lock;
		now_at[i] = first_of_shared(waits, kept);
		first = &waits->locks[now_at[i]];
		if (now_at[i] == kept++)
			continue;
		kept--;
		first->process_count++;
		first->contended_ns = larger(first->contended_ns, lock.contended_ns);
		first->longest = larger(first->longest, lock.longest);
		first->queued_ns = hr_account_known_sum(first->queued_ns, lock.queued_ns);
	}
	waits->lock_count = kept;
	for (size_t i = 0; i < edges->count; i++)
		if (edges->all[i].lock != HR_NO_INDEX)
			edges->all[i].lock = now_at[edges->all[i].lock];
	free(now_at);
	return 0;
}

static void find_lock_of_edge(struct hr_load *load, struct hr_edge_load *edge, size_t futex_count)
{
	const struct hr_summary *summary = load->summary;

	if (edge->kind == HR_SUBJECT_FUTEX)
		edge->lock = hr_futex_index(load, summary->processes[summary->threads[edge->thread].process].process_id, edge->subject);
	else if (edge->kind == HR_SUBJECT_KLOCK && edge->subject)
		edge->lock = kernel_lock_of(load, edge, futex_count);
}

int hr_edges_locks(struct hr_load *load, struct hr_edges *edges)
{
	struct hr_edge_load **order = calloc(edges->count + 1, sizeof(*order));
	size_t count = 0, futex_count = load->summary->waits.lock_count;

	if (!order)
		return -ENOMEM;
	/* user-space locks first, while those are still in the order in which they can be found */
	for (int is_kernel = 0; is_kernel <= 1; is_kernel++)
		for (size_t i = 0; i < edges->count; i++)
			if ((edges->all[i].kind == HR_SUBJECT_KLOCK) == is_kernel)
				find_lock_of_edge(load, &edges->all[i], futex_count);
	if (merge_shared(load, edges)) {
		free(order);
		return -ENOMEM;
	}
	for (size_t i = 0; i < edges->count; i++)
		if (edges->all[i].lock != HR_NO_INDEX)
			order[count++] = &edges->all[i];
	qsort(order, count, sizeof(*order), compare_edges);
	for (size_t from = 0, to; from < count; from = to) {
		struct hr_lock_summary *lock = &load->summary->waits.locks[order[from]->lock];

		for (to = from; to < count && order[to]->lock == order[from]->lock; to++)
			;
		describe_lock(lock, edges, &order[from], to - from);
		hr_lock_name_by_site(load, lock);
	}
	free(order);
	return load->out_of_memory ? -ENOMEM : 0;
}
