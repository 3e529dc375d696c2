/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: mark a target thread while it reclaims or compacts memory for its own allocation, so that a block inside is charged to
 * that and not to the call in which it happened.
 *
 * Hooks mm_vmscan_direct_reclaim_begin/_end, mm_vmscan_memcg_reclaim_begin/_end, mm_compaction_begin/_end (tp_btf).
 * Cost per event: one array look-up; the events are rare. Their arguments differ between kernels and are not read.
 */
#include "thread.bpf.h"

static __always_inline int on_reclaim(int change)
{
	struct hr_thread *thread = current_thread();

	if (thread && (change > 0 || thread->reclaim))
		thread->reclaim += change; /* compaction may run inside reclaim */
	return 0;
}

#define RECLAIM_PROGRAM(event, change)                                                                                         \
	SEC("tp_btf/mm_" #event)                                                                                               \
	int BPF_PROG(event)                                                                                                    \
	{                                                                                                                      \
		return on_reclaim(change);                                                                                     \
	}

RECLAIM_PROGRAM(vmscan_direct_reclaim_begin, 1)
RECLAIM_PROGRAM(vmscan_direct_reclaim_end, -1)
RECLAIM_PROGRAM(vmscan_memcg_reclaim_begin, 1)
RECLAIM_PROGRAM(vmscan_memcg_reclaim_end, -1)
RECLAIM_PROGRAM(compaction_begin, 1)
RECLAIM_PROGRAM(compaction_end, -1)
