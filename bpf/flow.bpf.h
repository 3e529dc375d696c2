/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_FLOW_BPF_H
#define HR_FLOW_BPF_H

/*
 * Flows and their stages: find the record of a (process, role, endpoint), claim one at first use, add to a histogram. Soft
 * interrupts add to a flow that the thread below them is adding to: all additions are atomic.
 */
#include "thread.bpf.h"

#include "headroom/net.h"

/* Id * shards + shard -> counts of a flow. Id 0 is never used. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hr_flow);
} flows __weak SEC(".maps");

/* Record * shards + shard -> histogram of one stage of one flow. Record 0 is never used. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hr_stage_hist);
} stages __weak SEC(".maps");

/* Whose flow -> id. Full: as when no id is free. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HR_FLOWS);
	__type(key, struct hr_flow_key);
	__type(value, __u32);
} flow_ids __weak SEC(".maps");

/*
 * Ids and records that are free, put there by user space; those below HR_FLOWS_OWN apart. Empty: what would need one is not counted,
 * and that is; but peers for which there is none are one flow together.
 */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, HR_FLOWS_OWN);
	__uint(value_size, sizeof(__u32));
} free_own_flows __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, HR_FLOWS);
	__uint(value_size, sizeof(__u32));
} free_flows __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, HR_STAGE_RECORDS);
	__uint(value_size, sizeof(__u32));
} free_stages __weak SEC(".maps");

/* What stands once for all shards. */
static __always_inline struct hr_flow *flow_head(__u32 id)
{
	__u32 key = id * config.flow_shards;

	return id ? bpf_map_lookup_elem(&flows, &key) : NULL;
}

/* This CPU's shard. */
static __always_inline struct hr_flow *flow_shard(__u32 id)
{
	__u32 key = id * config.flow_shards + (bpf_get_smp_processor_id() & (config.flow_shards - 1));

	return id ? bpf_map_lookup_elem(&flows, &key) : NULL;
}

static __always_inline void flow_add(__u64 *count, __u64 n)
{
	__sync_fetch_and_add(count, n);
}

static __always_inline void read_unix_path(struct unix_address *address, char path[HR_UNIX_PATH_BYTES], __u32 *ret_bytes)
{
	int bytes = BPF_CORE_READ(address, len) - (int)sizeof(unsigned short);

	if (bytes < 0 || bytes > HR_UNIX_PATH_BYTES)
		bytes = 0;
	bpf_probe_read_kernel(path, HR_UNIX_PATH_BYTES, &address->name[0].sun_path);
	*ret_bytes = bytes;
}

/*
 * A name of a unix socket in a key. Its address would not do: a server that listens on one path after another mostly gets the
 * same one again. 64 bits of a hash over at most a thousand names do.
 */
static __noinline __u64 unix_name_hash(struct unix_address *name)
{
	__u64 words[HR_UNIX_PATH_BYTES / 8 + 1] = {}, hash = 0;
	__u64 bytes;

	if (!name)
		return 0;
	bytes = whole(BPF_CORE_READ(name, len) - sizeof(unsigned short));
	if (!bytes || bytes > HR_UNIX_PATH_BYTES)
		return 0;
	bpf_probe_read_kernel(words, bytes, &name->name[0].sun_path);
#pragma unroll
	for (__u32 i = 0; i < sizeof(words) / 8; i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	return hash + bytes;
}

/* Is the flow that of all peers that found no id? */
static __always_inline bool is_other_peers(const struct hr_flow_key *key)
{
	return !key->port && !*(const __u64 *)key->address && !*(const __u64 *)(key->address + 8);
}

static __always_inline __u32 flow_take_id(const struct hr_flow_key *key)
{
	__u32 id = 0;

	if (key->role == HR_ROLE_DOWNSTREAM && !is_other_peers(key))
		bpf_map_pop_elem(&free_flows, &id);
	else if (bpf_map_pop_elem(&free_own_flows, &id))
		bpf_map_pop_elem(&free_flows, &id);
	return id;
}

static __always_inline void flow_give_id(__u32 id)
{
	if (id < HR_FLOWS_OWN)
		bpf_map_push_elem(&free_own_flows, &id, BPF_ANY);
	else
		bpf_map_push_elem(&free_flows, &id, BPF_ANY);
}

/* 0: no id is free. */
static __noinline __u32 flow_claim(const struct hr_flow_key *key, __u64 name)
{
	struct hr_flow *head;
	__u32 id, *winner;

	if (!key)
		return 0;
	id = flow_take_id(key);
	head = flow_head(id);
	if (!head)
		return 0;
	head->key.process = key->process;
	head->key.port = key->port;
	head->key.transport = key->transport;
	__builtin_memcpy(head->key.address, key->address, sizeof(key->address));
	if (key->transport == HR_TRANSPORT_UNIX)
		read_unix_path((struct unix_address *)name, head->path, &head->path_bytes);
	if (bpf_map_update_elem(&flow_ids, key, &id, BPF_NOEXIST)) { /* another CPU was first */
		flow_give_id(id);
		winner = bpf_map_lookup_elem(&flow_ids, key);
		return winner ? *winner : 0;
	}
	compiler_barrier();
	head->key.role = key->role; /* last: user space takes a record without a role for a free one */
	return id;
}

/* The id of a flow; 0: no record was free, which is counted. The address of a unix one is that of its name. */
VERIFIED_ONCE __u32 flow_find(const struct hr_flow_key *asked)
{
	struct hr_flow_key key;
	__u64 name = 0; /* address of a unix_address */
	__u32 *id, claimed;

	if (!asked)
		return 0;
	key = *asked; /* verifiers before 6.2 take no argument's memory for a key */
	if (key.transport == HR_TRANSPORT_UNIX) {
		name = *(__u64 *)key.address;
		*(__u64 *)key.address = unix_name_hash((struct unix_address *)name);
	}
	id = bpf_map_lookup_elem(&flow_ids, &key);
	if (id)
		return *id;
	claimed = flow_claim(&key, name);
	if (!claimed && key.role == HR_ROLE_DOWNSTREAM && key.transport == HR_TRANSPORT_TCP) {
		key.port = 0;
		__builtin_memset(key.address, 0, sizeof(key.address));
		id = bpf_map_lookup_elem(&flow_ids, &key);
		claimed = id ? *id : flow_claim(&key, name);
	}
	if (!claimed)
		lost(HR_LOSS_FLOW_RECORDS);
	return claimed;
}

/* First use of a stage. */
VERIFIED_ONCE __u32 stage_claim(struct hr_flow *head, __u32 stage)
{
	__u64 index = whole(stage);
	__u32 record = 0, winner;

	if (!head || index >= HR_STAGES)
		return 0;
	if (bpf_map_pop_elem(&free_stages, &record)) {
		lost(HR_LOSS_STAGE_RECORDS);
		return 0;
	}
	winner = __sync_val_compare_and_swap(&head->stage_record[index], 0, record);
	if (!winner)
		return record;
	bpf_map_push_elem(&free_stages, &record, BPF_ANY); /* another CPU was first */
	return winner;
}

/* A stage of a request of that flow took time_ns. */
VERIFIED_ONCE int stage_add(__u32 flow, __u32 stage, __u64 time_ns)
{
	struct hr_flow *head = flow_head(flow);
	struct hr_stage_hist *hist;
	__u64 index = whole(stage);
	__u32 record;

	if (!head || index >= HR_STAGES)
		return 0;
	record = head->stage_record[index];
	if (!record)
		record = stage_claim(head, stage);
	if (!record)
		return 0;
	record = record * config.flow_shards + (bpf_get_smp_processor_id() & (config.flow_shards - 1));
	hist = bpf_map_lookup_elem(&stages, &record);
	if (!hist)
		return 0;
	__sync_fetch_and_add(&hist->count, 1);
	__sync_fetch_and_add(&hist->total_ns, time_ns);
	index = whole(hr_hist_slot(time_ns, HR_STAGE_BITS, HR_STAGE_SLOTS));
	if (index < HR_STAGE_SLOTS)
		__sync_fetch_and_add(&hist->slots[index], 1);
	return 0;
}

/* A request of the flow is in flight from arrived_ns on. */
static __always_inline void flow_arrive(struct hr_flow *flow, __u64 arrived_ns)
{
	flow_add(&flow->arrivals, 1);
	flow_add(&flow->arrived_ns, arrived_ns);
}

/* It is no longer, since departed_ns. */
static __always_inline void flow_depart(struct hr_flow *flow, __u64 departed_ns)
{
	flow_add(&flow->departures, 1);
	flow_add(&flow->departed_ns, departed_ns);
}

#endif
