/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "collect/probes_private.h"

#define WALKED_ONE_BY_ONE 16 /* processes */
#define STAGES_BYTES (8U << 20) /* as much as all histograms of stages may take */

void hr_probes_requests_configure(struct hr_probes *probes)
{
	struct headroom_bpf *bpf = probes->bpf;

	probes->stage_records = STAGES_BYTES / (probes->flow_shards * sizeof(struct hr_stage_hist));
	if (probes->stage_records > HR_STAGE_RECORDS)
		probes->stage_records = HR_STAGE_RECORDS;
	bpf_map__set_max_entries(bpf->maps.flows, HR_FLOWS * probes->flow_shards);
	bpf_map__set_max_entries(bpf->maps.stages, probes->stage_records * probes->flow_shards);
	bpf_map__set_max_entries(bpf->maps.probed_calls, probes->request_symbol ? HR_THREAD_SLOTS : 1);
}

static int on_ended(void *context, void *data, size_t bytes)
{
	struct hr_probes *probes = context;

	if (bytes >= sizeof(struct hr_socket_row))
		probes->each_ended(probes->each_context, data);
	return 0;
}

static int fill_flows(struct headroom_bpf *bpf, struct hr_err *err)
{
	int ret = hr_probes_fill(bpf->maps.free_own_flows, 1, HR_FLOWS_OWN - 1, err);

	return ret ? ret : hr_probes_fill(bpf->maps.free_flows, HR_FLOWS_OWN, HR_FLOWS - 1, err);
}

int hr_probes_requests_prepare(struct hr_probes *probes, struct hr_err *err)
{
	struct headroom_bpf *bpf = probes->bpf;
	int ret;

	if ((ret = hr_probes_map(bpf->maps.flows, &probes->flows, err)) ||
	    (ret = hr_probes_map(bpf->maps.stages, &probes->stages, err)) ||
	    (ret = fill_flows(bpf, err)) ||
	    (ret = hr_probes_fill(bpf->maps.free_stages, 1, probes->stage_records - 1, err)))
		return ret;
	probes->ended = ring_buffer__new(bpf_map__fd(bpf->maps.ended_sockets), on_ended, probes, NULL);
	return probes->ended ? 0 : hr_err_errno(err, -errno, "cannot map the ring of ended sockets");
}

static int attach_call(struct hr_probes *probes, const struct bpf_program *program, bool at_return, struct bpf_link **ret_link,
		       struct hr_err *err)
{
	const char *binary = probes->request_binary, *symbol = probes->request_symbol;
	LIBBPF_OPTS(bpf_uprobe_opts, options, .func_name = symbol, .retprobe = at_return);
	int code;

	*ret_link = bpf_program__attach_uprobe_opts(program, -1, binary, 0, &options);
	if (*ret_link)
		return 0;
	code = -errno;
	if (code == -ENOENT)
		return hr_err_set(err, code, "'%s' has no function '%s' in its symbol tables; `nm %s` and `nm -D %s` list them",
				  binary, symbol, binary, binary);
	return hr_err_errno(err, code, "cannot probe the function '%s' of '%s'", symbol, binary);
}

/* The return first: a call that is seen to begin is then also seen to end. */
int hr_probes_requests_attach(struct hr_probes *probes, struct hr_err *err)
{
	struct headroom_bpf *bpf = probes->bpf;
	int ret;

	if (!probes->request_symbol)
		return 0;
	ret = attach_call(probes, bpf->progs.call_return, true, &probes->ret, err);
	return ret ? ret : attach_call(probes, bpf->progs.call_entry, false, &probes->entry, err);
}

/* Of the programs on the hooks of sockets, the first ones, which always run, and the second ones. */
#define PAIRS 3

struct pairs {
	const struct bpf_program *first[PAIRS], *second[PAIRS];
};

static struct pairs pairs_of(const struct headroom_bpf *bpf)
{
	return (struct pairs){
		.first = { bpf->progs.sk_data_ready, bpf->progs.sock_recv, bpf->progs.sock_send },
		.second = { bpf->progs.ready_again, bpf->progs.recv_again, bpf->progs.send_again },
	};
}

static bool is_in(const struct bpf_program *const programs[PAIRS], const struct bpf_program *program)
{
	for (int i = 0; i < PAIRS; i++)
		if (programs[i] == program)
			return true;
	return false;
}

static uint64_t skipped_of(const struct bpf_program *const programs[PAIRS])
{
	uint64_t skipped = 0;

	for (int i = 0; i < PAIRS; i++)
		skipped += hr_probes_skipped(programs[i]);
	return skipped;
}

bool hr_probes_is_paired(const struct hr_probes *probes, const struct bpf_program *program)
{
	const struct pairs pairs = pairs_of(probes->bpf);

	if (is_in(pairs.first, program))
		return true;
	return probes->seconds && is_in(pairs_of(probes->seconds).second, program);
}

static uint64_t missed_by_first(const struct hr_probes *probes)
{
	return skipped_of(pairs_of(probes->bpf).first);
}

/* All of them or none: what one misses only its own second tells. */
static bool attach_seconds(struct headroom_bpf *seconds)
{
	struct bpf_link **links[PAIRS] = { &seconds->links.ready_again, &seconds->links.recv_again, &seconds->links.send_again };
	const struct pairs pairs = pairs_of(seconds);

	for (int i = 0; i < PAIRS; i++) {
		*links[i] = bpf_program__attach(pairs.second[i]);
		if (!*links[i]) {
			headroom_bpf__detach(seconds);
			return false;
		}
	}
	return true;
}

void hr_probes_requests_mend(struct hr_probes *probes)
{
	if (probes->asked_seconds || !missed_by_first(probes))
		return;
	probes->asked_seconds = true;
	probes->seconds = hr_probes_load_spares(probes, hr_probes_is_second);
	if (!probes->seconds)
		return;
	probes->missed_before = missed_by_first(probes);
	probes->bpf->bss->attached_twice = 1; /* before the first of them runs */
	if (!attach_seconds(probes->seconds))
		probes->bpf->bss->attached_twice = 0;
}

/* What a first one missed its second has told, but for as many as that missed too. */
uint64_t hr_probes_requests_missed(const struct hr_probes *probes)
{
	if (!probes->bpf->bss->attached_twice)
		return missed_by_first(probes);
	return probes->missed_before + skipped_of(pairs_of(probes->seconds).second);
}

void hr_probes_requests_detach(struct hr_probes *probes)
{
	bpf_link__destroy(probes->entry);
	bpf_link__destroy(probes->ret);
	probes->entry = probes->ret = NULL;
}

void hr_probes_requests_close(struct hr_probes *probes)
{
	hr_probes_requests_detach(probes);
	ring_buffer__free(probes->ended);
	hr_probes_unmap(&probes->flows);
	hr_probes_unmap(&probes->stages);
}

bool hr_probes_has_requests(const struct hr_probes *probes)
{
	return probes->has_requests;
}

struct hr_flow *hr_probes_flow(struct hr_probes *probes, uint32_t flow, uint32_t shard)
{
	return hr_probes_record(&probes->flows, (size_t)flow * probes->flow_shards + shard);
}

struct hr_stage_hist *hr_probes_stage(struct hr_probes *probes, uint32_t record, uint32_t shard)
{
	return hr_probes_record(&probes->stages, (size_t)record * probes->flow_shards + shard);
}

uint32_t hr_probes_flows(const struct hr_probes *probes)
{
	(void)probes;
	return HR_FLOWS;
}

uint32_t hr_probes_stages(const struct hr_probes *probes)
{
	return probes->stage_records;
}

uint32_t hr_probes_flow_shards(const struct hr_probes *probes)
{
	return probes->flow_shards;
}

static int free_stage(struct hr_probes *probes, uint32_t record)
{
	for (uint32_t shard = 0; shard < probes->flow_shards; shard++)
		memset(hr_probes_stage(probes, record, shard), 0, sizeof(struct hr_stage_hist));
	return hr_probes_push(probes->bpf->maps.free_stages, record);
}

int hr_probes_free_flow(struct hr_probes *probes, uint32_t flow)
{
	struct hr_flow *head = hr_probes_flow(probes, flow, 0);
	uint32_t records[HR_STAGES], generation = head->generation + 1;
	int ret = 0;

	/* sockets that other processes still hold find the new generation, and join a flow of theirs */
	__atomic_store_n(&head->generation, generation, __ATOMIC_RELEASE);
	bpf_map_delete_elem(bpf_map__fd(probes->bpf->maps.flow_ids), &head->key);
	memcpy(records, head->stage_record, sizeof(records));
	for (uint32_t shard = 0; shard < probes->flow_shards; shard++)
		memset(hr_probes_flow(probes, flow, shard), 0, sizeof(struct hr_flow));
	head->generation = generation;
	for (int stage = 0; stage < HR_STAGES && !ret; stage++)
		if (records[stage])
			ret = free_stage(probes, records[stage]);
	if (ret)
		return ret;
	return hr_probes_push(flow < HR_FLOWS_OWN ? probes->bpf->maps.free_own_flows : probes->bpf->maps.free_flows, flow);
}

/* The rows of all walks so far. */
struct walk {
	struct hr_socket_row *rows;
	size_t count;
};

static int walk_append(struct walk *walk, char *data, size_t bytes, struct hr_err *err)
{
	size_t count = bytes / sizeof(*walk->rows);
	struct hr_socket_row *more;

	if (!walk->rows) {
		*walk = (struct walk){ .rows = (struct hr_socket_row *)data, .count = count };
		return 0;
	}
	more = count ? realloc(walk->rows, (walk->count + count) * sizeof(*more)) : walk->rows;
	if (!more) {
		free(data);
		return hr_err_set(err, -ENOMEM, "out of memory");
	}
	if (count)
		memcpy(more + walk->count, data, count * sizeof(*more));
	walk->rows = more;
	walk->count += count;
	free(data);
	return 0;
}

/* The descriptors of one process, or, with pid 0, of all processes of the host, of which the program leaves out the others. */
static int walk_process(struct hr_probes *probes, uint32_t pid, struct walk *walk, struct hr_err *err)
{
	union bpf_iter_link_info info = { .task.pid = pid };
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_program *program = probes->bpf->progs.walk_sockets;
	char *data = NULL;
	size_t bytes = 0;
	int ret = hr_probes_iterate(program, pid ? &options : NULL, walk ? &data : NULL, &bytes, err);

	if (ret == -ESRCH && pid) /* it is gone */
		return 0;
	return ret || !walk ? ret : walk_append(walk, data, bytes, err);
}

/* A walk per process is cheap for a few of them; for many, one over the whole host is. */
static int walk_all(struct hr_probes *probes, struct walk *walk, struct hr_err *err)
{
	uint32_t pids[WALKED_ONE_BY_ONE], count = 0;
	int ret = 0;

	for (uint32_t slot = 1; slot < HR_PROCESS_SLOTS; slot++) {
		const struct hr_process *process = hr_probes_process(probes, slot);

		if (!process->pid || process->ended_ns)
			continue;
		if (count == WALKED_ONE_BY_ONE)
			return walk_process(probes, 0, walk, err);
		pids[count++] = process->pid;
	}
	for (uint32_t i = 0; i < count && !ret; i++)
		ret = walk_process(probes, pids[i], walk, err);
	return ret;
}

int hr_probes_seed_sockets(struct hr_probes *probes, struct hr_err *err)
{
	probes->bpf->bss->walk_lists = 0;
	return walk_all(probes, NULL, err);
}

static int by_id(const void *a, const void *b)
{
	const struct hr_socket_row *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

/* Processes share sockets; the highest backlog is told to the first that asks only. */
static size_t keep_one_of_each(struct hr_socket_row *rows, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct hr_socket_row *last = kept ? &rows[kept - 1] : NULL;

		if (!last || last->id != rows[i].id)
			rows[kept++] = rows[i];
		else if (rows[i].backlog_highest > last->backlog_highest)
			last->backlog_highest = rows[i].backlog_highest;
	}
	return kept;
}

int hr_probes_list_sockets(struct hr_probes *probes, uint64_t idle_ns, struct hr_socket_row **ret_rows, size_t *ret_count,
			   struct hr_err *err)
{
	struct walk walk = { NULL, 0 };
	int ret;

	probes->bpf->bss->walk_lists = 1;
	probes->bpf->bss->answer_idle_ns = idle_ns;
	ret = walk_all(probes, &walk, err);
	if (ret) {
		free(walk.rows);
		return ret;
	}
	if (walk.count)
		qsort(walk.rows, walk.count, sizeof(*walk.rows), by_id);
	*ret_rows = walk.rows;
	*ret_count = keep_one_of_each(walk.rows, walk.count);
	return 0;
}

int hr_probes_each_ended_socket(struct hr_probes *probes, void (*each)(void *context, const struct hr_socket_row *row),
				void *context)
{
	int ret;

	probes->each_ended = each;
	probes->each_context = context;
	ret = ring_buffer__consume(probes->ended);
	probes->each_ended = NULL;
	return ret < 0 ? ret : 0;
}
