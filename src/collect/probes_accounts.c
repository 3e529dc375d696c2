/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/probes_private.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

struct hr_thread *hr_probes_thread(struct hr_probes *probes, uint32_t slot)
{
	return hr_probes_record(&probes->threads, slot);
}

struct hr_process *hr_probes_process(struct hr_probes *probes, uint32_t slot)
{
	return hr_probes_record(&probes->processes, slot);
}

struct hr_calls *hr_probes_calls(struct hr_probes *probes, uint32_t record, uint32_t shard)
{
	return hr_probes_record(&probes->calls, (size_t)record * probes->shards + shard);
}

struct hr_cpu *hr_probes_cpu(struct hr_probes *probes, uint32_t cpu)
{
	return hr_probes_record(&probes->cpu_records, cpu);
}

uint32_t hr_probes_call_records(const struct hr_probes *probes)
{
	return probes->records;
}

uint32_t hr_probes_call_shards(const struct hr_probes *probes)
{
	return probes->shards;
}

uint32_t hr_probes_cpus(const struct hr_probes *probes)
{
	return probes->cpus;
}

int hr_probes_free_thread(struct hr_probes *probes, uint32_t slot)
{
	memset(hr_probes_thread(probes, slot), 0, sizeof(struct hr_thread));
	return hr_probes_push(probes->bpf->maps.free_threads, slot);
}

int hr_probes_free_process(struct hr_probes *probes, uint32_t slot)
{
	struct hr_process *process = hr_probes_process(probes, slot);
	uint32_t pid = process->pid, seeded;
	int seeds = bpf_map__fd(probes->bpf->maps.target_processes);

	if (!bpf_map_lookup_elem(seeds, &pid, &seeded) && seeded == slot)
		bpf_map_delete_elem(seeds, &pid);
	memset(process, 0, sizeof(*process));
	return hr_probes_push(probes->bpf->maps.free_processes, slot);
}

int hr_probes_free_calls(struct hr_probes *probes, uint32_t record)
{
	for (uint32_t shard = 0; shard < probes->shards; shard++)
		memset(hr_probes_calls(probes, record, shard), 0, sizeof(struct hr_calls));
	return hr_probes_push(probes->bpf->maps.free_calls, record);
}

int hr_probes_each_error(struct hr_probes *probes, void (*each)(void *context, const struct hr_errno_key *key, uint64_t count),
			 void *context)
{
	int fd = bpf_map__fd(probes->bpf->maps.call_errors);
	struct hr_errno_key key, *previous = NULL;
	uint64_t count;

	while (!bpf_map_get_next_key(fd, previous, &key)) {
		if (!bpf_map_lookup_elem(fd, &key, &count))
			each(context, &key, count);
		previous = &key;
	}
	return errno == ENOENT ? 0 : -errno;
}

struct error_keys {
	const bool *is_gone; /* by process slot */
	size_t count;
	struct hr_errno_key keys[256];
};

static void collect_key(void *context, const struct hr_errno_key *key, uint64_t count)
{
	struct error_keys *found = context;

	(void)count;
	if (key->process < HR_PROCESS_SLOTS && found->is_gone[key->process] && found->count < sizeof(found->keys) / sizeof(*found->keys))
		found->keys[found->count++] = *key;
}

int hr_probes_free_errors(struct hr_probes *probes, const bool is_gone[HR_PROCESS_SLOTS])
{
	struct error_keys found = { .is_gone = is_gone };
	int ret;

	do {
		found.count = 0;
		ret = hr_probes_each_error(probes, collect_key, &found);
		for (size_t i = 0; i < found.count; i++)
			bpf_map_delete_elem(bpf_map__fd(probes->bpf->maps.call_errors), &found.keys[i]);
	} while (!ret && found.count);
	return ret;
}
