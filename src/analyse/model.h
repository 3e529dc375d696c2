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
 * Fitted by weighted least squares (MINPACK's lmder) to the mean of each load. The variance of a mean is what its windows say of it
 * plus what the USL itself misses, the same for all; the inverse is its weight.
 *
 * Choice. A line that no load refutes is chosen, else the hard cap or the USL, by AICc (Hurvich and Tsai 1989) of those that no load
 * refutes. A load refutes a model that misses its mean by more than 3 standard errors of it and 5 % of the highest throughput. If all
 * are refuted, the one with the least residual variance (squares over loads minus parameters) is it. The line goes before the
 * criterion because noise grows with throughput: what is left is mostly that of the highest load, and a cap there explains it always.
 * The samples of the criterion are the loads and not the windows: windows of one load repeat the measurement, not the way in which a
 * model is wrong. With the variance as one parameter more it is defined from 4, 5 and 6 loads up for the three. Where the USL has
 * none, or is not better by 2 (Burnham and Anderson 2002), a cap that is not refuted is it.
 *
 * Intervals are 95 % of a bootstrap over the windows within each load, one window less than there are, which makes the variance of
 * a mean right (Rao and Wu 1988), with what the chosen model misses beyond that added as normal noise. So a load with one window has
 * an interval too. The choice is not made again in it. The seed is fixed: the same run gives the same intervals.
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

#define HR_MODEL_BAND 33

struct hr_model_point {
	double load;
	struct hr_range throughput_rps;
};

struct hr_model {
	enum hr_model_kind kind; /* NONE: `why` says why */
	const char *why;	 /* a static sentence; NULL: there is a model */
	double lambda, sigma, kappa, cap_rps; /* of the kind chosen; NAN: it has none */
	struct hr_range lambda_range, sigma_range, kappa_range, cap_range;
	double aicc[HR_MODELS];	 /* NAN: not defined for so few loads, or could not be fitted */
	double r_squared;	 /* of the means around their own mean; at most 1, below 0: worse than that */
	/*
	 * The peak. USL: identified only where throughput falls by more than its noise somewhere beyond the highest, and the
	 * interval of kappa is above 0. A hard cap's is the load from which on it is reached. A line has none.
	 */
	bool peak_identified;
	bool peak_measured;	 /* it lies within the loads that were measured */
	double peak_load, peak_throughput_rps; /* NAN: not identified */
	struct hr_range peak_load_range, peak_throughput_range;
	size_t load_count;	 /* distinct loads that it was fitted to */
	double load_low, load_high; /* what was measured */
	struct hr_model_point band[HR_MODEL_BAND]; /* where the curve itself lies, ascending load; only where there is a model */
};

/*
 * Fit. Levels with a load that is not a number above 0, and windows without a throughput, are left out; levels of one load are one.
 * 0, also where there is no model; -ENOMEM. ret_model needs no clean-up. Of a model that there is, the parameters of its kind and
 * their intervals are numbers.
 */
int hr_model_fit(const struct hr_model_level *levels, size_t count, struct hr_model *ret_model, struct hr_err *err);

/* The throughput at a load by the model; NAN without one. */
double hr_model_throughput_rps(const struct hr_model *model, double load);

#endif
