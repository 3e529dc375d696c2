/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_WAITS_BPF_H
#define HR_WAITS_BPF_H

/*
 * Who waits for whom. A wait opens when a thread blocks (subject.bpf.h says what for), notes its waker when it is woken, and is
 * counted once it is known to be over: when its call returns, or when the thread blocks for something else.
 *
 * Cost per wait: a hash look-up for the edge if the thread's last two were others, some 30 stores; when a thread of the target is
 * the waker, a walk over its last segments, as far back as the wait goes.
 */
#include "stacks.bpf.h"
#include "thread.bpf.h"

#include "headroom/waits.h"

#define SEGMENTS 16	/* power of two: blocks of a thread that are remembered */
#define KNOWN_EDGES 2	/* power of two */
#define TIMED_OUT 110
#define INTERRUPTED 4
#define RESTART_FIRST 512
#define RESTART_LAST 516
#define STRAIGHT_BACK_NS 20000 /* who sleeps again so soon has found the futex taken, and not got it */

/* A thread was off CPU: blocked, then runnable; or runnable all the while (HR_STATE_PREEMPTED). */
struct segment {
	__u64 out_ns, in_ns;
	__u64 blocked_ns;
	__u64 state;
};

/* What a thread that blocks waits for. */
struct subject {
	struct hr_edge_key key;
	__u64 file; /* struct file * behind it, if its name says what it is; 0: none */
};

/* The wait of a thread that is open, or was the last. It begins as struct hr_open_wait does, which user space reads. */
struct wait {
	__u64 born_ns; /* of the thread: slots are used again */
	struct hr_edge_key key;
	__u64 blocked_ns, handover_ns; /* so far: a wait may be interrupted and go on */
	__u64 out_ns;	       /* when it left its CPU; 0: it is not blocked */
	__u64 in_ns;	       /* when it had one again after its last block */
	__u64 waker_born_ns;
	char waker_name[16];
	__u64 file;	       /* struct file * behind the subject; 0: none */
	__u64 hits;	       /* samples that it stands for */
	__u64 window_ns, unknown_ns;
	__u64 waker_state_ns[HR_STATES];
	__u32 edges[KNOWN_EDGES]; /* used last */
	__u32 next_edge;
	__u32 lock;	       /* record of its futex; 0: none */
	__u32 queued;	       /* it is among that lock's waiters */
	__u32 next_segment;    /* counts all */
	struct segment segments[SEGMENTS];
};

_Static_assert(__builtin_offsetof(struct wait, out_ns) == __builtin_offsetof(struct hr_open_wait, out_ns), "user space reads its begin");

/* Thread slot -> that. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HR_THREAD_SLOTS);
	__type(key, __u32);
	__type(value, struct wait);
} open_waits __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HR_EDGES);
	__type(key, __u32);
	__type(value, struct hr_edge);
} edges __weak SEC(".maps");

/* Edge -> its record. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HR_EDGES);
	__type(key, struct hr_edge_key);
	__type(value, __u32);
} edge_ids __weak SEC(".maps");

/* Records that are free, put there by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, HR_EDGES);
	__uint(value_size, sizeof(__u32));
} free_edges __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HR_LOCKS);
	__type(key, __u32);
	__type(value, struct hr_lock);
} locks __weak SEC(".maps");

struct lock_key {
	__u64 address;
	__u64 process; /* slot */
};

/* Futex -> its record. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HR_LOCKS);
	__type(key, struct lock_key);
	__type(value, __u32);
} lock_ids __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, HR_LOCKS);
	__uint(value_size, sizeof(__u32));
} free_locks __weak SEC(".maps");

static __always_inline struct wait *wait_of(const struct hr_thread *thread)
{
	__u32 slot = thread->slot;
	struct wait *wait = bpf_map_lookup_elem(&open_waits, &slot);

	if (wait && wait->born_ns != thread->born_ns) {
		wait->born_ns = thread->born_ns;
		wait->edges[0] = wait->edges[1] = 0;
		wait->lock = wait->queued = wait->next_segment = 0;
		wait->out_ns = 0;
		wait->key.waiter = slot;
		wait->key.source = HR_SOURCE_UNKNOWN;
	}
	return wait;
}

/* ---- the queue in front of a futex ---- */

#define WAITER_COUNT_BITS 12
#define WAITER_COUNT_MASK ((1ULL << WAITER_COUNT_BITS) - 1)
#define WAITER_TRIES 4

static __always_inline struct hr_lock *lock_by_id(__u32 id)
{
	return id ? bpf_map_lookup_elem(&locks, &id) : NULL;
}

static __always_inline __u32 lock_claim(const struct lock_key *key)
{
	struct hr_lock *lock;
	__u32 id = 0, *winner;

	if (bpf_map_pop_elem(&free_locks, &id)) {
		lost(HR_LOSS_LOCK_RECORDS);
		return 0;
	}
	lock = lock_by_id(id);
	if (!lock)
		return 0;
	lock->address = key->address;
	if (bpf_map_update_elem(&lock_ids, key, &id, BPF_NOEXIST)) { /* another CPU was first */
		bpf_map_push_elem(&free_locks, &id, BPF_ANY);
		winner = bpf_map_lookup_elem(&lock_ids, key);
		return winner ? *winner : 0;
	}
	compiler_barrier();
	lock->process = key->process; /* last: user space takes a record without a process for a free one */
	return id;
}

/* As parallel_change(): whoever swaps the word in owns the span that ended. */
static __always_inline void lock_change(__u32 id, int change, __u64 now_ns)
{
	struct hr_lock *lock = lock_by_id(id);
	__u64 since_epoch_ns = now_ns - config.epoch_ns;

	if (!lock)
		return;
#pragma unroll
	for (int i = 0; i < WAITER_TRIES; i++) {
		__u64 word = *(volatile __u64 *)&lock->waiters;
		__u64 count = word & WAITER_COUNT_MASK, since_ns = word >> WAITER_COUNT_BITS;
		__u64 until_ns = since_epoch_ns > since_ns ? since_epoch_ns : since_ns;

		if (change < 0 && count == 0)
			return;
		if (__sync_val_compare_and_swap(&lock->waiters, word, until_ns << WAITER_COUNT_BITS | (count + change)) != word)
			continue;
		if (count) {
			__sync_fetch_and_add(&lock->contended_ns, until_ns - since_ns);
			__sync_fetch_and_add(&lock->queued_ns, (until_ns - since_ns) * count);
		}
		if (change > 0) {
			__sync_fetch_and_add(&lock->waits, 1);
			if (count + 1 > lock->longest)
				lock->longest = count + 1;
		}
		return;
	}
	lost(HR_LOSS_PARALLEL_RACES);
	__sync_fetch_and_add(&lock->waiters, (__u64)(__s64)change);
}

VERIFIED_ONCE int lock_queue(struct wait *wait, __u32 process, __u64 now_ns)
{
	struct lock_key key = {};
	struct hr_lock *lock;
	__u32 *id;

	if (!wait)
		return 0;
	key.address = wait->key.value;
	key.process = process;
	lock = lock_by_id(wait->lock);
	if (!lock || lock->address != key.address || lock->process != process) {
		id = bpf_map_lookup_elem(&lock_ids, &key);
		wait->lock = id ? *id : lock_claim(&key);
	}
	if (!wait->lock)
		return 0;
	lock_change(wait->lock, 1, now_ns);
	wait->queued = 1;
	return 0;
}

static __always_inline void lock_unqueue(struct wait *wait, __u64 now_ns)
{
	if (!wait->queued)
		return;
	wait->queued = 0;
	lock_change(wait->lock, -1, now_ns);
}

/* ---- what a thread did lately ---- */

/* It was off CPU from out_ns to now. */
static __always_inline void remember_segment(struct wait *wait, __u64 out_ns, __u64 blocked_ns, __u64 now_ns, __u8 state)
{
	__u64 place = whole(wait->next_segment & (SEGMENTS - 1));

	if (place >= SEGMENTS)
		return;
	wait->segments[place].out_ns = out_ns;
	wait->segments[place].in_ns = now_ns;
	wait->segments[place].blocked_ns = blocked_ns;
	wait->segments[place].state = state;
	wait->next_segment++;
}

/* The part of [from, to] that lies after begin. */
static __always_inline __u64 part_after(__u64 from_ns, __u64 to_ns, __u64 begin_ns)
{
	if (from_ns < begin_ns)
		from_ns = begin_ns;
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

static __always_inline void window_add(struct wait *wait, __u64 state, __u64 time_ns)
{
	__u64 index = whole(state);

	if (index < HR_STATES)
		wait->waker_state_ns[index] += time_ns;
}

/* What the waker, which is on CPU now, did since the waiter left its CPU: backwards through its segments. */
VERIFIED_ONCE int window_note(struct wait *wait, struct wait *waker, __u64 now_ns)
{
	__u64 begin_ns, until_ns = now_ns;
	__u32 next;

	if (!wait || !waker)
		return 0;
	begin_ns = wait->out_ns;
	if (!begin_ns || now_ns <= begin_ns)
		return 0;
	wait->window_ns += now_ns - begin_ns;
	next = waker->next_segment;
	for (__u32 back = 1; back <= SEGMENTS; back++) {
		__u64 place = whole((next - back) & (SEGMENTS - 1));
		struct segment *segment;

		if (place >= SEGMENTS || back > next)
			break;
		segment = &waker->segments[place];
		window_add(wait, HR_STATE_USER, part_after(segment->in_ns, until_ns, begin_ns));
		until_ns = segment->out_ns;
		if (segment->state == HR_STATE_PREEMPTED) {
			window_add(wait, HR_STATE_PREEMPTED, part_after(segment->out_ns, segment->in_ns, begin_ns));
		} else {
			__u64 woken_ns = segment->out_ns + segment->blocked_ns;

			window_add(wait, segment->state, part_after(segment->out_ns, woken_ns, begin_ns));
			window_add(wait, HR_STATE_RUNQ, part_after(woken_ns, segment->in_ns, begin_ns));
		}
		if (until_ns <= begin_ns)
			return 0;
	}
	if (!next) /* it has not left its CPU since it was first seen */
		window_add(wait, HR_STATE_USER, until_ns - begin_ns);
	else
		wait->unknown_ns += until_ns - begin_ns;
	return 0;
}

/* ---- edges ---- */

static __always_inline struct hr_edge *edge_by_id(__u32 id)
{
	return id ? bpf_map_lookup_elem(&edges, &id) : NULL;
}

static __always_inline bool same_edge(const struct hr_edge_key *a, const struct hr_edge_key *b)
{
	const __u64 *left = (const __u64 *)a, *right = (const __u64 *)b;

	return left[0] == right[0] && left[1] == right[1] && left[2] == right[2] && left[3] == right[3] && left[4] == right[4];
}

/* What a file is called: the last part of its path. */
static __always_inline void read_file_name(__u64 file, char name[HR_SUBJECT_NAME_BYTES])
{
	struct dentry *dentry = BPF_CORE_READ((struct file *)file, f_path.dentry);

	bpf_probe_read_kernel_str(name, HR_SUBJECT_NAME_BYTES, BPF_CORE_READ(dentry, d_name.name));
}

static __noinline __maybe_unused __u32 edge_claim(struct wait *wait)
{
	struct hr_edge *edge;
	__u32 id = 0;

	if (!wait)
		return 0;
	if (bpf_map_pop_elem(&free_edges, &id))
		return 0;
	edge = edge_by_id(id);
	if (!edge)
		return 0;
	edge->key = wait->key;
	edge->key.waiter = 0;
	if (wait->file)
		read_file_name(wait->file, edge->subject_name);
	edge->waker_born_ns = wait->waker_born_ns;
	__builtin_memcpy(edge->waker_name, wait->waker_name, sizeof(edge->waker_name));
	if (bpf_map_update_elem(&edge_ids, &wait->key, &id, BPF_NOEXIST)) {
		bpf_map_push_elem(&free_edges, &id, BPF_ANY);
		return 0;
	}
	compiler_barrier();
	edge->key.waiter = wait->key.waiter; /* last: user space takes a record without a waiter for a free one */
	return id;
}

/* The edge of the wait; where records have run out, one for all its wakers. */
static __always_inline __u32 edge_find(struct wait *wait)
{
	__u32 *id, claimed;

	id = bpf_map_lookup_elem(&edge_ids, &wait->key);
	if (id)
		return *id;
	claimed = edge_claim(wait);
	if (claimed)
		return claimed;
	wait->key.waker = 0;
	id = bpf_map_lookup_elem(&edge_ids, &wait->key);
	return id ? *id : edge_claim(wait);
}

static __always_inline struct hr_edge *edge_of(struct wait *wait)
{
	struct hr_edge *edge;
	__u32 id;

#pragma unroll
	for (int i = 0; i < KNOWN_EDGES; i++) {
		edge = edge_by_id(wait->edges[i]);
		if (edge && same_edge(&edge->key, &wait->key))
			return edge;
	}
	id = edge_find(wait);
	wait->edges[wait->next_edge++ & (KNOWN_EDGES - 1)] = id;
	return edge_by_id(id);
}

/* The wait is over: add it to its edge. Runs in the waiter. */
VERIFIED_ONCE int wait_close(struct hr_thread *thread)
{
	struct wait *wait;
	struct hr_edge *edge;
	__u64 slot;

	if (!thread)
		return 0;
	thread->waiting = 0;
	wait = wait_of(thread);
	if (!wait)
		return 0;
	edge = edge_of(wait);
	if (!edge) {
		lost(HR_LOSS_EDGE_RECORDS);
	} else {
		edge->count++;
		edge->total_ns += wait->blocked_ns;
		edge->handover_ns += wait->handover_ns;
		slot = whole(hr_hist_slot(wait->blocked_ns, HR_HIST_BITS, HR_HIST_SLOTS));
		if (slot < HR_HIST_SLOTS)
			edge->slots[slot]++;
		if (wait->window_ns) {
			edge->windows++;
			edge->window_ns += wait->window_ns;
			edge->unknown_ns += wait->unknown_ns;
#pragma unroll
			for (int state = 0; state < HR_STATES; state++)
				edge->waker_state_ns[state] += wait->waker_state_ns[state];
		}
	}
	if (wait->window_ns)
		__builtin_memset(wait->waker_state_ns, 0, sizeof(wait->waker_state_ns));
	wait->blocked_ns = wait->handover_ns = wait->window_ns = wait->unknown_ns = 0;
	wait->key.source = HR_SOURCE_UNKNOWN;
	wait->key.waker = 0;
	return 0;
}

/* The call that it waited in returns: that may say who ended the wait. */
static __always_inline void wait_returns(struct hr_thread *thread, long result)
{
	struct wait *wait = wait_of(thread);

	if (!wait)
		return;
	if (result == -TIMED_OUT || (result == 0 && wait->key.state == HR_STATE_POLL && wait->key.source == HR_SOURCE_INTERRUPT)) {
		wait->key.source = HR_SOURCE_TIMEOUT;
		wait->key.waker = 0;
	} else if (result == -INTERRUPTED || (result <= -RESTART_FIRST && result >= -RESTART_LAST)) {
		wait->key.source = HR_SOURCE_SIGNAL;
		wait->key.waker = 0;
	} else if (result == 0 && wait->key.subject == HR_SUBJECT_FUTEX)
		return; /* it may have lost the race for it, and be back at once */
	wait_close(thread);
}

/* Is this the same wait as the one before? In one call it is; a futex also when it sleeps again at once. */
static __always_inline bool goes_on(const struct wait *wait, const struct hr_edge_key *subject, __u64 now_ns)
{
	if (wait->key.state != subject->state || wait->key.subject != subject->subject || wait->key.value != subject->value ||
	    wait->key.port != subject->port)
		return false;
	return subject->subject != HR_SUBJECT_FUTEX || now_ns - wait->in_ns < STRAIGHT_BACK_NS;
}

/* The thread blocks, for what `subject` says; its key has waiter, waker and source of nobody. */
VERIFIED_ONCE int wait_begin(struct hr_thread *thread, const struct subject *subject, __u64 now_ns)
{
	const struct hr_edge_key *key;
	struct wait *wait;

	if (!thread || !subject)
		return 0;
	wait = wait_of(thread);
	if (!wait)
		return 0;
	key = &subject->key;
	if (thread->waiting && !goes_on(wait, key, now_ns))
		wait_close(thread);
	wait->key.state = key->state;
	wait->key.subject = key->subject;
	wait->key.port = key->port;
	wait->key.value = key->value;
	wait->key.address[0] = key->address[0];
	wait->key.address[1] = key->address[1];
	wait->file = subject->file;
	wait->out_ns = now_ns;
	if (!thread->wake_ns) { /* else its waker was faster, and has left its name */
		wait->key.source = HR_SOURCE_UNKNOWN;
		wait->key.waker = 0;
	}
	if (key->subject == HR_SUBJECT_FUTEX)
		lock_queue(wait, thread->process, now_ns);
	return 0;
}

/* It has a CPU again, after so long blocked and so long runnable. */
VERIFIED_ONCE int wait_end(struct hr_thread *thread, __u64 out_ns, __u64 blocked_ns, __u64 handover_ns, __u64 now_ns)
{
	struct wait *wait = thread ? wait_of(thread) : NULL;

	if (!wait)
		return 0;
	if (!wait->out_ns) { /* blocked since before the recording */
		wait->key.state = thread->state;
		wait->key.subject = HR_SUBJECT_NONE;
	}
	lock_unqueue(wait, out_ns + blocked_ns);
	wait->out_ns = 0;
	wait->in_ns = now_ns;
	wait->hits += grid_hits(out_ns, out_ns + blocked_ns);
	wait->blocked_ns += blocked_ns;
	wait->handover_ns += handover_ns;
	remember_segment(wait, out_ns, blocked_ns, now_ns, thread->state);
	thread->waiting = 1;
	if (!thread->in_call)
		wait_close(thread);
	return 0;
}

/* It was runnable without a CPU: preempted, or newly born. */
VERIFIED_ONCE int wait_preempted(struct hr_thread *thread, __u64 out_ns, __u64 now_ns)
{
	struct wait *wait = thread ? wait_of(thread) : NULL;

	if (wait)
		remember_segment(wait, out_ns, 0, now_ns, HR_STATE_PREEMPTED);
	return 0;
}

#endif
