/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/quota.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/cgroup.h"
#include "collect/files.h"

#define NS_PER_US 1000

int hr_quota_parse_max(const char *text, uint64_t *ret_quota_ns, uint64_t *ret_period_ns)
{
	uint64_t quota_us = 0, period_us;

	if (sscanf(text, "max %" SCNu64, &period_us) != 1 &&
	    sscanf(text, "%" SCNu64 " %" SCNu64, &quota_us, &period_us) != 2)
		return -EINVAL;
	*ret_quota_ns = quota_us * NS_PER_US;
	*ret_period_ns = period_us * NS_PER_US;
	return 0;
}

int hr_quota_parse_stat(const char *text, struct hr_quota *quota)
{
	uint64_t periods, throttled_periods, throttled;
	bool in_us = hr_file_value(text, "throttled_usec", &throttled);

	if (!in_us && !hr_file_value(text, "throttled_time", &throttled))
		return -EINVAL;
	if (!hr_file_value(text, "nr_periods", &periods) || !hr_file_value(text, "nr_throttled", &throttled_periods))
		return -EINVAL;
	quota->periods = periods;
	quota->throttled_periods = throttled_periods;
	quota->throttled_ns = in_us ? throttled * NS_PER_US : throttled;
	return 0;
}

/* cpu.cfs_quota_us is -1 where there is no limit. */
static int read_limit_v1(struct hr_quota *quota)
{
	int64_t quota_us, period_us;
	char text[64];

	if (hr_file_readf(text, sizeof(text), "%s/cpu.cfs_quota_us", quota->cgroup) <= 0 ||
	    sscanf(text, "%" SCNd64, &quota_us) != 1)
		return -ENOENT;
	if (hr_file_readf(text, sizeof(text), "%s/cpu.cfs_period_us", quota->cgroup) <= 0 ||
	    sscanf(text, "%" SCNd64, &period_us) != 1)
		return -ENOENT;
	quota->quota_ns = quota_us > 0 ? (uint64_t)quota_us * NS_PER_US : 0;
	quota->period_ns = period_us > 0 ? (uint64_t)period_us * NS_PER_US : 0;
	return 0;
}

static int read_limit_v2(struct hr_quota *quota)
{
	char text[64];

	if (hr_file_readf(text, sizeof(text), "%s/cpu.max", quota->cgroup) <= 0)
		return -ENOENT;
	return hr_quota_parse_max(text, &quota->quota_ns, &quota->period_ns);
}

/* The limit and the counters. False: the cgroup is gone, or has no limits (the top one of v2). */
static bool read_quota(struct hr_quota *quota)
{
	char text[1024];

	if (quota->v2 ? read_limit_v2(quota) : read_limit_v1(quota))
		return false;
	return hr_file_readf(text, sizeof(text), "%s/cpu.stat", quota->cgroup) > 0 && !hr_quota_parse_stat(text, quota);
}

static bool holds(const struct hr_quotas *quotas, const char *cgroup)
{
	for (size_t i = 0; i < quotas->count; i++)
		if (!strcmp(quotas->rows[i].cgroup, cgroup))
			return true;
	return false;
}

/* Add the cgroup if it has a quota. */
static int add(struct hr_quotas *quotas, const char *dir, bool v2)
{
	struct hr_quota quota = { .v2 = v2 }, *rows;

	if (holds(quotas, dir) || hr_path(quota.cgroup, "%s", dir))
		return 0;
	quota.readable = read_quota(&quota);
	if (!quota.readable || !quota.quota_ns)
		return 0;
	rows = realloc(quotas->rows, (quotas->count + 1) * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	quotas->rows = rows;
	rows[quotas->count++] = quota;
	return 0;
}

/* From the directory up to the mount: a quota binds all that is below. */
static int add_upwards(struct hr_quotas *quotas, char *dir, const struct hr_cgroup_mount *mount, bool v2)
{
	size_t top = strlen(mount->at);
	int rc = 0;

	while (!rc && strlen(dir) >= top) {
		rc = add(quotas, dir, v2);
		if (!strrchr(dir, '/'))
			break;
		*strrchr(dir, '/') = '\0';
	}
	return rc;
}

int hr_quotas_find(const char *root, const pid_t *pids, size_t count, struct hr_quotas *quotas, struct hr_err *err)
{
	char v1[PATH_MAX], v2[PATH_MAX];
	struct hr_cgroup_mounts mounts;
	int rc;

	rc = hr_cgroup_mounts(root, "cpu", &mounts, err);
	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < count; i++) {
		if (hr_cgroup_of(root, &mounts, pids[i], v1, v2))
			continue;
		if (v1[0])
			rc = add_upwards(quotas, v1, &mounts.v1, false);
		if (!rc && v2[0])
			rc = add_upwards(quotas, v2, &mounts.v2, true);
	}
	return rc ? hr_err_errno(err, rc, "cannot list the CPU quotas of the target") : 0;
}

void hr_quotas_read(struct hr_quotas *quotas)
{
	for (size_t i = 0; i < quotas->count; i++)
		quotas->rows[i].readable = read_quota(&quotas->rows[i]);
}

void hr_quotas_fini(struct hr_quotas *quotas)
{
	free(quotas->rows);
	*quotas = (struct hr_quotas){ 0 };
}
