/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_FAIR_H
#define HR_ANALYSE_FAIR_H

#include <math.h>

/*
 * A scheduler gives all that can run the same share. Others who use so many CPUs are at least as many threads; where a server with
 * that many threads of its own wants all CPUs, they keep this share of what they have, and the rest is the server's. It is a guess:
 * priorities and groups may make it 0 or 1. threads NAN: as if it had one.
 */
static inline double hr_fair_kept_share(double others_cpus, double cpus, double threads)
{
	double kept = cpus / (others_cpus + (threads >= 1 ? threads : 1));

	return kept < 1 ? kept : 1;
}

#endif
