/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_PARALLEL_BPF_H
#define HR_PARALLEL_BPF_H

/*
 * Effective parallelism: for how long exactly j threads of a process were on CPU.
 *
 * One word per process holds the count and the time of its last change; whoever swaps it in owns the span that ended, so no
 * span is counted twice or missed, without a lock.
 */
#include "thread.bpf.h"

#define ON_CPU_COUNT_BITS 12
#define ON_CPU_COUNT_MASK ((1ULL << ON_CPU_COUNT_BITS) - 1)
#define ON_CPU_TRIES 4

static __always_inline void parallel_change(__u32 process_slot, int change, __u64 now_ns)
{
	struct hr_process *process = process_by_slot(process_slot);
	__u64 since_epoch_ns = now_ns - config.epoch_ns;

	if (!process)
		return;
#pragma unroll
	for (int i = 0; i < ON_CPU_TRIES; i++) {
		__u64 word = *(volatile __u64 *)&process->on_cpu;
		__u64 count = word & ON_CPU_COUNT_MASK, since_ns = word >> ON_CPU_COUNT_BITS;
		/* another CPU's clock may be ahead: the span then ended before it began, and is empty */
		__u64 until_ns = since_epoch_ns > since_ns ? since_epoch_ns : since_ns;
		__u64 next = until_ns << ON_CPU_COUNT_BITS | ((count + change) & ON_CPU_COUNT_MASK);

		if (change < 0 && count == 0)
			return; /* its way onto the CPU was not seen, and is counted as such */
		if (__sync_val_compare_and_swap(&process->on_cpu, word, next) == word) {
			if (count) {
				if (count > HR_PARALLEL_MAX)
					count = HR_PARALLEL_MAX;
				__sync_fetch_and_add(&process->parallel_ns[count], until_ns - since_ns);
			}
			return;
		}
	}
	lost(HR_LOSS_PARALLEL_RACES);
	__sync_fetch_and_add(&process->on_cpu, (__u64)(__s64)change);
}

#endif
