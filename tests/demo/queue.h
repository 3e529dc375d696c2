/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_QUEUE_H
#define DEMO_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "connection.h"

/* Connections that wait for a worker, first come, first served. */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct connection **ring;
	size_t size, head, count;
	bool closed;
};

/* Room for size connections. -ENOMEM. */
int queue_init(struct queue *queue, size_t size);
void queue_fini(struct queue *queue);

/* Never waits: the caller sees to it that no connection is in the queue twice, so that there is room for it. */
void queue_push(struct queue *queue, struct connection *connection);

/* The next connection; waits for one. NULL once the queue is closed. */
struct connection *queue_pop(struct queue *queue);

/* From now on queue_pop() returns NULL, whatever still waits. */
void queue_close(struct queue *queue);

#endif
