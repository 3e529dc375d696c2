/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/drain.h"

#include <stdlib.h>
#include <string.h>

void hr_drain_add(struct hr_drain *drain, enum hr_table_id table, const void *row)
{
	if (!drain->discard && hr_writer_add(drain->writer, table, row, NULL))
		drain->rows_lost++;
}

int64_t hr_drain_time(const struct hr_drain *drain, uint64_t absolute_ns)
{
	return drain->epoch_ns && absolute_ns > drain->epoch_ns ? (int64_t)(absolute_ns - drain->epoch_ns) : 0;
}

void hr_drain_cpu_owners(const struct hr_drain *drain, uint32_t cpu, uint64_t now_ns, uint64_t ret_ns[HR_OWNERS_KERNEL])
{
	struct hr_cpu record = { 0 };

	if (cpu < hr_probes_cpus(drain->probes))
		memcpy(&record, hr_probes_cpu(drain->probes, cpu), sizeof(record));
	memcpy(ret_ns, record.owner_ns, sizeof(record.owner_ns));
	if (record.since_ns && now_ns > record.since_ns && record.owner < HR_OWNERS_KERNEL)
		ret_ns[record.owner] += now_ns - record.since_ns;
}

static int by_tid(const void *key, const void *element)
{
	uint32_t tid = *(const uint32_t *)key, other = ((const struct hr_task_row *)element)->tid;

	return tid < other ? -1 : tid > other;
}

const struct hr_task_row *hr_drain_task(const struct hr_drain *drain, uint32_t tid)
{
	return bsearch(&tid, drain->tasks, drain->task_count, sizeof(*drain->tasks), by_tid);
}
