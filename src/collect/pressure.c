/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pressure stall information, as the kernel counts it: of the host, and of the cgroups of the target where v2 has them.
 */
#include "collect/pressure.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "collect/cgroup.h"
#include "collect/drain.h"
#include "collect/files.h"
#include "collect/roster.h"

#define NS_PER_US 1000
#define PLACES_MAX 17 /* the host and some cgroups; beyond them a cgroup has no rows */

static const char *const resources[] = { "cpu", "io", "memory" };
#define RESOURCES (sizeof(resources) / sizeof(*resources))

/* Where pressure is counted. */
struct place {
	char cgroup[PATH_MAX]; /* its directory; "": the host */
	struct hr_pressure before[RESOURCES];
	bool known[RESOURCES]; /* `before` has been read */
};

struct pressures {
	struct place places[PLACES_MAX];
	int count;
};

int hr_pressure_parse(const char *text, struct hr_pressure *ret)
{
	const char *some = strstr(text, "some "), *full = strstr(text, "full ");
	uint64_t some_us, full_us;

	some = some ? strstr(some, "total=") : NULL;
	full = full ? strstr(full, "total=") : NULL;
	if (!some || sscanf(some, "total=%" SCNu64, &some_us) != 1)
		return -EINVAL;
	ret->some_ns = some_us * NS_PER_US;
	ret->full_known = full && sscanf(full, "total=%" SCNu64, &full_us) == 1;
	ret->full_ns = ret->full_known ? full_us * NS_PER_US : 0;
	return 0;
}

static bool read_place(const struct place *place, const char *resource, struct hr_pressure *ret)
{
	char text[256];
	ssize_t length;

	length = place->cgroup[0] ? hr_file_readf(text, sizeof(text), "%s/%s.pressure", place->cgroup, resource) :
				    hr_file_readf(text, sizeof(text), "/proc/pressure/%s", resource);
	return length > 0 && !hr_pressure_parse(text, ret);
}

static void drain_place(struct hr_drain *drain, struct place *place)
{
	char cgroup[1024];

	hr_text_clean(cgroup, sizeof(cgroup), place->cgroup, sizeof(place->cgroup));
	for (size_t i = 0; i < RESOURCES; i++) {
		const struct hr_pressure *before = &place->before[i];
		struct hr_pressure now;

		if (!read_place(place, resources[i], &now))
			continue;
		if (place->known[i])
			hr_drain_add(drain, HR_TABLE_pressure,
				     &(struct hr_row_pressure){
					     .interval_id = drain->interval_id,
					     .cgroup = place->cgroup[0] ? cgroup : NULL,
					     .resource = resources[i],
					     .some_ns = hr_drain_growth(now.some_ns, before->some_ns),
					     .full_ns = now.full_known ? (int64_t)hr_drain_growth(now.full_ns, before->full_ns) :
									 HR_NULL,
				     });
		place->before[i] = now;
		place->known[i] = true;
	}
}

static void add_place(struct pressures *pressures, const char *cgroup)
{
	struct place *place = &pressures->places[pressures->count];

	for (int i = 0; i < pressures->count; i++)
		if (!strcmp(pressures->places[i].cgroup, cgroup))
			return;
	if (pressures->count == PLACES_MAX || hr_path(place->cgroup, "%s", cgroup))
		return;
	memset(place->known, 0, sizeof(place->known));
	pressures->count++;
}

/* The cgroups of the processes that came; what they are held up is counted from here on. */
static int look_at_newcomers(struct pressures *pressures, const struct hr_drain *drain, struct hr_err *err)
{
	struct hr_cgroup_mounts mounts;
	char v1[PATH_MAX], v2[PATH_MAX];
	const pid_t *pids;
	size_t count;
	int ret;

	pids = hr_roster_entered(drain->roster, &count);
	ret = count ? hr_cgroup_mounts("", "cpu", &mounts, err) : 0;
	for (size_t i = 0; i < count && !ret; i++)
		/* the top one has what the host has */
		if (!hr_cgroup_of("", &mounts, pids[i], v1, v2) && v2[0] && strcmp(v2, mounts.v2.at) != 0)
			add_place(pressures, v2);
	return ret;
}

static int drain_pressures(void *family, struct hr_drain *drain, struct hr_err *err)
{
	struct pressures *pressures = family;
	int ret = look_at_newcomers(pressures, drain, err);

	for (int i = 0; i < pressures->count && !ret; i++)
		drain_place(drain, &pressures->places[i]);
	return ret;
}

static void *open_pressures(struct hr_drain *drain, struct hr_err *err)
{
	struct pressures *pressures = calloc(1, sizeof(*pressures));

	(void)drain;
	if (pressures)
		pressures->count = 1; /* the host */
	else
		hr_err_set(err, -ENOMEM, "out of memory");
	return pressures;
}

const struct hr_family hr_family_pressure = { "pressure", open_pressures, NULL, drain_pressures, NULL, free };
