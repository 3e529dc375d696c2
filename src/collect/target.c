/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/cgroup.h"
#include "collect/procs.h"
#include "collect/target_find.h"

/*
 * Take in those of procs that descend from the roots (NULL: all), but not what the kernel runs, the dead, headroom and
 * what it started.
 */
static int take_in(struct hr_target *target, const struct hr_procs *procs, const struct hr_pids *roots)
{
	pid_t self = getpid();
	const struct hr_pids ours = { .at = &self, .count = 1 };

	target->pids = calloc(procs->count + 1, sizeof(*target->pids));
	target->start_ticks = calloc(procs->count + 1, sizeof(*target->start_ticks));
	if (!target->pids || !target->start_ticks)
		return -ENOMEM;
	for (size_t i = 0; i < procs->count; i++) {
		const struct hr_proc *row = &procs->rows[i];

		if (row->kernel_thread || row->ended || hr_procs_descend(procs, row->pid, &ours))
			continue;
		if (roots && !hr_procs_descend(procs, row->pid, roots))
			continue;
		target->pids[target->count] = row->pid;
		target->start_ticks[target->count++] = row->start_ticks;
	}
	return 0;
}

/* The members of its cgroup, as roots, and what there is to know of them. */
static int read_members(const struct hr_target *target, struct hr_procs *procs, struct hr_pids *roots,
			struct hr_err *err)
{
	int rc = hr_cgroup_processes(target->cgroup, roots, err);

	if (rc)
		return rc;
	hr_pids_sort(roots);
	return hr_procs_read_some(target->root, roots, procs, err);
}

/* Those that it comes from, as roots, and the processes to take in. */
static int find(struct hr_target *target, const struct hr_target_spec *spec, struct hr_procs *procs,
		struct hr_pids *roots, struct hr_err *err)
{
	int rc;

	if (spec->cgroup) {
		rc = hr_cgroup_find(target->root, spec->cgroup, target->cgroup, err);
		return rc ? rc : read_members(target, procs, roots, err);
	}
	rc = hr_procs_read(target->root, procs, err);
	if (rc)
		return rc;
	if (spec->pids)
		rc = hr_target_find_pids(target->root, procs, spec->pids, roots, err);
	else if (spec->comm)
		rc = hr_target_find_comm(procs, spec->comm, roots, err);
	else
		rc = hr_target_find_port(target->root, procs, spec->port, roots, err);
	hr_pids_sort(roots);
	return rc;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* Writes about; the first three processes are named. */
static void describe(struct hr_target *target, const struct hr_target_spec *spec, const struct hr_procs *procs,
		     const struct hr_pids *roots)
{
	char name[HR_PROC_NAME_BYTES], path[160], *text = target->about;
	size_t size = sizeof(target->about), at = 0;

	if (spec->cgroup) {
		hr_text_clean(path, sizeof(path), spec->cgroup, strlen(spec->cgroup));
		snprintf(text, size, "cgroup '%s': %zu process%s", path, target->count, target->count == 1 ? "" : "es");
		return;
	}
	if (spec->port)
		at += snprintf(text, size, "port %d: ", spec->port);
	at += snprintf(text + at, size - at, "pid%s ", plural(roots->count));
	for (size_t i = 0; i < roots->count && i < 3; i++) {
		const struct hr_proc *row = hr_procs_find(procs, roots->at[i]);

		hr_text_clean(name, sizeof(name), row ? row->name : "", sizeof(row->name));
		at += snprintf(text + at, size - at, "%s%d (%s)", i ? ", " : "", roots->at[i], name);
	}
	if (roots->count > 3)
		at += snprintf(text + at, size - at, " and %zu more", roots->count - 3);
	if (target->count > roots->count)
		snprintf(text + at, size - at, " and %zu descendant%s", target->count - roots->count,
			 plural(target->count - roots->count));
}

static int check_spec(const struct hr_target_spec *spec, struct hr_err *err)
{
	int given = !!spec->pids + !!spec->port + !!spec->comm + !!spec->cgroup;

	if (!given)
		return hr_err_set(err, -EINVAL,
				  "nothing to record: give -p PID, --port PORT, --comm NAME or --cgroup PATH");
	if (given > 1)
		return hr_err_set(err, -EINVAL, "give only one of -p, --port, --comm and --cgroup");
	if (spec->port && (spec->port < 1 || spec->port > 65535))
		return hr_err_set(err, -EINVAL, "'%d' is not a port: 1 to 65535", spec->port);
	if ((spec->comm && !*spec->comm) || (spec->cgroup && !*spec->cgroup))
		return hr_err_set(err, -EINVAL, "%s needs a %s", spec->comm ? "--comm" : "--cgroup",
				  spec->comm ? "name" : "path");
	return 0;
}

int hr_target_resolve(const struct hr_target_spec *spec, struct hr_target *ret, struct hr_err *err)
{
	struct hr_target target = { .root = spec->root ? spec->root : "" };
	struct hr_procs procs = { 0 };
	struct hr_pids roots = { 0 };
	int rc;

	rc = check_spec(spec, err);
	if (rc)
		return rc;
	rc = find(&target, spec, &procs, &roots, err);
	if (!rc) {
		rc = take_in(&target, &procs, spec->cgroup ? NULL : &roots);
		if (rc)
			hr_err_errno(err, rc, "cannot list the processes of the target");
	}
	if (!rc && !target.count)
		rc = spec->cgroup ? hr_err_set(err, -ESRCH, "cgroup '%s' holds no process to record", spec->cgroup)
				  : hr_err_set(err, -ESRCH, "the process ended before it could be recorded");
	if (!rc) {
		describe(&target, spec, &procs, &roots);
		*ret = target;
	} else {
		hr_target_fini(&target);
	}
	hr_pids_fini(&roots);
	hr_procs_fini(&procs);
	return rc;
}

/* Was this process among those of the last look? */
static bool knows(const struct hr_target *target, pid_t pid, uint64_t start_ticks)
{
	size_t low = 0, high = target->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (target->pids[middle] == pid)
			return target->start_ticks[middle] == start_ticks;
		if (target->pids[middle] < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* What find() does, without asking anew: the cgroup's members, or the known processes that still live. */
static int find_again(const struct hr_target *target, struct hr_procs *procs, struct hr_pids *roots, struct hr_err *err)
{
	int rc;

	if (target->cgroup[0]) {
		rc = read_members(target, procs, roots, err);
		return rc == -ENOENT || rc == -ENODEV ? 0 : rc; /* removed: nothing is left in it */
	}
	rc = hr_procs_read(target->root, procs, err);
	for (size_t i = 0; !rc && i < procs->count; i++)
		if (knows(target, procs->rows[i].pid, procs->rows[i].start_ticks)) {
			rc = hr_pids_add(roots, procs->rows[i].pid);
			if (rc)
				hr_err_errno(err, rc, "cannot list the processes of the target");
		}
	return rc;
}

int hr_target_more(struct hr_target *target, pid_t **ret_pids, size_t *ret_count, struct hr_err *err)
{
	struct hr_target now = { .root = target->root };
	struct hr_pids roots = { 0 }, fresh = { 0 };
	struct hr_procs procs = { 0 };
	int rc;

	rc = find_again(target, &procs, &roots, err);
	if (!rc) {
		rc = take_in(&now, &procs, target->cgroup[0] ? NULL : &roots);
		for (size_t i = 0; !rc && i < now.count; i++)
			if (!knows(target, now.pids[i], now.start_ticks[i]))
				rc = hr_pids_add(&fresh, now.pids[i]);
		if (rc)
			hr_err_errno(err, rc, "cannot list the processes of the target");
	}
	hr_pids_fini(&roots);
	hr_procs_fini(&procs);
	if (rc) {
		hr_target_fini(&now);
		hr_pids_fini(&fresh);
		return rc;
	}
	free(target->pids);
	free(target->start_ticks);
	target->pids = now.pids;
	target->start_ticks = now.start_ticks;
	target->count = now.count;
	*ret_pids = fresh.at;
	*ret_count = fresh.count;
	return 0;
}

const char *hr_target_describe(const struct hr_target *target)
{
	return target->about;
}

void hr_target_fini(struct hr_target *target)
{
	free(target->pids);
	free(target->start_ticks);
	*target = (struct hr_target){ 0 };
}
