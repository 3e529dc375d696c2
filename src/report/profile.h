/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_PROFILE_H
#define HR_REPORT_PROFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "analyse/summary.h"

/*
 * Exports of the sampled stacks of a run, for the viewers of profiles. They write to `out` and flush it: 0; -EIO and other errnos with
 * err set if it did not take everything; -ENOMEM.
 */
enum hr_export_side { HR_EXPORT_ALL, HR_EXPORT_ON_CPU, HR_EXPORT_OFF_CPU };

static inline bool hr_export_takes(enum hr_export_side side, const struct hr_stack_sample *sample)
{
	return side == HR_EXPORT_ALL || (side == HR_EXPORT_ON_CPU) == hr_sample_is_on_cpu(sample);
}

/* "process;thread;outermost;...;innermost count" per line, in samples. Off CPU the system call and the state are innermost. */
int hr_export_folded(const struct hr_summary *summary, enum hr_export_side side, FILE *out, struct hr_err *err);

/* A file of https://www.speedscope.app, ASCII: a profile per group of threads and side, in milliseconds. */
int hr_export_speedscope(const struct hr_summary *summary, enum hr_export_side side, FILE *out, struct hr_err *err);

#endif
