/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_FIT_H
#define HR_ANALYSE_FIT_H

#include <stddef.h>

#include "analyse/model.h"

/* Least squares for the models of model.h, over one point per load. Inside src/analyse/ only. */

/* load and weight are above 0, rate is 0 or more; all are finite. */
struct hr_fit_point {
	double load, rate, weight;
};

/* What the kind does not have is NAN. kind NONE: it could not be fitted. */
struct hr_fit {
	enum hr_model_kind kind;
	double lambda, sigma, kappa, cap;
	double rss; /* weight times square of what is left, summed */
};

/* Doubles that hr_fit_points() needs to work in. */
#define HR_FIT_SCRATCH(count) (5 * (count))

/*
 * The least squares fit of a kind. sigma is held in [0, 1] and kappa at 0 or above, by fitting an angle and a root in their
 * place (sigma = sin^2 a, kappa = r^2): a bound is then a minimum like any other. A kappa that changes nothing within the loads
 * is given as 0. near is a fit of the same kind to begin at; NULL: from several places. Points in order of load, at least 2.
 *
 * The cap's is exact: of all ways to put the knee between two loads or on one. A cap that no load reaches is no cap: its knee is
 * at most the highest load. Where all loads are at the cap, lambda is the least that the first of them allows.
 */
struct hr_fit hr_fit_points(enum hr_model_kind kind, const struct hr_fit_point *points, size_t count, const struct hr_fit *near,
			    double *scratch);

/* The rate at a load; NAN without a fit. */
double hr_fit_rate(const struct hr_fit *fit, double load);

/* Parameters of a kind: 1, 2, 3. */
size_t hr_fit_parameters(enum hr_model_kind kind);

/*
 * Akaike's criterion corrected for small samples, of normal errors of unknown variance, which counts as a parameter. NAN
 * where there are too few points for it: it takes parameters + 3. rss of 0 is taken for rss_least.
 */
double hr_fit_aicc(const struct hr_fit *fit, size_t count, double rss_least);

#endif
