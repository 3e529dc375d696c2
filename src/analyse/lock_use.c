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

/* Who waits at a lock often waits for one who waits at another: the one that can be found by its name tells more. */
#define NAMELESS_WEIGHT 0.5

static double weight_of(const struct hr_summary *summary, const struct hr_lock_summary *lock)
{
	return hr_lock_use_of(summary, lock).waited_ns * (lock->symbol ? 1 : NAMELESS_WEIGHT);
}

bool hr_lock_is_of_user(const struct hr_lock_summary *lock)
{
	return lock->is_lock && !lock->is_kernel;
}

const struct hr_lock_summary *hr_lock_worst(const struct hr_summary *summary)
{
	const struct hr_lock_summary *worst = NULL, *locks = summary->waits.locks;
	uint64_t longest_ns = 0;
	double most = 0;

	for (size_t i = 0; i < summary->waits.lock_count; i++)
		if (hr_lock_is_of_user(&locks[i]) && locks[i].time_ns > longest_ns)
			longest_ns = locks[i].time_ns;
	for (size_t i = 0; i < summary->waits.lock_count; i++) {
		double weight;

		if (!hr_lock_is_of_user(&locks[i]) || locks[i].time_ns < longest_ns / 8) /* with what lies beside it, it is no more than some of these */
			continue;
		weight = weight_of(summary, &locks[i]);
		if (!worst || weight > most) {
			most = weight;
			worst = &locks[i];
		}
	}
	return worst;
}

struct hr_lock_use hr_lock_use_of(const struct hr_summary *summary, const struct hr_lock_summary *lock)
{
	struct hr_lock_use use = { 0 };

	for (size_t i = 0; i < summary->waits.lock_count; i++) {
		const struct hr_lock_summary *other = &summary->waits.locks[i];

		if (hr_lock_is_of_user(other) && other->process_id == lock->process_id)
			use.process_waited_ns += (double)other->time_ns;
		if (!is_same_lock(lock, other))
			continue;
		use.waits += (double)other->count;
		use.waited_ns += (double)other->time_ns;
		use.contended_ns += other->contended_ns == HR_NULL ? 0 : (double)other->contended_ns;
		use.handover_ns += other->handover_ns == HR_NULL ? 0 : (double)other->handover_ns;
	}
	return use;
}
