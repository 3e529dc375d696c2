/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/stacks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/load.h"
#include "store/tables.h"

#define NO_STACK SIZE_MAX
#define NO_FRAME UINT32_MAX
#define LABEL_BYTES 512

static const char missing_label[] = "[no user stack]";
static const char unknown_label[] = "[unknown]";

/* A stack of the file. */
struct stack {
	int64_t stack_id; /* first, to be found by */
	size_t begin;	  /* in frames of the load */
	size_t depth;

	/* of the waiting in it for locks: all, and for the lock with the most */
	uint64_t waited_ns, lock_ns;
	const char *lock; /* its label; NULL: nothing waited for one there */
};

#define ONE_LOCK 0.9 /* a share of a stack's waiting: it is the lock of the stack */

/* Samples of the file, on their way to their path. */
struct row {
	size_t group;
	enum hr_state state;
	uint32_t call; /* frame that stands for it; NO_FRAME: none */
	size_t user, kernel; /* indices of stacks; NO_STACK: none */
	uint64_t count, time_ns, alone_ns;
};

/* What is read before it becomes a profile. */
struct hr_stack_load {
	struct stack *stacks;
	uint32_t *frames; /* of all stacks, innermost first: indices in the profile's frames */
	struct row *rows;
	size_t stack_count, frame_count, row_count;
	size_t file_frames; /* the first so many frames of the profile are the file's, in order of their id */
};

static int compare_id(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

/* ---- frames ---- */

const char *hr_load_frame_label(struct hr_load *load, const char *function, const char *module, int64_t offset)
{
	const char *slash = module ? strrchr(module, '/') : NULL, *file = slash ? slash + 1 : module;
	char label[LABEL_BYTES];

	if (function)
		return function;
	if (!file)
		return unknown_label;
	if (offset == HR_NULL)
		return file;
	snprintf(label, sizeof(label), "%s+0x%" PRIx64, file, (uint64_t)offset);
	return hr_load_text(load, label);
}

static int on_frame(struct hr_load *load, struct hr_query *query)
{
	struct hr_profile *profile = &load->summary->profile;
	struct hr_frame *frame = HR_LOAD_APPEND(load, profile->frames, profile->frame_count);

	if (!frame)
		return 0;
	*frame = (struct hr_frame){
		.frame_id = hr_query_int(query, 0),
		.kind = HR_FRAME_USER, /* until it shows up in a kernel stack */
		.function = hr_load_text(load, hr_query_text(query, 1)),
		.module = hr_load_text(load, hr_query_text(query, 2)),
	};
	frame->label = hr_load_frame_label(load, frame->function, frame->module, hr_query_int(query, 3));
	load->stacks->file_frames++;
	return 0;
}

/* A frame that is not in the file, found again by its label; there are a few dozen. */
static uint32_t own_frame(struct hr_load *load, enum hr_frame_kind kind, const char *label)
{
	struct hr_profile *profile = &load->summary->profile;
	struct hr_frame *frame;
	const char *text;

	for (size_t i = load->stacks->file_frames; i < profile->frame_count; i++)
		if (profile->frames[i].kind == kind && strcmp(profile->frames[i].label, label) == 0)
			return (uint32_t)i;
	text = hr_load_text(load, label);
	frame = text ? HR_LOAD_APPEND(load, profile->frames, profile->frame_count) : NULL;
	if (!frame)
		return NO_FRAME;
	*frame = (struct hr_frame){ .frame_id = HR_NULL, .kind = kind, .label = text };
	return (uint32_t)(frame - profile->frames);
}

static uint32_t state_frame(struct hr_load *load, enum hr_state state)
{
	char label[32];

	snprintf(label, sizeof(label), "[%s]", hr_state_name(state));
	return own_frame(load, HR_FRAME_STATE, label);
}

/* ---- stacks ---- */

static int on_stack_frame(struct hr_load *load, struct hr_query *query)
{
	struct hr_stack_load *stacks = load->stacks;
	struct stack *stack = stacks->stack_count ? &stacks->stacks[stacks->stack_count - 1] : NULL;
	const struct hr_frame *frames = load->summary->profile.frames, *frame = NULL;
	int64_t stack_id = hr_query_int(query, 0), frame_id = hr_query_int(query, 1);
	uint32_t *added;

	if (stacks->file_frames)
		frame = bsearch(&frame_id, frames, stacks->file_frames, sizeof(*frames), compare_id);
	if (!stack || stack->stack_id != stack_id) {
		stack = HR_LOAD_APPEND(load, stacks->stacks, stacks->stack_count);
		if (!stack)
			return 0;
		*stack = (struct stack){ .stack_id = stack_id, .begin = stacks->frame_count };
	}
	added = HR_LOAD_APPEND(load, stacks->frames, stacks->frame_count);
	if (!added)
		return 0;
	*added = frame ? (uint32_t)(frame - frames) : own_frame(load, HR_FRAME_USER, unknown_label);
	stack->depth++;
	return 0;
}

static size_t find_stack(const struct hr_stack_load *stacks, int64_t stack_id)
{
	const struct stack *stack = NULL;

	if (stacks->stack_count && stack_id != HR_NULL)
		stack = bsearch(&stack_id, stacks->stacks, stacks->stack_count, sizeof(*stack), compare_id);
	return stack ? (size_t)(stack - stacks->stacks) : NO_STACK;
}

/* ---- locks ---- */

static const char *lock_label(struct hr_load *load, int64_t process_id, const char *address)
{
	const struct hr_waits_summary *waits = &load->summary->waits;
	char title[512], label[LABEL_BYTES];

	for (size_t i = 0; i < waits->lock_count; i++) {
		const struct hr_lock_summary *lock = &waits->locks[i];

		if (lock->is_kernel || lock->process_id != process_id || strcmp(lock->address, address) != 0)
			continue;
		snprintf(label, sizeof(label), "[%s]", hr_lock_title(lock->name, lock->is_gil, title, sizeof(title)));
		return hr_load_text(load, label);
	}
	return NULL;
}

/* Of one stack the locks with the most time come first. */
static int on_lock_stack(struct hr_load *load, struct hr_query *query)
{
	size_t index = find_stack(load->stacks, hr_query_int(query, 0));
	struct stack *stack = index == NO_STACK ? NULL : &load->stacks->stacks[index];
	const char *address = hr_query_text(query, 2), *label;

	if (!stack || !address)
		return 0;
	stack->waited_ns += hr_load_amount(query, 3);
	label = stack->lock_ns ? NULL : lock_label(load, hr_query_int(query, 1), address);
	if (label) {
		stack->lock = label;
		stack->lock_ns = hr_load_amount(query, 3);
	}
	return 0;
}

/* What a row waited for, if that is one lock. */
static const char *lock_of(const struct hr_stack_load *stacks, const struct row *row)
{
	const struct stack *stack = row->user == NO_STACK ? NULL : &stacks->stacks[row->user];

	if (!stack || !stack->lock || row->state != HR_STATE_FUTEX)
		return NULL;
	return (double)stack->lock_ns >= ONE_LOCK * (double)stack->waited_ns ? stack->lock : NULL;
}

/* ---- samples ---- */

static int on_sample(struct hr_load *load, struct hr_query *query)
{
	const struct hr_thread_summary *thread = hr_load_thread(load, hr_query_int(query, 0));
	const char *name = hr_query_text(query, 1), *call;
	int state = name ? hr_state_from_name(name) : -1;
	struct row *row;

	if (!thread)
		return 0;
	row = HR_LOAD_APPEND(load, load->stacks->rows, load->stacks->row_count);
	if (!row)
		return 0;
	*row = (struct row){
		.group = thread->group,
		.state = state < 0 ? HR_STATE_OTHER : (enum hr_state)state,
		.call = NO_FRAME,
		.user = find_stack(load->stacks, hr_query_int(query, 3)),
		.kernel = find_stack(load->stacks, hr_query_int(query, 4)),
		.count = hr_load_amount(query, 5),
		.time_ns = hr_load_amount(query, 6),
		.alone_ns = hr_load_amount(query, 7),
	};
	call = hr_query_text(query, 2);
	if (call && hr_state_group(row->state) != HR_GROUP_ON_CPU)
		row->call = own_frame(load, HR_FRAME_CALL, call);
	return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	int order = compare_numbers(left->group, right->group);

	order = order ? order : compare_numbers(left->state, right->state);
	order = order ? order : compare_numbers(left->call, right->call);
	order = order ? order : compare_numbers(left->user, right->user);
	return order ? order : compare_numbers(left->kernel, right->kernel);
}

/* The threads of a group become one. */
static void merge_rows(struct hr_stack_load *stacks)
{
	size_t kept = 0;

	if (stacks->row_count)
		qsort(stacks->rows, stacks->row_count, sizeof(*stacks->rows), compare_rows);
	for (size_t i = 0; i < stacks->row_count; i++) {
		struct row *row = &stacks->rows[i], *last = kept ? &stacks->rows[kept - 1] : NULL;

		if (last && compare_rows(last, row) == 0) {
			last->count += row->count;
			last->time_ns += row->time_ns;
			last->alone_ns += row->alone_ns;
		} else {
			stacks->rows[kept++] = *row;
		}
	}
	stacks->row_count = kept;
}

/* ---- the profile ---- */

static size_t depth_of(const struct hr_stack_load *stacks, size_t stack)
{
	return stack == NO_STACK ? 0 : stacks->stacks[stack].depth;
}

/* The stack's frames, outermost first; behind them. */
static uint32_t *put_stack(const struct hr_stack_load *stacks, size_t stack, uint32_t *to)
{
	for (size_t i = depth_of(stacks, stack); i-- > 0;)
		*to++ = stacks->frames[stacks->stacks[stack].begin + i];
	return to;
}

static void mark_kernel(struct hr_load *load, size_t stack)
{
	const struct hr_stack_load *stacks = load->stacks;

	for (size_t i = 0; i < depth_of(stacks, stack); i++)
		load->summary->profile.frames[stacks->frames[stacks->stacks[stack].begin + i]].kind = HR_FRAME_KERNEL;
}

/* The path of the row at `to`; behind it. */
static uint32_t *add_sample(struct hr_load *load, const struct row *row, uint32_t *to)
{
	struct hr_profile *profile = &load->summary->profile;
	struct hr_stack_sample *sample = &profile->samples[profile->sample_count++];
	const char *lock = lock_of(load->stacks, row);

	*sample = (struct hr_stack_sample){
		.group = row->group,
		.state = row->state,
		.syscall = row->call == NO_FRAME ? NULL : profile->frames[row->call].label,
		.path = to,
		.user_depth = depth_of(load->stacks, row->user),
		.count = row->count,
		.time_ns = row->time_ns,
		.alone_ns = row->alone_ns,
	};
	if (sample->user_depth)
		to = put_stack(load->stacks, row->user, to);
	else
		*to++ = own_frame(load, HR_FRAME_MISSING, missing_label);
	to = put_stack(load->stacks, row->kernel, to);
	if (row->call != NO_FRAME)
		*to++ = row->call;
	if (!hr_sample_is_on_cpu(sample))
		*to++ = state_frame(load, row->state);
	if (lock)
		*to++ = own_frame(load, HR_FRAME_LOCK, lock);
	sample->depth = (size_t)(to - sample->path);
	return to;
}

static int compare_samples(const void *a, const void *b)
{
	const struct hr_stack_sample *left = a, *right = b;
	int order = compare_numbers(left->group, right->group);

	order = order ? order : compare_numbers(hr_sample_is_on_cpu(right), hr_sample_is_on_cpu(left));
	order = order ? order : compare_numbers(right->time_ns, left->time_ns);
	return order ? order : compare_numbers((uintptr_t)left->path, (uintptr_t)right->path); /* as they were */
}

#define OWN_FRAMES 4 /* of a path at most: no stack, a call, a state, a lock */

static int make_profile(struct hr_load *load)
{
	struct hr_profile *profile = &load->summary->profile;
	struct hr_stack_load *stacks = load->stacks;
	size_t room = 0;
	uint32_t *to;

	merge_rows(stacks);
	if (!stacks->row_count)
		return 0;
	for (size_t i = 0; i < stacks->row_count; i++) {
		mark_kernel(load, stacks->rows[i].kernel);
		room += depth_of(stacks, stacks->rows[i].user) + depth_of(stacks, stacks->rows[i].kernel) + OWN_FRAMES;
	}
	profile->paths = to = calloc(room, sizeof(*profile->paths));
	profile->samples = calloc(stacks->row_count, sizeof(*profile->samples));
	if (!profile->paths || !profile->samples)
		return -ENOMEM;
	for (size_t i = 0; i < stacks->row_count; i++)
		to = add_sample(load, &stacks->rows[i], to);
	qsort(profile->samples, profile->sample_count, sizeof(*profile->samples), compare_samples);
	return load->out_of_memory ? -ENOMEM : hr_code_find(profile, &load->summary->code);
}

static int load_tables(struct hr_load *load)
{
	static const struct {
		const char *sql;
		hr_load_row *row;
	} queries[] = {
		{ "SELECT frame_id, name, module, offset FROM frames ORDER BY frame_id", on_frame },
		{ "SELECT stack_id, frame_id FROM stacks ORDER BY stack_id, depth", on_stack_frame },
		{ "SELECT thread_id, state, syscall, user_stack_id, kernel_stack_id, sum(count), sum(time_ns), sum(alone_ns) "
		  "FROM samples GROUP BY thread_id, state, syscall, user_stack_id, kernel_stack_id", on_sample },
	};
	bool has_locks = false;
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(queries) / sizeof(queries[0]); i++)
		err = hr_load_query(load, queries[i].sql, queries[i].row);
	if (!err)
		err = hr_load_has_table(load, "lock_stacks", &has_locks);
	if (!err && has_locks)
		err = hr_load_query(load, "SELECT k.stack_id, l.process_id, l.address, sum(k.time_ns) AS time_ns FROM lock_stacks AS k "
				    "JOIN locks AS l ON l.lock_id = k.lock_id GROUP BY 1, 2, 3 ORDER BY 1, time_ns DESC", on_lock_stack);
	return err;
}

int hr_load_stacks(struct hr_load *load)
{
	struct hr_stack_load stacks = { 0 };
	bool is_in_file = false;
	int err;

	load->stacks = &stacks;
	err = hr_load_has_table(load, "samples", &is_in_file);
	if (!err && is_in_file)
		err = load_tables(load);
	if (!err && make_profile(load))
		err = hr_err_set(load->err, -ENOMEM, "no memory for the stacks of '%s'", hr_reader_path(load->reader));
	load->stacks = NULL;
	free(stacks.stacks);
	free(stacks.frames);
	free(stacks.rows);
	return err;
}

void hr_profile_fini(struct hr_profile *profile)
{
	free(profile->frames);
	free(profile->samples);
	free(profile->paths);
	*profile = (struct hr_profile){ 0 };
}
