/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: page faults and size of each process, and how near the limits are that bind them. Read from /proc and the cgroup files.
 */
#include "collect/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/drain.h"
#include "collect/files.h"
#include "collect/memlimit.h"
#include "collect/roster.h"

#define PROCESSES_MAX 256 /* read in one pass */
#define BYTES_PER_KIB 1024

struct process {
	int64_t process_id;
	uint64_t minor_faults, major_faults; /* at the last pass */
};

struct memory {
	struct process processes[HR_PROCESS_SLOTS];
	struct hr_memory_limits limits;
	struct hr_memory_limit host;
};

int hr_memory_parse_stat(const char *text, struct hr_process_memory *ret)
{
	const char *close = strrchr(text, ')');
	struct hr_process_memory found;

	/* state ppid pgrp session tty tpgid flags | minflt cminflt majflt | cmajflt .. starttime vsize | rss */
	if (!close || sscanf(close + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64
			     " %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %*u %" SCNu64,
			     &found.minor_faults, &found.major_faults, &found.resident_pages) != 3)
		return -EINVAL;
	*ret = found;
	return 0;
}

/* Another file that takes as long to read: not where there is no swap. */
static int64_t swapped_bytes(uint32_t pid, bool has_swap)
{
	uint64_t kib;
	char text[4096];

	if (!has_swap)
		return 0;
	if (hr_file_readf(text, sizeof(text), "/proc/%u/status", pid) <= 0)
		return HR_NULL;
	for (char *at = text; *at; at++)
		if (*at == '\t')
			*at = ' ';
	return hr_file_value(text, "VmSwap:", &kib) ? (int64_t)(kib * BYTES_PER_KIB) : HR_NULL;
}

/* Faults count from its birth, or from the first reading of one that was there before. */
static void drain_process(struct memory *memory, struct hr_drain *drain, uint32_t slot, bool has_swap)
{
	const struct hr_process *process = hr_probes_process(drain->probes, slot);
	int64_t process_id = hr_roster_process_id(drain->roster, slot);
	struct process *before = &memory->processes[slot];
	bool is_known = before->process_id == process_id || process->parent;
	struct hr_process_memory now;
	char text[1024];

	if (before->process_id != process_id)
		*before = (struct process){ .process_id = process_id };
	if (hr_file_readf(text, sizeof(text), "/proc/%u/stat", process->pid) <= 0 || hr_memory_parse_stat(text, &now))
		return;
	hr_drain_add(drain, HR_TABLE_memory,
		     &(struct hr_row_memory){
			     .interval_id = drain->interval_id,
			     .process_id = process_id,
			     .minor_faults = is_known ? (int64_t)hr_drain_growth(now.minor_faults, before->minor_faults) : 0,
			     .major_faults = is_known ? (int64_t)hr_drain_growth(now.major_faults, before->major_faults) : 0,
			     .resident_bytes = (int64_t)now.resident_pages * sysconf(_SC_PAGESIZE),
			     .swapped_bytes = swapped_bytes(process->pid, has_swap),
		     });
	before->minor_faults = now.minor_faults;
	before->major_faults = now.major_faults;
}

static void drain_processes(struct memory *memory, struct hr_drain *drain)
{
	uint64_t swap_kib = 0;
	char text[4096];
	int count = 0;

	if (hr_file_read("/proc/meminfo", text, sizeof(text)) > 0)
		hr_file_value(text, "SwapTotal:", &swap_kib);
	for (uint32_t slot = 1; slot < hr_roster_process_slots(drain->roster); slot++) {
		if (!hr_roster_process_id(drain->roster, slot) || hr_probes_process(drain->probes, slot)->ended_ns)
			continue;
		if (count++ < PROCESSES_MAX)
			drain_process(memory, drain, slot, swap_kib);
		else if (!drain->discard)
			drain->memory_unread++;
	}
}

static int64_t growth(int64_t now, int64_t before)
{
	return now == HR_NULL || before == HR_NULL ? HR_NULL : now > before ? now - before : 0;
}

static void add_limit(struct hr_drain *drain, const struct hr_memory_limit *now, const struct hr_memory_limit *before)
{
	char cgroup[1024];

	if (!now->readable || !now->limit_bytes || !before->readable)
		return;
	hr_text_clean(cgroup, sizeof(cgroup), now->cgroup, sizeof(now->cgroup));
	hr_drain_add(drain, HR_TABLE_memory_limits,
		     &(struct hr_row_memory_limits){
			     .interval_id = drain->interval_id,
			     .cgroup = now->cgroup[0] ? cgroup : NULL,
			     .limit_bytes = now->limit_bytes,
			     .used_bytes = now->used_bytes,
			     .cache_bytes = now->cache_bytes,
			     .hits = growth(now->hits, before->hits),
			     .oom_kills = growth(now->oom_kills, before->oom_kills),
			     .refaults = growth(now->refaults, before->refaults),
		     });
}

static int drain_limits(struct memory *memory, struct hr_drain *drain, struct hr_err *err)
{
	struct hr_memory_limit before;
	const pid_t *pids;
	size_t count;

	for (size_t i = 0; i < memory->limits.count; i++) {
		before = memory->limits.rows[i];
		hr_memory_limit_read(&memory->limits.rows[i]);
		add_limit(drain, &memory->limits.rows[i], &before);
	}
	before = memory->host;
	hr_memory_host_read("", &memory->host);
	add_limit(drain, &memory->host, &before);
	pids = hr_roster_entered(drain->roster, &count); /* their limits count from here on */
	return hr_memory_limits_find("", pids, count, &memory->limits, err);
}

static int drain_memory(void *family, struct hr_drain *drain, struct hr_err *err)
{
	drain_processes(family, drain);
	return drain_limits(family, drain, err);
}

static void *open_memory(struct hr_drain *drain, struct hr_err *err)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	(void)drain;
	if (!memory)
		hr_err_set(err, -ENOMEM, "out of memory");
	return memory;
}

static void close_memory(void *family)
{
	struct memory *memory = family;

	if (!memory)
		return;
	hr_memory_limits_fini(&memory->limits);
	free(memory);
}

const struct hr_family hr_family_memory = { "memory", open_memory, NULL, drain_memory, NULL, close_memory };
