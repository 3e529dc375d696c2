/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who waits for whom: edges with the time waited, what the waker did meanwhile, and single waits; futexes by name, and how contended
 * they are. Kernel side: bpf/waits.bpf.h.
 */
#include "base/waits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/states.h"
#include "base/text.h"
#include "collect/drain.h"
#include "collect/maps.h"
#include "collect/open_waits.h"
#include "collect/roster.h"
#include "collect/subjects.h"
#include "collect/symbols.h"

#define COUNT_BITS 12 /* of hr_lock.waiters */

/* Futexes that are named in one pass, the longest contended first: to read the memory map of a large process takes milliseconds. */
#define NAMED_PER_PASS 32

/* Records of edges that may be in use, before those that rest are given back, and then. */
#define RECORDS_MOST (HR_EDGES * 3 / 4)
#define RECORDS_FEW (HR_EDGES / 2)

#define WAKER_BYTES 80
#define EDGE_IDS_MAX (1U << 17) /* beyond, an edge whose record was given back is another one when it is back */
#define LOCK_IDS_MAX (1U << 17) /* beyond, samples do not tell which lock they waited for */

/* An edge as it was read last. Records are handed out again: the thread's id tells for whom. */
struct known_edge {
	int64_t id; /* 0: not in the file */
	int64_t thread_id, waker_thread_id;
	bool is_read; /* now is of this pass */
	struct hr_edge before, now;
};

struct lock_reading {
	uint64_t waits, contended_ns, queued_ns;
};

struct known_lock {
	int64_t id; /* 0: not in the file */
	int64_t process_id;
	uint64_t address;
	uint32_t process; /* slot */
	uint32_t execs;	  /* another program has other locks at the same addresses */
	uint32_t longest;
	bool is_read;	  /* now is of this pass */
	bool is_named;	  /* as far as it can be */
	struct lock_reading before, now;
};

struct waits {
	struct known_edge *edges[HR_EDGES]; /* by record; NULL: never in use */
	struct known_lock locks[HR_LOCKS];
	uint32_t records_used, next_record; /* of edges: where to look for the next that rests */
	int64_t last_edge_id, last_lock_id;
	uint64_t base_ns; /* the accounts count from then on */
	struct hr_symbols *symbols;
	struct hr_subjects *subjects;
	struct hr_idmap lock_ids; /* of the file, by hr_drain_lock_key() */
	struct hr_idmap edge_ids; /* likewise, by edge_key() */
};

/* ---- reading ---- */

static int look_at_edge(struct waits *waits, const struct hr_edge *edge, uint32_t id)
{
	struct known_edge *known = waits->edges[id];
	struct hr_edge_key key;

	if (known)
		known->is_read = false;
	if (!__atomic_load_n(&edge->key.waiter, __ATOMIC_ACQUIRE))
		return 0;
	if (!known && !(known = waits->edges[id] = calloc(1, sizeof(*known))))
		return -ENOMEM;
	waits->records_used++;
	key = edge->key;
	key.retired = 0;
	if (known->before.count == edge->count && known->before.total_ns == edge->total_ns && !memcmp(&known->before.key, &key, sizeof(key)))
		return 0; /* nothing new: most threads of a large server rest */
	known->now = *edge;
	known->now.key = key;
	known->is_read = true;
	return 0;
}

/* What is open at that time counts up to then. */
static void look_at_lock(struct known_lock *known, const struct hr_lock *lock, uint64_t since_epoch_ns)
{
	uint64_t word, count, changed_ns, open_ns;

	known->is_read = __atomic_load_n(&lock->process, __ATOMIC_ACQUIRE) != 0;
	if (!known->is_read)
		return;
	word = __atomic_load_n(&lock->waiters, __ATOMIC_ACQUIRE);
	count = word & ((1 << COUNT_BITS) - 1);
	changed_ns = word >> COUNT_BITS;
	open_ns = count && since_epoch_ns > changed_ns ? since_epoch_ns - changed_ns : 0;
	known->now = (struct lock_reading){
		.waits = lock->waits,
		.contended_ns = lock->contended_ns + open_ns,
		.queued_ns = lock->queued_ns + open_ns * count,
	};
	known->longest = lock->longest;
}

/* Right after the threads, so that both say the same about the waits that are over. */
static int look_at_waits(void *family, struct hr_drain *drain, struct hr_err *err)
{
	uint64_t since_epoch_ns = hr_drain_growth(drain->read_end_ns, hr_probes_epoch_ns(drain->probes));
	struct waits *waits = family;

	waits->records_used = 0;
	for (uint32_t id = 1; id < HR_EDGES; id++)
		if (look_at_edge(waits, hr_probes_edge(drain->probes, id), id))
			return hr_err_set(err, -ENOMEM, "out of memory");
	for (uint32_t id = 1; id < HR_LOCKS; id++)
		look_at_lock(&waits->locks[id], hr_probes_lock(drain->probes, id), since_epoch_ns);
	return 0;
}

/* ---- edges ---- */

/* "name (tid)"; NULL: no thread, or one of several. */
static const char *waker_of(char text[WAKER_BYTES], const struct hr_drain *drain, const struct hr_edge *edge)
{
	const struct hr_drain_thread *waker = NULL;
	const char *comm = edge->waker_name;
	uint32_t tid = edge->key.waker;
	char name[3 * HR_COMM_BYTES + 1];

	if (edge->key.source == HR_SOURCE_THREAD) {
		waker = hr_drain_thread(drain, edge->key.waker);
		comm = waker ? waker->comm : "";
		tid = waker ? waker->tid : 0;
	} else if (edge->key.source != HR_SOURCE_OTHER) {
		tid = 0;
	}
	if (!tid)
		return NULL;
	hr_text_clean(name, sizeof(name), comm, HR_COMM_BYTES);
	snprintf(text, WAKER_BYTES, "%s (%u)", name, tid);
	return text;
}

/* What an edge is in the file, whichever record it has. */
static uint64_t edge_key(const struct known_edge *known)
{
	const struct hr_edge_key *key = &known->now.key;
	uint64_t hash = hr_hash_word(hr_hash_word(1, (uint64_t)known->thread_id), (uint64_t)known->waker_thread_id);

	hash = hr_hash_word(hash, (uint64_t)key->state << 32 | (uint64_t)key->subject << 24 | (uint64_t)key->source << 16 | key->port);
	hash = hr_hash_word(hr_hash_word(hr_hash_word(hash, key->value), key->address[0]), key->address[1]);
	hash = hr_hash_text(hash, known->now.subject_name);
	if (key->source == HR_SOURCE_OTHER)
		hash = hr_hash_text(hr_hash_word(hash, key->waker), known->now.waker_name);
	return hr_hash_key(hash);
}

/* Give it its id, and if it is new there its row. */
static int enter_edge(struct waits *waits, struct hr_drain *drain, struct known_edge *known, struct hr_err *err)
{
	const struct hr_edge *edge = &known->now;
	const uint64_t *before = hr_idmap_find(&waits->edge_ids, edge_key(known));
	char subject[HR_SUBJECT_BYTES], waker[WAKER_BYTES];

	known->id = before ? (int64_t)*before : ++waits->last_edge_id;
	if (before)
		return 0;
	hr_idmap_put(&waits->edge_ids, edge_key(known), (uint64_t)known->id);
	return hr_writer_add(drain->writer, HR_TABLE_edges,
			     &(struct hr_row_edges){
				     .edge_id = known->id,
				     .thread_id = known->thread_id,
				     .state = hr_state_name(edge->key.state),
				     .subject_kind = hr_subject_name(edge->key.subject),
				     .subject = hr_subjects_text(waits->subjects, edge, subject),
				     .source = hr_source_name(edge->key.source),
				     .waker_thread_id = known->waker_thread_id ? known->waker_thread_id : HR_NULL,
				     .waker = waker_of(waker, drain, edge),
			     },
			     err);
}

static void add_waits(struct hr_drain *drain, int64_t edge_id, const struct hr_edge *now, const struct hr_edge *before)
{
	uint64_t window_ns = hr_drain_growth(now->window_ns, before->window_ns);

	hr_drain_add(drain, HR_TABLE_waits,
		     &(struct hr_row_waits){
			     .interval_id = drain->interval_id,
			     .edge_id = edge_id,
			     .count = hr_drain_growth(now->count, before->count),
			     .time_ns = hr_drain_growth(now->total_ns, before->total_ns),
			     .handover_ns = hr_drain_growth(now->handover_ns, before->handover_ns),
			     .window_ns = hr_drain_growth(window_ns, hr_drain_growth(now->unknown_ns, before->unknown_ns)),
		     });
}

static void add_windows(struct hr_drain *drain, int64_t edge_id, const struct hr_edge *now, const struct hr_edge *before)
{
	for (int state = 0; state < HR_STATES; state++) {
		uint64_t time_ns = hr_drain_growth(now->waker_state_ns[state], before->waker_state_ns[state]);

		if (time_ns)
			hr_drain_add(drain, HR_TABLE_wait_windows,
				     &(struct hr_row_wait_windows){
					     .interval_id = drain->interval_id,
					     .edge_id = edge_id,
					     .state = hr_state_name(state),
					     .time_ns = time_ns,
				     });
	}
}

static void add_histogram(struct hr_drain *drain, int64_t edge_id, const struct hr_edge *now, const struct hr_edge *before)
{
	for (uint32_t slot = 0; slot < HR_HIST_SLOTS; slot++) {
		uint32_t count = now->slots[slot] - before->slots[slot];

		if (count)
			hr_drain_add(drain, HR_TABLE_wait_histograms,
				     &(struct hr_row_wait_histograms){
					     .interval_id = drain->interval_id,
					     .edge_id = edge_id,
					     .low_ns = hr_hist_low(slot, HR_HIST_BITS),
					     .high_ns = hr_hist_low(slot + 1, HR_HIST_BITS),
					     .count = count,
				     });
	}
}

/*
 * Whose edge it is. A waker's slot goes to the next thread when it has ended, and the kernel goes on with the same record: what
 * grows from then on is another edge.
 */
static void identify(const struct hr_drain *drain, struct known_edge *known, int64_t thread_id)
{
	const struct hr_drain_thread *waker =
		known->now.key.source == HR_SOURCE_THREAD ? hr_drain_thread(drain, known->now.key.waker) : NULL;

	if (known->thread_id != thread_id || memcmp(&known->before.key, &known->now.key, sizeof(known->now.key)) != 0) {
		known->id = known->waker_thread_id = 0;
		known->thread_id = thread_id;
		known->before = (struct hr_edge){ .key = known->now.key };
	}
	if (waker && waker->id != known->waker_thread_id) {
		known->id = 0;
		known->waker_thread_id = waker->id;
	}
}

static int drain_edge(struct waits *waits, struct hr_drain *drain, struct known_edge *known, struct hr_err *err)
{
	const struct hr_drain_thread *waiter = hr_drain_thread(drain, known->now.key.waiter);
	int ret = 0;

	if (!waiter)
		return 0; /* came after the processes were looked at: the next pass has it */
	identify(drain, known, waiter->id);
	if (!drain->discard && (known->now.count != known->before.count || known->now.total_ns != known->before.total_ns)) {
		if (!known->id)
			ret = enter_edge(waits, drain, known, err);
		add_waits(drain, known->id, &known->now, &known->before);
		add_windows(drain, known->id, &known->now, &known->before);
		add_histogram(drain, known->id, &known->now, &known->before);
	}
	known->before = known->now;
	return ret;
}

/* ---- records ---- */

/* It was there in the last pass, and nothing was new; one that has come since is not known yet. */
static bool is_resting(const struct known_edge *known)
{
	return known && known->before.key.waiter && !known->is_read;
}

/*
 * Pairs of threads that wait for each other may be many more than records, and few of them at a time. What has rested for a pass is
 * retired; in the next one nobody is left who was about to add to it, and it is free.
 */
static int renew_records(struct waits *waits, struct hr_drain *drain)
{
	bool are_many = waits->records_used > RECORDS_MOST;
	uint32_t left = waits->records_used;
	int ret = 0;

	for (uint32_t id = 1; id < HR_EDGES && !ret; id++) {
		if (!hr_probes_edge(drain->probes, id)->key.waiter || !hr_probes_edge(drain->probes, id)->key.retired)
			continue;
		*waits->edges[id] = (struct known_edge){ 0 };
		ret = hr_probes_free_edge(drain->probes, id);
	}
	for (uint32_t looked = 1; are_many && looked < HR_EDGES && left > RECORDS_FEW; looked++) {
		uint32_t id = waits->next_record = waits->next_record % (HR_EDGES - 1) + 1;

		if (!hr_probes_edge(drain->probes, id)->key.waiter || !is_resting(waits->edges[id]))
			continue;
		hr_probes_retire_edge(drain->probes, id);
		left--;
	}
	return ret;
}

/* ---- waits that have not ended ---- */

static int finish_waits(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct waits *waits = family;
	int ret = 0;

	for (uint32_t slot = 1; slot < drain->thread_slots && !ret; slot++) {
		const struct hr_drain_thread *thread = hr_drain_thread(drain, slot);
		uint64_t time_ns = thread ? hr_open_wait_ns(thread, waits->base_ns) : 0;

		if (time_ns)
			ret = hr_open_wait_add(drain, waits->subjects, &(struct hr_open_wait_row){ slot, ++waits->last_edge_id, time_ns }, err);
	}
	return ret;
}

/* ---- locks ---- */

static int enter_lock(struct waits *waits, struct hr_drain *drain, struct known_lock *known, struct hr_err *err)
{
	char address[HR_SUBJECT_BYTES];

	known->id = ++waits->last_lock_id;
	snprintf(address, sizeof(address), "0x%" PRIx64, known->address);
	hr_idmap_put(&waits->lock_ids, hr_drain_lock_key(known->process_id, known->execs, known->address), (uint64_t)known->id);
	return hr_writer_add(drain->writer, HR_TABLE_locks,
			     &(struct hr_row_locks){
				     .lock_id = known->id,
				     .process_id = known->process_id,
				     .address = address,
			     },
			     err);
}

static void add_contention(struct hr_drain *drain, const struct known_lock *known)
{
	hr_drain_add(drain, HR_TABLE_lock_contention,
		     &(struct hr_row_lock_contention){
			     .interval_id = drain->interval_id,
			     .lock_id = known->id,
			     .waits = hr_drain_growth(known->now.waits, known->before.waits),
			     .contended_ns = hr_drain_growth(known->now.contended_ns, known->before.contended_ns),
			     .queued_ns = hr_drain_growth(known->now.queued_ns, known->before.queued_ns),
			     .longest = known->longest,
		     });
}

static void identify_lock(struct known_lock *known, const struct hr_lock *lock, int64_t process_id, uint32_t execs)
{
	if (known->process_id != process_id || known->address != lock->address)
		known->before = (struct lock_reading){ 0 };
	else if (known->execs == execs)
		return;
	known->id = 0;
	known->process_id = process_id;
	known->process = lock->process;
	known->address = lock->address;
	known->execs = execs;
	known->is_named = false;
}

/* Totals that were read while they changed may be ahead of what the next pass reads: they are not taken back. */
static void keep_highest(struct lock_reading *before, const struct lock_reading *now)
{
	before->waits = now->waits > before->waits ? now->waits : before->waits;
	before->contended_ns = now->contended_ns > before->contended_ns ? now->contended_ns : before->contended_ns;
	before->queued_ns = now->queued_ns > before->queued_ns ? now->queued_ns : before->queued_ns;
}

static int drain_lock(struct waits *waits, struct hr_drain *drain, uint32_t id, struct hr_err *err)
{
	const struct hr_lock *lock = hr_probes_lock(drain->probes, id);
	struct known_lock *known = &waits->locks[id];
	int64_t process_id = hr_roster_process_id(drain->roster, lock->process);
	int ret = 0;

	if (!process_id)
		return 0; /* came after the processes were looked at: the next pass has it */
	identify_lock(known, lock, process_id, hr_probes_process(drain->probes, lock->process)->execs);
	if (!drain->discard && (known->now.waits > known->before.waits || known->now.contended_ns > known->before.contended_ns ||
				known->now.queued_ns > known->before.queued_ns)) {
		if (!known->id)
			ret = enter_lock(waits, drain, known, err);
		add_contention(drain, known);
	}
	keep_highest(&known->before, &known->now);
	return ret;
}

static int by_contention(const void *a, const void *b)
{
	const struct known_lock *left = *(struct known_lock *const *)a, *right = *(struct known_lock *const *)b;

	return left->now.contended_ns > right->now.contended_ns ? -1 : left->now.contended_ns < right->now.contended_ns;
}

static int by_process(const void *a, const void *b)
{
	const struct known_lock *left = *(struct known_lock *const *)a, *right = *(struct known_lock *const *)b;

	return left->process < right->process ? -1 : left->process > right->process;
}

static int name_lock(struct waits *waits, struct hr_drain *drain, struct known_lock *known, pid_t pid, const struct hr_maps *maps,
		     struct hr_err *err)
{
	struct hr_place place;

	hr_symbols_place(waits->symbols, pid, maps, known->address, &place);
	return hr_writer_exec(drain->writer, err, "UPDATE locks SET symbol = ?, mapping = ? WHERE lock_id = ?", "tti",
			      place.symbol[0] ? place.symbol : NULL, place.mapping[0] ? place.mapping : NULL, known->id);
}

/* All of one process; where it is gone, they have no names. */
static int name_locks_of(struct waits *waits, struct hr_drain *drain, struct known_lock **locks, size_t count, struct hr_err *err)
{
	const struct hr_process *process = hr_probes_process(drain->probes, locks[0]->process);
	struct hr_maps maps = { 0 };
	bool is_there = !process->ended_ns && process->execs == locks[0]->execs && hr_maps_read("", process->pid, &maps) == 0;
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++) {
		locks[i]->is_named = true;
		if (is_there)
			ret = name_lock(waits, drain, locks[i], process->pid, &maps, err);
	}
	hr_maps_fini(&maps);
	return ret;
}

static int name_locks(struct waits *waits, struct hr_drain *drain, struct hr_err *err)
{
	struct known_lock *wanted[HR_LOCKS];
	size_t count = 0, same;
	int ret = 0;

	for (uint32_t id = 1; id < HR_LOCKS; id++)
		if (waits->locks[id].is_read && waits->locks[id].id && !waits->locks[id].is_named)
			wanted[count++] = &waits->locks[id];
	qsort(wanted, count, sizeof(*wanted), by_contention);
	count = count < NAMED_PER_PASS ? count : NAMED_PER_PASS;
	qsort(wanted, count, sizeof(*wanted), by_process);
	for (size_t i = 0; i < count && !ret; i += same) {
		for (same = 1; i + same < count && wanted[i + same]->process == wanted[i]->process; same++)
			;
		ret = name_locks_of(waits, drain, wanted + i, same, err);
	}
	return ret;
}

/* ---- the family ---- */

static int drain_waits(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct waits *waits = family;
	int ret = 0;

	if (drain->discard)
		waits->base_ns = drain->read_end_ns;
	for (uint32_t id = 1; id < HR_EDGES && !ret; id++)
		if (waits->edges[id] && waits->edges[id]->is_read)
			ret = drain_edge(waits, drain, waits->edges[id], err);
	if (!ret && renew_records(waits, drain))
		ret = hr_err_set(err, -EIO, "cannot give records of waits back");
	for (uint32_t id = 1; id < HR_LOCKS && !ret; id++)
		if (waits->locks[id].is_read)
			ret = drain_lock(waits, drain, id, err);
	return ret ? ret : name_locks(waits, drain, err);
}

static void close_waits(void *family)
{
	struct waits *waits = family;

	for (uint32_t id = 0; waits && id < HR_EDGES; id++)
		free(waits->edges[id]);
	if (waits) {
		hr_symbols_free(waits->symbols);
		hr_subjects_free(waits->subjects);
		hr_idmap_fini(&waits->lock_ids);
		hr_idmap_fini(&waits->edge_ids);
	}
	free(waits);
}

static void *open_waits(struct hr_drain *drain, struct hr_err *err)
{
	struct waits *waits = calloc(1, sizeof(*waits));

	if (waits && (!(waits->symbols = hr_symbols_new("")) || !(waits->subjects = hr_subjects_new("")))) {
		close_waits(waits);
		waits = NULL;
	}
	if (!waits) {
		hr_err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	hr_idmap_init(&waits->lock_ids, LOCK_IDS_MAX);
	hr_idmap_init(&waits->edge_ids, EDGE_IDS_MAX);
	drain->lock_ids = &waits->lock_ids;
	return waits;
}

const struct hr_family hr_family_waits = { "waits", open_waits, look_at_waits, drain_waits, finish_waits, close_waits };
