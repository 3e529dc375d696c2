/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_PROBES_H
#define HR_COLLECT_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "headroom/accounts.h"

/*
 * The BPF programs and their maps in the kernel: load, attach, seed, read, detach. Nothing of it outlives the process: links
 * and maps are held by file descriptors only.
 */
struct hr_probes;

struct hr_probes_options {
	bool follow_children; /* processes born of the target belong to it */
};

/*
 * Load and verify every program that this kernel has a hook for, with all slots free. Nothing runs yet.
 * 0 and *ret_probes (free with hr_probes_close()); -EPERM, -ENOENT (a hook that cannot be missed is not there), ...
 */
int hr_probes_open(const struct hr_probes_options *options, struct hr_probes **ret_probes, struct hr_err *err);

/* Attach all programs: from here on they run. On failure none stays attached. */
int hr_probes_attach(struct hr_probes *probes, struct hr_err *err);

/*
 * Some kernels (7.x) let the programs on the syscall hooks be preempted, and skip them meanwhile for every other thread of that
 * CPU. Where that is seen, go over to the classic tracepoints, which are never preempted but cost more. Call it now and then;
 * what was skipped until then is in hr_probes_losses().
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
