/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_MEMORY_H
#define HR_COLLECT_MEMORY_H

#include <stdint.h>

/* Of one process: faults since its birth, pages that it has now. */
struct hr_process_memory {
	uint64_t minor_faults, major_faults;
	uint64_t resident_pages;
};

/* Read the text of /proc/PID/stat. The name may hold spaces and parentheses. 0; -EINVAL. */
int hr_memory_parse_stat(const char *text, struct hr_process_memory *ret);

#endif
