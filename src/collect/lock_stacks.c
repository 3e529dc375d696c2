/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/lock_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "collect/roster.h"

#define ROWS_MAX (4U * HR_SAMPLES)
#define ROWS_FIRST 64U

struct hr_lock_stack {
	int64_t interval_id, lock_id, stack_id;
	uint64_t count;
};

int64_t hr_lock_stacks_find(const struct hr_drain *drain, uint32_t process_slot, uint64_t address)
{
	int64_t process_id = address && drain->lock_ids ? hr_roster_process_id(drain->roster, process_slot) : 0;
	const uint64_t *id;

	if (!process_id)
		return 0;
	id = hr_idmap_find(drain->lock_ids,
			   hr_drain_lock_key(process_id, hr_probes_process(drain->probes, process_slot)->execs, address));
	return id ? (int64_t)*id : 0;
}

static bool make_room(struct hr_lock_stacks *stacks)
{
	size_t room = stacks->room ? 2 * stacks->room : ROWS_FIRST;
	struct hr_lock_stack *grown;

	if (stacks->count < stacks->room)
		return true;
	grown = stacks->count < ROWS_MAX ? reallocarray(stacks->at, room, sizeof(*grown)) : NULL;
	if (!grown)
		return false;
	stacks->at = grown;
	stacks->room = room;
	return true;
}

void hr_lock_stacks_add(struct hr_lock_stacks *stacks, struct hr_drain *drain, int64_t interval_id, int64_t lock_id, int64_t stack_id,
			uint64_t count)
{
	if (make_room(stacks))
		stacks->at[stacks->count++] = (struct hr_lock_stack){ interval_id, lock_id, stack_id, count };
	else
		drain->stacks_lost += count;
}

static int by_identity(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct hr_lock_stack, count));
}

void hr_lock_stacks_drain(struct hr_lock_stacks *stacks, struct hr_drain *drain)
{
	size_t same;

	if (stacks->count)
		qsort(stacks->at, stacks->count, sizeof(*stacks->at), by_identity);
	for (size_t i = 0; i < stacks->count; i += same) {
		struct hr_lock_stack sum = stacks->at[i];

		for (same = 1; i + same < stacks->count && !by_identity(&sum, &stacks->at[i + same]); same++)
			sum.count += stacks->at[i + same].count;
		hr_drain_add(drain, HR_TABLE_lock_stacks,
			     &(struct hr_row_lock_stacks){
				     .interval_id = sum.interval_id,
				     .lock_id = sum.lock_id,
				     .stack_id = sum.stack_id,
				     .count = (int64_t)sum.count,
				     .time_ns = (int64_t)(sum.count * hr_probes_sample_period_ns(drain->probes)),
			     });
	}
	stacks->count = 0;
}

void hr_lock_stacks_fini(struct hr_lock_stacks *stacks)
{
	free(stacks->at);
	*stacks = (struct hr_lock_stacks){ 0 };
}
