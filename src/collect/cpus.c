/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs: who had each of them, what the hypervisor and interrupts took, and which other processes ran.
 * Kernel side: bpf/sched.bpf.c (cpu_turn), bpf/tasks.bpf.c (list_tasks).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "collect/drain.h"
#include "collect/host.h"
#include "collect/procs.h"
#include "collect/roster.h"

#define NEIGHBOURS_MAX 20
#define NEIGHBOUR_LEAST_NS 100000 /* less in an interval is not worth a row */

/* What a process ran. */
struct ran {
	uint32_t pid;
	uint64_t ran_ns;
};

struct cpus {
	struct hr_host host;
	struct hr_host_cpu *before; /* of host.cpus, at the last pass */
	uint64_t (*owner_ns)[HR_OWNERS_KERNEL]; /* by CPU, at the last pass */
	struct ran *processes;			/* by pid, at the last pass */
	size_t process_count;
};

static void note_live(struct hr_drain *drain, const uint64_t delta_ns[HR_OWNERS_KERNEL])
{
	struct hr_live *live = &drain->live;

	live->cpus++;
	for (int owner = 0; owner < HR_OWNERS_KERNEL && !drain->discard; owner++) {
		live->owner_ns[owner] += delta_ns[owner];
		live->interval_owner_ns[owner] += delta_ns[owner];
	}
}

/* Write each CPU's row; returns the time that other threads had on all of them. */
static uint64_t add_cpus(struct cpus *cpus, struct hr_drain *drain)
{
	uint64_t now_ns = hr_clock_mono_ns(), other_ns = 0, steal_ns = 0, irq_ns = 0, all_ns = 0;

	drain->live.cpus = 0;
	memset(drain->live.interval_owner_ns, 0, sizeof(drain->live.interval_owner_ns));
	for (uint32_t cpu = 0; cpu < hr_probes_cpus(drain->probes) && cpu < cpus->host.cpu_count; cpu++) {
		const struct hr_host_cpu *host = &cpus->host.cpus[cpu], *before = &cpus->before[cpu];
		uint64_t totals_ns[HR_OWNERS_KERNEL], delta_ns[HR_OWNERS_KERNEL];

		hr_drain_cpu_owners(drain, cpu, now_ns, totals_ns);
		for (int owner = 0; owner < HR_OWNERS_KERNEL; owner++)
			delta_ns[owner] = hr_drain_growth(totals_ns[owner], cpus->owner_ns[cpu][owner]);
		memcpy(cpus->owner_ns[cpu], totals_ns, sizeof(totals_ns));
		if (!host->online || !before->online) /* it came or went: what it counted is of no known time */
			continue;
		for (int owner = 0; owner < HR_OWNERS_KERNEL; owner++)
			all_ns += delta_ns[owner];
		note_live(drain, delta_ns);
		other_ns += delta_ns[HR_OWNER_OTHER];
		steal_ns += hr_drain_growth(host->steal_ns, before->steal_ns);
		irq_ns += hr_drain_growth(host->irq_ns, before->irq_ns);
		hr_drain_add(drain, HR_TABLE_cpus,
			     &(struct hr_row_cpus){
				     .interval_id = drain->interval_id,
				     .cpu = cpu,
				     .target_ns = delta_ns[HR_OWNER_TARGET],
				     .other_ns = delta_ns[HR_OWNER_OTHER],
				     .idle_ns = delta_ns[HR_OWNER_IDLE],
				     .steal_ns = cpus->host.steal_known ? (int64_t)hr_drain_growth(host->steal_ns, before->steal_ns) : HR_NULL,
				     .irq_ns = cpus->host.irq_known ? (int64_t)hr_drain_growth(host->irq_ns, before->irq_ns) : HR_NULL,
			     });
	}
	drain->steal_share = cpus->host.steal_known && all_ns ? (double)steal_ns / all_ns : 0;
	drain->irq_share = cpus->host.irq_known && all_ns ? (double)irq_ns / all_ns : 0;
	if (drain->steal_share + drain->irq_share > 1) /* ticks are coarse against a short interval */
		drain->steal_share = drain->irq_share = 0;
	return other_ns;
}

static bool is_target(const struct hr_drain *drain, uint32_t pid)
{
	for (uint32_t slot = 1; slot < hr_roster_process_slots(drain->roster); slot++)
		if (hr_probes_process(drain->probes, slot)->pid == pid)
			return true;
	return false;
}

static int by_pid(const void *a, const void *b)
{
	const struct ran *left = a, *right = b;

	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

static int by_time(const void *a, const void *b)
{
	const struct ran *left = a, *right = b;

	return left->ran_ns > right->ran_ns ? -1 : left->ran_ns < right->ran_ns;
}

/* Add up the tasks of each process, those that have exited too; by pid in *ret, the caller's to free. */
static int sum_processes(const struct hr_drain *drain, struct ran **ret, size_t *ret_count, struct hr_err *err)
{
	struct ran *sums = calloc(drain->task_count + 1, sizeof(*sums));
	size_t count = 0, merged = 0;

	if (!sums)
		return hr_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < drain->task_count; i++)
		if (drain->tasks[i].pid)
			sums[count++] = (struct ran){ drain->tasks[i].pid, drain->tasks[i].ran_ns + drain->tasks[i].ended_ran_ns };
	qsort(sums, count, sizeof(*sums), by_pid);
	for (size_t i = 0; i < count; i++) {
		if (merged && sums[merged - 1].pid == sums[i].pid)
			sums[merged - 1].ran_ns += sums[i].ran_ns;
		else
			sums[merged++] = sums[i];
	}
	*ret = sums;
	*ret_count = merged;
	return 0;
}

/*
 * What a process ran since the last pass. Less than before: a thread that was exiting while the tasks were listed is missing from
 * the sum, and the next pass has it; or the pid was reused: then it can have run no longer than the others had all CPUs.
 */
static uint64_t ran_since(struct ran *now, const struct ran *before, uint64_t other_ns)
{
	if (!before)
		return now->ran_ns;
	if (now->ran_ns >= before->ran_ns)
		return now->ran_ns - before->ran_ns;
	if (now->ran_ns <= other_ns)
		return now->ran_ns;
	now->ran_ns = before->ran_ns;
	return 0;
}

/* Those outside the target that ran since the last pass, most time first, in `found`, which has room; returns how many. */
static size_t find_neighbours(const struct cpus *cpus, const struct hr_drain *drain, struct ran *now, size_t count,
			      uint64_t other_ns, struct ran *found)
{
	size_t neighbours = 0;

	for (size_t i = 0; i < count; i++) {
		const struct ran *before = NULL;
		uint64_t ran_ns;

		if (cpus->process_count)
			before = bsearch(&now[i], cpus->processes, cpus->process_count, sizeof(*before), by_pid);
		ran_ns = ran_since(&now[i], before, other_ns);
		if (ran_ns >= NEIGHBOUR_LEAST_NS && !is_target(drain, now[i].pid))
			found[neighbours++] = (struct ran){ now[i].pid, ran_ns };
	}
	qsort(found, neighbours, sizeof(*found), by_time);
	return neighbours < NEIGHBOURS_MAX ? neighbours : NEIGHBOURS_MAX;
}

static void add_neighbours(struct hr_drain *drain, const struct ran *found, size_t count, uint64_t other_ns)
{
	uint64_t named_ns = 0;

	for (size_t i = 0; i < count; i++) {
		const struct hr_task_row *first = hr_drain_task(drain, found[i].pid);
		char name[HR_PROC_NAME_BYTES];

		hr_text_clean(name, sizeof(name), first ? first->comm : "", HR_COMM_BYTES);
		named_ns += found[i].ran_ns;
		hr_drain_add(drain, HR_TABLE_neighbours,
			     &(struct hr_row_neighbours){
				     .interval_id = drain->interval_id,
				     .pid = found[i].pid,
				     .name = first ? name : NULL,
				     .cpu_ns = found[i].ran_ns,
			     });
	}
	if (other_ns > named_ns) /* small ones, and those that came and went within the interval */
		hr_drain_add(drain, HR_TABLE_neighbours,
			     &(struct hr_row_neighbours){
				     .interval_id = drain->interval_id,
				     .pid = HR_NULL,
				     .name = NULL,
				     .cpu_ns = other_ns - named_ns,
			     });
}

static int drain_processes(struct cpus *cpus, struct hr_drain *drain, uint64_t other_ns, struct hr_err *err)
{
	struct ran *now = NULL, *found;
	size_t count = 0;
	int ret = sum_processes(drain, &now, &count, err);

	if (ret)
		return ret;
	found = calloc(count + 1, sizeof(*found));
	if (!found) {
		free(now);
		return hr_err_set(err, -ENOMEM, "out of memory");
	}
	if (!drain->discard)
		add_neighbours(drain, found, find_neighbours(cpus, drain, now, count, other_ns, found), other_ns);
	free(found);
	free(cpus->processes);
	cpus->processes = now;
	cpus->process_count = count;
	return 0;
}

static int drain_cpus(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct cpus *cpus = family;
	uint64_t other_ns;
	int ret;

	for (size_t cpu = 0; cpu < cpus->host.cpu_count && cpu < hr_probes_cpus(drain->probes); cpu++)
		cpus->before[cpu] = cpus->host.cpus[cpu];
	ret = hr_host_read(&cpus->host, err);
	if (ret)
		return ret;
	other_ns = add_cpus(cpus, drain);
	return drain_processes(cpus, drain, other_ns, err);
}

static void close_cpus(void *family)
{
	struct cpus *cpus = family;

	if (!cpus)
		return;
	hr_host_fini(&cpus->host);
	free(cpus->before);
	free(cpus->owner_ns);
	free(cpus->processes);
	free(cpus);
}

static void *open_cpus(struct hr_drain *drain, struct hr_err *err)
{
	struct cpus *cpus = calloc(1, sizeof(*cpus));

	if (!cpus) {
		hr_err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	cpus->owner_ns = calloc(hr_probes_cpus(drain->probes), sizeof(*cpus->owner_ns));
	cpus->before = calloc(hr_probes_cpus(drain->probes), sizeof(*cpus->before));
	if (!cpus->owner_ns || !cpus->before) {
		hr_err_set(err, -ENOMEM, "out of memory");
		goto fail;
	}
	if (!hr_host_init(&cpus->host, "", err))
		return cpus;
fail:
	close_cpus(cpus);
	return NULL;
}

const struct hr_family hr_family_cpus = { "cpus", open_cpus, NULL, drain_cpus, NULL, close_cpus };
