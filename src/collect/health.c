/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Health of the recording itself: what was lost, and what it cost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/losses.h"
#include "collect/drain.h"
#include "collect/files.h"

struct health {
	uint64_t losses[HR_LOSSES]; /* at the last pass */
	uint64_t cpu_ns;
};

static uint64_t own_cpu_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ULL +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ULL;
}

static int64_t own_rss_bytes(void)
{
	unsigned long total, resident;
	char text[128];

	if (hr_file_read("/proc/self/statm", text, sizeof(text)) <= 0 || sscanf(text, "%lu %lu", &total, &resident) != 2)
		return HR_NULL;
	return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

static void note_live(struct hr_drain *drain, const struct health *health, const uint64_t losses[HR_LOSSES], uint64_t cpu_ns)
{
	struct hr_live *live = &drain->live;

	if (drain->discard)
		return;
	for (int reason = 0; reason < HR_LOSSES; reason++)
		live->losses[reason] += losses[reason] - health->losses[reason];
	live->collector_cpu_ns += cpu_ns;
}

static int drain_health(void *family, struct hr_drain *drain, struct hr_err *err)
{
	uint64_t losses[HR_LOSSES], cpu_ns = own_cpu_ns();
	struct health *health = family;

	(void)err;
	drain->live.collector_rss_bytes = own_rss_bytes();
	hr_drain_add(drain, HR_TABLE_costs,
		     &(struct hr_row_costs){
			     .interval_id = drain->interval_id,
			     .collector_cpu_ns = cpu_ns - health->cpu_ns,
			     .collector_rss_bytes = drain->live.collector_rss_bytes,
		     });
	hr_probes_losses(drain->probes, losses);
	losses[HR_LOSS_PROCESS_SLOTS] += drain->processes_lost;
	losses[HR_LOSS_UNLISTED_SOCKETS] += drain->sockets_unlisted;
	losses[HR_LOSS_SAMPLES] += drain->samples_lost;
	losses[HR_LOSS_STACKS] += drain->stacks_lost;
	losses[HR_LOSS_TORN_READS] = drain->torn_reads;
	losses[HR_LOSS_STORE_ROWS] = drain->rows_lost;
	losses[HR_LOSS_LATE_INTERVALS] = drain->late_intervals;
	losses[HR_LOSS_UNREAD_MEMORY] = drain->memory_unread;
	for (int reason = 0; reason < HR_LOSSES; reason++) {
		uint64_t count = losses[reason] - health->losses[reason];

		if (count)
			hr_drain_add(drain, HR_TABLE_losses,
				     &(struct hr_row_losses){
					     .interval_id = drain->interval_id,
					     .reason = hr_loss_name(reason),
					     .count = count,
				     });
		drain->totals.losses += count;
	}
	note_live(drain, health, losses, cpu_ns - health->cpu_ns);
	health->cpu_ns = cpu_ns;
	memcpy(health->losses, losses, sizeof(losses));
	return 0;
}

static void *open_health(struct hr_drain *drain, struct hr_err *err)
{
	struct health *health = calloc(1, sizeof(*health));

	(void)drain;
	if (!health)
		hr_err_set(err, -ENOMEM, "out of memory");
	return health;
}

const struct hr_family hr_family_health = { "health", open_health, NULL, drain_health, NULL, free };
