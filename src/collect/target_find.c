/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/target_find.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/text.h"
#include "collect/files.h"
#include "collect/listeners.h"

#define PID_MAX 4194304 /* PID_MAX_LIMIT of 64-bit kernels */

static const char *clean_name(const struct hr_proc *row, char buf[HR_PROC_NAME_BYTES])
{
	hr_text_clean(buf, HR_PROC_NAME_BYTES, row->name, sizeof(row->name));
	return buf;
}

/* Why the pid is in no row of /proc: it may be a thread's. */
static int explain_missing(const char *root, pid_t pid, struct hr_err *err)
{
	char text[4096], *line;
	pid_t process;

	if (hr_file_readf(text, sizeof(text), "%s/proc/%d/status", root, pid) > 0) {
		line = strstr(text, "\nTgid:");
		if (line && sscanf(line, " Tgid: %d", &process) == 1 && process != pid)
			return hr_err_set(err, -ESRCH, "%d is a thread of process %d: name the process, -p %d", pid,
					  process, process);
	}
	return hr_err_set(err, -ESRCH, "no process has the pid %d", pid);
}

static int refuse_kernel_thread(const struct hr_proc *row, struct hr_err *err)
{
	char name[HR_PROC_NAME_BYTES];

	return hr_err_set(err, -EOPNOTSUPP, "%d (%s) is a kernel thread: name a process of user space", row->pid,
			  clean_name(row, name));
}

static int check_pid(const char *root, const struct hr_procs *procs, pid_t pid, struct hr_err *err)
{
	const struct hr_proc *row = hr_procs_find(procs, pid);
	char name[HR_PROC_NAME_BYTES];

	if (!row)
		return explain_missing(root, pid, err);
	if (row->kernel_thread)
		return refuse_kernel_thread(row, err);
	if (row->ended)
		return hr_err_set(err, -ESRCH, "process %d (%s) has ended, and its parent has not collected it yet",
				  pid, clean_name(row, name));
	if (pid == getpid())
		return hr_err_set(err, -EOPNOTSUPP, "%d is headroom itself, which does not record itself", pid);
	return 0;
}

int hr_target_find_pids(const char *root, const struct hr_procs *procs, const char *list, struct hr_pids *roots,
			struct hr_err *err)
{
	char *copy = strdup(list), *rest = copy, *item;
	int64_t pid;
	int rc = copy ? 0 : -ENOMEM;

	while (!rc && (item = strsep(&rest, ","))) {
		if (hr_parse_int(item, 1, PID_MAX, &pid, NULL)) {
			rc = hr_err_set(err, -EINVAL, "'%s' is not a pid: give numbers, as in -p 812 or -p 812,813",
					item);
			break;
		}
		rc = check_pid(root, procs, pid, err);
		if (!rc)
			rc = hr_pids_add(roots, pid);
	}
	free(copy);
	return rc;
}

/* The highest ancestor of the process that is in the list too, or the process. */
static pid_t topmost(const struct hr_procs *procs, const struct hr_pids *matches, pid_t pid)
{
	const struct hr_proc *row = hr_procs_find(procs, pid);
	pid_t top = pid;

	for (size_t steps = 0; row && steps <= procs->count; steps++) {
		if (hr_pids_hold(matches, row->pid))
			top = row->pid;
		row = hr_procs_find(procs, row->parent);
	}
	return top;
}

/* Reduce matches (sorted) to the tops of their trees. */
static int find_tops(const struct hr_procs *procs, const struct hr_pids *matches, struct hr_pids *tops)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < matches->count; i++)
		rc = hr_pids_add(tops, topmost(procs, matches, matches->at[i]));
	hr_pids_sort(tops);
	return rc;
}

/* "12 (nginx), 40 (nginx) and 3 more" */
static void list_processes(const struct hr_procs *procs, const struct hr_pids *pids, char *text, size_t size)
{
	char name[HR_PROC_NAME_BYTES];
	size_t at = 0, shown = pids->count > 5 ? 4 : pids->count;

	text[0] = '\0';
	for (size_t i = 0; i < shown; i++)
		at += snprintf(text + at, size - at, "%s%d (%s)", i ? ", " : "", pids->at[i],
			       clean_name(hr_procs_find(procs, pids->at[i]), name));
	if (shown < pids->count)
		snprintf(text + at, size - at, " and %zu more", pids->count - shown);
}

static int refuse_several(const struct hr_procs *procs, const struct hr_pids *tops, const char *what,
			  struct hr_err *err)
{
	char text[400];

	list_processes(procs, tops, text, sizeof(text));
	if (tops->count == 2)
		return hr_err_set(err, -EEXIST, "two processes match %s: %s; name one with -p", what, text);
	return hr_err_set(err, -EEXIST, "%zu processes match %s: %s; name one with -p", tops->count, what, text);
}

/* How much of two names is alike from the start. */
static size_t common_start(const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] && a[length] == b[length])
		length++;
	return length;
}

/* Nobody has the name: say so, with a name that begins like it or holds it, if there is one. */
static int refuse_unknown_name(const struct hr_procs *procs, const char *comm, struct hr_err *err)
{
	char asked[HR_PROC_NAME_BYTES * 2], name[HR_PROC_NAME_BYTES];
	const struct hr_proc *nearest = NULL;
	size_t best = 2; /* less in common is chance */

	for (size_t i = 0; i < procs->count; i++) {
		const struct hr_proc *row = &procs->rows[i];
		size_t common = strstr(row->name, comm) ? sizeof(row->name) : common_start(row->name, comm);

		if (row->kernel_thread || row->ended || row->pid == getpid() || common <= best)
			continue;
		best = common;
		nearest = row;
	}
	hr_text_clean(asked, sizeof(asked), comm, strlen(comm));
	if (nearest)
		return hr_err_set(err, -ESRCH, "no process is named '%s'; the nearest is %d (%s)", asked, nearest->pid,
				  clean_name(nearest, name));
	return hr_err_set(err, -ESRCH, "no process is named '%s': `ps -eo pid,comm` shows the names", asked);
}

int hr_target_find_comm(const struct hr_procs *procs, const char *comm, struct hr_pids *roots, struct hr_err *err)
{
	const struct hr_proc *kernel_thread = NULL;
	struct hr_pids matches = { 0 };
	char what[80], asked[48];
	int rc = 0;

	for (size_t i = 0; !rc && i < procs->count; i++) {
		const struct hr_proc *row = &procs->rows[i];

		if (row->ended || row->pid == getpid() || strncmp(row->name, comm, sizeof(row->name) - 1))
			continue;
		if (row->kernel_thread)
			kernel_thread = row;
		else
			rc = hr_pids_add(&matches, row->pid);
	}
	if (!rc)
		rc = find_tops(procs, &matches, roots);
	if (rc)
		hr_err_errno(err, rc, "cannot list the processes");
	else if (!roots->count)
		rc = kernel_thread ? refuse_kernel_thread(kernel_thread, err) : refuse_unknown_name(procs, comm, err);
	else if (roots->count > 1) {
		hr_text_clean(asked, sizeof(asked), comm, strlen(comm));
		snprintf(what, sizeof(what), "--comm %s", asked);
		rc = refuse_several(procs, roots, what, err);
	}
	hr_pids_fini(&matches);
	return rc;
}

static bool same_executable(const char *root, pid_t a, pid_t b)
{
	char of_a[PATH_MAX], of_b[PATH_MAX];

	return hr_link_readf(of_a, sizeof(of_a), "%s/proc/%d/exe", root, a) > 0 &&
	       hr_link_readf(of_b, sizeof(of_b), "%s/proc/%d/exe", root, b) > 0 && !strcmp(of_a, of_b);
}

/*
 * Siblings that share the port by SO_REUSEPORT and run the same program are the workers of one server. Their parent is
 * its top if it runs that program too (new workers are then followed), unless headroom descends from it as well: a
 * shell.
 */
static bool are_workers(const char *root, const struct hr_procs *procs, const struct hr_listeners *listeners,
			struct hr_pids *tops)
{
	const struct hr_proc *first = hr_procs_find(procs, tops->at[0]);
	pid_t parent = first->parent;

	for (size_t i = 1; i < tops->count; i++) {
		const struct hr_proc *row = hr_procs_find(procs, tops->at[i]);

		if (row->parent != parent || !same_executable(root, first->pid, row->pid) ||
		    !hr_listeners_share(listeners, first->pid, row->pid))
			return false;
	}
	if (parent <= 1 || !hr_procs_find(procs, parent))
		return false;
	if (same_executable(root, first->pid, parent) &&
	    !hr_procs_descend(procs, getpid(), &(struct hr_pids){ .at = &parent, .count = 1 })) {
		tops->at[0] = parent;
		tops->count = 1;
	}
	return true;
}

/*
 * Process 1 holds the sockets of services that it starts on demand: it is not the server, if another program has them.
 */
static void drop_socket_keeper(const char *root, struct hr_pids *matches)
{
	for (size_t i = 1; i < matches->count && matches->at[0] == 1; i++)
		if (!same_executable(root, 1, matches->at[i])) {
			memmove(matches->at, matches->at + 1, (matches->count - 1) * sizeof(*matches->at));
			matches->count--;
		}
}

/* Only systemd has the socket: everything on the host descends from it. */
static bool is_socket_keeper(const struct hr_procs *procs, const struct hr_pids *tops)
{
	const struct hr_proc *row = hr_procs_find(procs, 1);

	return tops->count == 1 && tops->at[0] == 1 && row && !strcmp(row->name, "systemd");
}

static int refuse_port(const struct hr_listeners *listeners, int port, struct hr_err *err)
{
	if (!listeners->socket_count)
		return hr_err_set(err, -ESRCH, "no process listens on TCP port %d: start the server first", port);
	if (listeners->denied)
		return hr_err_set(err, -EACCES, "it takes root to see which process listens on TCP port %d", port);
	return hr_err_set(err, -ESRCH, "TCP port %d is open, but no process that can be seen here holds it", port);
}

int hr_target_find_port(const char *root, const struct hr_procs *procs, int port, struct hr_pids *roots,
			struct hr_err *err)
{
	struct hr_listeners listeners;
	struct hr_pids matches = { 0 };
	char what[24];
	int rc;

	rc = hr_listeners_find(root, procs, port, &listeners, err);
	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < listeners.count; i++)
		rc = hr_pids_add(&matches, listeners.rows[i].pid);
	hr_pids_sort(&matches);
	drop_socket_keeper(root, &matches);
	if (!rc)
		rc = find_tops(procs, &matches, roots);
	if (rc)
		hr_err_errno(err, rc, "cannot list the processes that listen on TCP port %d", port);
	else if (!roots->count)
		rc = refuse_port(&listeners, port, err);
	else if (is_socket_keeper(procs, roots))
		rc = hr_err_set(err, -ESRCH, "systemd holds TCP port %d until the first connection starts the server: "
				"connect once, or name the server with -p", port);
	else if (roots->count > 1 && !are_workers(root, procs, &listeners, roots)) {
		snprintf(what, sizeof(what), "--port %d", port);
		rc = refuse_several(procs, roots, what, err);
	}
	hr_pids_fini(&matches);
	hr_listeners_fini(&listeners);
	return rc;
}
