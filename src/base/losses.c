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
	[HR_LOSS_THREAD_SLOTS] = {
		"thread_slots", "a thread was born when all slots were taken: it is not in this run",
		HR_LOSSY, HR_LOSS_OF_NOTHING, 0,
	},
	[HR_LOSS_PROCESS_SLOTS] = {
		"process_slots", "a process was born when all slots were taken: it is not in this run",
		HR_LOSSY, HR_LOSS_OF_NOTHING, 0,
	},
	[HR_LOSS_CALL_RECORDS] = {
		"call_records", "a syscall found no free record: it is not counted",
		HR_LOSSY, HR_LOSS_OF_CALLS, 0.001,
	},
	[HR_LOSS_ERRNO_ROWS] = {
		"errno_rows", "an error found no room: its call is counted without its name",
		HR_LOSSY, HR_LOSS_OF_CALLS, 0.001, true,
	},
	[HR_LOSS_PARALLEL_RACES] = {
		"parallel_races", "a change of the threads on CPU at once was not recorded",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01,
	},
	[HR_LOSS_MISSED_SWITCH_IN] = {
		"missed_switch_in", "a thread got a CPU and the kernel did not tell",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01,
	},
	[HR_LOSS_MISSED_SWITCH_OUT] = {
		"missed_switch_out", "a thread left its CPU and the kernel did not tell",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01,
	},
	[HR_LOSS_UNSEEN_WAKES] = {
		"unseen_wakes", "a wait ended without a visible wake-up: its run queue is in it",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01,
	},
	[HR_LOSS_CLOCK_BACKWARDS] = {
		"clock_backwards", "the clock of another CPU lagged: that time counts as 0 ns",
		HR_HARMLESS, HR_LOSS_OF_SWITCHES, 0,
	},
	[HR_LOSS_MISSED_BIRTHS] = {
		"missed_births", "a thread was born unseen: it is in the run from the end of that interval on",
		HR_LOSSY, HR_LOSS_OF_NOTHING, 0,
	},
	[HR_LOSS_FLOW_RECORDS] = {
		"flow_records", "a process and a peer found no free record: their requests are not counted",
		HR_LOSSY, HR_LOSS_OF_CALLS, 0.001,
	},
	[HR_LOSS_STAGE_RECORDS] = {
		"stage_records", "a stage of a request found no free histogram: it is not in the latencies",
		HR_LOSSY, HR_LOSS_OF_CALLS, 0.001,
	},
	[HR_LOSS_SOCKETS] = {
		"sockets", "the kernel had no memory to follow a socket: its requests are not counted",
		HR_LOSSY, HR_LOSS_OF_NOTHING, 0,
	},
	[HR_LOSS_UNLISTED_SOCKETS] = {
		"unlisted_sockets", "a connection ended when too many did: its row says what was known of it before, if it has one",
		HR_HARMLESS, HR_LOSS_OF_NOTHING, 0,
	},
	[HR_LOSS_UNSEEN_ARRIVALS] = {
		"unseen_arrivals", "data was read whose arrival was not seen: its time in the receive queue counts as 0 ns",
		HR_APPROXIMATED, HR_LOSS_OF_CALLS, 0.01,
	},
	[HR_LOSS_UNSEEN_READS] = {
		"unseen_reads", "an answer was written to data that nobody was seen to read: its time is not split into stages",
		HR_APPROXIMATED, HR_LOSS_OF_CALLS, 0.01,
	},
	[HR_LOSS_EDGE_RECORDS] = {
		"edge_records", "a wait found no free record: who waited for whom is not known of it",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01,
	},
	[HR_LOSS_LOCK_RECORDS] = {
		"lock_records", "a futex found no free record: how contended it was is not known",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01,
	},
	[HR_LOSS_SAMPLES] = {
		"samples", "a sample found no room: its time is in the states, but in no stack",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01,
	},
	[HR_LOSS_STACKS] = {
		"stacks", "a sample was taken without its stack, because too many came at once",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01, true,
	},
	[HR_LOSS_DISK_REQUESTS] = {
		"disk_requests", "a request for block I/O found no room: who asked for it is not known, or it is in no count",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01,
	},
	[HR_LOSS_MISSED_PROGRAMS] = {
		"missed_programs", "an event came while a probe was running: the kernel skipped it",
		HR_LOSSY, HR_LOSS_OF_CALLS, 0.001,
	},
	[HR_LOSS_TORN_READS] = {
		"torn_reads", "an account changed all the while it was read: its interval is estimated",
		HR_APPROXIMATED, HR_LOSS_OF_SWITCHES, 0.01,
	},
	[HR_LOSS_STORE_ROWS] = {
		"store_rows", "a row was not taken by the run file",
		HR_LOSSY, HR_LOSS_OF_NOTHING, 0,
	},
	[HR_LOSS_LATE_INTERVALS] = {
		"late_intervals", "an interval took over twice as long as asked",
		HR_HARMLESS, HR_LOSS_OF_NOTHING, 0,
	},
	[HR_LOSS_UNREAD_MEMORY] = {
		"unread_memory", "a process was one of too many: its memory was not read in that interval",
		HR_HARMLESS, HR_LOSS_OF_NOTHING, 0,
	},
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
	/* one more: in a short run a single event is no share of anything */
	return (double)count > info->limit_share * (double)base_count + 1;
}
