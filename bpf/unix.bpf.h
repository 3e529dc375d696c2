/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_UNIX_BPF_H
#define HR_UNIX_BPF_H

/*
 * Unix sockets have no event for a connection that comes in, is accepted, or ends. What takes their place: a listening socket is
 * woken for each connection, which are accepted in that order; and the end is seen where the target closes the descriptor. Both
 * lead to the socket by its address only, so what is needed then is kept by that.
 */
#include "flow.bpf.h"

#define UNIX_QUEUES 64	   /* listening sockets whose accept waits are measured */
#define UNIX_QUEUE_LONG 256 /* connections that wait in one; a power of two. What waits beyond has no time */

/* The request at hand of an accepted socket. */
struct unix_request {
	__u32 flow;
	__u32 generation;
	__u64 arrive_ns;
	__u64 write_ns; /* 0: not answered yet */
	__u64 last_write_ns;
};

/* Address of the sock -> that. Full: that connection's last request has no total. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct unix_request);
} unix_requests __weak SEC(".maps");

struct unix_queue {
	__u32 arrived, accepted;
	__u64 arrived_ns[UNIX_QUEUE_LONG]; /* 0: not known */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, UNIX_QUEUES);
	__type(key, __u32);
	__type(value, struct unix_queue);
} unix_queues __weak SEC(".maps");

/* Address of a listening sock -> its queue. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UNIX_QUEUES);
	__type(key, __u64);
	__type(value, __u32);
} unix_listeners __weak SEC(".maps");

__u32 unix_queue_count __weak = 0;
__u32 has_listening_paths __weak = 0; /* spares everybody else's unix sockets the look-up */

/* It listens, with so many waiting already since nobody knows when. */
static __noinline __maybe_unused void unix_listen(__u64 sk, __u32 waiting)
{
	__u32 index = __sync_fetch_and_add(&unix_queue_count, 1);
	struct unix_queue *queue = bpf_map_lookup_elem(&unix_queues, &index);

	if (!queue)
		return;
	queue->arrived = waiting;
	bpf_map_update_elem(&unix_listeners, &sk, &index, BPF_ANY);
}

static __always_inline struct unix_queue *unix_queue_of(__u64 sk)
{
	__u32 *index = bpf_map_lookup_elem(&unix_listeners, &sk);

	return index ? bpf_map_lookup_elem(&unix_queues, index) : NULL;
}

/* A connection came in. */
static __always_inline void unix_arrive(__u64 sk, __u64 now_ns)
{
	struct unix_queue *queue = unix_queue_of(sk);
	__u64 place;

	if (!queue)
		return;
	place = whole(__sync_fetch_and_add(&queue->arrived, 1) & (UNIX_QUEUE_LONG - 1));
	if (place < UNIX_QUEUE_LONG)
		queue->arrived_ns[place] = now_ns;
}

/* The oldest one was accepted, and `waiting` are left: how long it waited. False: not known. */
static __always_inline bool unix_accept(__u64 sk, __u32 waiting, __u64 now_ns, __u64 *ret_wait_ns)
{
	struct unix_queue *queue = unix_queue_of(sk);
	__u32 accepted;
	__u64 place;

	if (!queue)
		return false;
	accepted = __sync_fetch_and_add(&queue->accepted, 1);
	if ((__s32)(queue->arrived - accepted) <= 0) { /* accepted before the hook that tells of it has run */
		*ret_wait_ns = 0;
		return true;
	}
	if (queue->arrived - accepted > UNIX_QUEUE_LONG || queue->arrived - accepted > waiting + 16) {
		queue->accepted = queue->arrived - waiting; /* some were not seen: begin anew */
		return false;
	}
	place = whole(accepted & (UNIX_QUEUE_LONG - 1));
	if (place >= UNIX_QUEUE_LONG || !queue->arrived_ns[place])
		return false;
	*ret_wait_ns = elapsed_ns(queue->arrived_ns[place], now_ns);
	queue->arrived_ns[place] = 0;
	return true;
}

/* The request at hand is over, and has been counted. */
static __always_inline void unix_forget(__u64 sk)
{
	bpf_map_delete_elem(&unix_requests, &sk);
}

/* The target closes it: what it wrote was the whole answer. */
static __noinline __maybe_unused void unix_close(__u64 sk, __u64 now_ns)
{
	struct unix_request *request = bpf_map_lookup_elem(&unix_requests, &sk);
	struct hr_flow *head, *flow;

	if (!request)
		return;
	head = flow_head(request->flow);
	flow = flow_shard(request->flow);
	if (head && flow && head->generation == request->generation) {
		if (request->write_ns) {
			stage_add(request->flow, HR_STAGE_STREAM, elapsed_ns(request->write_ns, request->last_write_ns));
			stage_add(request->flow, HR_STAGE_TOTAL, elapsed_ns(request->arrive_ns, request->last_write_ns));
		} else {
			flow_depart(flow, now_ns);
			flow_add(&flow->unanswered, 1);
		}
	}
	unix_forget(sk);
}

#endif
