/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>

int queue_init(struct queue *queue, size_t size)
{
	*queue = (struct queue){ .ring = calloc(size, sizeof(struct connection *)), .size = size };
	if (!queue->ring)
		return -ENOMEM;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->filled, NULL);
	return 0;
}

void queue_fini(struct queue *queue)
{
	if (!queue->ring)
		return;
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->lock);
	free(queue->ring);
	queue->ring = NULL;
}

void queue_push(struct queue *queue, struct connection *connection)
{
	pthread_mutex_lock(&queue->lock);
	queue->ring[(queue->head + queue->count++) % queue->size] = connection;
	pthread_mutex_unlock(&queue->lock);
	pthread_cond_signal(&queue->filled);
}

struct connection *queue_pop(struct queue *queue)
{
	struct connection *connection = NULL;

	pthread_mutex_lock(&queue->lock);
	while (!queue->count && !queue->closed)
		pthread_cond_wait(&queue->filled, &queue->lock);
	if (!queue->closed) {
		connection = queue->ring[queue->head];
		queue->head = (queue->head + 1) % queue->size;
		queue->count--;
	}
	pthread_mutex_unlock(&queue->lock);
	return connection;
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_mutex_unlock(&queue->lock);
	pthread_cond_broadcast(&queue->filled);
}
