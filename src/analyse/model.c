/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/fit.h"
#include "analyse/random.h"

#define RESAMPLES 1000
#define SEED 0x68656164726f6f6d
#define LOAD_MOST 1e12		  /* its square is still exact enough; nobody has as many clients */
#define RATE_LEAST 1e-9		  /* one request in 30 years: its square is no number to divide by */
#define SECONDS_LEAST 1e-9
#define SAME_LOAD 1e-9		  /* relative */
#define BLOCKS_MAX 64		  /* windows of one load beyond that are taken together, neighbours with neighbours */
#define MISS_LEAST 0.01		  /* of the highest throughput: no model is truer than that, whatever a fit says */
#define REFUTED_ERRORS 3.0	  /* standard errors */
#define REFUTED_SHARE 0.05	  /* of the highest throughput */
#define TIE 2.0			  /* of AICc: both have substantial support (Burnham and Anderson 2002, 2.6) */
#define FALL_ERRORS 2.0		  /* standard errors of a difference: throughput falls */
#define BAND_BEYOND 1.05		  /* times the highest load */
#define NO_SHARE 1e-6		  /* of the highest throughput: a residual that is as good as none */

/* What the bootstrap follows. */
enum result { LAMBDA, SIGMA, KAPPA, CAP, PEAK_LOAD, PEAK_RATE, RESULTS };
#define COLUMNS (RESULTS + HR_MODEL_BAND) /* after those the curve, at the loads of the band */

struct block {
	double rate, seconds;
};

struct load {
	double load, mean, variance; /* variance of the mean, by its windows; 0: one block */
	const struct block *blocks;
	size_t block_count;
};

struct samples {
	struct block *blocks;
	struct load *loads; /* ascending */
	struct hr_fit_point *points;
	double *scratch, *results; /* results: a column of RESAMPLES for each of enum result */
	size_t count;
	double highest_rate;
};

const char *hr_model_name(enum hr_model_kind kind)
{
	static const char *const names[HR_MODELS] = { "none", "linear", "hard_cap", "usl" };

	return names[kind];
}

static void samples_fini(struct samples *samples)
{
	free(samples->blocks);
	free(samples->loads);
	free(samples->points);
	free(samples->scratch);
	free(samples->results);
}

static bool has_load(const struct hr_model_level *level)
{
	return level->load > 0 && level->load < LOAD_MOST;
}

static int by_load(const void *a, const void *b)
{
	double left = (*(const struct hr_model_level *const *)a)->load, right = (*(const struct hr_model_level *const *)b)->load;

	return (left > right) - (left < right);
}

static bool is_window(const struct hr_model_level *level, size_t i)
{
	return level->throughput_rps[i] >= 0 && level->throughput_rps[i] < LOAD_MOST &&
	       level->seconds[i] > SECONDS_LEAST && level->seconds[i] < LOAD_MOST;
}

/* Append what can be used of a level to blocks; how many that are. */
static size_t take_windows(const struct hr_model_level *level, struct block *blocks)
{
	size_t taken = 0;

	for (size_t i = 0; i < level->window_count; i++)
		if (is_window(level, i))
			blocks[taken++] = (struct block){ level->throughput_rps[i], level->seconds[i] };
	return taken;
}

/* Neighbours together, in place, so that at most BLOCKS_MAX are left: how many. */
static size_t join_neighbours(struct block *blocks, size_t count)
{
	size_t width = (count + BLOCKS_MAX - 1) / BLOCKS_MAX, joined = 0;

	for (size_t first = 0; first < count; first += width) {
		double work = 0, seconds = 0;

		for (size_t i = first; i < count && i < first + width; i++) {
			work += blocks[i].rate * blocks[i].seconds;
			seconds += blocks[i].seconds;
		}
		blocks[joined++] = (struct block){ work / seconds, seconds };
	}
	return joined;
}

static void measure(struct load *load)
{
	double work = 0, seconds = 0, squares = 0, n = (double)load->block_count;

	for (size_t i = 0; i < load->block_count; i++) {
		work += load->blocks[i].rate * load->blocks[i].seconds;
		seconds += load->blocks[i].seconds;
	}
	load->mean = work / seconds;
	for (size_t i = 0; i < load->block_count; i++) {
		double off = load->blocks[i].seconds * (load->blocks[i].rate - load->mean);

		squares += off * off;
	}
	load->variance = n > 1 ? squares / (seconds * seconds) * n / (n - 1) : 0;
}

/* Levels in order of load into loads, those of one load together. */
static void gather(const struct hr_model_level *const *sorted, size_t count, struct samples *samples)
{
	struct block *next = samples->blocks;

	for (size_t i = 0; i < count;) {
		double load = sorted[i]->load;
		size_t taken = 0;

		for (; i < count && sorted[i]->load <= load * (1 + SAME_LOAD); i++)
			taken += take_windows(sorted[i], next + taken);
		if (!taken)
			continue;
		taken = join_neighbours(next, taken);
		samples->loads[samples->count] = (struct load){ .load = load, .blocks = next, .block_count = taken };
		measure(&samples->loads[samples->count]);
		samples->highest_rate = fmax(samples->highest_rate, samples->loads[samples->count++].mean);
		next += taken;
	}
}

/* 0 and *ret_samples, which the caller empties in any case; or -ENOMEM. */
static int samples_init(const struct hr_model_level *levels, size_t count, struct samples *ret_samples)
{
	const struct hr_model_level **sorted = calloc(count + 1, sizeof(const struct hr_model_level *));
	size_t usable = 0, windows = 0;
	int result = -ENOMEM;

	*ret_samples = (struct samples){ 0 };
	if (!sorted)
		return result;
	for (size_t i = 0; i < count; i++)
		if (has_load(&levels[i])) {
			sorted[usable++] = &levels[i];
			windows += levels[i].window_count;
		}
	ret_samples->blocks = calloc(windows + 1, sizeof(*ret_samples->blocks));
	ret_samples->loads = calloc(usable + 1, sizeof(*ret_samples->loads));
	ret_samples->points = calloc(usable + 1, sizeof(*ret_samples->points));
	ret_samples->scratch = calloc(HR_FIT_SCRATCH(usable) + 1, sizeof(double));
	ret_samples->results = calloc((size_t)RESAMPLES * COLUMNS, sizeof(double));
	if (ret_samples->blocks && ret_samples->loads && ret_samples->points && ret_samples->scratch && ret_samples->results) {
		qsort(sorted, usable, sizeof(*sorted), by_load);
		gather(sorted, usable, ret_samples);
		result = 0;
	}
	free(sorted);
	return result;
}

static double mean_variance(const struct samples *samples)
{
	double sum = 0;

	for (size_t i = 0; i < samples->count; i++)
		sum += samples->loads[i].variance;
	return sum / (double)samples->count;
}

/* Squares of what a fit leaves of the means, over its degrees of freedom. */
static double residual_variance(const struct samples *samples, const struct hr_fit *fit)
{
	double sum = 0;

	for (size_t i = 0; i < samples->count; i++) {
		double left = samples->loads[i].mean - hr_fit_rate(fit, samples->loads[i].load);

		sum += left * left;
	}
	return sum / (double)(samples->count - hr_fit_parameters(fit->kind));
}

/* By how much a model misses the means, beyond what their windows explain (method of moments; DerSimonian and Laird 1986). */
static double missed_variance(const struct samples *samples, const struct hr_fit *fit)
{
	return fmax(residual_variance(samples, fit) - mean_variance(samples), 0);
}

/* Weights with a mean of 1. */
static void set_weights(struct samples *samples, double missed)
{
	double sum = 0;

	for (size_t i = 0; i < samples->count; i++)
		sum += samples->points[i].weight = 1 / (samples->loads[i].variance + missed);
	for (size_t i = 0; i < samples->count; i++)
		samples->points[i].weight *= (double)samples->count / sum;
}

static void set_points(struct samples *samples)
{
	double least = MISS_LEAST * samples->highest_rate;
	struct hr_fit usl;

	for (size_t i = 0; i < samples->count; i++)
		samples->points[i] = (struct hr_fit_point){ samples->loads[i].load, samples->loads[i].mean, 1 };
	usl = hr_fit_points(HR_MODEL_USL, samples->points, samples->count, NULL, samples->scratch);
	if (usl.kind != HR_MODEL_NONE)
		set_weights(samples, fmax(missed_variance(samples, &usl), least * least));
}

static bool is_refuted(const struct samples *samples, const struct hr_fit *fit)
{
	for (size_t i = 0; i < samples->count; i++) {
		const struct load *load = &samples->loads[i];

		if (fabs(load->mean - hr_fit_rate(fit, load->load)) >
		    fmax(REFUTED_ERRORS * sqrt(load->variance), REFUTED_SHARE * samples->highest_rate))
			return true;
	}
	return false;
}

/* Whether a, the simpler, comes before b: not if b alone has a criterion, or one that is lower by more than TIE. */
static bool simpler_comes_first(const double *aicc, enum hr_model_kind a, enum hr_model_kind b)
{
	return isnan(aicc[b]) || aicc[a] <= aicc[b] + TIE;
}

static enum hr_model_kind choose(const struct samples *samples, const struct hr_fit *fits, const double *aicc)
{
	enum hr_model_kind chosen = HR_MODEL_NONE, least = HR_MODEL_NONE;

	for (enum hr_model_kind kind = HR_MODEL_LINEAR; kind < HR_MODELS; kind++) {
		if (fits[kind].kind == HR_MODEL_NONE)
			continue;
		if (least == HR_MODEL_NONE ||
		    residual_variance(samples, &fits[kind]) < residual_variance(samples, &fits[least]))
			least = kind;
		if (is_refuted(samples, &fits[kind]))
			continue;
		if (kind == HR_MODEL_LINEAR)
			return kind;
		if (chosen == HR_MODEL_NONE || !simpler_comes_first(aicc, chosen, kind))
			chosen = kind;
	}
	return chosen != HR_MODEL_NONE ? chosen : least;
}

static double r_squared(const struct samples *samples, const struct hr_fit *fit)
{
	double mean = 0, total = 0, left = 0, none = NO_SHARE * samples->highest_rate;

	for (size_t i = 0; i < samples->count; i++)
		mean += samples->loads[i].mean / (double)samples->count;
	for (size_t i = 0; i < samples->count; i++) {
		double off = samples->loads[i].mean - mean, miss = samples->loads[i].mean - hr_fit_rate(fit, samples->loads[i].load);

		total += off * off;
		left += miss * miss;
	}
	/* throughput that is the same at every load has nothing to explain */
	if (total <= (double)samples->count * none * none)
		return left <= (double)samples->count * none * none ? 1 : 0;
	return 1 - left / total;
}

/* A load beyond the one with the most does less, and it is not the noise of the two. */
static bool falls(const struct samples *samples)
{
	const struct load *top = &samples->loads[0];

	for (size_t i = 1; i < samples->count; i++)
		if (samples->loads[i].mean > top->mean)
			top = &samples->loads[i];
	for (const struct load *load = top + 1; load < samples->loads + samples->count; load++)
		if (top->mean - load->mean > FALL_ERRORS * sqrt(top->variance + load->variance))
			return true;
	return false;
}

/* Where a fit has its peak: a load, INFINITY where it has none. */
static double peak_load(const struct hr_fit *fit)
{
	if (fit->kind == HR_MODEL_CAP)
		return fit->lambda > 0 ? fit->cap / fit->lambda : INFINITY;
	return fit->kind == HR_MODEL_USL && fit->kappa > 0 ? sqrt((1 - fit->sigma) / fit->kappa) : INFINITY;
}

static void results_of(const struct hr_fit *fit, double *results)
{
	double peak = peak_load(fit);

	results[LAMBDA] = fit->lambda;
	results[SIGMA] = fit->sigma;
	results[KAPPA] = fit->kappa;
	results[CAP] = fit->cap;
	results[PEAK_LOAD] = peak;
	results[PEAK_RATE] = isfinite(peak) ? hr_fit_rate(fit, peak) : INFINITY;
}

static double resampled_mean(const struct load *load, struct hr_random *random)
{
	size_t draws = load->block_count > 1 ? load->block_count - 1 : 1;
	double work = 0, seconds = 0;

	for (size_t i = 0; i < draws; i++) {
		const struct block *block = &load->blocks[hr_random_below(random, load->block_count)];

		work += block->rate * block->seconds;
		seconds += block->seconds;
	}
	return work / seconds;
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* The middle 95 % of a column; NAN where it is no number, or at either end. */
static struct hr_range middle_of(double *values, size_t count)
{
	struct hr_range range = { NAN, NAN };

	if (!count || isnan(values[0]))
		return range;
	qsort(values, count, sizeof(*values), by_value);
	range.low = values[(size_t)(0.025 * (double)(count - 1))];
	range.high = values[(size_t)(0.975 * (double)(count - 1) + 0.5)];
	if (!isfinite(range.low))
		range.low = NAN;
	if (!isfinite(range.high))
		range.high = NAN;
	return range;
}

/* Up to a little over the highest load; closer together where loads are low, since there the curve bends. */
static double band_load(const struct samples *samples, size_t i)
{
	double along = (double)(i + 1) / HR_MODEL_BAND;

	return BAND_BEYOND * samples->loads[samples->count - 1].load * along * along;
}

static void bootstrap(struct samples *samples, const struct hr_fit *fit, struct hr_range *ret_ranges)
{
	double spread = sqrt(missed_variance(samples, fit)), results[RESULTS];
	struct hr_random random = { SEED };
	size_t fitted = 0;

	for (size_t resample = 0; resample < RESAMPLES; resample++) {
		struct hr_fit again;

		for (size_t i = 0; i < samples->count; i++)
			samples->points[i].rate =
				fmax(resampled_mean(&samples->loads[i], &random) + spread * hr_random_normal(&random), 0);
		again = hr_fit_points(fit->kind, samples->points, samples->count, fit, samples->scratch);
		if (again.kind == HR_MODEL_NONE)
			continue;
		results_of(&again, results);
		for (size_t i = 0; i < RESULTS; i++)
			samples->results[i * RESAMPLES + fitted] = results[i];
		for (size_t i = 0; i < HR_MODEL_BAND; i++)
			samples->results[(RESULTS + i) * RESAMPLES + fitted] = hr_fit_rate(&again, band_load(samples, i));
		fitted++;
	}
	for (size_t i = 0; i < COLUMNS; i++)
		ret_ranges[i] = middle_of(samples->results + i * RESAMPLES, fitted);
}

static void describe(struct samples *samples, const struct hr_fit *fit, struct hr_model *model)
{
	struct hr_range ranges[COLUMNS];
	double peak = peak_load(fit);

	bootstrap(samples, fit, ranges);
	model->kind = fit->kind;
	model->why = NULL;
	model->lambda = fit->lambda;
	model->sigma = fit->sigma;
	model->kappa = fit->kappa;
	model->cap_rps = fit->cap;
	model->lambda_range = ranges[LAMBDA];
	model->sigma_range = ranges[SIGMA];
	model->kappa_range = ranges[KAPPA];
	model->cap_range = ranges[CAP];
	for (size_t i = 0; i < HR_MODEL_BAND; i++)
		model->band[i] = (struct hr_model_point){ band_load(samples, i), ranges[RESULTS + i] };
	model->r_squared = r_squared(samples, fit);
	model->peak_identified = isfinite(peak) && (fit->kind == HR_MODEL_CAP || (ranges[KAPPA].low > 0 && falls(samples)));
	if (!model->peak_identified)
		return;
	model->peak_load = peak;
	model->peak_throughput_rps = hr_fit_rate(fit, peak);
	model->peak_load_range = ranges[PEAK_LOAD];
	model->peak_throughput_range = ranges[PEAK_RATE];
	model->peak_measured = peak >= model->load_low * (1 - SAME_LOAD) && peak <= model->load_high * (1 + SAME_LOAD);
}

static void fit_all(struct samples *samples, struct hr_model *model)
{
	double none = NO_SHARE * samples->highest_rate, rss_least = (double)samples->count * none * none;
	struct hr_fit fits[HR_MODELS] = { { .kind = HR_MODEL_NONE } };

	set_points(samples);
	for (enum hr_model_kind kind = HR_MODEL_LINEAR; kind < HR_MODELS; kind++) {
		fits[kind] = hr_fit_points(kind, samples->points, samples->count, NULL, samples->scratch);
		model->aicc[kind] = hr_fit_aicc(&fits[kind], samples->count, rss_least);
	}
	describe(samples, &fits[choose(samples, fits, model->aicc)], model);
}

int hr_model_fit(const struct hr_model_level *levels, size_t count, struct hr_model *ret_model, struct hr_err *err)
{
	const struct hr_range unknown = { NAN, NAN };
	struct samples samples;
	int result;

	result = samples_init(levels, count, &samples);
	if (result) {
		samples_fini(&samples);
		return hr_err_set(err, result, "out of memory");
	}
	*ret_model = (struct hr_model){
		.lambda = NAN, .sigma = NAN, .kappa = NAN, .cap_rps = NAN,
		.lambda_range = unknown, .sigma_range = unknown, .kappa_range = unknown, .cap_range = unknown,
		.aicc = { NAN, NAN, NAN, NAN }, .r_squared = NAN,
		.peak_load = NAN, .peak_throughput_rps = NAN, .peak_load_range = unknown, .peak_throughput_range = unknown,
		.load_count = samples.count,
		.load_low = samples.count ? samples.loads[0].load : NAN,
		.load_high = samples.count ? samples.loads[samples.count - 1].load : NAN,
	};
	if (samples.count < HR_MODEL_LEVELS_MIN)
		ret_model->why = "a model takes at least 4 different loads";
	else if (!(samples.highest_rate > RATE_LEAST))
		ret_model->why = "no request was completed at any load";
	else
		fit_all(&samples, ret_model);
	samples_fini(&samples);
	return 0;
}

double hr_model_throughput_rps(const struct hr_model *model, double load)
{
	const struct hr_fit fit = {
		.kind = model->kind, .lambda = model->lambda, .sigma = model->sigma, .kappa = model->kappa, .cap = model->cap_rps,
	};

	return isnan(load) || load < 0 ? NAN : hr_fit_rate(&fit, load);
}
