/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_PRESSURE_H
#define HR_COLLECT_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

/* Pressure stall information: for how long tasks were held up for want of something, since boot. */
struct hr_pressure {
	uint64_t some_ns;
	uint64_t full_ns;
	bool full_known; /* false: no line `full`, as of cpu before 5.13 */
};

/* Read the text of /proc/pressure/cpu or of a cgroup's cpu.pressure. 0; -EINVAL: it has no line `some`. */
int hr_pressure_parse(const char *text, struct hr_pressure *ret);

#endif
