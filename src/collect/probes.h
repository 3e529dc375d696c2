/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_PROBES_H
#define HR_COLLECT_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "headroom/accounts.h"
#include "headroom/disks.h"
#include "headroom/net.h"
#include "headroom/stacks.h"
#include "headroom/unwind.h"
#include "headroom/waits.h"

/*
 * The BPF programs and their maps in the kernel: load, attach, seed, read, detach. Nothing of it outlives the process: links
 * and maps are held by file descriptors only.
 */
struct hr_probes;

struct hr_probes_options {
	bool follow_children; /* processes born of the target belong to it */
	uint32_t sample_hz;   /* samples of stacks per second and CPU; 0: none */
	const char *request_binary, *request_symbol; /* a function whose calls are requests; NULL: none */
};

/*
 * Load and verify every program that this kernel has a hook for and that is not left to hr_probes_mend(), with all slots free.
 * Nothing runs yet.
 * 0 and *ret_probes (free with hr_probes_close()); -EPERM, -ENOENT (a hook that cannot be missed is not there), ...
 */
int hr_probes_open(const struct hr_probes_options *options, struct hr_probes **ret_probes, struct hr_err *err);

/* Attach all programs: from here on they run. On failure none stays attached. */
int hr_probes_attach(struct hr_probes *probes, struct hr_err *err);

/*
 * Some kernels (7.x) let the programs on the syscall hooks be preempted, and skip them meanwhile for every other thread of that
 * CPU. Where that is seen, go over to the classic tracepoints, which are never preempted but cost more; and likewise have second
 * programs on the hooks of sockets. Neither are loaded before. Call it now and then; what was skipped until then is in
 * hr_probes_losses().
 */
void hr_probes_mend(struct hr_probes *probes);

/* Detach; the accounts can still be read. */
void hr_probes_detach(struct hr_probes *probes);

/* Detach and free. Takes NULL. */
void hr_probes_close(struct hr_probes *probes);

/* Start of the recording on the clock of base/clock.h, fixed at hr_probes_open(). */
uint64_t hr_probes_epoch_ns(const struct hr_probes *probes);

/*
 * Take in the threads of these processes that exist now and are not known yet, also those that are blocked. Processes that
 * are known, and pids that are gone, are left as they are.
 */
int hr_probes_seed(struct hr_probes *probes, const pid_t *pids, size_t count, struct hr_err *err);

/* Every task of the host, in no order: count rows in *ret_rows (free with free()). */
int hr_probes_list_tasks(struct hr_probes *probes, struct hr_task_row **ret_rows, size_t *ret_count, struct hr_err *err);

/*
 * The records, mapped: slots up to HR_THREAD_SLOTS - 1, HR_PROCESS_SLOTS - 1, hr_probes_call_records() - 1. Slot 0 is never used. They come into
 * use in ascending order. The programs write them at any time.
 */
struct hr_thread *hr_probes_thread(struct hr_probes *probes, uint32_t slot);
struct hr_process *hr_probes_process(struct hr_probes *probes, uint32_t slot);
struct hr_calls *hr_probes_calls(struct hr_probes *probes, uint32_t record, uint32_t shard);
struct hr_cpu *hr_probes_cpu(struct hr_probes *probes, uint32_t cpu);
uint32_t hr_probes_call_records(const struct hr_probes *probes);
uint32_t hr_probes_call_shards(const struct hr_probes *probes);
uint32_t hr_probes_cpus(const struct hr_probes *probes);

/* Zero a record whose owner is gone and has been drained, and hand it out again. */
int hr_probes_free_thread(struct hr_probes *probes, uint32_t slot);
int hr_probes_free_process(struct hr_probes *probes, uint32_t slot);
int hr_probes_free_calls(struct hr_probes *probes, uint32_t record);

/*
 * Failed calls by errno: calls each(context, key, count) for every row. Rows of processes
 * that are gone are removed by hr_probes_free_errors().
 */
int hr_probes_each_error(struct hr_probes *probes, void (*each)(void *context, const struct hr_errno_key *key, uint64_t count),
			 void *context);
int hr_probes_free_errors(struct hr_probes *probes, const bool is_gone[HR_PROCESS_SLOTS]);

/*
 * Sampled stacks since the last call: calls takers->sample() for every row of samples, and then takers->stack() for every stack
 * that was not told in an earlier call, or came again since. 0; -errno: the maps could not be read.
 */
struct hr_stack_takers {
	void (*stack)(void *context, uint64_t key, const struct hr_stack *stack);
	void (*sample)(void *context, const struct hr_sample_key *key, const struct hr_sample *sample);
};
int hr_probes_take_samples(struct hr_probes *probes, const struct hr_stack_takers *takers, void *context);

/* By what user stacks are unwound, for user space to write; row_max 0: by frame pointers alone. */
struct hr_unwind_tables {
	struct hr_unwind_row *rows; /* row_max of them */
	uint32_t row_max;
	struct hr_unwind_space *spaces; /* HR_UNWIND_SPACES */
	struct hr_unwind_process *processes; /* by slot, HR_PROCESS_SLOTS */
};
void hr_probes_unwind_tables(struct hr_probes *probes, struct hr_unwind_tables *ret);

/* Time that a sample stands for; 0: none are taken. */
uint32_t hr_probes_sample_period_ns(const struct hr_probes *probes);

/*
 * Edges of the wait graph and contended futexes: ids below HR_EDGES and HR_LOCKS; 0 is never used. An edge whose key has waiter 0,
 * and a lock whose process is 0, are free.
 */
struct hr_edge *hr_probes_edge(struct hr_probes *probes, uint32_t edge);
struct hr_lock *hr_probes_lock(struct hr_probes *probes, uint32_t lock);

/* The wait that the thread in that slot is in. -errno: it cannot be read. */
int hr_probes_open_wait(struct hr_probes *probes, uint32_t slot, struct hr_open_wait *ret);

/* From now on a wait of that edge takes another record; one that was about to be added to this still is. */
void hr_probes_retire_edge(struct hr_probes *probes, uint32_t edge);

/* Zero a record whose waiter or process is gone, or that was retired before the last pass, and has been drained; hand it out again. */
int hr_probes_free_edge(struct hr_probes *probes, uint32_t edge);
int hr_probes_free_lock(struct hr_probes *probes, uint32_t lock);

/*
 * Disks: indices below HR_DISKS; device 0: free. They are never taken back. hr_probes_has_disks(): false where the kernel has not
 * the hooks.
 */
bool hr_probes_has_disks(const struct hr_probes *probes);
struct hr_disk *hr_probes_disk(struct hr_probes *probes, uint32_t disk);

/*
 * Flows and the histograms of their stages: ids below hr_probes_flows() and hr_probes_stages(), 0 is never used; shards below
 * hr_probes_flow_shards(). The key of a flow is in shard 0; role NONE: free. hr_probes_has_requests(): false where the kernel
 * has none of the hooks.
 */
bool hr_probes_has_requests(const struct hr_probes *probes);
struct hr_flow *hr_probes_flow(struct hr_probes *probes, uint32_t flow, uint32_t shard);
struct hr_stage_hist *hr_probes_stage(struct hr_probes *probes, uint32_t record, uint32_t shard);
uint32_t hr_probes_flows(const struct hr_probes *probes);
uint32_t hr_probes_stages(const struct hr_probes *probes);
uint32_t hr_probes_flow_shards(const struct hr_probes *probes);

/* Zero a flow whose process is gone and has been drained, and its stages, and hand them out again. */
int hr_probes_free_flow(struct hr_probes *probes, uint32_t flow);

/*
 * Take in the sockets that the target's processes hold and that are not known yet: listening ones, connected ones. Those of
 * TCP that are born later need no such look.
 */
int hr_probes_seed_sockets(struct hr_probes *probes, struct hr_err *err);

/*
 * Every socket of TCP and unix streams to which a descriptor of the target leads, each once, by id: count rows in *ret_rows (free
 * with free()). Those that are new are taken in. Requests whose answer has been complete for idle_ns are finished by this.
 */
int hr_probes_list_sockets(struct hr_probes *probes, uint64_t idle_ns, struct hr_socket_row **ret_rows, size_t *ret_count,
			   struct hr_err *err);

/* Sockets that ended since the last call, in that order: calls each(context, row) for every one. */
int hr_probes_each_ended_socket(struct hr_probes *probes, void (*each)(void *context, const struct hr_socket_row *row),
				void *context);

/* Losses counted in the kernel since the start, and runs that it skipped, by enum hr_loss. */
void hr_probes_losses(struct hr_probes *probes, uint64_t ret_counts[HR_LOSSES]);

/* Run counts and times of the programs, as far as the kernel's statistics were on. */
struct hr_program_cost {
	const char *name;
	uint64_t runs, time_ns;
};

/* Fills up to max rows and returns how many there are. */
size_t hr_probes_costs(struct hr_probes *probes, struct hr_program_cost *ret_costs, size_t max);

#endif
