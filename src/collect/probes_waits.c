/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "collect/probes_private.h"

int hr_probes_waits_prepare(struct hr_probes *probes, struct hr_err *err)
{
	struct headroom_bpf *bpf = probes->bpf;
	LIBBPF_OPTS(bpf_test_run_opts, once);
	int ret;

	/* where the kernel hides its addresses, locks have no callers */
	bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.find_sched_text), &once);
	if ((ret = hr_probes_map(bpf->maps.edges, &probes->edges, err)) ||
	    (ret = hr_probes_map(bpf->maps.locks, &probes->locks, err)) ||
	    (ret = hr_probes_fill(bpf->maps.free_edges, 1, HR_EDGES - 1, err)))
		return ret;
	return hr_probes_fill(bpf->maps.free_locks, 1, HR_LOCKS - 1, err);
}

void hr_probes_waits_close(struct hr_probes *probes)
{
	hr_probes_unmap(&probes->edges);
	hr_probes_unmap(&probes->locks);
}

struct hr_edge *hr_probes_edge(struct hr_probes *probes, uint32_t edge)
{
	return hr_probes_record(&probes->edges, edge);
}

struct hr_lock *hr_probes_lock(struct hr_probes *probes, uint32_t lock)
{
	return hr_probes_record(&probes->locks, lock);
}

int hr_probes_open_wait(struct hr_probes *probes, uint32_t slot, struct hr_open_wait *ret)
{
	const struct bpf_map *map = probes->bpf->maps.open_waits;
	char *value = malloc(bpf_map__value_size(map));
	int code = 0;

	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(bpf_map__fd(map), &slot, value))
		code = -errno;
	else
		memcpy(ret, value, sizeof(*ret));
	free(value);
	return code;
}

void hr_probes_retire_edge(struct hr_probes *probes, uint32_t id)
{
	struct hr_edge *edge = hr_probes_edge(probes, id);

	bpf_map_delete_elem(bpf_map__fd(probes->bpf->maps.edge_ids), &edge->key);
	__atomic_store_n(&edge->key.retired, 1, __ATOMIC_RELEASE); /* those who know its id look at the key */
}

int hr_probes_free_edge(struct hr_probes *probes, uint32_t id)
{
	struct hr_edge *edge = hr_probes_edge(probes, id);

	bpf_map_delete_elem(bpf_map__fd(probes->bpf->maps.edge_ids), &edge->key);
	memset(edge, 0, sizeof(*edge));
	return hr_probes_push(probes->bpf->maps.free_edges, id);
}

/* The key of lock_ids in bpf/waits.bpf.h. */
struct lock_key {
	uint64_t address, process;
};

int hr_probes_free_lock(struct hr_probes *probes, uint32_t id)
{
	struct hr_lock *lock = hr_probes_lock(probes, id);
	struct lock_key key = { .address = lock->address, .process = lock->process };

	bpf_map_delete_elem(bpf_map__fd(probes->bpf->maps.lock_ids), &key);
	memset(lock, 0, sizeof(*lock));
	return hr_probes_push(probes->bpf->maps.free_locks, id);
}
