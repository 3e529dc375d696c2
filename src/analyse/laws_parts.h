/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_LAWS_PARTS_H
#define HR_ANALYSE_LAWS_PARTS_H

#include <math.h>

#include "analyse/laws.h"
#include "store/tables.h"

/* How the quantities of a level are put together. Inside src/analyse/laws*.c only. */

/* What the parts share: each sets laws of one kind. */
struct hr_law_parts {
	const struct hr_level *level;
	const struct hr_summary *summary;
	struct hr_text **texts;
	struct hr_laws *laws;
	double recorded_ns;
	double requests; /* NAN: not known, or none */
	double busy_ns;	 /* time of all threads that is not idle */
	double taken_ns; /* likewise, but that of threads that wait for work while its feeder is busy */
};

/* NAN: of nothing there is no part. */
static inline double hr_laws_ratio(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

static inline double hr_laws_known(int64_t value)
{
	return value == HR_NULL ? NAN : (double)value;
}

static inline void hr_laws_set(struct hr_law_parts *of, enum hr_law law, double value)
{
	of->laws->value[law] = isfinite(value) ? value : NAN;
}

static inline double hr_laws_not_idle_ns(const struct hr_wait_summary *wait)
{
	return (double)wait->time_ns - wait->idle_ns;
}

/* Fills of->busy_ns and of->taken_ns, on which other parts rest. */
void hr_laws_pool(struct hr_law_parts *of);

/* Threads that wait for each other, though in no lock that is known as one. */
void hr_laws_turns(struct hr_law_parts *of);

/* Threads that wait for each other while they serve requests, on futexes that are no mutex. */
void hr_laws_own_futexes(struct hr_law_parts *of);

/* Locks that are asked for again and again. */
void hr_laws_refusals(struct hr_law_parts *of);

#endif
