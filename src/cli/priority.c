/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/priority.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#define RAISED (-10) /* some ten times the weight of a common thread */

/* The flag first: no child is to be born between the two. */
bool hr_priority_raise(void)
{
	const struct sched_param none = { 0 };

	errno = 0;
	if (sched_getscheduler(0) != SCHED_OTHER || getpriority(PRIO_PROCESS, 0) || errno)
		return false;
	return !sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none) && !setpriority(PRIO_PROCESS, 0, RAISED);
}

/* The flag stays: taking it back needs a right, and it does nothing to what has no raised priority. */
void hr_priority_restore(void)
{
	setpriority(PRIO_PROCESS, 0, 0);
}
