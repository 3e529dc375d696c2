/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Syscalls of each process: how many, how long, how they failed, and which go on; and the run-queue waits, whose histograms are
 * kept in the same records. Kernel side: bpf/calls.bpf.h, bpf/syscall.bpf.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "collect/drain.h"
#include "collect/roster.h"
#include "collect/syscalls.h"

#define UNUSED_IN_A_ROW 64
#define EAGAIN_NUMBER 11

/* A record as it was read last, its shards added up. Slots and records are reused: the process's id tells by whom. */
struct known_record {
	int64_t process_id;
	struct hr_calls calls;
};

struct known_error {
	struct hr_errno_key key;
	int64_t process_id;
	uint64_t count;
};

struct calls {
	struct known_record *known; /* by record */
	uint32_t records;	/* how many of them there is room for: the first above all that were ever in use */
	struct known_error *errors, *errors_before; /* by key */
	size_t error_count, error_room, error_before_count;
	int status; /* of noting an error */
};

/* ---- records ---- */

/*
 * Calls that went untimed wait for a timed one that stands for them. Where none will come any more, they count as long as the
 * average.
 */
static void add_untimed(struct hr_calls *sum, const struct hr_calls *shard)
{
	sum->total_ns += shard->untimed * shard->mean_ns;
	sum->slots[hr_hist_slot(shard->mean_ns, HR_HIST_BITS, HR_HIST_SLOTS)] += shard->untimed;
}

static void add_shard(struct hr_calls *sum, const struct hr_calls *shard)
{
	sum->calls += shard->calls;
	sum->errors += shard->errors;
	sum->again += shard->again;
	sum->timed += shard->timed;
	sum->total_ns += shard->total_ns;
	for (int slot = 0; slot < HR_HIST_SLOTS; slot++)
		sum->slots[slot] += shard->slots[slot];
}

static void read_record(struct hr_drain *drain, uint32_t record, struct hr_calls *ret)
{
	const struct hr_calls *first = hr_probes_calls(drain->probes, record, 0);
	bool is_final = drain->last || hr_probes_process(drain->probes, first->process)->ended_ns;

	memset(ret, 0, sizeof(*ret));
	ret->process = first->process;
	ret->row = first->row;
	for (uint32_t shard = 0; shard < hr_probes_call_shards(drain->probes); shard++) {
		add_shard(ret, hr_probes_calls(drain->probes, record, shard));
		if (is_final)
			add_untimed(ret, hr_probes_calls(drain->probes, record, shard));
	}
}

static const char *metric_of(uint32_t row)
{
	return row == HR_CALL_RUNQ ? "runq" : row == HR_CALL_PREEMPTED ? "preempted" : "syscall";
}

static void add_histogram(struct hr_drain *drain, const struct hr_calls *now, const struct hr_calls *before, const char *label)
{
	for (uint32_t slot = 0; slot < HR_HIST_SLOTS; slot++) {
		uint32_t count = now->slots[slot] - before->slots[slot];

		if (count)
			hr_drain_add(drain, HR_TABLE_histograms,
				     &(struct hr_row_histograms){
					     .interval_id = drain->interval_id,
					     .process_id = hr_roster_process_id(drain->roster, now->process),
					     .metric = metric_of(now->row),
					     .label = label,
					     .low_ns = hr_hist_low(slot, HR_HIST_BITS),
					     .high_ns = hr_hist_low(slot + 1, HR_HIST_BITS),
					     .count = count,
				     });
	}
}

/* The calls of this pair that go on, which are taken out of the list. */
static void take_open_calls(struct hr_drain *drain, uint32_t process_slot, uint32_t row, int64_t *ret_count, int64_t *ret_ns)
{
	*ret_count = *ret_ns = 0;
	for (size_t i = 0; i < drain->open_call_count; i++) {
		struct hr_open_call *open = &drain->open_calls[i];

		if (open->process_slot != process_slot || open->row != row)
			continue;
		(*ret_count)++;
		*ret_ns += open->age_ns;
		*open = drain->open_calls[--drain->open_call_count];
		i--;
	}
}

static void add_syscall(struct hr_drain *drain, const struct hr_calls *now, const struct hr_calls *before, const char *name)
{
	bool grew = now->total_ns > before->total_ns; /* at the end also by calls of earlier intervals, that went untimed */
	struct hr_row_syscalls row = {
		.interval_id = drain->interval_id,
		.process_id = hr_roster_process_id(drain->roster, now->process),
		.abi = hr_syscall_abi(now->row),
		.syscall = name,
		.calls = now->calls - before->calls,
		.timed = now->timed - before->timed,
		.errors = now->errors - before->errors,
		.total_ns = now->timed > before->timed || grew ? (int64_t)(now->total_ns - before->total_ns) : HR_NULL,
	};

	take_open_calls(drain, now->process, now->row, &row.in_progress, &row.in_progress_ns);
	if (row.calls || row.in_progress || grew)
		hr_drain_add(drain, HR_TABLE_syscalls, &row);
}

static void add_error(struct hr_drain *drain, uint32_t process_slot, uint32_t call_row, int number, uint64_t count)
{
	char name[24], error[16];

	hr_drain_add(drain, HR_TABLE_syscall_errors,
		     &(struct hr_row_syscall_errors){
			     .interval_id = drain->interval_id,
			     .process_id = hr_roster_process_id(drain->roster, process_slot),
			     .abi = hr_syscall_abi(call_row),
			     .syscall = hr_syscall_name(call_row, name),
			     .error = hr_text_errno_name(number, error),
			     .calls = count,
		     });
}

static void drain_record(struct calls *calls, struct hr_drain *drain, uint32_t record)
{
	struct known_record *known = &calls->known[record];
	struct hr_calls now, *before = &known->calls;
	const char *name = NULL;
	char number[24];
	int64_t process_id;

	read_record(drain, record, &now);
	process_id = hr_roster_process_id(drain->roster, now.process);
	if (!process_id)
		return; /* came after the processes were looked at: the next pass has it */
	if (known->process_id != process_id || before->row != now.row)
		*known = (struct known_record){ .process_id = process_id, .calls.row = now.row };
	if (now.row < HR_CALL_RUNQ) {
		name = hr_syscall_name(now.row, number);
		add_syscall(drain, &now, before, name);
		if (now.again > before->again)
			add_error(drain, now.process, now.row, EAGAIN_NUMBER, now.again - before->again);
	}
	add_histogram(drain, &now, before, name);
	*before = now;
}

static int grow(struct calls *calls, uint32_t record)
{
	uint32_t room = calls->records ? calls->records : 64;
	struct known_record *more;

	if (record < calls->records)
		return 0;
	while (room <= record)
		room *= 2;
	more = realloc(calls->known, room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + calls->records, 0, (room - calls->records) * sizeof(*more));
	calls->known = more;
	calls->records = room;
	return 0;
}

/* Calls that go on in a process that has not finished one of that kind yet. */
static void add_first_calls(struct hr_drain *drain)
{
	while (drain->open_call_count) {
		struct hr_open_call open = drain->open_calls[0];
		struct hr_calls none = { .process = open.process_slot, .row = open.row };
		char name[24];

		add_syscall(drain, &none, &none, hr_syscall_name(open.row, name));
	}
}

/* ---- errors ---- */

static int by_key(const void *a, const void *b)
{
	return memcmp(&((const struct known_error *)a)->key, &((const struct known_error *)b)->key,
		      sizeof(struct hr_errno_key));
}

static void note_error(void *context, const struct hr_errno_key *key, uint64_t count)
{
	struct calls *calls = context;

	if (calls->error_count == calls->error_room) {
		size_t room = calls->error_room ? 2 * calls->error_room : 64;
		struct known_error *more = realloc(calls->errors, room * sizeof(*more));

		if (!more) {
			calls->status = -ENOMEM;
			return;
		}
		calls->errors = more;
		calls->error_room = room;
	}
	calls->errors[calls->error_count++] = (struct known_error){ .key = *key, .count = count };
}

static int drain_errors(struct calls *calls, struct hr_drain *drain, struct hr_err *err)
{
	int ret;

	calls->error_count = 0;
	calls->status = 0;
	ret = hr_probes_each_error(drain->probes, note_error, calls);
	if (!ret)
		ret = calls->status;
	if (ret)
		return hr_err_errno(err, ret, "cannot read the errors of syscalls");
	qsort(calls->errors, calls->error_count, sizeof(*calls->errors), by_key);
	for (size_t i = 0; i < calls->error_count; i++) {
		struct known_error *now = &calls->errors[i], *before = NULL;
		uint64_t count = now->count;

		now->process_id = hr_roster_process_id(drain->roster, now->key.process);

		if (calls->error_before_count)
			before = bsearch(now, calls->errors_before, calls->error_before_count, sizeof(*now), by_key);
		if (before && before->process_id == now->process_id)
			count -= before->count;
		if (count && now->process_id)
			add_error(drain, now->key.process, now->key.row, now->key.number, count);
	}
	free(calls->errors_before);
	calls->errors_before = calls->errors;
	calls->error_before_count = calls->error_count;
	calls->errors = NULL;
	calls->error_count = calls->error_room = 0;
	return 0;
}

/* ---- the family ---- */

static int drain_calls(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct calls *calls = family;
	uint32_t unused = 0;

	for (uint32_t record = 1; record < hr_probes_call_records(drain->probes) && unused < UNUSED_IN_A_ROW; record++) {
		bool in_use = hr_probes_calls(drain->probes, record, 0)->process != 0;

		unused = in_use || record < calls->records ? 0 : unused + 1;
		if (!in_use)
			continue;
		if (grow(calls, record))
			return hr_err_set(err, -ENOMEM, "out of memory");
		drain_record(calls, drain, record);
	}
	drain->call_records = calls->records;
	add_first_calls(drain);
	return drain_errors(calls, drain, err);
}

static void *open_calls(struct hr_drain *drain, struct hr_err *err)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	(void)drain;
	if (!calls)
		hr_err_set(err, -ENOMEM, "out of memory");
	return calls;
}

static void close_calls(void *family)
{
	struct calls *calls = family;

	if (calls) {
		free(calls->known);
		free(calls->errors);
		free(calls->errors_before);
	}
	free(calls);
}

const struct hr_family hr_family_calls = { "calls", open_calls, NULL, drain_calls, NULL, close_calls };
