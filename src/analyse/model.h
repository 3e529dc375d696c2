/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_MODEL_H
#define HR_ANALYSE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * How throughput X grows with the load N:
 *
 *	linear	  X = lambda N
 *	hard cap  X = min(lambda N, cap)			(the asymptotic bounds of Denning and Buzen 1978)
 *	USL	  X = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))	(Gunther 2007, eq. 4.31)
 *
 * fitted by least squares (MINPACK's lmder), the one with the lowest AICc (Hurvich and Tsai 1989) chosen. Intervals are 95 % of
 * a bootstrap over the windows within each level (Efron 1979), with a seed of its own, so that the same run gives the same.
 */
enum hr_model_kind { HR_MODEL_NONE, HR_MODEL_LINEAR, HR_MODEL_CAP, HR_MODEL_USL, HR_MODELS };

/* "linear", "hard_cap", "usl"; "none". */
const char *hr_model_name(enum hr_model_kind kind);

#define HR_MODEL_LEVELS_MIN 4 /* fewer distinct loads: no model */

struct hr_range {
	double low, high; /* NAN: not known */
};

/* One level: its load and the throughput in each of its windows, per second; seconds of a window are its weight. */
struct hr_model_level {
	double load;
	const double *throughput_rps, *seconds;
	size_t window_count;
};

struct hr_model {
	enum hr_model_kind kind; /* NONE: `why` says why */
	const char *why;	 /* a static sentence; NULL: there is a model */
	double lambda, sigma, kappa, cap_rps; /* of the kind chosen; NAN: it has none */
	struct hr_range lambda_range, sigma_range, kappa_range, cap_range;
	double aicc[HR_MODELS];	 /* NAN: could not be fitted */
	double r_squared;
	bool peak_identified;	 /* false: throughput falls nowhere, or kappa cannot be told from 0 */
	bool peak_measured;	 /* the peak lies within the loads that were measured */
	double peak_load, peak_throughput_rps; /* NAN: not identified. A hard cap has the load at which it is reached */
	struct hr_range peak_load_range, peak_throughput_range;
	double load_low, load_high; /* what was measured */
};

/*
 * Fit. Levels with a load that is NAN or below 0, or without windows, are left out. 0, also where there is no model; -ENOMEM.
 * ret_model needs no clean-up.
 */
int hr_model_fit(const struct hr_model_level *levels, size_t count, struct hr_model *ret_model, struct hr_err *err);

/* The throughput at a load by the model; NAN without one. */
double hr_model_throughput_rps(const struct hr_model *model, double load);

#endif
