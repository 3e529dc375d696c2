/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/lock_use.h"

#include <stdlib.h>
#include <string.h>

#include "headroom/net.h"
#include "store/tables.h"

#define LOCK_BYTES 64

static bool is_same_lock(const struct hr_lock_summary *a, const struct hr_lock_summary *b)
{
	unsigned long long at, other;

	if (a == b)
		return true;
	if (a->process_id != b->process_id || !a->address || !b->address || a->is_kernel || b->is_kernel)
		return false;
	at = strtoull(a->address, NULL, 0);
	other = strtoull(b->address, NULL, 0);
	return (at && other && (at > other ? at - other : other - at) < LOCK_BYTES) || strcmp(a->address, b->address) == 0;
}

const struct hr_lock_summary *hr_lock_worst(const struct hr_summary *summary)
{
	const struct hr_lock_summary *worst = NULL;

	for (size_t i = 0; i < summary->waits.lock_count; i++) {
		const struct hr_lock_summary *lock = &summary->waits.locks[i];

		if (lock->is_lock && !lock->is_kernel && (!worst || lock->time_ns > worst->time_ns))
			worst = lock;
	}
	return worst;
}

struct hr_lock_use hr_lock_use_of(const struct hr_summary *summary, const struct hr_lock_summary *lock)
{
	struct hr_lock_use use = { 0 };

	for (size_t i = 0; i < summary->waits.lock_count; i++) {
		const struct hr_lock_summary *other = &summary->waits.locks[i];

		if (!is_same_lock(lock, other))
			continue;
		use.waits += (double)other->count;
		use.waited_ns += (double)other->time_ns;
		use.contended_ns += other->contended_ns == HR_NULL ? 0 : (double)other->contended_ns;
	}
	return use;
}
