/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU quotas that bind the target: what they allow, and how often they were used up. Read from the cgroup files; the part of
 * each wait that a quota made is measured in bpf/sched.bpf.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "collect/drain.h"
#include "collect/quota.h"
#include "collect/roster.h"

struct quotas {
	struct hr_quotas now;
	struct hr_quota *before; /* of now.rows, as read at the last pass */
	size_t before_count;
};

static int remember(struct quotas *quotas, struct hr_err *err)
{
	struct hr_quota *rows = NULL;

	if (quotas->now.count) {
		rows = malloc(quotas->now.count * sizeof(*rows));
		if (!rows)
			return hr_err_set(err, -ENOMEM, "out of memory");
		memcpy(rows, quotas->now.rows, quotas->now.count * sizeof(*rows));
	}
	free(quotas->before);
	quotas->before = rows;
	quotas->before_count = quotas->now.count;
	return 0;
}

static void note_live(struct hr_live *live, const struct hr_quota *quota)
{
	double cpus = quota->period_ns ? (double)quota->quota_ns / (double)quota->period_ns : 0;

	if (cpus > 0 && (live->quota_cpus <= 0 || cpus < live->quota_cpus))
		live->quota_cpus = cpus;
}

static int drain_quotas(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct quotas *quotas = family;
	const pid_t *pids;
	size_t count;
	int ret;

	hr_quotas_read(&quotas->now);
	drain->live.quota_cpus = 0;
	for (size_t i = 0; i < quotas->before_count; i++) {
		const struct hr_quota *now = &quotas->now.rows[i], *before = &quotas->before[i];
		char cgroup[1024];

		if (!now->readable)
			continue;
		note_live(&drain->live, now);
		hr_text_clean(cgroup, sizeof(cgroup), now->cgroup, sizeof(now->cgroup));
		hr_drain_add(drain, HR_TABLE_quotas,
			     &(struct hr_row_quotas){
				     .interval_id = drain->interval_id,
				     .cgroup = cgroup,
				     .quota_ns = now->quota_ns ? (int64_t)now->quota_ns : HR_NULL,
				     .period_ns = now->period_ns,
				     .periods = now->periods - before->periods,
				     .throttled_periods = now->throttled_periods - before->throttled_periods,
				     .throttled_ns = now->throttled_ns - before->throttled_ns,
			     });
	}
	pids = hr_roster_entered(drain->roster, &count); /* their quotas count from here on */
	ret = hr_quotas_find("", pids, count, &quotas->now, err);
	return ret ? ret : remember(quotas, err);
}

static void *open_quotas(struct hr_drain *drain, struct hr_err *err)
{
	struct quotas *quotas = calloc(1, sizeof(*quotas));

	(void)drain;
	if (!quotas)
		hr_err_set(err, -ENOMEM, "out of memory");
	return quotas;
}

static void close_quotas(void *family)
{
	struct quotas *quotas = family;

	if (!quotas)
		return;
	hr_quotas_fini(&quotas->now);
	free(quotas->before);
	free(quotas);
}

const struct hr_family hr_family_quotas = { "quotas", open_quotas, NULL, drain_quotas, NULL, close_quotas };
