/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STACKS_BPF_H
#define HR_STACKS_BPF_H

/*
 * Sampled stacks: take one, find or keep it, count a sample of it. Both maps are emptied by user space each interval. A stack takes
 * 1 to 2 us; their number is bounded by the grid, and off CPU by STACKS_PER_PERIOD as well.
 */
#include "thread.bpf.h"

#include "headroom/stacks.h"

#define STACKS_PER_PERIOD 16 /* off CPU, per CPU: when many threads wake at once the others count without a stack */
#define HASH_SEED 0x9e3779b97f4a7c15ULL
#define HASH_FACTOR 0xff51afd7ed558ccdULL

/* Key: a hash of it. Full: the sample has no stack. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HR_STACKS);
	__type(key, __u64);
	__type(value, struct hr_stack);
} stacks __weak SEC(".maps");

/* Full: the sample is lost, and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HR_SAMPLES);
	__type(key, struct hr_sample_key);
	__type(value, struct hr_sample);
} samples __weak SEC(".maps");

/* Where a stack is taken: one per CPU, and kind of program that may interrupt the other. */
enum { SCRATCH_ON_CPU = 0, SCRATCH_OFF_CPU = 1, SCRATCHES = 2 };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCHES);
	__type(key, __u32);
	__type(value, struct hr_stack);
} stack_scratch __weak SEC(".maps");

static __always_inline struct hr_stack *scratch(__u32 which)
{
	return bpf_map_lookup_elem(&stack_scratch, &which);
}

/* The stack's key, never 0. Fowler, Noll and Vo's scheme over words, with the finishing factor of MurmurHash3. */
static __always_inline __u64 stack_key(const struct hr_stack *stack)
{
	__u64 hash = HASH_SEED;

	hash ^= stack->process;
	for (__u32 frame = 0; frame < HR_STACK_FRAMES; frame++) {
		if (frame >= stack->frames)
			break;
		hash = (hash ^ stack->addresses[frame]) * HASH_FACTOR;
		hash ^= hash >> 33;
	}
	return hash ? hash : 1;
}

/* Keep what is in the scratch of that number: bytes of addresses were written there. Returns its key; 0: there is none, or no room. */
VERIFIED_ONCE __u64 stack_keep(__u32 which, __u32 process, long bytes)
{
	struct hr_stack *stack = scratch(which);
	__u64 key;

	if (!stack || bytes <= 0)
		return 0;
	stack->process = process;
	stack->frames = bytes / sizeof(stack->addresses[0]);
	key = stack_key(stack);
	if (bpf_map_lookup_elem(&stacks, &key))
		return key;
	if (bpf_map_update_elem(&stacks, &key, stack, BPF_ANY)) {
		lost(HR_LOSS_STACKS);
		return 0;
	}
	return key;
}

static __noinline __maybe_unused void sample_add(const struct hr_sample_key *key, __u64 born_ns, __u64 count, __u64 alone_ns)
{
	struct hr_sample *sample, first = {};

	if (!key)
		return;
	sample = bpf_map_lookup_elem(&samples, key);
	if (sample) {
		__sync_fetch_and_add(&sample->count, count);
		__sync_fetch_and_add(&sample->alone_ns, alone_ns);
		return;
	}
	first.born_ns = born_ns;
	first.count = count;
	first.alone_ns = alone_ns;
	if (bpf_map_update_elem(&samples, key, &first, BPF_ANY))
		lost(HR_LOSS_SAMPLES);
}

/* How often the grid hits a span. */
static __always_inline __u64 grid_hits(__u64 from_ns, __u64 to_ns)
{
	return config.sample_period_ns && to_ns > from_ns ? to_ns / config.sample_period_ns - from_ns / config.sample_period_ns : 0;
}

#endif
