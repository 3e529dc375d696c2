/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/resample.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS 1000
#define BLOCKS_MAX 60 /* of one run: more windows than that are taken together */
#define TAIL 0.025

/* Windows of one run, one after the other. */
struct block {
	struct hr_pool pool;
};

struct run_blocks {
	struct block *blocks;
	size_t count;
};

struct side {
	struct run_blocks *runs;
	size_t count;
	struct hr_pool whole, drawn;
};

struct hr_resample {
	struct side base, new;
	uint64_t random;
	double changes[HR_MEASURE_COUNT][DRAWS];
};

/* splitmix64 (Steele, Lea and Flood 2014) */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

/* Below n, which is far below 2^32: the bias is nothing. */
static size_t draw(struct hr_resample *resample, size_t n)
{
	return (size_t)((next_random(&resample->random) >> 32) * n >> 32);
}

/* ---- what is drawn from ---- */

static int fill_run(struct run_blocks *blocks, const struct hr_run *run, const struct hr_level *level)
{
	size_t windows = 0, at = 0, per_block;

	for (size_t i = 0; i < run->samples.count; i++)
		windows += hr_level_has_sample(level, &run->samples.items[i]);
	if (!windows)
		return 0;
	per_block = (windows + BLOCKS_MAX - 1) / BLOCKS_MAX;
	blocks->count = (windows + per_block - 1) / per_block;
	blocks->blocks = calloc(blocks->count, sizeof(*blocks->blocks));
	if (!blocks->blocks)
		return -ENOMEM;
	for (size_t i = 0; i < run->samples.count; i++)
		if (hr_level_has_sample(level, &run->samples.items[i]))
			hr_pool_add(&blocks->blocks[at++ / per_block].pool, &run->samples, &run->samples.items[i]);
	return 0;
}

static int fill_side(struct side *side, const struct hr_run *runs, size_t count, const char *label)
{
	side->runs = calloc(count, sizeof(*side->runs));
	if (!side->runs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct hr_level *level = label ? hr_run_level(&runs[i], label) : NULL;
		struct run_blocks *blocks = &side->runs[side->count];

		if (label && !level)
			continue;
		if (fill_run(blocks, &runs[i], level))
			return -ENOMEM;
		for (size_t k = 0; k < blocks->count; k++)
			hr_pool_add_pool(&side->whole, &blocks->blocks[k].pool);
		side->count += blocks->count > 0;
	}
	return 0;
}

int hr_resample_new(const struct hr_run *base, size_t base_count, const struct hr_run *new, size_t new_count, const char *label,
		    struct hr_resample **ret_resample, struct hr_err *err)
{
	struct hr_resample *resample = calloc(1, sizeof(*resample));

	if (!resample || fill_side(&resample->base, base, base_count, label) || fill_side(&resample->new, new, new_count, label)) {
		hr_resample_free(resample);
		return hr_err_set(err, -ENOMEM, "out of memory");
	}
	*ret_resample = resample;
	return 0;
}

static void free_side(struct side *side, size_t room)
{
	for (size_t i = 0; i < room && side->runs; i++)
		free(side->runs[i].blocks);
	free(side->runs);
}

void hr_resample_free(struct hr_resample *resample)
{
	if (!resample)
		return;
	free_side(&resample->base, resample->base.count);
	free_side(&resample->new, resample->new.count);
	free(resample);
}

/* ---- drawing ---- */

static void measure(const struct hr_pool *pool, double ret[HR_MEASURE_COUNT])
{
	ret[HR_MEASURE_THROUGHPUT] = hr_pool_throughput_rps(pool);
	ret[HR_MEASURE_MEAN] = hr_pool_mean_ns(pool);
	ret[HR_MEASURE_P50] = hr_pool_percentile_ns(pool, 0.50);
	ret[HR_MEASURE_P90] = hr_pool_percentile_ns(pool, 0.90);
	ret[HR_MEASURE_P99] = hr_pool_percentile_ns(pool, 0.99);
}

/* As many runs as there are, and of each as many blocks as it has. */
static void draw_side(struct hr_resample *resample, struct side *side)
{
	side->drawn = (struct hr_pool){ 0 };
	for (size_t i = 0; i < side->count; i++) {
		const struct run_blocks *run = &side->runs[side->count > 1 ? draw(resample, side->count) : 0];

		for (size_t k = 0; k < run->count; k++)
			hr_pool_add_pool(&side->drawn, &run->blocks[draw(resample, run->count)].pool);
	}
}

/* What there is several of, and so tells the spread: runs, or the windows of the one. */
static size_t units(const struct side *side)
{
	return side->count == 1 ? side->runs[0].count : side->count;
}

static bool noise_is_known(const struct side *side)
{
	return side->count > 1 || (side->count == 1 && side->runs[0].count >= HR_COMPARE_WINDOWS_MIN);
}

/* Student's t at 97.5 %, by degrees of freedom. */
static double student_t(size_t freedom)
{
	static const double t[] = { 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228 };

	if (freedom < 1)
		return t[0];
	return freedom <= sizeof(t) / sizeof(t[0]) ? t[freedom - 1] : 1.96 + 2.55 / (double)freedom;
}

/* A sample of few shows too little spread: by the variance that is divided by n and not n - 1, and by its tails. */
static double widening(const struct hr_resample *resample)
{
	size_t base = units(&resample->base), new = units(&resample->new), fewest = base < new ? base : new;

	return student_t(base + new - 2) / 1.96 * sqrt((double)fewest / (double)(fewest - 1));
}

static int compare_real(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Percentiles are middles of slots: each is off by up to 1/64. */
static double slot_error(enum hr_measure measure)
{
	return measure == HR_MEASURE_THROUGHPUT || measure == HR_MEASURE_MEAN ? 0 : 1.0 / (1 << HR_STAGE_BITS);
}

static void judge(const struct hr_resample *resample, double *changes, double error, struct hr_difference *difference)
{
	double wider = widening(resample);

	for (size_t i = 0; i < DRAWS; i++)
		if (isnan(changes[i]))
			return;
	qsort(changes, DRAWS, sizeof(*changes), compare_real);
	difference->range.low = difference->change - wider * (difference->change - changes[(size_t)(TAIL * DRAWS)]) - error;
	difference->range.high = difference->change + wider * (changes[(size_t)((1 - TAIL) * DRAWS) - 1] - difference->change) + error;
	difference->beyond_noise = difference->range.low > 0 || difference->range.high < 0;
}

void hr_resample_run(struct hr_resample *resample, struct hr_difference ret[HR_MEASURE_COUNT])
{
	double base[HR_MEASURE_COUNT], new[HR_MEASURE_COUNT];

	measure(&resample->base.whole, base);
	measure(&resample->new.whole, new);
	for (int i = 0; i < HR_MEASURE_COUNT; i++)
		ret[i] = (struct hr_difference){ base[i], new[i], base[i] > 0 ? new[i] / base[i] - 1 : NAN, { NAN, NAN }, false };
	if (!noise_is_known(&resample->base) || !noise_is_known(&resample->new))
		return;
	resample->random = 1;
	for (size_t n = 0; n < DRAWS; n++) {
		draw_side(resample, &resample->base);
		draw_side(resample, &resample->new);
		measure(&resample->base.drawn, base);
		measure(&resample->new.drawn, new);
		for (int i = 0; i < HR_MEASURE_COUNT; i++)
			resample->changes[i][n] = base[i] > 0 ? new[i] / base[i] - 1 : NAN;
	}
	for (int i = 0; i < HR_MEASURE_COUNT; i++)
		if (!isnan(ret[i].change))
			judge(resample, resample->changes[i], slot_error(i), &ret[i]);
}
