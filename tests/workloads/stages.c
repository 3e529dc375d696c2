/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that hand on work through bounded queues of a mutex and two conditions each.
 *
 * Usage: stages KIND [MILLISECONDS]
 *   pipeline  three stages in a row, "first", "middle" and "last", each with a thread; the middle one needs far more CPU
 *   pool      eight threads "worker" and one "feeder" that sleeps between two pieces of work: they have next to nothing to do
 * Prints how many pieces went through, and how long "middle" or the workers worked, by their own clocks.
 */
#include "workload.h"

#define ROOM 4
#define WORKERS 8

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	unsigned int count;
	bool closed;
};

struct stage {
	const char *name;
	struct queue *in, *out; /* NULL: it makes work; takes it */
	uint64_t work_ns, rest_ns; /* for each piece: on CPU, asleep */
};

static uint64_t end_ns, worked_ns, pieces;

static void put(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->count == ROOM)
		pthread_cond_wait(&queue->emptied, &queue->lock);
	queue->count++;
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}

static bool take(struct queue *queue)
{
	bool got;

	pthread_mutex_lock(&queue->lock);
	while (!queue->count && !queue->closed)
		pthread_cond_wait(&queue->filled, &queue->lock);
	got = queue->count > 0;
	if (got)
		queue->count--;
	pthread_cond_signal(&queue->emptied);
	pthread_mutex_unlock(&queue->lock);
	return got;
}

static void finish(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}

static void *run(void *argument)
{
	const struct stage *stage = argument;

	set_name(stage->name);
	while (stage->in ? take(stage->in) : now_ns() < end_ns) {
		uint64_t begin_ns = now_ns();

		spin_until(begin_ns + stage->work_ns);
		if (stage->rest_ns)
			sleep_ns(stage->rest_ns);
		if (stage->in && stage->work_ns >= MS)
			__atomic_fetch_add(&worked_ns, now_ns() - begin_ns, __ATOMIC_RELAXED);
		if (stage->out)
			put(stage->out);
		else
			__atomic_fetch_add(&pieces, 1, __ATOMIC_RELAXED);
	}
	if (stage->out)
		finish(stage->out);
	return NULL;
}

static struct queue queues[2] = {
	{ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false },
	{ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false },
};

static const struct stage pipeline[] = {
	{ "first", NULL, &queues[0], MS / 10, 0 },
	{ "middle", &queues[0], &queues[1], 5 * MS, 0 },
	{ "last", &queues[1], NULL, MS / 10, 0 },
};

static const struct stage pool[] = {
	{ "feeder", NULL, &queues[0], 0, 20 * MS },
	{ "worker", &queues[0], NULL, MS, 0 },
};

int main(int argc, char **argv)
{
	bool is_pool = argc > 1 && !strcmp(argv[1], "pool");
	pthread_t threads[2 + WORKERS];
	size_t count = 0;

	workload_begin(&argc, &argv);
	workload_ready();
	end_ns = now_ns() + (uint64_t)argument(argc, argv, 2, 2000) * MS;
	for (size_t i = 0; i < (is_pool ? 1 : 3); i++)
		start_thread(&threads[count++], run, (void *)(is_pool ? &pool[i] : &pipeline[i]));
	for (size_t i = 0; is_pool && i < WORKERS; i++)
		start_thread(&threads[count++], run, (void *)&pool[1]);
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("{\"pieces\":%lu,\"worked_ns\":%lu}", pieces, worked_ns);
	workload_end();
	return 0;
}
