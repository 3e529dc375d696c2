/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Effective parallelism: for how long how many threads of a process were on CPU at once. Kernel side: bpf/parallel.bpf.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collect/drain.h"
#include "collect/roster.h"

#define COUNT_BITS 12 /* as in bpf/parallel.bpf.h */

struct parallel {
	struct {
		int64_t process_id;
		uint64_t time_ns[HR_PARALLEL_MAX + 1];
	} known[HR_PROCESS_SLOTS];
};

static void totals_at(const struct hr_process *process, uint64_t since_epoch_ns, uint64_t ret_ns[HR_PARALLEL_MAX + 1])
{
	uint64_t word = __atomic_load_n(&process->on_cpu, __ATOMIC_ACQUIRE);
	uint64_t count = word & ((1 << COUNT_BITS) - 1), changed_ns = word >> COUNT_BITS;

	memcpy(ret_ns, process->parallel_ns, sizeof(process->parallel_ns));
	if (count && since_epoch_ns > changed_ns)
		ret_ns[count < HR_PARALLEL_MAX ? count : HR_PARALLEL_MAX] += since_epoch_ns - changed_ns;
}

static void drain_process(struct parallel *parallel, struct hr_drain *drain, uint32_t slot)
{
	uint64_t now_ns = hr_clock_mono_ns() - hr_probes_epoch_ns(drain->probes), totals_ns[HR_PARALLEL_MAX + 1];
	int64_t process_id = hr_roster_process_id(drain->roster, slot);

	if (parallel->known[slot].process_id != process_id) {
		memset(&parallel->known[slot], 0, sizeof(parallel->known[slot]));
		parallel->known[slot].process_id = process_id;
	}
	if (!process_id)
		return;
	totals_at(hr_probes_process(drain->probes, slot), now_ns, totals_ns);
	for (int count = 1; count <= HR_PARALLEL_MAX; count++) {
		uint64_t *before_ns = &parallel->known[slot].time_ns[count];

		/* a span that ended while it was read counts in the next pass */
		if (totals_ns[count] <= *before_ns)
			continue;
		hr_drain_add(drain, HR_TABLE_parallelism,
			     &(struct hr_row_parallelism){
				     .interval_id = drain->interval_id,
				     .process_id = process_id,
				     .threads_on_cpu = count,
				     .time_ns = totals_ns[count] - *before_ns,
			     });
		*before_ns = totals_ns[count];
	}
}

static int drain_parallel(void *family, struct hr_drain *drain, struct hr_err *err)
{
	(void)err;
	for (uint32_t slot = 1; slot < hr_roster_process_slots(drain->roster); slot++)
		drain_process(family, drain, slot);
	return 0;
}

static void *open_parallel(struct hr_drain *drain, struct hr_err *err)
{
	struct parallel *parallel = calloc(1, sizeof(*parallel));

	(void)drain;
	if (!parallel)
		hr_err_set(err, -ENOMEM, "out of memory");
	return parallel;
}

const struct hr_family hr_family_parallel = { "parallel", open_parallel, NULL, drain_parallel, NULL, free };
