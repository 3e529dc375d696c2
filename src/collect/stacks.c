/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampled stacks: samples by thread, state and stack, stacks as sequences of named functions. Kernel side: bpf/sample.bpf.c,
 * bpf/blocked.bpf.h.
 *
 * The kernel tells stacks by their addresses, the run file by their functions: that is how a loop that was sampled at a hundred
 * instructions is one stack. Names are given while the process lives, in a bounded time per pass; samples whose stack has no
 * name yet wait for it and keep their interval.
 */
#include "headroom/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/states.h"
#include "collect/code.h"
#include "collect/drain.h"
#include "collect/idmap.h"
#include "collect/lock_stacks.h"
#include "collect/roster.h"
#include "collect/syscalls.h"
#include "collect/unwind.h"

/* What is told apart. Beyond the first two some are forgotten, and named again; beyond the others samples have no stack. */
#define KEYS_MAX (1U << 17)
#define ADDRESSES_MAX (1U << 17)
#define FRAMES_MAX (1U << 17)
#define STACKS_MAX (1U << 16)
#define PENDING_MAX HR_STACKS
#define ROWS_MAX (4U * HR_SAMPLES)

/* Time for names in a pass: this share of the interval, within these limits. */
#define NAMING_SHARE 20
#define NAMING_NS_MIN 2000000ULL
#define NAMING_NS_MAX 100000000ULL

/* Passes in which the thread of a sample may turn up: it may have been born after the threads were read. */
#define THREAD_PASSES 2

#define NO_CALL UINT32_MAX
#define NO_CODE UINT32_MAX /* in place of a frame's id: there is no code at the address */

/* What the file knows of a stack of the kernel's: in a value of an hr_idmap. */
#define PENDING_ID 0	     /* it is waiting for its names */
#define LOST_ID UINT32_MAX   /* there was no room for it */
#define KNOWN(id, generation) ((uint64_t)(generation) << 32 | (id))
#define ID_OF(known) ((uint32_t)(known))
#define GENERATION_OF(known) ((uint32_t)((known) >> 32))

/* A stack that has no name yet. */
struct pending {
	uint64_t key;
	int64_t process_id; /* whose slot it was, once that is known */
	uint32_t execs;
	struct hr_stack stack;
};

/* A row of samples. Those that are the same up to `count` are one row of the file. */
struct row {
	int64_t interval_id, thread_id; /* thread: 0 until it is known */
	int64_t user_stack, kernel_stack;
	uint32_t state, call;
	uint64_t count, alone_ns;

	/* as the kernel told it */
	uint64_t user_key, kernel_key, futex, born_ns;
	uint32_t slot, passes;
	int64_t lock_id; /* 0: none, or not known */
};
#define ROW_IDENTITY_BYTES offsetof(struct row, count)

struct rows {
	struct row *at;
	size_t count, room;
};

struct stacks {
	struct hr_drain *drain;	 /* while samples are taken */
	struct hr_code *code;
	struct hr_unwind *unwind;
	uint32_t unwound[HR_PROCESS_SLOTS]; /* version of the address space that the samplers know; 0: none */
	struct hr_idmap keys;	   /* the kernel's key: KNOWN() */
	struct hr_idmap addresses; /* process and address: frame_id */
	struct hr_idmap frames;	   /* name, module and offset: frame_id */
	struct hr_idmap ids;	   /* sequence of frame_ids: stack_id */
	struct pending *pending;
	size_t pending_count, pending_room;
	struct rows waiting, ready;
	struct hr_lock_stacks locks;
	uint64_t naming_until_ns; /* of this pass */
};

/* ---- taking ---- */

/* Room for one more, in an array that doubles up to a limit. */
static bool make_room(void **array, size_t *room, size_t count, size_t bytes, size_t max)
{
	size_t more = *room ? 2 * *room : 64;
	void *grown;

	if (count < *room)
		return true;
	if (count >= max)
		return false;
	grown = realloc(*array, more * bytes);
	if (!grown)
		return false;
	*array = grown;
	*room = more;
	return true;
}

static bool is_on_cpu(uint32_t state)
{
	return state == HR_STATE_USER || state == HR_STATE_KERNEL;
}

static void take_sample(void *family, const struct hr_sample_key *key, const struct hr_sample *sample)
{
	struct stacks *stacks = family;
	struct rows *rows = &stacks->waiting;

	if (!make_room((void **)&rows->at, &rows->room, rows->count, sizeof(*rows->at), ROWS_MAX)) {
		stacks->drain->samples_lost += sample->count;
		return;
	}
	rows->at[rows->count++] = (struct row){
		.interval_id = stacks->drain->interval_id,
		.state = key->state,
		.call = key->in_call ? key->call_row : NO_CALL,
		.count = sample->count,
		.alone_ns = sample->alone_ns,
		.user_key = key->user_stack,
		.kernel_key = is_on_cpu(key->state) ? key->kernel_stack : 0,
		.futex = is_on_cpu(key->state) ? 0 : key->futex,
		.born_ns = sample->born_ns,
		.slot = key->thread,
	};
}

/* Forgets what is known of the others, if need be: they are told again when they are sampled again. */
static void put(struct hr_idmap *map, uint64_t key, uint64_t value)
{
	if (hr_idmap_put(map, key, value) != -ENOSPC)
		return;
	hr_idmap_clear(map);
	hr_idmap_put(map, key, value);
}

/* Most are known; it is waiting already, or has its names. */
static bool is_done(const struct stacks *stacks, uint64_t key, const struct hr_stack *stack)
{
	const uint64_t *known = hr_idmap_find(&stacks->keys, key);

	if (!known)
		return false;
	return ID_OF(*known) == PENDING_ID || ID_OF(*known) == LOST_ID ||
	       GENERATION_OF(*known) == (stack->process ? hr_code_generation(stacks->code, stack->process) : 0);
}

static void take_stack(void *family, uint64_t key, const struct hr_stack *stack)
{
	struct stacks *stacks = family;
	struct pending *pending;

	if (is_done(stacks, key, stack))
		return;
	if (!make_room((void **)&stacks->pending, &stacks->pending_room, stacks->pending_count, sizeof(*pending), PENDING_MAX))
		return; /* its samples find that it is not known */
	pending = &stacks->pending[stacks->pending_count++];
	pending->key = key;
	pending->process_id = 0;
	pending->stack = *stack;
	if (pending->stack.frames > HR_STACK_FRAMES)
		pending->stack.frames = HR_STACK_FRAMES;
	if (!hr_idmap_find(&stacks->keys, key))
		put(&stacks->keys, key, KNOWN(PENDING_ID, 0));
}

static int look_at_stacks(void *family, struct hr_drain *drain, struct hr_err *err)
{
	static const struct hr_stack_takers takers = { take_stack, take_sample };
	struct stacks *stacks = family;
	int ret;

	stacks->drain = drain;
	ret = hr_probes_take_samples(drain->probes, &takers, stacks);
	return ret ? hr_err_errno(err, ret, "cannot read the sampled stacks") : 0;
}

/* ---- frames ---- */

/* Enter what is new. 0: no room. */
static uint32_t enter_frame(struct stacks *stacks, struct hr_drain *drain, const struct hr_code_frame *frame)
{
	uint64_t hash = hr_hash_text(hr_hash_text((uint64_t)frame->offset, frame->name), frame->module), key = hr_hash_key(hash);
	const uint64_t *known = hr_idmap_find(&stacks->frames, key);
	uint32_t id = (uint32_t)stacks->frames.count + 1;

	if (known)
		return (uint32_t)*known;
	if (hr_idmap_put(&stacks->frames, key, id))
		return 0;
	if (hr_writer_add(drain->writer, HR_TABLE_frames,
			  &(struct hr_row_frames){
				  .frame_id = id,
				  .name = frame->name[0] ? frame->name : NULL,
				  .module = frame->module[0] ? frame->module : NULL,
				  .offset = frame->offset >= 0 ? frame->offset : HR_NULL,
			  },
			  NULL))
		drain->rows_lost++;
	return id;
}

/* A function without a name is known by where it begins, if that can be told: it is one function, whatever it calls. */
static void round_to_function(const struct stacks *stacks, const struct hr_code_process *process, uint64_t address,
			      struct hr_code_frame *frame)
{
	uint64_t begin;

	if (frame->offset >= 0 && hr_unwind_begin(stacks->unwind, process->slot, address, &begin) &&
	    address - begin <= (uint64_t)frame->offset)
		frame->offset -= (int64_t)(address - begin);
}

/* The frame's id; NO_CODE; 0: no room. */
static uint32_t frame_of(struct stacks *stacks, struct hr_drain *drain, const struct hr_code_process *process, uint64_t address)
{
	uint64_t key = hr_hash_key(hr_hash_word(hr_hash_word(process->execs, (uint64_t)process->id), address));
	const uint64_t *known = hr_idmap_find(&stacks->addresses, key);
	struct hr_code_frame frame;
	uint32_t id;

	if (known)
		return (uint32_t)*known;
	if (process->slot) {
		hr_code_user(stacks->code, process, address, &frame);
		round_to_function(stacks, process, address, &frame);
	} else {
		hr_code_kernel(stacks->code, address, &frame);
	}
	id = frame.is_code ? enter_frame(stacks, drain, &frame) : NO_CODE;
	if (id && frame.is_code && !frame.may_change)
		put(&stacks->addresses, key, id);
	return id;
}

/* ---- stacks ---- */

/* Frames are looked up where the call is: a return address may be the first one of the next function. */
static uint64_t code_address(const struct hr_stack *stack, uint32_t depth)
{
	return stack->addresses[depth] - (depth > 0);
}

static void add_frame(struct hr_drain *drain, uint32_t stack_id, uint32_t depth, uint32_t frame_id)
{
	if (hr_writer_add(drain->writer, HR_TABLE_stacks,
			  &(struct hr_row_stacks){ .stack_id = stack_id, .depth = depth, .frame_id = frame_id }, NULL))
		drain->rows_lost++;
}

/* Enter what is new. LOST_ID: no room. */
static uint32_t enter_stack(struct stacks *stacks, struct hr_drain *drain, const uint32_t *frame_ids, uint32_t count)
{
	uint32_t id = (uint32_t)stacks->ids.count + 1;
	uint64_t hash = count, key;
	const uint64_t *known;

	for (uint32_t depth = 0; depth < count; depth++)
		hash = hr_hash_word(hash, frame_ids[depth]);
	key = hr_hash_key(hash);
	known = hr_idmap_find(&stacks->ids, key);
	if (known)
		return (uint32_t)*known;
	if (hr_idmap_put(&stacks->ids, key, id))
		return LOST_ID;
	for (uint32_t depth = 0; depth < count; depth++)
		add_frame(drain, id, depth, frame_ids[depth]);
	return id;
}

/* The stack's id, or LOST_ID; PENDING_ID: there was no time for all of its names. */
static uint32_t name_stack(struct stacks *stacks, struct hr_drain *drain, const struct hr_code_process *process,
			   const struct hr_stack *stack)
{
	static const struct hr_code_frame unknown = { .offset = -1 };
	uint32_t frame_ids[HR_STACK_FRAMES], count = 0, id;

	while (count < stack->frames) {
		if (hr_clock_mono_ns() > stacks->naming_until_ns)
			return PENDING_ID;
		id = frame_of(stacks, drain, process, code_address(stack, count));
		if (id == NO_CODE && count) /* where code keeps no frame pointers, their chain leads anywhere */
			break;
		if (id == NO_CODE)
			id = enter_frame(stacks, drain, &unknown);
		if (!id)
			return LOST_ID;
		frame_ids[count++] = id;
	}
	return enter_stack(stacks, drain, frame_ids, count);
}

/* Who has the slot now, if it is who had it when the stack was told. False: nobody that is in the file yet. */
static bool identify(struct hr_drain *drain, struct pending *pending, struct hr_code_process *ret)
{
	const struct hr_process *process = hr_probes_process(drain->probes, pending->stack.process);
	int64_t id = hr_roster_process_id(drain->roster, pending->stack.process);
	bool is_first = !pending->process_id;

	if (!id && is_first)
		return false;
	if (is_first) {
		pending->process_id = id;
		pending->execs = process->execs;
	}
	*ret = (struct hr_code_process){ .slot = pending->stack.process, .id = pending->process_id, .execs = pending->execs };
	if (id == pending->process_id && process->execs == pending->execs && !process->ended_ns)
		ret->pid = (pid_t)process->pid;
	return true;
}

/* A process that was forked, and gone before anything was read of it, had the code of its parent. */
static void stand_in(struct stacks *stacks, struct hr_drain *drain, struct hr_code_process *process)
{
	uint32_t parent = hr_probes_process(drain->probes, process->slot)->parent;
	uint32_t slots = hr_roster_process_slots(drain->roster), version;

	if (process->pid || process->execs || hr_code_maps(stacks->code, process, &version))
		return;
	for (uint32_t slot = 1; slot < slots; slot++) {
		const struct hr_process *other = hr_probes_process(drain->probes, slot);
		int64_t id = hr_roster_process_id(drain->roster, slot);

		if (id && other->pid == parent && slot != process->slot) {
			*process = (struct hr_code_process){ slot, other->ended_ns ? 0 : (pid_t)parent, id, other->execs };
			return;
		}
	}
}

/* True: it has its names, as far as there are any. */
static bool settle(struct stacks *stacks, struct hr_drain *drain, struct pending *pending)
{
	struct hr_code_process process = { 0 };
	uint32_t id;

	if (pending->stack.process && !identify(drain, pending, &process) && !drain->last)
		return false; /* came after the processes were looked at: the next pass has it */
	if (process.slot)
		stand_in(stacks, drain, &process);
	id = name_stack(stacks, drain, &process, &pending->stack);
	if (id == PENDING_ID)
		return false;
	put(&stacks->keys, pending->key, KNOWN(id, process.slot ? hr_code_generation(stacks->code, process.slot) : 0));
	return true;
}

static uint64_t naming_ns(const struct hr_drain *drain)
{
	uint64_t share_ns = hr_drain_growth(drain->read_end_ns, drain->start_ns) / NAMING_SHARE;

	if (share_ns < NAMING_NS_MIN)
		return NAMING_NS_MIN;
	return share_ns < NAMING_NS_MAX ? share_ns : NAMING_NS_MAX;
}

static void name_stacks(struct stacks *stacks, struct hr_drain *drain)
{
	size_t kept = 0;

	for (size_t i = 0; i < stacks->pending_count; i++)
		if (!settle(stacks, drain, &stacks->pending[i]))
			stacks->pending[kept++] = stacks->pending[i];
	stacks->pending_count = kept;
}

/* ---- samples ---- */

static bool is_pending(const struct stacks *stacks, uint64_t key)
{
	const uint64_t *known = hr_idmap_find(&stacks->keys, key);

	return known && ID_OF(*known) == PENDING_ID;
}

/* Of one that is not pending. HR_NULL: none was taken, or it was lost. */
static int64_t stack_id_of(const struct stacks *stacks, struct hr_drain *drain, uint64_t key, uint64_t samples)
{
	const uint64_t *known = hr_idmap_find(&stacks->keys, key);

	if (known && ID_OF(*known) != LOST_ID)
		return ID_OF(*known);
	drain->stacks_lost += key ? samples : 0;
	return HR_NULL;
}

enum fate { READY, WAITING, DROPPED };

/* Whose sample it is. */
static enum fate find_thread(const struct hr_drain *drain, struct row *row)
{
	const struct hr_drain_thread *thread = hr_drain_thread(drain, row->slot);
	const struct hr_thread *record = thread ? thread->record : NULL;

	if (record && record->born_ns == row->born_ns) {
		row->thread_id = thread->id;
		row->lock_id = hr_lock_stacks_find(drain, record->process, row->futex);
		return READY;
	}
	if (record && record->born_ns > row->born_ns)
		return DROPPED; /* the slot has another owner by now */
	return ++row->passes < THREAD_PASSES && !drain->last ? WAITING : DROPPED;
}

static enum fate fate_of(const struct stacks *stacks, struct hr_drain *drain, struct row *row)
{
	enum fate fate = row->thread_id ? READY : find_thread(drain, row);

	if (fate == DROPPED)
		drain->samples_lost += row->count;
	if (fate == READY && (is_pending(stacks, row->user_key) || is_pending(stacks, row->kernel_key)))
		return WAITING;
	if (fate == READY) {
		row->user_stack = stack_id_of(stacks, drain, row->user_key, row->count);
		row->kernel_stack = stack_id_of(stacks, drain, row->kernel_key, row->count);
	}
	return fate;
}

static int by_identity(const void *a, const void *b)
{
	return memcmp(a, b, ROW_IDENTITY_BYTES);
}

static void add_row(struct hr_drain *drain, const struct row *row)
{
	char call[24];

	hr_drain_add(drain, HR_TABLE_samples,
		     &(struct hr_row_samples){
			     .interval_id = row->interval_id,
			     .thread_id = row->thread_id,
			     .state = hr_state_name(row->state),
			     .syscall = row->call != NO_CALL ? hr_syscall_name(row->call, call) : NULL,
			     .user_stack_id = row->user_stack,
			     .kernel_stack_id = row->kernel_stack,
			     .count = row->count,
			     .time_ns = row->count * hr_probes_sample_period_ns(drain->probes),
			     .alone_ns = is_on_cpu(row->state) ? (int64_t)row->alone_ns : HR_NULL,
		     });
}

/* Rows of different addresses may be of one stack by now. */
static void add_rows(struct hr_drain *drain, struct rows *rows)
{
	size_t same;

	if (rows->count)
		qsort(rows->at, rows->count, sizeof(*rows->at), by_identity);
	for (size_t i = 0; i < rows->count; i += same) {
		struct row *sum = &rows->at[i];

		for (same = 1; i + same < rows->count && !by_identity(sum, &rows->at[i + same]); same++) {
			sum->count += rows->at[i + same].count;
			sum->alone_ns += rows->at[i + same].alone_ns;
		}
		add_row(drain, sum);
	}
	rows->count = 0;
}

static void take_ready(struct stacks *stacks, struct hr_drain *drain, const struct row *row)
{
	stacks->ready.at[stacks->ready.count++] = *row;
	if (row->lock_id && row->user_stack != HR_NULL)
		hr_lock_stacks_add(&stacks->locks, drain, row->interval_id, row->lock_id, row->user_stack, row->count);
}

static void sort_out(struct stacks *stacks, struct hr_drain *drain)
{
	struct rows *waiting = &stacks->waiting, *ready = &stacks->ready;
	size_t kept = 0;

	for (size_t i = 0; i < waiting->count; i++) {
		struct row *row = &waiting->at[i];
		enum fate fate = fate_of(stacks, drain, row);

		if (fate == READY && make_room((void **)&ready->at, &ready->room, ready->count, sizeof(*ready->at), ROWS_MAX))
			take_ready(stacks, drain, row);
		else if (fate == READY)
			drain->samples_lost += row->count;
		else if (fate == WAITING)
			waiting->at[kept++] = *row;
	}
	waiting->count = kept;
}

/* ---- unwinding ---- */

static void set_unwinding_of(struct stacks *stacks, const struct hr_code_process *process)
{
	uint32_t version = 0;
	const struct hr_maps *maps = hr_code_maps(stacks->code, process, &version);

	if (!maps || version == stacks->unwound[process->slot])
		return;
	hr_unwind_set(stacks->unwind, process, maps);
	stacks->unwound[process->slot] = version;
}

/* Of processes that came, and those that were seen to have other code mapped: for the samples of the next pass. */
static void set_unwinding(struct stacks *stacks, struct hr_drain *drain)
{
	uint32_t slots = hr_roster_process_slots(drain->roster);

	for (uint32_t slot = 1; slot < slots && hr_clock_mono_ns() < stacks->naming_until_ns; slot++) {
		const struct hr_process *process = hr_probes_process(drain->probes, slot);
		int64_t id = hr_roster_process_id(drain->roster, slot);

		if (id && !process->ended_ns) {
			set_unwinding_of(stacks, &(struct hr_code_process){ slot, (pid_t)process->pid, id, process->execs });
		} else if (stacks->unwound[slot]) {
			hr_unwind_forget(stacks->unwind, slot);
			stacks->unwound[slot] = 0;
		}
	}
}

/* ---- the family ---- */

/* At the beginning all is read that samples will need, and at the end nothing is left. */
static void begin_pass(struct stacks *stacks, const struct hr_drain *drain)
{
	hr_code_next_pass(stacks->code);
	stacks->naming_until_ns = drain->discard || drain->last ? UINT64_MAX : hr_clock_mono_ns() + naming_ns(drain);
}

static int drain_stacks(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct stacks *stacks = family;

	(void)err;
	if (!hr_probes_sample_period_ns(drain->probes))
		return 0;
	begin_pass(stacks, drain);
	if (drain->discard) { /* the stacks stay: samples to come may be of them */
		stacks->waiting.count = 0;
	} else {
		name_stacks(stacks, drain);
		sort_out(stacks, drain);
		add_rows(drain, &stacks->ready);
		hr_lock_stacks_drain(&stacks->locks, drain);
	}
	if (!drain->last)
		set_unwinding(stacks, drain);
	return 0;
}

static void close_stacks(void *family)
{
	struct stacks *stacks = family;

	if (!stacks)
		return;
	hr_unwind_free(stacks->unwind);
	hr_code_free(stacks->code);
	hr_idmap_fini(&stacks->keys);
	hr_idmap_fini(&stacks->addresses);
	hr_idmap_fini(&stacks->frames);
	hr_idmap_fini(&stacks->ids);
	free(stacks->pending);
	free(stacks->waiting.at);
	free(stacks->ready.at);
	hr_lock_stacks_fini(&stacks->locks);
	free(stacks);
}

static int open_code(struct stacks *stacks, struct hr_drain *drain)
{
	struct hr_unwind_tables tables;

	hr_probes_unwind_tables(drain->probes, &tables);
	stacks->code = hr_code_new("");
	if (stacks->code)
		stacks->unwind = hr_unwind_new(&tables, hr_code_symbols(stacks->code));
	if (!stacks->unwind)
		return -ENOMEM;
	if (hr_probes_sample_period_ns(drain->probes))
		hr_code_read_kernel(stacks->code); /* now that our own programs are loaded, and nothing is measured yet */
	return 0;
}

static void *open_stacks(struct hr_drain *drain, struct hr_err *err)
{
	struct stacks *stacks = calloc(1, sizeof(*stacks));

	if (!stacks || open_code(stacks, drain)) {
		close_stacks(stacks);
		hr_err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	hr_idmap_init(&stacks->keys, KEYS_MAX);
	hr_idmap_init(&stacks->addresses, ADDRESSES_MAX);
	hr_idmap_init(&stacks->frames, FRAMES_MAX);
	hr_idmap_init(&stacks->ids, STACKS_MAX);
	return stacks;
}

const struct hr_family hr_family_stacks = { "stacks", open_stacks, look_at_stacks, drain_stacks, NULL, close_stacks };
