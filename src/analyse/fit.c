/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/fit.h"

#include <math.h>

#include <cminpack.h>

#define USL_PARAMETERS 3
#define FTOL 1e-12
#define EVALUATIONS_MAX 400
#define DENOMINATOR_LEAST 1e-9 /* below a load of 1 a large kappa would make it negative */

size_t hr_fit_parameters(enum hr_model_kind kind)
{
	static const size_t parameters[HR_MODELS] = { [HR_MODEL_LINEAR] = 1, [HR_MODEL_CAP] = 2, [HR_MODEL_USL] = USL_PARAMETERS };

	return parameters[kind];
}

static double usl_denominator(double sigma, double kappa, double load)
{
	return fmax(1 + sigma * (load - 1) + kappa * load * (load - 1), DENOMINATOR_LEAST);
}

double hr_fit_rate(const struct hr_fit *fit, double load)
{
	switch (fit->kind) {
	case HR_MODEL_LINEAR:
		return fit->lambda * load;
	case HR_MODEL_CAP:
		return fmin(fit->lambda * load, fit->cap);
	case HR_MODEL_USL:
		return fit->lambda * load / usl_denominator(fit->sigma, fit->kappa, load);
	case HR_MODEL_NONE:
	case HR_MODELS:
		break;
	}
	return NAN;
}

static double residual_squares(const struct hr_fit *fit, const struct hr_fit_point *points, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double left = points[i].rate - hr_fit_rate(fit, points[i].load);

		sum += points[i].weight * left * left;
	}
	return sum;
}

/* The slope through the origin over loads that end at `most`. */
static double slope(const struct hr_fit_point *points, size_t count, double most)
{
	double products = 0, squares = 0;

	for (size_t i = 0; i < count; i++) {
		double load = fmin(points[i].load, most);

		products += points[i].weight * load * points[i].rate;
		squares += points[i].weight * load * load;
	}
	return products / squares;
}

static double mean_rate(const struct hr_fit_point *points, size_t count)
{
	double rates = 0, weights = 0;

	for (size_t i = 0; i < count; i++) {
		rates += points[i].weight * points[i].rate;
		weights += points[i].weight;
	}
	return rates / weights;
}

static struct hr_fit fit_linear(const struct hr_fit_point *points, size_t count)
{
	struct hr_fit fit = { HR_MODEL_LINEAR, slope(points, count, INFINITY), NAN, NAN, NAN, 0 };

	fit.rss = residual_squares(&fit, points, count);
	return fit;
}

static void keep_better(struct hr_fit *best, double lambda, double cap, const struct hr_fit_point *points, size_t count)
{
	struct hr_fit fit = { HR_MODEL_CAP, lambda, NAN, NAN, cap, 0 };

	fit.rss = residual_squares(&fit, points, count);
	if (best->kind == HR_MODEL_NONE || fit.rss < best->rss)
		*best = fit;
}

static struct hr_fit fit_cap(const struct hr_fit_point *points, size_t count)
{
	struct hr_fit best = { .kind = HR_MODEL_NONE };

	for (size_t below = 1; below <= count; below++) {
		double knee = points[below - 1].load, lambda = slope(points, count, knee);

		/* the knee on a load; and between it and the next, where both sides are free of each other */
		keep_better(&best, lambda, lambda * knee, points, count);
		if (below < count)
			keep_better(&best, slope(points, below, INFINITY), mean_rate(points + below, count - below), points, count);
	}
	/* a knee between two loads that came out beyond the last is a line */
	if (best.cap > best.lambda * points[count - 1].load)
		best.cap = best.lambda * points[count - 1].load;
	return best;
}

/* What MINPACK fits, of rates over highest_rate and loads over highest_load: log lambda, the angle of sigma, the root of kappa. */
struct usl_problem {
	const struct hr_fit_point *points;
	double highest_load, highest_rate;
};

static struct hr_fit usl_of(const struct usl_problem *problem, const double *x)
{
	double sine = sin(x[1]), root = x[2] / problem->highest_load;

	return (struct hr_fit){
		.kind = HR_MODEL_USL,
		.lambda = exp(x[0]) * problem->highest_rate / problem->highest_load,
		.sigma = sine * sine,
		.kappa = root * root,
		.cap = NAN,
	};
}

static void usl_to(const struct usl_problem *problem, const struct hr_fit *fit, double *x)
{
	x[0] = log(fit->lambda * problem->highest_load / problem->highest_rate);
	x[1] = asin(sqrt(fit->sigma));
	x[2] = sqrt(fit->kappa) * problem->highest_load;
}

/* MINPACK's contract: flag 1 asks for what is left, 2 for its derivatives, column by column. */
static int usl_residuals(void *context, int count, int parameters, const double *x, double *left, double *derivatives, int stride,
			 int flag)
{
	const struct usl_problem *problem = context;
	struct hr_fit fit = usl_of(problem, x);

	(void)parameters;
	for (int i = 0; i < count; i++) {
		const struct hr_fit_point *point = &problem->points[i];
		double load = point->load, denominator = usl_denominator(fit.sigma, fit.kappa, load);
		double scale = sqrt(point->weight) / problem->highest_rate, rate = fit.lambda * load / denominator;

		if (flag == 1) {
			left[i] = scale * (rate - point->rate);
			continue;
		}
		derivatives[i] = scale * rate;
		derivatives[i + stride] = -scale * rate / denominator * (load - 1) * sin(2 * x[1]);
		derivatives[i + 2 * stride] = -scale * rate / denominator * load * (load - 1) * 2 * x[2] /
					      (problem->highest_load * problem->highest_load);
	}
	return 0;
}

static bool is_usl(const struct hr_fit *fit)
{
	return isfinite(fit->lambda) && isfinite(fit->sigma) && isfinite(fit->kappa) && isfinite(fit->rss);
}

static struct hr_fit usl_from(struct usl_problem *problem, int count, double *x, double *scratch)
{
	double diagonal[USL_PARAMETERS], qtf[USL_PARAMETERS], work1[USL_PARAMETERS], work2[USL_PARAMETERS], work3[USL_PARAMETERS];
	double *left = scratch, *work4 = scratch + count, *derivatives = scratch + 2 * (size_t)count;
	int pivots[USL_PARAMETERS], evaluations, jacobians;
	struct hr_fit fit;

	lmder(usl_residuals, problem, count, USL_PARAMETERS, x, left, derivatives, count, FTOL, FTOL, 0, EVALUATIONS_MAX, diagonal, 1,
	      1, 0, &evaluations, &jacobians, pivots, qtf, work1, work2, work3, work4);
	fit = usl_of(problem, x);
	fit.rss = residual_squares(&fit, problem->points, (size_t)count);
	return fit;
}

/* A kappa or sigma that comes to rest near its bound is on it: MINPACK stops when nothing changes any more, not at 0. */
static void settle_on_bounds(struct hr_fit *fit, const struct hr_fit_point *points, size_t count, double highest_load)
{
	const double nothing = 1e-6;

	if (fit->kappa * highest_load * highest_load < nothing)
		fit->kappa = 0;
	if (fit->sigma * highest_load < nothing)
		fit->sigma = 0;
	fit->rss = residual_squares(fit, points, count);
}

static struct hr_fit fit_usl(const struct hr_fit_point *points, size_t count, const struct hr_fit *near, double *scratch)
{
	/* angles and roots to begin at; a root of 0 would stay there, as its derivative is 0 */
	static const double starts[][2] = { { 0.1, 0.3 }, { 0.3, 1 }, { 0.8, 0.1 }, { 0.05, 2 } };
	struct usl_problem problem = { points, points[count - 1].load, 0 };
	struct hr_fit best = { .kind = HR_MODEL_NONE };
	double x[USL_PARAMETERS];

	for (size_t i = 0; i < count; i++)
		problem.highest_rate = fmax(problem.highest_rate, points[i].rate);
	if (!(problem.highest_rate > 0))
		return best;
	for (size_t i = 0; i < (near ? 1 : sizeof(starts) / sizeof(starts[0])); i++) {
		struct hr_fit fit;

		if (near) {
			usl_to(&problem, near, x);
			x[1] = fmax(x[1], 0.01);
			x[2] = fmax(x[2], 0.05);
		} else {
			x[0] = log(fmax(points[0].rate, 1e-3 * problem.highest_rate) / points[0].load * problem.highest_load /
				   problem.highest_rate);
			x[1] = starts[i][0];
			x[2] = starts[i][1];
		}
		fit = usl_from(&problem, (int)count, x, scratch);
		if (is_usl(&fit) && (best.kind == HR_MODEL_NONE || fit.rss < best.rss))
			best = fit;
	}
	if (best.kind != HR_MODEL_NONE)
		settle_on_bounds(&best, points, count, problem.highest_load);
	return best;
}

struct hr_fit hr_fit_points(enum hr_model_kind kind, const struct hr_fit_point *points, size_t count, const struct hr_fit *near,
			    double *scratch)
{
	switch (kind) {
	case HR_MODEL_LINEAR:
		return fit_linear(points, count);
	case HR_MODEL_CAP:
		return fit_cap(points, count);
	case HR_MODEL_USL:
		if (count >= USL_PARAMETERS)
			return fit_usl(points, count, near, scratch);
		break;
	case HR_MODEL_NONE:
	case HR_MODELS:
		break;
	}
	return (struct hr_fit){ .kind = HR_MODEL_NONE };
}

double hr_fit_aicc(const struct hr_fit *fit, size_t count, double rss_least)
{
	double n = (double)count, k = (double)hr_fit_parameters(fit->kind) + 1;

	if (fit->kind == HR_MODEL_NONE || n - k - 1 <= 0)
		return NAN;
	return n * log(fmax(fit->rss, rss_least) / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1);
}
