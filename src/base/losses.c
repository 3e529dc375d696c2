/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/losses.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/*
 * Limits: a run is good to about 0.1 % (the bound of the accounts themselves), so that much of the calls may be
 * missing. A missed switch shifts one wait or one slice to the wrong state and takes no time away; kernels that run as
 * a guest are known to drop 0.3 % of them, so the limit for those is 1 %.
 */
static const struct hr_loss_info losses[HR_LOSSES] = {
	[HR_LOSS_THREAD_SLOTS] = { "thread_slots", "threads were born when all slots were taken: not in this run",
				   HR_LOSSY, HR_LOSS_OF_NOTHING, 0 },
	[HR_LOSS_PROCESS_SLOTS] = { "process_slots", "processes were born when all slots were taken: not in this run",
				    HR_LOSSY, HR_LOSS_OF_NOTHING, 0 },
	[HR_LOSS_CALL_RECORDS] = { "call_records", "syscalls found no free record: not counted", HR_LOSSY,
				   HR_LOSS_OF_CALLS, 0.001 },
	[HR_LOSS_ERRNO_ROWS] = { "errno_rows", "failed syscalls whose error found no room: counted without its name",
				 HR_LOSSY, HR_LOSS_OF_CALLS, 0.001 },
	[HR_LOSS_PARALLEL_RACES] = { "parallel_races", "changes of the threads on CPU at once were not recorded",
				     HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01 },
	[HR_LOSS_MISSED_SWITCH_IN] = { "missed_switch_in", "times a thread got a CPU and the kernel did not tell",
				       HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01 },
	[HR_LOSS_MISSED_SWITCH_OUT] = { "missed_switch_out", "times a thread left its CPU and the kernel did not tell",
					HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01 },
	[HR_LOSS_UNSEEN_WAKES] = { "unseen_wakes", "waits ended without a visible wake-up: they hold their run queue",
				   HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01 },
	[HR_LOSS_CLOCK_BACKWARDS] = { "clock_backwards", "stamps of another CPU lay in the past: counted as 0 ns",
				      HR_HARMLESS, HR_LOSS_OF_SWITCHES, 0 },
	[HR_LOSS_MISSED_PROGRAMS] = { "missed_programs", "events came while a probe was running: skipped by the kernel",
				      HR_LOSSY, HR_LOSS_OF_SWITCHES, 0.001 },
	[HR_LOSS_TORN_READS] = { "torn_reads", "accounts changed while they were read: their interval was estimated",
				 HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01 },
	[HR_LOSS_STORE_ROWS] = { "store_rows", "rows were not taken by the run file", HR_LOSSY, HR_LOSS_OF_NOTHING, 0 },
	[HR_LOSS_LATE_INTERVALS] = { "late_intervals", "intervals took over twice as long as asked", HR_HARMLESS,
				     HR_LOSS_OF_NOTHING, 0 },
};

static const char *const kind_names[] = {
	[HR_LOSSY] = "lossy",
	[HR_APPROXIMATED] = "approximation",
	[HR_HARMLESS] = "harmless",
};

const struct hr_loss_info *hr_loss_info(enum hr_loss reason)
{
	assert(reason < HR_LOSSES);
	return &losses[reason];
}

const char *hr_loss_name(enum hr_loss reason)
{
	return hr_loss_info(reason)->name;
}

const struct hr_loss_info *hr_loss_by_name(const char *name)
{
	for (size_t i = 0; i < HR_LOSSES; i++)
		if (strcmp(losses[i].name, name) == 0)
			return &losses[i];
	return NULL;
}

const char *hr_loss_kind_name(enum hr_loss_kind kind)
{
	return kind_names[kind];
}

bool hr_loss_is_above_limit(const struct hr_loss_info *info, uint64_t count, uint64_t base_count)
{
	if (!info)
		return count > 0;
	if (info->kind == HR_HARMLESS)
		return false;
	if (info->base == HR_LOSS_OF_NOTHING)
		return count > 0;
	return (double)count > info->limit_share * (double)base_count;
}
