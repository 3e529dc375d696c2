/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_RANDOM_H
#define HR_ANALYSE_RANDOM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Random numbers with a seed of their own, so that the same run gives the same report. SplitMix64 (Steele, Lea and Flood 2014):
 * one word of state, any seed will do. For resampling, not for secrets.
 */
struct hr_random {
	uint64_t state;
};

static inline uint64_t hr_random_next(struct hr_random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* In [0, 1). */
static inline double hr_random_share(struct hr_random *random)
{
	return (double)(hr_random_next(random) >> 11) * 0x1p-53;
}

/* In [0, count). */
static inline size_t hr_random_below(struct hr_random *random, size_t count)
{
	return (size_t)(hr_random_share(random) * (double)count);
}

/* Of the standard normal distribution (Box and Muller 1958). */
static inline double hr_random_normal(struct hr_random *random)
{
	double radius = sqrt(-2 * log(1 - hr_random_share(random)));

	return radius * cos(6.283185307179586 * hr_random_share(random));
}

#endif
