/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "collect/procs.h"

/* Slots come into use in order, but for those whose owner is being entered at this moment. */
#define UNUSED_IN_A_ROW 16

struct member {
	int64_t id; /* 0: free */
	uint32_t execs;
	char comm[HR_COMM_BYTES];
	bool ended; /* seen so in an earlier pass */
};

struct hr_roster {
	struct member processes[HR_PROCESS_SLOTS];
	uint32_t process_slots;
	pid_t entered[HR_PROCESS_SLOTS]; /* in this pass */
	size_t entered_count;
	int64_t last_process_id, last_thread_id;
};

struct hr_roster *hr_roster_new(void)
{
	struct hr_roster *roster = calloc(1, sizeof(*roster));

	if (roster)
		roster->process_slots = 1;
	return roster;
}

void hr_roster_free(struct hr_roster *roster)
{
	free(roster);
}

int64_t hr_roster_process_id(const struct hr_roster *roster, uint32_t slot)
{
	return slot < HR_PROCESS_SLOTS ? roster->processes[slot].id : 0;
}

uint32_t hr_roster_process_slots(const struct hr_roster *roster)
{
	return roster->process_slots;
}

uint32_t hr_roster_alive(const struct hr_roster *roster, struct hr_probes *probes)
{
	uint32_t alive = 0, unused = 0;

	for (uint32_t slot = 1; slot < HR_PROCESS_SLOTS && unused < UNUSED_IN_A_ROW; slot++) {
		const struct hr_process *process = hr_probes_process(probes, slot);

		unused = process->pid || slot < roster->process_slots ? 0 : unused + 1;
		alive += process->pid && !process->ended_ns;
	}
	return alive;
}

const pid_t *hr_roster_entered(const struct hr_roster *roster, size_t *ret_count)
{
	*ret_count = roster->entered_count;
	return roster->entered;
}

static int enter(struct hr_roster *roster, struct hr_drain *drain, uint32_t slot, const struct hr_process *process,
		 struct hr_err *err)
{
	struct member *member = &roster->processes[slot];
	struct hr_process_info info = { .parent = process->parent };
	const struct hr_task_row *task = hr_drain_task(drain, process->pid);
	bool is_there = !process->ended_ns && hr_process_info("", process->pid, &info) == 0;
	char name[HR_PROC_NAME_BYTES];

	member->id = ++roster->last_process_id;
	member->execs = process->execs;
	roster->entered[roster->entered_count++] = process->pid;
	memcpy(member->comm, task ? task->comm : process->comm, sizeof(member->comm));
	hr_text_clean(name, sizeof(name), member->comm, sizeof(member->comm));
	return hr_writer_add(drain->writer, HR_TABLE_processes,
			     &(struct hr_row_processes){
				     .process_id = member->id,
				     .pid = process->pid,
				     .parent_pid = process->parent ? (int64_t)process->parent :
						   is_there	   ? (int64_t)info.parent :
								     HR_NULL,
				     .name = member->comm[0] ? name : is_there ? info.name : NULL,
				     .command = is_there ? info.command : NULL,
				     .first_ns = hr_drain_time(drain, process->born_ns),
				     .last_ns = HR_NULL,
			     },
			     err);
}

/* A process changes its name by exec, or because its first thread does. */
static int refresh(struct hr_drain *drain, struct member *member, const struct hr_process *process, struct hr_err *err)
{
	const struct hr_task_row *task = hr_drain_task(drain, process->pid);
	struct hr_process_info info;
	char name[HR_PROC_NAME_BYTES];
	int ret = 0;

	if (task && memcmp(task->comm, member->comm, sizeof(member->comm)) != 0) {
		memcpy(member->comm, task->comm, sizeof(member->comm));
		hr_text_clean(name, sizeof(name), member->comm, sizeof(member->comm));
		ret = hr_writer_exec(drain->writer, err, "UPDATE processes SET name = ? WHERE process_id = ?", "ti", name,
				     member->id);
	}
	if (!ret && process->execs != member->execs && hr_process_info("", process->pid, &info) == 0) {
		member->execs = process->execs;
		ret = hr_writer_exec(drain->writer, err, "UPDATE processes SET command = ? WHERE process_id = ?", "ti",
				     info.command, member->id);
	}
	return ret;
}

static int leave(struct hr_drain *drain, const struct member *member, const struct hr_process *process, struct hr_err *err)
{
	const char *comm = process->comm[0] ? process->comm : member->comm;
	char name[HR_PROC_NAME_BYTES];

	hr_text_clean(name, sizeof(name), comm, HR_COMM_BYTES);
	return hr_writer_exec(drain->writer, err, "UPDATE processes SET last_ns = ?, name = ? WHERE process_id = ?", "iti",
			      hr_drain_time(drain, process->ended_ns), name, member->id);
}

int hr_roster_update(struct hr_roster *roster, struct hr_drain *drain, struct hr_err *err)
{
	uint32_t unused = 0;
	int ret = 0;

	roster->entered_count = 0;
	for (uint32_t slot = 1; slot < HR_PROCESS_SLOTS && unused < UNUSED_IN_A_ROW && !ret; slot++) {
		const struct hr_process *process = hr_probes_process(drain->probes, slot);
		struct member *member = &roster->processes[slot];

		if (!process->pid) {
			unused += slot >= roster->process_slots;
			continue;
		}
		unused = 0;
		if (slot >= roster->process_slots)
			roster->process_slots = slot + 1;
		if (!member->id)
			ret = enter(roster, drain, slot, process, err);
		else if (!process->ended_ns)
			ret = refresh(drain, member, process, err);
	}
	return ret;
}

int64_t hr_roster_thread_enter(struct hr_roster *roster, struct hr_drain *drain, const struct hr_thread *thread, uint64_t first_ns,
			       const char *comm, struct hr_err *err)
{
	char name[HR_PROC_NAME_BYTES];
	int64_t id = ++roster->last_thread_id;
	int ret;

	hr_text_clean(name, sizeof(name), comm, HR_COMM_BYTES);
	ret = hr_writer_add(drain->writer, HR_TABLE_threads,
			    &(struct hr_row_threads){
				    .thread_id = id,
				    .process_id = hr_roster_process_id(roster, thread->process),
				    .tid = thread->tid,
				    .name = name,
				    .first_ns = hr_drain_time(drain, first_ns),
				    .last_ns = HR_NULL,
				    .ended = 0,
			    },
			    err);
	return ret ? ret : id;
}

int hr_roster_thread_rename(struct hr_drain *drain, int64_t thread_id, const char *comm, struct hr_err *err)
{
	char name[HR_PROC_NAME_BYTES];

	hr_text_clean(name, sizeof(name), comm, HR_COMM_BYTES);
	return hr_writer_exec(drain->writer, err, "UPDATE threads SET name = ? WHERE thread_id = ?", "ti", name, thread_id);
}

int hr_roster_thread_leave(struct hr_drain *drain, int64_t thread_id, uint64_t at_ns, bool ended, struct hr_err *err)
{
	return hr_writer_exec(drain->writer, err, "UPDATE threads SET last_ns = ?, ended = ? WHERE thread_id = ?", "iii",
			      hr_drain_time(drain, at_ns), (int64_t)ended, thread_id);
}

static int free_flows(struct hr_drain *drain, const bool is_gone[HR_PROCESS_SLOTS])
{
	uint32_t flows = hr_probes_has_requests(drain->probes) ? hr_probes_flows(drain->probes) : 0;
	int ret = 0;

	for (uint32_t flow = 1; flow < flows && !ret; flow++) {
		const struct hr_flow_key *key = &hr_probes_flow(drain->probes, flow, 0)->key;

		if (key->role != HR_ROLE_NONE && key->process < HR_PROCESS_SLOTS && is_gone[key->process])
			ret = hr_probes_free_flow(drain->probes, flow);
	}
	return ret;
}

static int free_locks(struct hr_drain *drain, const bool is_gone[HR_PROCESS_SLOTS])
{
	int ret = 0;

	for (uint32_t lock = 1; lock < HR_LOCKS && !ret; lock++) {
		uint32_t process = hr_probes_lock(drain->probes, lock)->process;

		if (process && process < HR_PROCESS_SLOTS && is_gone[process])
			ret = hr_probes_free_lock(drain->probes, lock);
	}
	return ret;
}

static bool has_ended(const struct hr_drain *drain, uint32_t thread_slot)
{
	const struct hr_drain_thread *thread = hr_drain_thread(drain, thread_slot);

	return thread && thread->ended;
}

/* A slot is not handed out again before the edges of its last thread are gone: its next one must not add to them. */
static int free_threads(struct hr_drain *drain)
{
	bool any = false;
	int ret = 0;

	for (uint32_t slot = 1; slot < drain->thread_slots && !any; slot++)
		any = has_ended(drain, slot);
	for (uint32_t edge = 1; edge < HR_EDGES && any && !ret; edge++)
		if (has_ended(drain, hr_probes_edge(drain->probes, edge)->key.waiter))
			ret = hr_probes_free_edge(drain->probes, edge);
	for (uint32_t slot = 1; slot < drain->thread_slots && any && !ret; slot++)
		if (has_ended(drain, slot))
			ret = hr_probes_free_thread(drain->probes, slot);
	return ret;
}

/* Everything that belongs to the processes in is_gone; the records and the errors are walked once for all of them. */
static int free_all(struct hr_roster *roster, struct hr_drain *drain, const bool is_gone[HR_PROCESS_SLOTS])
{
	uint32_t records = hr_probes_call_records(drain->probes);
	int ret;

	for (uint32_t record = 1; record < records && record < drain->call_records; record++) {
		uint32_t process = hr_probes_calls(drain->probes, record, 0)->process;

		if (process < HR_PROCESS_SLOTS && is_gone[process] && (ret = hr_probes_free_calls(drain->probes, record)))
			return ret;
	}
	ret = hr_probes_free_errors(drain->probes, is_gone);
	if (!ret)
		ret = free_flows(drain, is_gone);
	if (!ret)
		ret = free_locks(drain, is_gone);
	for (uint32_t slot = 1; slot < roster->process_slots && !ret; slot++) {
		if (!is_gone[slot])
			continue;
		roster->processes[slot] = (struct member){ 0 };
		ret = hr_probes_free_process(drain->probes, slot);
	}
	return ret;
}

int hr_roster_sweep(struct hr_roster *roster, struct hr_drain *drain, struct hr_err *err)
{
	bool is_gone[HR_PROCESS_SLOTS] = { false }, any = false;
	int ret = free_threads(drain);

	if (ret)
		return hr_err_errno(err, ret, "cannot take back the slots of threads that ended");
	for (uint32_t slot = 1; slot < roster->process_slots && !ret; slot++) {
		struct hr_process *process = hr_probes_process(drain->probes, slot);
		struct member *member = &roster->processes[slot];

		if (!member->id || !process->ended_ns)
			continue;
		if (member->ended) {
			is_gone[slot] = any = true;
			continue;
		}
		member->ended = true; /* its last threads may have died after the families looked: freed in the next pass */
		ret = leave(drain, member, process, err);
	}
	if (ret || !any)
		return ret;
	ret = free_all(roster, drain, is_gone);
	return ret ? hr_err_errno(err, ret, "cannot take back the records of processes that ended") : 0;
}
