/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_REMAINS_H
#define HR_ANALYSE_REMAINS_H

#include "analyse/summary.h"
#include "analyse/verdict.h"

/*
 * What a request would still take of the server if the cause of a verdict were gone. Its waits go; and where the cause is calls that
 * had better not be made, as those that store what was written, or page faults that read what memory could hold, their CPU time goes with them.
 *
 * CPU time is known by sampled stacks: a call goes if it was made from where the cause is waited for, a fault if the kernel was
 * handling one, in so far as faults read from disk. What remains is that share of the samples that does not go, of the exact CPU time in
 * user mode and in the kernel; of the whole run, since work that has nothing to do with the cause is as much at any load, and samples
 * are few.
 */
struct hr_remains {
	double cpu_us;	  /* CPU time of the server per request; NAN: none goes, or it is not known */
	double cpu_error; /* 95 % of that as a share of it, by the number of samples */
	double saved_us;  /* of a request's time at the lowest load; 0: nothing, or not known */
};

/* low is the summary of the lowest load, or NULL. */
void hr_remains_find(enum hr_verdict_class class, const struct hr_summary *whole, const struct hr_summary *low,
		     struct hr_remains *ret_remains);

#endif
