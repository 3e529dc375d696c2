/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/probes_private.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

int hr_probes_map(const struct bpf_map *map, struct hr_mapping *ret, struct hr_err *err)
{
	size_t page = sysconf(_SC_PAGESIZE), value = (bpf_map__value_size(map) + 7) / 8 * 8;
	size_t bytes = (value * bpf_map__max_entries(map) + page - 1) / page * page;
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (base == MAP_FAILED)
		return hr_err_errno(err, -errno, "cannot map the BPF map '%s'", bpf_map__name(map));
	*ret = (struct hr_mapping){ .base = base, .bytes = bytes, .value_bytes = value };
	return 0;
}

void *hr_probes_record(const struct hr_mapping *mapping, size_t index)
{
	return (char *)mapping->base + index * mapping->value_bytes;
}

int hr_probes_fill(const struct bpf_map *map, uint32_t lowest, uint32_t highest, struct hr_err *err)
{
	for (uint32_t slot = highest; slot >= lowest; slot--)
		if (bpf_map_update_elem(bpf_map__fd(map), NULL, &slot, BPF_ANY))
			return hr_err_errno(err, -errno, "cannot fill the BPF map '%s'", bpf_map__name(map));
	return 0;
}

void hr_probes_unmap(struct hr_mapping *mapping)
{
	if (mapping->base)
		munmap(mapping->base, mapping->bytes);
}

int hr_probes_push(const struct bpf_map *stack, uint32_t slot)
{
	return bpf_map_update_elem(bpf_map__fd(stack), NULL, &slot, BPF_ANY) ? -errno : 0;
}
