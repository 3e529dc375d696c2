/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_PRIORITY_H
#define HR_CLI_PRIORITY_H

#include <stdbool.h>

/*
 * From when its probes are loaded until the recording ends, its thread goes before others: beside a hundred that spin it would get a hundredth of a CPU, and
 * end each interval late. It takes no more time for that. What it starts does not inherit it.
 */

/*
 * Go before others, unless somebody has chosen a priority for headroom (nice, chrt) or it may not (CAP_SYS_NICE). True: it does, to
 * be ended by hr_priority_restore().
 */
bool hr_priority_raise(void);
void hr_priority_restore(void);

#endif
