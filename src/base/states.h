/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_STATES_H
#define HR_BASE_STATES_H

#include "headroom/accounts.h"
#include "headroom/states.h"

/* The states of a thread and the owners of a CPU: their names in the run file, and what they mean. */

enum hr_state_class {
	HR_CLASS_ON_CPU,  /* it runs */
	HR_CLASS_FOR_CPU, /* it could run, and has no CPU */
	HR_CLASS_BLOCKED  /* it waits for something else */
};

struct hr_state_info {
	const char *name;    /* in the run file */
	const char *meaning; /* what the thread is doing, for people: at most 45 columns */
	enum hr_state_class class;
};

/* The state's row. state: 0 to HR_STATES - 1. */
const struct hr_state_info *hr_state_info(enum hr_state state);

/* Its name in the run file, "net_recv". */
const char *hr_state_name(enum hr_state state);

/* The state of a name; -1: no such state. */
int hr_state_by_name(const char *name);

/* The owner's name in the run file, "quota". owner: 0 to HR_OWNERS - 1. */
const char *hr_owner_name(enum hr_cpu_owner owner);

/* The owner of a name; -1: no such owner. */
int hr_owner_by_name(const char *name);

#endif
