/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks: what each was asked for, how long it took, how busy it was. Kernel side: bpf/blockio.bpf.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/disks.h"
#include "base/text.h"
#include "collect/drain.h"

#define READ_TRIES 8
#define NAME_BYTES (3 * HR_DISK_NAME_BYTES + 1) /* as valid UTF-8 */

/* Up to a moment. */
struct load {
	uint64_t busy_ns, in_flight_ns;
};

struct known_disk {
	int64_t disk_id; /* 0: not in the file yet */
	struct load load;
	struct hr_disk_work work[HR_DISK_OPERATIONS][HR_DISK_OWNERS];
};

struct disks {
	struct known_disk *before[HR_DISKS]; /* as it was at the last pass; NULL: it was not there */
	int64_t entered;
};

static uint64_t now_of(const __u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* False: the two words of the depth did not stay as they are for long enough to be read together. */
static bool read_load(const struct hr_disk *disk, struct load *ret)
{
	uint64_t in_flight, depth_ns, at_ns;
	int64_t busy_ns;
	bool is_whole;
	int tries = READ_TRIES;

	do {
		in_flight = now_of(&disk->in_flight);
		depth_ns = now_of(&disk->depth_ns);
		busy_ns = __atomic_load_n(&disk->busy_ns, __ATOMIC_ACQUIRE);
		at_ns = hr_clock_mono_ns();
		is_whole = in_flight == now_of(&disk->in_flight) && depth_ns == now_of(&disk->depth_ns);
	} while (!is_whole && --tries);
	ret->in_flight_ns = depth_ns + at_ns * in_flight;
	ret->busy_ns = busy_ns < 0 ? busy_ns + at_ns : (uint64_t)busy_ns;
	return is_whole;
}

static int enter(struct disks *disks, struct hr_drain *drain, struct known_disk *known, const struct hr_disk *disk,
		 struct hr_err *err)
{
	char name[NAME_BYTES], device[32];

	if (known->disk_id || drain->discard)
		return 0;
	known->disk_id = ++disks->entered;
	hr_text_clean(name, sizeof(name), disk->name, sizeof(disk->name));
	snprintf(device, sizeof(device), "%u:%u", disk->device >> 20, disk->device & ((1U << 20) - 1));
	return hr_writer_add(drain->writer, HR_TABLE_disks,
			     &(struct hr_row_disks){ .disk_id = known->disk_id, .name = name, .device = device }, err);
}

static void add_slots(struct hr_drain *drain, int64_t disk_id, int operation, int owner, const struct hr_disk_work *now,
		      const struct hr_disk_work *before)
{
	for (uint32_t slot = 0; slot < HR_HIST_SLOTS; slot++)
		if (now->slots[slot] != before->slots[slot])
			hr_drain_add(drain, HR_TABLE_disk_histograms,
				     &(struct hr_row_disk_histograms){
					     .interval_id = drain->interval_id,
					     .disk_id = disk_id,
					     .operation = hr_disk_operation_name(operation),
					     .owner = hr_disk_owner_name(owner),
					     .low_ns = hr_hist_low(slot, HR_HIST_BITS),
					     .high_ns = hr_hist_low(slot + 1, HR_HIST_BITS),
					     .count = now->slots[slot] - before->slots[slot],
				     });
}

/* What was done since the last pass, which becomes the base of the next. */
static void drain_work(struct hr_drain *drain, int64_t disk_id, int operation, int owner, const struct hr_disk_work *work,
		       struct hr_disk_work *before)
{
	struct hr_disk_work now = *work;

	if (now.count != before->count && !drain->discard) {
		hr_drain_add(drain, HR_TABLE_disk_operations,
			     &(struct hr_row_disk_operations){
				     .interval_id = drain->interval_id,
				     .disk_id = disk_id,
				     .operation = hr_disk_operation_name(operation),
				     .owner = hr_disk_owner_name(owner),
				     .count = now.count - before->count,
				     .data_bytes = now.bytes - before->bytes,
				     .errors = now.errors - before->errors,
				     .latency_ns = now.latency_ns - before->latency_ns,
				     .queued_ns = now.queued_ns - before->queued_ns,
			     });
		add_slots(drain, disk_id, operation, owner, &now, before);
	}
	*before = now;
}

static bool has_work(const struct hr_disk *disk, const struct known_disk *before)
{
	for (int operation = 0; operation < HR_DISK_OPERATIONS; operation++)
		for (int owner = 0; owner < HR_DISK_OWNERS; owner++)
			if (disk->work[operation][owner].count != before->work[operation][owner].count)
				return true;
	return false;
}

static int drain_disk(struct disks *disks, struct hr_drain *drain, const struct hr_disk *disk, struct known_disk *before,
		      struct hr_err *err)
{
	struct load now, last = before->load;
	int ret;

	drain->torn_reads += !read_load(disk, &now);
	before->load = now;
	if (now.busy_ns <= last.busy_ns && !has_work(disk, before))
		return 0;
	ret = enter(disks, drain, before, disk, err);
	if (ret)
		return ret;
	hr_drain_add(drain, HR_TABLE_disk_load,
		     &(struct hr_row_disk_load){
			     .interval_id = drain->interval_id,
			     .disk_id = before->disk_id,
			     .busy_ns = hr_drain_growth(now.busy_ns, last.busy_ns),
			     .in_flight_ns = hr_drain_growth(now.in_flight_ns, last.in_flight_ns),
		     });
	for (int operation = 0; operation < HR_DISK_OPERATIONS; operation++)
		for (int owner = 0; owner < HR_DISK_OWNERS; owner++)
			drain_work(drain, before->disk_id, operation, owner, &disk->work[operation][owner],
				   &before->work[operation][owner]);
	return 0;
}

static int drain_disks(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct disks *disks = family;
	int ret = 0;

	if (!hr_probes_has_disks(drain->probes))
		return 0;
	for (uint32_t i = 0; i < HR_DISKS && !ret; i++) {
		const struct hr_disk *disk = hr_probes_disk(drain->probes, i);

		if (!disk->device || !disk->name[0]) /* free, or about to be named */
			continue;
		if (!disks->before[i])
			disks->before[i] = calloc(1, sizeof(*disks->before[i]));
		if (!disks->before[i])
			return hr_err_set(err, -ENOMEM, "out of memory");
		ret = drain_disk(disks, drain, disk, disks->before[i], err);
	}
	return ret;
}

static void *open_disks(struct hr_drain *drain, struct hr_err *err)
{
	struct disks *disks = calloc(1, sizeof(*disks));

	(void)drain;
	if (!disks)
		hr_err_set(err, -ENOMEM, "out of memory");
	return disks;
}

static void close_disks(void *family)
{
	struct disks *disks = family;

	if (!disks)
		return;
	for (int i = 0; i < HR_DISKS; i++)
		free(disks->before[i]);
	free(disks);
}

const struct hr_family hr_family_disks = { "disks", open_disks, NULL, drain_disks, NULL, close_disks };
