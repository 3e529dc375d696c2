/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/memlimit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/cgroup.h"
#include "collect/files.h"
#include "store/tables.h"

#define FILE_BYTES 16384    /* memory.stat and vmstat have some 180 lines */
#define BYTES_PER_KIB 1024
#define NO_LIMIT (1ULL << 62) /* v1 writes "none" as the most pages that fit in a long */

/* The sum of the lines with these names (NULL ends them); HR_NULL: there is none of them. */
static int64_t sum_of(const char *text, const char *const names[])
{
	int64_t sum = HR_NULL;

	for (; *names; names++) {
		uint64_t value;

		if (hr_file_value(text, *names, &value))
			sum = (sum == HR_NULL ? 0 : sum) + (int64_t)value;
	}
	return sum;
}

static int64_t value_of(const char *text, const char *name)
{
	return sum_of(text, (const char *const[]){ name, NULL });
}

/* A file that holds one number. False: it is not there, or says "max". */
static bool read_number(const char *dir, const char *name, uint64_t *ret)
{
	char text[64];

	return hr_file_readf(text, sizeof(text), "%s/%s", dir, name) > 0 && sscanf(text, "%" SCNu64, ret) == 1;
}

static bool read_text(const char *dir, const char *name, char text[FILE_BYTES])
{
	if (hr_file_readf(text, FILE_BYTES, "%s/%s", dir, name) > 0)
		return true;
	text[0] = '\0';
	return false;
}

static void read_v1(struct hr_memory_limit *limit, char text[FILE_BYTES])
{
	const char *dir = limit->cgroup;
	uint64_t limit_bytes, hits;

	limit->readable = read_number(dir, "memory.limit_in_bytes", &limit_bytes) &&
			  read_number(dir, "memory.usage_in_bytes", &limit->used_bytes);
	if (!limit->readable)
		return;
	limit->limit_bytes = limit_bytes < NO_LIMIT ? limit_bytes : 0;
	limit->hits = read_number(dir, "memory.failcnt", &hits) ? (int64_t)hits : HR_NULL;
	read_text(dir, "memory.oom_control", text);
	limit->oom_kills = value_of(text, "oom_kill");
	read_text(dir, "memory.stat", text);
	limit->cache_bytes = value_of(text, "total_cache");
	limit->refaults = sum_of(text, (const char *const[]){ "total_workingset_refault_anon", "total_workingset_refault_file",
							      NULL });
}

/* The lower of the two limits is the one that is felt first. */
static void read_v2(struct hr_memory_limit *limit, char text[FILE_BYTES])
{
	const char *dir = limit->cgroup;
	uint64_t high_bytes;

	limit->readable = read_number(dir, "memory.current", &limit->used_bytes);
	if (!limit->readable)
		return;
	if (!read_number(dir, "memory.max", &limit->limit_bytes))
		limit->limit_bytes = 0;
	if (read_number(dir, "memory.high", &high_bytes) && (!limit->limit_bytes || high_bytes < limit->limit_bytes))
		limit->limit_bytes = high_bytes;
	read_text(dir, "memory.events", text);
	limit->hits = sum_of(text, (const char *const[]){ "high", "max", NULL });
	limit->oom_kills = value_of(text, "oom_kill");
	read_text(dir, "memory.stat", text);
	limit->cache_bytes = value_of(text, "file");
	limit->refaults = sum_of(text, (const char *const[]){ "workingset_refault_anon", "workingset_refault_file", NULL });
}

/* The counters of one without a limit are not needed, but it may get one, so that they must be known then. */
void hr_memory_limit_read(struct hr_memory_limit *limit)
{
	char text[FILE_BYTES];

	if (limit->v2)
		read_v2(limit, text);
	else
		read_v1(limit, text);
}

static bool holds(const struct hr_memory_limits *limits, const char *cgroup)
{
	for (size_t i = 0; i < limits->count; i++)
		if (!strcmp(limits->rows[i].cgroup, cgroup))
			return true;
	return false;
}

static int add(struct hr_memory_limits *limits, const char *dir, bool v2)
{
	struct hr_memory_limit *rows;

	if (limits->count == HR_MEMORY_LIMITS_MAX || holds(limits, dir))
		return 0;
	rows = realloc(limits->rows, (limits->count + 1) * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	limits->rows = rows;
	rows[limits->count] = (struct hr_memory_limit){ .v2 = v2 };
	if (hr_path(rows[limits->count].cgroup, "%s", dir))
		return 0;
	hr_memory_limit_read(&rows[limits->count]);
	limits->count += rows[limits->count].readable;
	return 0;
}

/* From the directory up to the mount: a limit binds all that is below. */
static int add_upwards(struct hr_memory_limits *limits, char *dir, const struct hr_cgroup_mount *mount, bool v2)
{
	size_t top = strlen(mount->at);
	int ret = 0;

	while (!ret && strlen(dir) >= top) {
		ret = add(limits, dir, v2);
		if (!strrchr(dir, '/'))
			break;
		*strrchr(dir, '/') = '\0';
	}
	return ret;
}

int hr_memory_limits_find(const char *root, const pid_t *pids, size_t count, struct hr_memory_limits *limits, struct hr_err *err)
{
	char v1[PATH_MAX], v2[PATH_MAX];
	struct hr_cgroup_mounts mounts;
	int ret = count ? hr_cgroup_mounts(root, "memory", &mounts, err) : 0;

	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < count; i++) {
		if (hr_cgroup_of(root, &mounts, pids[i], v1, v2))
			continue;
		if (v1[0])
			ret = add_upwards(limits, v1, &mounts.v1, false);
		if (!ret && v2[0])
			ret = add_upwards(limits, v2, &mounts.v2, true);
	}
	return ret ? hr_err_errno(err, ret, "cannot list the memory limits of the target") : 0;
}

void hr_memory_limits_fini(struct hr_memory_limits *limits)
{
	free(limits->rows);
	*limits = (struct hr_memory_limits){ 0 };
}

void hr_memory_host_read(const char *root, struct hr_memory_limit *ret)
{
	/* one for each zone */
	static const char *const stalls[] = { "allocstall_dma", "allocstall_dma32", "allocstall_normal", "allocstall_movable",
					      "allocstall_device", NULL };
	static const char *const refaults[] = { "workingset_refault_anon", "workingset_refault_file", NULL };
	char text[FILE_BYTES];
	uint64_t total_kib = 0, available_kib = 0;

	*ret = (struct hr_memory_limit){ .cache_bytes = HR_NULL };
	ret->readable = hr_file_readf(text, sizeof(text), "%s/proc/meminfo", root) > 0 &&
			hr_file_value(text, "MemTotal:", &total_kib) && hr_file_value(text, "MemAvailable:", &available_kib) && available_kib <= total_kib;
	ret->limit_bytes = total_kib * BYTES_PER_KIB;
	ret->used_bytes = (total_kib - available_kib) * BYTES_PER_KIB;
	if (hr_file_readf(text, sizeof(text), "%s/proc/vmstat", root) <= 0)
		text[0] = '\0';
	ret->hits = sum_of(text, stalls);
	ret->oom_kills = value_of(text, "oom_kill");
	ret->refaults = sum_of(text, refaults);
}
