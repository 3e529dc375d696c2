/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_ROSTER_H
#define HR_COLLECT_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/drain.h"

/*
 * Who is in the run: gives processes and threads the ids by which the run file knows them, and keeps their rows there up to date
 * with their names and ends. Slots are reused, ids are not.
 */
struct hr_roster;

struct hr_roster *hr_roster_new(void); /* NULL: out of memory */
void hr_roster_free(struct hr_roster *roster);

/* Enter the processes that came since the last pass. */
int hr_roster_update(struct hr_roster *roster, struct hr_drain *drain, struct hr_err *err);

/* The id of the process in a slot; 0: nobody that is known. */
int64_t hr_roster_process_id(const struct hr_roster *roster, uint32_t slot);

/* The first slot above all that are or were in use. */
uint32_t hr_roster_process_slots(const struct hr_roster *roster);

/* Enter a thread whose life in the run begins at first_ns, and return its id, or a negative errno. */
int64_t hr_roster_thread_enter(struct hr_roster *roster, struct hr_drain *drain, const struct hr_thread *thread, uint64_t first_ns,
			       const char *comm, struct hr_err *err);

/* It has another name now. */
int hr_roster_thread_rename(struct hr_drain *drain, int64_t thread_id, const char *comm, struct hr_err *err);

/* Its accounts end at that time; ended: because it exited. */
int hr_roster_thread_leave(struct hr_drain *drain, int64_t thread_id, uint64_t at_ns, bool ended, struct hr_err *err);

/*
 * Take back the slots and edges of threads that ended in this pass; and the slots, call records, flows, locks and error rows of
 * processes that had ended before the last pass: by now every thread of theirs has been drained. Runs after all families.
 */
int hr_roster_sweep(struct hr_roster *roster, struct hr_drain *drain, struct hr_err *err);

/* The pids of the processes that hr_roster_update() entered in this pass, alive or not; count in *ret_count. */
const pid_t *hr_roster_entered(const struct hr_roster *roster, size_t *ret_count);

/* How many target processes are alive at this moment, also those that are not entered yet. */
uint32_t hr_roster_alive(const struct hr_roster *roster, struct hr_probes *probes);

#endif
