/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_LISTENERS_H
#define HR_COLLECT_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "collect/procs.h"

/* Who listens on a TCP port, over IPv4 and IPv6, in any network namespace that a process is in. */

/* A socket that listens on the port. */
struct hr_listen_socket {
	uint64_t inode;	    /* unique over all network namespaces */
	uint64_t namespace; /* inode of its network namespace; 0: not known */
	char address[48];   /* as in /proc/net/tcp: "0100007F:1F40" */
};

/* A process that has such a socket open. */
struct hr_listener {
	pid_t pid;
	size_t socket; /* which of them */
};

struct hr_listeners {
	struct hr_listen_socket *sockets; /* by inode, ascending */
	size_t socket_count;
	struct hr_listener *rows; /* by pid, ascending */
	size_t count;
	bool denied; /* the files of some processes could not be looked at */
};

/* Read a line of /proc/net/tcp or tcp6. True, and inode and address set, if it is a socket that listens on the port. */
bool hr_listen_parse(const char *line, int port, struct hr_listen_socket *ret);

/*
 * Find the sockets and who holds them. 0, also if there are none (free with hr_listeners_fini()); -errno with err set.
 */
int hr_listeners_find(const char *root, const struct hr_procs *procs, int port, struct hr_listeners *ret,
		      struct hr_err *err);
void hr_listeners_fini(struct hr_listeners *listeners);

/* True if both processes listen on the same address of the same network: the kernel shares connections out to them. */
bool hr_listeners_share(const struct hr_listeners *listeners, pid_t a, pid_t b);

#endif
