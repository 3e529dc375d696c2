/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_OPEN_WAITS_H
#define HR_COLLECT_OPEN_WAITS_H

#include "collect/drain.h"
#include "collect/subjects.h"

/* Waits that have not ended with the run: each is one of an edge of its own, whose source is HR_SOURCE_OPEN_NAME. */
struct hr_open_wait_row {
	uint32_t slot; /* of the thread, which the drain knows */
	int64_t edge_id;
	uint64_t time_ns;
};

/* The time that a thread has waited in the run, which began at base_ns, in the wait that it is in; 0: it is in none. */
uint64_t hr_open_wait_ns(const struct hr_drain_thread *thread, uint64_t base_ns);

/* Add it to the last interval. 0, or the writer's error. */
int hr_open_wait_add(struct hr_drain *drain, struct hr_subjects *subjects, const struct hr_open_wait_row *row, struct hr_err *err);

#endif
