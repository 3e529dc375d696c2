/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CALLS_BPF_H
#define HR_CALLS_BPF_H

/* Counts, times and histograms of one (process, row): find the record of this CPU's shard, add to it. */
#include "thread.bpf.h"

/* First use of a row: take a free record. Two CPUs may do so at once; user space adds up both. */
VERIFIED_ONCE __u32 calls_claim(__u32 process_slot, __u32 row)
{
	struct hr_process *process = process_by_slot(process_slot);
	struct hr_calls *record;
	__u64 index = whole(row);
	__u32 id = 0, key;

	if (!process || index >= HR_CALL_ROWS)
		return 0;
	if (bpf_map_pop_elem(&free_calls, &id))
		return 0;
	key = id * config.call_shards;
	record = bpf_map_lookup_elem(&calls, &key);
	if (!record)
		return 0;
	record->row = row;
	record->process = process_slot;
	process->call_record[index] = id;
	return id;
}

/* The record of a row; 0 if none is free. */
static __always_inline __u32 calls_find(__u32 process_slot, __u32 row)
{
	struct hr_process *process = process_by_slot(process_slot);
	__u64 index = whole(row);
	__u32 id;

	if (!process || index >= HR_CALL_ROWS)
		return 0;
	id = process->call_record[index];
	return id ? id : calls_claim(process_slot, row);
}

/* The same for a thread's syscalls, which are of a few kinds: it remembers them, and spares a look at its process. */
static __always_inline __u32 calls_of_thread(struct hr_thread *thread, __u32 row)
{
	__u32 place = row & (HR_KNOWN_CALLS - 1), id = thread->known_record[place];

	if (id && thread->known_row[place] == row)
		return id;
	id = calls_find(thread->process, row);
	thread->known_row[place] = row;
	thread->known_record[place] = id;
	return id;
}

/* This CPU's shard of it, or NULL. */
static __always_inline struct hr_calls *calls_shard(__u32 id)
{
	__u32 key = id * config.call_shards + (bpf_get_smp_processor_id() & (config.call_shards - 1));

	return id ? bpf_map_lookup_elem(&calls, &key) : NULL;
}

static __always_inline void calls_add(__u64 *count, __u64 n)
{
	if (config.shard_per_cpu)
		*count += n;
	else
		__sync_fetch_and_add(count, n);
}

/* A call that took time_ns, and stands for `weight` calls. */
static __always_inline void calls_time(struct hr_calls *record, __u64 time_ns, __u32 weight)
{
	__u32 slot = hr_hist_slot(time_ns, HR_HIST_BITS, HR_HIST_SLOTS);

	calls_add(&record->timed, 1);
	calls_add(&record->total_ns, time_ns * weight);
	if (slot < HR_HIST_SLOTS) {
		if (config.shard_per_cpu)
			record->slots[slot] += weight;
		else
			__sync_fetch_and_add(&record->slots[slot], weight);
	}
}

/* A wait for a CPU, in the record of HR_CALL_RUNQ or HR_CALL_PREEMPTED. */
static __always_inline void calls_wait(__u32 id, __u64 time_ns)
{
	struct hr_calls *record = calls_shard(id);

	if (!record) {
		lost(HR_LOSS_CALL_RECORDS);
		return;
	}
	calls_add(&record->calls, 1);
	calls_time(record, time_ns, 1);
}

#endif
