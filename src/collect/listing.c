/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/listing.h"

#include <stdlib.h>

/*
 * An answer that has paused for so long is taken for complete, unless its connection's next request or end tells before. Long,
 * for answers that stream from a server under load do pause.
 */
#define ANSWER_IDLE_NS 10000000000ULL

static int by_tid(const void *a, const void *b)
{
	const struct hr_task_row *left = a, *right = b;

	return left->tid < right->tid ? -1 : left->tid > right->tid;
}

int hr_listing_tasks(struct hr_drain *drain, struct hr_err *err)
{
	struct hr_task_row *tasks = NULL;
	size_t count = 0;
	int ret = hr_probes_list_tasks(drain->probes, &tasks, &count, err);

	if (ret)
		return ret;
	qsort(tasks, count, sizeof(*tasks), by_tid);
	drain->tasks = tasks;
	drain->task_count = count;
	return 0;
}

int hr_listing_sockets(struct hr_drain *drain, struct hr_err *err)
{
	struct hr_socket_row *sockets = NULL;
	size_t count = 0;
	int ret;

	if (!hr_probes_has_requests(drain->probes))
		return 0;
	ret = hr_probes_list_sockets(drain->probes, drain->last ? 0 : ANSWER_IDLE_NS, &sockets, &count, err);
	if (ret)
		return ret;
	drain->sockets = sockets;
	drain->socket_count = count;
	return 0;
}

void hr_listing_forget(struct hr_drain *drain)
{
	free((void *)drain->tasks);
	drain->tasks = NULL;
	drain->task_count = 0;
	free((void *)drain->sockets);
	drain->sockets = NULL;
	drain->socket_count = 0;
}
