/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/procs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "collect/files.h"

#define KERNEL_THREAD_FLAG 0x00200000 /* PF_KTHREAD: shown in the field `flags` of /proc/PID/stat */

int hr_pids_add(struct hr_pids *pids, pid_t pid)
{
	if (pids->count == pids->room) {
		size_t room = pids->room ? 2 * pids->room : 64;
		pid_t *at = realloc(pids->at, room * sizeof(*at));

		if (!at)
			return -ENOMEM;
		pids->at = at;
		pids->room = room;
	}
	pids->at[pids->count++] = pid;
	return 0;
}

static int by_number(const void *left, const void *right)
{
	const pid_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

void hr_pids_sort(struct hr_pids *pids)
{
	size_t kept = 0;

	if (!pids->count)
		return;
	qsort(pids->at, pids->count, sizeof(*pids->at), by_number);
	for (size_t i = 1; i < pids->count; i++)
		if (pids->at[i] != pids->at[kept])
			pids->at[++kept] = pids->at[i];
	pids->count = kept + 1;
}

bool hr_pids_hold(const struct hr_pids *pids, pid_t pid)
{
	return pids->count && bsearch(&pid, pids->at, pids->count, sizeof(pid), by_number);
}

void hr_pids_fini(struct hr_pids *pids)
{
	free(pids->at);
	*pids = (struct hr_pids){ 0 };
}

int hr_proc_parse_stat(const char *text, struct hr_proc *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct hr_proc row = { 0 };
	unsigned int flags;
	int threads;
	char state;

	if (!open || !close || close < open || sscanf(text, "%d", &row.pid) != 1)
		return -EINVAL;
	/* state ppid pgrp session tty tpgid flags | minflt .. nice | num_threads itrealvalue starttime */
	if (sscanf(close + 1,
		   " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d %*d %" SCNu64, &state,
		   &row.parent, &flags, &threads, &row.start_ticks) != 5)
		return -EINVAL;
	snprintf(row.name, sizeof(row.name), "%.*s", (int)(close - open - 1), open + 1);
	row.kernel_thread = flags & KERNEL_THREAD_FLAG;
	row.ended = (state == 'Z' || state == 'X') && threads <= 1;
	*ret = row;
	return 0;
}

/* One process. 0; -ESRCH: there is none (a thread that is no process has a directory too: look at /proc/PID/status). */
static int read_proc(const char *root, pid_t pid, struct hr_proc *ret)
{
	char text[1024];

	if (hr_file_readf(text, sizeof(text), "%s/proc/%d/stat", root, pid) <= 0 || hr_proc_parse_stat(text, ret))
		return -ESRCH;
	return 0;
}

static int by_pid(const void *left, const void *right)
{
	const struct hr_proc *a = left, *b = right;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

static int add_row(struct hr_procs *procs, size_t *room, const struct hr_proc *row)
{
	if (procs->count == *room) {
		size_t more = *room ? 2 * *room : 256;
		struct hr_proc *rows = realloc(procs->rows, more * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		procs->rows = rows;
		*room = more;
	}
	procs->rows[procs->count++] = *row;
	return 0;
}

/* Take in what was read, or give it back. */
static int finish(struct hr_procs *procs, int rc, struct hr_procs *ret, struct hr_err *err)
{
	if (rc) {
		hr_procs_fini(procs);
		return hr_err_errno(err, rc, "cannot list the processes");
	}
	if (procs->count)
		qsort(procs->rows, procs->count, sizeof(*procs->rows), by_pid);
	*ret = *procs;
	return 0;
}

int hr_procs_read(const char *root, struct hr_procs *ret, struct hr_err *err)
{
	struct hr_procs procs = { 0 };
	char path[PATH_MAX];
	struct dirent *entry;
	struct hr_proc row;
	size_t room = 0;
	int rc = 0;
	DIR *dir;

	if (hr_path(path, "%s/proc", root))
		return hr_err_errno(err, -ENAMETOOLONG, "cannot read '%s/proc'", root);
	dir = opendir(path);
	if (!dir)
		return hr_err_errno(err, -errno, "cannot read '%s'", path);
	while (!rc && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && !read_proc(root, atoi(entry->d_name), &row))
			rc = add_row(&procs, &room, &row);
	closedir(dir);
	return finish(&procs, rc, ret, err);
}

int hr_procs_read_some(const char *root, const struct hr_pids *pids, struct hr_procs *ret, struct hr_err *err)
{
	struct hr_procs procs = { 0 };
	struct hr_proc row;
	size_t room = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < pids->count; i++)
		if (!read_proc(root, pids->at[i], &row))
			rc = add_row(&procs, &room, &row);
	return finish(&procs, rc, ret, err);
}

void hr_procs_fini(struct hr_procs *procs)
{
	free(procs->rows);
	*procs = (struct hr_procs){ 0 };
}

const struct hr_proc *hr_procs_find(const struct hr_procs *procs, pid_t pid)
{
	struct hr_proc key = { .pid = pid };

	return procs->count ? bsearch(&key, procs->rows, procs->count, sizeof(key), by_pid) : NULL;
}

bool hr_procs_descend(const struct hr_procs *procs, pid_t pid, const struct hr_pids *ancestors)
{
	const struct hr_proc *row;

	/* bounded: a pid reused while /proc was read can close a ring */
	for (size_t steps = 0; steps <= procs->count && pid > 0; steps++) {
		if (hr_pids_hold(ancestors, pid))
			return true;
		row = hr_procs_find(procs, pid);
		pid = row ? row->parent : 0;
	}
	return false;
}

int hr_process_info(const char *root, pid_t pid, struct hr_process_info *ret)
{
	struct hr_process_info info = { 0 };
	char command[HR_PROC_COMMAND_BYTES];
	struct hr_proc row;
	ssize_t length;

	if (read_proc(root, pid, &row))
		return -ESRCH;
	info.parent = row.parent;
	hr_text_clean(info.name, sizeof(info.name), row.name, sizeof(row.name));
	length = hr_file_readf(command, sizeof(command), "%s/proc/%d/cmdline", root, pid);
	while (length > 0 && command[length - 1] == '\0')
		length--;
	for (ssize_t i = 0; i < length; i++)
		if (command[i] == '\0')
			command[i] = ' ';
	if (length > 0)
		hr_text_clean(info.command, sizeof(info.command), command, length);
	*ret = info;
	return 0;
}
