/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/listeners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/files.h"

#define TCP_STATE_LISTEN 10

bool hr_listen_parse(const char *line, int port, struct hr_listen_socket *ret)
{
	struct hr_listen_socket found = { 0 };
	unsigned int local_port, tcp_state;
	const char *colon;

	/* sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode */
	if (sscanf(line, " %*u: %47s %*s %x %*s %*s %*s %*u %*u %" SCNu64, found.address, &tcp_state,
		   &found.inode) != 3)
		return false;
	colon = strrchr(found.address, ':');
	if (!colon || sscanf(colon + 1, "%x", &local_port) != 1)
		return false;
	if (tcp_state != TCP_STATE_LISTEN || local_port != (unsigned int)port || !found.inode)
		return false;
	*ret = found;
	return true;
}

static int add_socket(struct hr_listeners *listeners, const struct hr_listen_socket *found)
{
	struct hr_listen_socket *sockets;

	sockets = realloc(listeners->sockets, (listeners->socket_count + 1) * sizeof(*sockets));
	if (!sockets)
		return -ENOMEM;
	listeners->sockets = sockets;
	sockets[listeners->socket_count++] = *found;
	return 0;
}

/* Take in the sockets of one table. 0, or -errno: the table cannot be read, or no memory. */
static int read_table(struct hr_listeners *listeners, const char *path, uint64_t namespace, int port)
{
	struct hr_listen_socket found;
	char *line = NULL;
	size_t room = 0;
	FILE *table;
	int rc = 0;

	table = fopen(path, "re");
	if (!table)
		return -errno;
	while (!rc && getline(&line, &room, table) > 0)
		if (hr_listen_parse(line, port, &found)) {
			found.namespace = namespace;
			rc = add_socket(listeners, &found);
		}
	free(line);
	fclose(table);
	return rc;
}

/* The sockets of the network namespace that the process is in. who: a pid, or "self". */
static int read_namespace(struct hr_listeners *listeners, const char *root, const char *who, uint64_t namespace,
			  int port)
{
	static const char *const tables[] = { "tcp", "tcp6" };
	char path[PATH_MAX];
	int rc = 0;

	for (int i = 0; i < 2 && rc != -ENOMEM; i++) {
		rc = hr_path(path, "%s/proc/%s/net/%s", root, who, tables[i]);
		if (!rc)
			rc = read_table(listeners, path, namespace, port);
		if (i == 1 && rc == -ENOENT) /* a kernel without IPv6 */
			rc = 0;
	}
	return rc;
}

/* The inode of a process's network namespace; 0: it is gone, or we may not know. */
static uint64_t namespace_of(const char *root, const char *who)
{
	uint64_t inode;
	char link[64];

	if (hr_link_readf(link, sizeof(link), "%s/proc/%s/ns/net", root, who) < 0)
		return 0;
	return sscanf(link, "net:[%" SCNu64 "]", &inode) == 1 ? inode : 0;
}

static int find_sockets(struct hr_listeners *listeners, const char *root, const struct hr_procs *procs, int port)
{
	uint64_t *seen = calloc(procs->count + 1, sizeof(*seen)), namespace;
	size_t seen_count = 0;
	char who[16];
	int rc;

	if (!seen)
		return -ENOMEM;
	seen[seen_count++] = namespace_of(root, "self");
	rc = read_namespace(listeners, root, "self", seen[0], port);
	for (size_t i = 0; !rc && i < procs->count; i++) {
		size_t j = 0;

		snprintf(who, sizeof(who), "%d", procs->rows[i].pid);
		namespace = namespace_of(root, who);
		while (j < seen_count && seen[j] != namespace)
			j++;
		if (!namespace || j < seen_count)
			continue;
		rc = read_namespace(listeners, root, who, namespace, port);
		if (!rc)
			seen[seen_count++] = namespace;
		else if (rc != -ENOMEM)
			rc = 0; /* it ended: another process of that namespace, if there is one, will do */
	}
	free(seen);
	return rc;
}

static int by_inode(const void *left, const void *right)
{
	const struct hr_listen_socket *a = left, *b = right;

	return (a->inode > b->inode) - (a->inode < b->inode);
}

static int add_listener(struct hr_listeners *listeners, pid_t pid, size_t socket)
{
	struct hr_listener *rows;

	rows = realloc(listeners->rows, (listeners->count + 1) * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	listeners->rows = rows;
	rows[listeners->count++] = (struct hr_listener){ .pid = pid, .socket = socket };
	return 0;
}

/* Which of the sockets does this process have open? */
static int look_at_files(struct hr_listeners *listeners, const char *root, pid_t pid)
{
	struct hr_listen_socket key = { 0 }, *found;
	char path[PATH_MAX], link[64];
	struct dirent *entry;
	ssize_t length;
	int rc = 0;
	DIR *dir;

	if (hr_path(path, "%s/proc/%d/fd", root, pid))
		return -ENAMETOOLONG;
	dir = opendir(path);
	if (!dir) {
		listeners->denied |= errno == EACCES || errno == EPERM;
		return 0;
	}
	while (!rc && (entry = readdir(dir))) {
		length = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		if (length <= 0)
			continue;
		link[length] = '\0';
		if (sscanf(link, "socket:[%" SCNu64 "]", &key.inode) != 1)
			continue;
		found = bsearch(&key, listeners->sockets, listeners->socket_count, sizeof(key), by_inode);
		if (found)
			rc = add_listener(listeners, pid, found - listeners->sockets);
	}
	closedir(dir);
	return rc;
}

int hr_listeners_find(const char *root, const struct hr_procs *procs, int port, struct hr_listeners *ret,
		      struct hr_err *err)
{
	struct hr_listeners listeners = { 0 };
	int rc;

	rc = find_sockets(&listeners, root, procs, port);
	if (!rc && listeners.socket_count) {
		qsort(listeners.sockets, listeners.socket_count, sizeof(*listeners.sockets), by_inode);
		for (size_t i = 0; !rc && i < procs->count; i++)
			if (!procs->rows[i].kernel_thread)
				rc = look_at_files(&listeners, root, procs->rows[i].pid);
	}
	if (rc) {
		hr_listeners_fini(&listeners);
		return hr_err_errno(err, rc, "cannot find out who listens on TCP port %d", port);
	}
	*ret = listeners;
	return 0;
}

void hr_listeners_fini(struct hr_listeners *listeners)
{
	free(listeners->sockets);
	free(listeners->rows);
	*listeners = (struct hr_listeners){ 0 };
}

bool hr_listeners_share(const struct hr_listeners *listeners, pid_t a, pid_t b)
{
	for (size_t i = 0; i < listeners->count; i++)
		for (size_t j = 0; j < listeners->count; j++) {
			const struct hr_listen_socket *of_a = &listeners->sockets[listeners->rows[i].socket];
			const struct hr_listen_socket *of_b = &listeners->sockets[listeners->rows[j].socket];

			if (listeners->rows[i].pid == a && listeners->rows[j].pid == b &&
			    of_a->namespace == of_b->namespace && !strcmp(of_a->address, of_b->address))
				return true;
		}
	return false;
}
