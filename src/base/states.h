/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_BASE_STATES_H
#define HR_BASE_STATES_H

#include "headroom/accounts.h"
#include "headroom/states.h"

/* Names and meanings of the states, as they stand in the run file, the reports and the manual. */

/* What a thread in a state has of a CPU. */
enum hr_state_group {
	HR_GROUP_ON_CPU = 0,
	HR_GROUP_RUNNABLE = 1, /* it could run but has no CPU */
	HR_GROUP_BLOCKED = 2,
	HR_GROUPS = 3
};

/* "net_recv"; "unknown" for a number that is no state. */
const char *hr_state_name(enum hr_state state);

/* The state of that name, or -ENOENT. */
int hr_state_from_name(const char *name);

/* One line: what a thread is in it while. */
const char *hr_state_meaning(enum hr_state state);

enum hr_state_group hr_state_group(enum hr_state state);

/* "on CPU", "waiting for CPU", "blocked"; "unknown" for a number that is no group. */
const char *hr_state_group_name(enum hr_state_group group);

/* "target", "other", "idle", "quota", "steal", "irq"; "unknown" for a number that is no owner. */
const char *hr_owner_name(enum hr_cpu_owner owner);

/* The owner of that name, or -ENOENT. */
int hr_owner_from_name(const char *name);

/* One line: who had the CPU. */
const char *hr_owner_meaning(enum hr_cpu_owner owner);

#endif
