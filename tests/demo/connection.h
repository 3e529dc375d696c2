/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_CONNECTION_H
#define DEMO_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "routes.h"

enum { REQUEST_MAX_BYTES = 8192, ANSWER_MAX_BYTES = 1024 };

/*
 * One client. It is either parked, and waits for its socket in the acceptor's epoll, or in the hands of one worker.
 * Only the acceptor opens and closes them, so that it can always shut an overdue one down by its fd.
 */
struct connection {
	int fd;
	struct connection *next_free;
	_Atomic uint64_t deadline_ns; /* when a parked one is given up; UINT64_MAX: a worker has it, or never */
	bool finished;		      /* the acceptor is to close it */
	bool closing;		      /* the answer being sent is its last */
	bool draining;		      /* it is sent; what still arrives is thrown away */
	uint64_t since_ns;	      /* when the request, or the draining, began; 0: no request has */
	size_t in_bytes, out_bytes, out_sent;
	char in[REQUEST_MAX_BYTES];
	char out[ANSWER_MAX_BYTES];
};

/* What a connection needs next. */
enum connection_next {
	CONNECTION_READ,  /* to be parked until there is something to read */
	CONNECTION_WRITE, /* to be parked until there is room to write */
	CONNECTION_TURN,  /* another turn: its next request is here already */
	CONNECTION_CLOSE,
};

/* Make a fresh connection of one that was in use; its socket must not block. */
void connection_init(struct connection *connection, int fd);

/* A worker's turn: read, serve at most one request, write, as far as goes without waiting for the client. */
enum connection_next connection_turn(struct connection *connection, struct work *work, struct scratch *scratch);

/* When a client that is to do this next will have taken too long, on the monotonic clock; UINT64_MAX: never. */
uint64_t connection_deadline_ns(const struct connection *connection, enum connection_next next);

#endif
