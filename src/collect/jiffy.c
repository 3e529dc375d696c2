/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/jiffy.h"

#include <stddef.h>

#include "store/tables.h"

#define APART_NS 100000000ULL
#define NS_PER_S 1000000000ULL

void hr_jiffy_see(struct hr_jiffy *jiffy, uint64_t at_ns, uint64_t jiffies)
{
	if (!jiffies)
		return;
	if (!jiffy->first_ns || at_ns < jiffy->first_ns) {
		jiffy->first_ns = at_ns;
		jiffy->first_jiffies = jiffies;
	}
	if (at_ns > jiffy->last_ns) {
		jiffy->last_ns = at_ns;
		jiffy->last_jiffies = jiffies;
	}
}

/* What a kernel can be built with: the one that is nearest to what was measured. */
static unsigned int nearest_hz(double measured_hz)
{
	static const unsigned int choices[] = { 100, 250, 300, 1000 };
	unsigned int best = choices[0];

	for (size_t i = 1; i < sizeof(choices) / sizeof(*choices); i++) {
		double off = measured_hz - choices[i], best_off = measured_hz - best;

		if (off * off < best_off * best_off)
			best = choices[i];
	}
	return best;
}

int64_t hr_jiffy_ns(const struct hr_jiffy *jiffy, uint64_t jiffies)
{
	uint64_t apart_ns = jiffy->last_ns - jiffy->first_ns;

	if (apart_ns < APART_NS)
		return HR_NULL;
	return jiffies * NS_PER_S /
	       nearest_hz((double)(jiffy->last_jiffies - jiffy->first_jiffies) * NS_PER_S / (double)apart_ns);
}
