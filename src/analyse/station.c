/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/station.h"

#include <math.h>
#include <stddef.h>

#define CUSTOMERS_MANY 1000
#define STEPS 100	  /* of a bisection: to the last bit */
#define LOG_REACH 20.0	  /* of the ratio of hold to pause that it searches, as powers of e */
#define AMISS 1.15	  /* above what can be by so much: more than noise */
#define SHARE_MOST 0.9999 /* a station that is in use all the time has no ratio */

/* Shares of time in which nobody, and exactly one, is there. */
struct odds {
	double none, one;
};

static struct odds odds_of(double ratio, double customers)
{
	double term = 1, sum = 1;

	for (double left = customers; left > 0; left--) {
		term *= left * ratio;
		sum += term;
		if (!isfinite(sum))
			return (struct odds){ 0, 0 };
	}
	return (struct odds){ 1 / sum, customers * ratio / sum };
}

static double share_used(double ratio, double customers)
{
	return 1 - odds_of(ratio, customers).none;
}

static double share_contended(double ratio, double customers)
{
	struct odds odds = odds_of(ratio, customers);

	return 1 - odds.none - odds.one;
}

/* Who waits, the mean: those there less the one who is served. */
static double waiting_mean(double ratio, double customers)
{
	double used = share_used(ratio, customers);

	/* those away are served as often as they come back: used / hold = (customers - there) / pause */
	return customers - used / ratio - used;
}

/* The ratio at which a share that grows with it is reached. */
static double find_ratio(double (*share_of)(double ratio, double customers), double share, double customers)
{
	double low = -LOG_REACH, high = LOG_REACH;

	for (int step = 0; step < STEPS; step++) {
		double middle = (low + high) / 2;

		if (share_of(exp(middle), customers) < share)
			low = middle;
		else
			high = middle;
	}
	return exp(low);
}

static int is_many(double customers)
{
	return !(customers <= CUSTOMERS_MANY);
}

double hr_station_used_by_contention(double contended_share, double customers)
{
	double share = fmin(contended_share, SHARE_MOST);

	if (!(contended_share > 0) || customers < 2)
		return NAN;
	if (is_many(customers))
		return sqrt(share);
	return share_used(find_ratio(share_contended, share, floor(customers)), floor(customers));
}

double hr_station_used_by_queue(double waiting, double customers)
{
	if (!(waiting > 0) || customers < 2)
		return NAN;
	if (is_many(customers)) /* M/M/1: u^2 / (1 - u) wait */
		return (sqrt(waiting * waiting + 4 * waiting) - waiting) / 2;
	waiting = fmin(waiting, SHARE_MOST * (floor(customers) - 1));
	return share_used(find_ratio(waiting_mean, waiting, floor(customers)), floor(customers));
}

double hr_station_used_by_waits(double wait_share, double customers)
{
	double share = fmin(wait_share, SHARE_MOST);

	if (!(wait_share > 0) || customers < 2)
		return NAN;
	if (is_many(customers))
		return share;
	return share_used(find_ratio(share_used, share, floor(customers) - 1), floor(customers));
}

/* M/D/1: somebody waits for 1 - (1 - u) e^u of the time. By how much its use is above that of M/M/1, for the same share. */
static double regular_over_random(double contended_share)
{
	double share = fmin(contended_share, SHARE_MOST), low = 0, high = 1;

	for (int step = 0; step < STEPS; step++) {
		double middle = (low + high) / 2;

		if (1 - (1 - middle) * exp(middle) < share)
			low = middle;
		else
			high = middle;
	}
	return high / sqrt(share);
}

/* Likewise for so many who wait: in M/D/1 they are u^2 / 2 (1 - u). */
static double regular_over_random_queue(double waiting)
{
	return (sqrt(waiting * waiting + 2 * waiting) - waiting) / hr_station_used_by_queue(waiting, INFINITY);
}

/* By when somebody waits, else by how many do. */
static double used_by_those_who_wait(const struct hr_station *station, double *ret_most)
{
	double used = hr_station_used_by_contention(station->contended_share, station->customers);

	*ret_most = used * regular_over_random(station->contended_share);
	if (isnan(used)) {
		used = hr_station_used_by_queue(station->waiting, station->customers);
		*ret_most = used * regular_over_random_queue(station->waiting);
	}
	return used;
}

double hr_station_used(const struct hr_station *station)
{
	double by_waits = hr_station_used_by_waits(station->waits_per_s / station->requests_per_s, station->customers);
	double hold_s = station->contended_share / station->waits_per_s, by_holds = station->requests_per_s * hold_s, most;
	double least = used_by_those_who_wait(station, &most);

	if (isnan(least))
		return station->waits_per_s <= station->requests_per_s ? by_waits : NAN;
	if (isnan(by_waits) || by_waits > AMISS * most) /* not known, or a request comes more than once */
		by_waits = (least + most) / 2;
	by_waits = fmax(least, fmin(by_waits, most));
	return fmin(1, isfinite(by_holds) ? fmax(by_waits, by_holds) : by_waits);
}

double hr_station_used_full(const struct hr_station *station)
{
	double used = hr_station_used(station), passages_per_s = fmax(station->requests_per_s, station->waits_per_s / used);

	return station->handover_s > 0 ? used + passages_per_s * station->handover_s : used;
}
