/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_PROBES_PRIVATE_H
#define HR_COLLECT_PROBES_PRIVATE_H

/* What the files of the probes share: probes*.c only. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "collect/probes.h"
#include "headroom/config.h"

#include "headroom.skel.h"

/* A map whose values the programs and we share. */
struct hr_mapping {
	void *base;
	size_t bytes;
	size_t value_bytes;
};

struct hr_probes {
	struct headroom_bpf *bpf;
	struct headroom_bpf *classic, *seconds; /* its spares, once they were needed and could be loaded */
	bool asked_classic, asked_seconds;	/* they were needed */
	bool has_requests; /* the kernel has hooks for them, one way or the other */
	uint64_t epoch_ns;
	uint32_t cpus, shards, records;
	uint32_t flow_shards, stage_records;
	struct hr_mapping threads, processes, calls, cpu_records, disks, flows, stages, edges, locks;
	struct hr_mapping unwind_rows, unwind_spaces, unwind_processes;
	uint32_t unwind_rows_max;     /* 0: stacks are not unwound by tables */
	const char *request_binary, *request_symbol; /* the caller's; NULL: no request probe */
	struct bpf_link *entry, *ret;
	uint64_t missed_before; /* runs of the sockets' programs that were skipped before each had a second one */
	struct bpf_link **timers;     /* of the sampling, by CPU; NULL: none */
	struct ring_buffer *ended;    /* sockets that ended */
	void (*each_ended)(void *context, const struct hr_socket_row *row);
	void *each_context;
};

/* How requests are seen. */
enum hr_request_hooks { HR_REQUESTS_UNSEEN = 0, HR_REQUESTS_BY_TRACEPOINTS = 1, HR_REQUESTS_BY_FUNCTIONS = 2 };

/* What this kernel has for requests. */
enum hr_request_hooks hr_probes_request_hooks(const struct btf *kernel);

/* Leave out the spares, and the programs whose hook the kernel lacks. -ENOENT: one that cannot be missed. */
int hr_probes_choose(struct headroom_bpf *bpf, const struct btf *kernel, enum hr_request_hooks hooks, bool request_probe,
		     struct hr_err *err);

/*
 * Spares: programs for a kernel that skips those in their place. They take the verifier as long as the others, so they are loaded
 * only where that is seen, into an object of their own that has the maps of the first. NULL: they cannot be loaded.
 */
struct headroom_bpf *hr_probes_load_spares(const struct hr_probes *probes, bool (*is_needed)(const struct bpf_program *program));
bool hr_probes_is_classic(const struct bpf_program *program); /* on the classic tracepoints of syscalls */
bool hr_probes_is_second(const struct bpf_program *program);  /* of two on a hook of sockets, the second */

/* Map the values, all of them: the one at an index below max_entries is read and written in place. unmap takes one of zeros. */
int hr_probes_map(const struct bpf_map *map, struct hr_mapping *ret, struct hr_err *err);
void hr_probes_unmap(struct hr_mapping *mapping);
void *hr_probes_record(const struct hr_mapping *mapping, size_t index);

/* Put lowest to highest into a stack of free ids: the last in comes out first. */
int hr_probes_fill(const struct bpf_map *stack, uint32_t lowest, uint32_t highest, struct hr_err *err);
int hr_probes_push(const struct bpf_map *stack, uint32_t slot);

/* Run an attached iterator to its end, which closes the link; its output goes to *ret_data if that is not NULL. */
int hr_probes_iterate(const struct bpf_program *program, const struct bpf_iter_attach_opts *options, char **ret_data,
		      size_t *ret_bytes, struct hr_err *err);

/* Runs of a program that the kernel skipped. */
uint64_t hr_probes_skipped(const struct bpf_program *program);

/* Requests: sizes before the load, maps after it, the function's probes when the rest is attached. */
void hr_probes_requests_configure(struct hr_probes *probes);
int hr_probes_requests_prepare(struct hr_probes *probes, struct hr_err *err);
int hr_probes_requests_attach(struct hr_probes *probes, struct hr_err *err);
void hr_probes_requests_mend(struct hr_probes *probes);
uint64_t hr_probes_requests_missed(const struct hr_probes *probes);
bool hr_probes_is_paired(const struct hr_probes *probes, const struct bpf_program *program);
void hr_probes_requests_detach(struct hr_probes *probes);
void hr_probes_requests_close(struct hr_probes *probes);

/* Sampled stacks, likewise. */
void hr_probes_stacks_configure(struct hr_probes *probes, uint32_t sample_hz);
int hr_probes_stacks_attach(struct hr_probes *probes, struct hr_err *err);
void hr_probes_stacks_detach(struct hr_probes *probes);

/* The tables by which they are unwound: sizes before the load, maps after it. */
void hr_probes_unwind_configure(struct hr_probes *probes, bool is_used);
int hr_probes_unwind_prepare(struct hr_probes *probes, struct hr_err *err);
void hr_probes_unwind_close(struct hr_probes *probes);

/* The wait graph: maps after the load. */
int hr_probes_waits_prepare(struct hr_probes *probes, struct hr_err *err);
void hr_probes_waits_close(struct hr_probes *probes);

/* Disks: maps after the load. */
int hr_probes_disks_prepare(struct hr_probes *probes, struct hr_err *err);
void hr_probes_disks_close(struct hr_probes *probes);

#endif
