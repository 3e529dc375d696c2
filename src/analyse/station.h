/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_STATION_H
#define HR_ANALYSE_STATION_H

/*
 * How much a lock is in use, of which only waits are seen: nobody is told when it is taken without one. It is a station that serves
 * one customer at a time, out of N who come back after a while (the machine repairman's model: M/M/1//N), or of any number.
 */
struct hr_station {
	double customers;	/* N; NAN or above 1000: any number */
	double contended_share; /* of the time, somebody waits; NAN: not known */
	double waiting;		/* so many wait, the mean: looked at where that is not known */
	double waits_per_s;	/* so many waits began, or NAN */
	double requests_per_s;
	double handover_s;	/* from the release until who waited has it; NAN: not known */
};

/*
 * The share of time in which it is in use, 0 to 1; NAN: it cannot be told, as with one customer.
 *
 * Three views, of which each errs in its own way:
 * - A request waits if it finds the station in use, as it is with one customer fewer (the arrival theorem: Sevcik and Mitrani 1981),
 *   whatever the distribution of holds; it holds if each request comes once.
 * - Somebody waits if there are two or more, which in that model is so for a known share of time, and so many wait on the average; it
 *   holds however often a request comes. Holds that are all as long give up to 1.4 times the use for the same share (M/D/1).
 * - While somebody waits, each release ends a wait: the contended time over the waits is a hold, or the rest of one.
 * The first is taken between the bounds of the second (their middle, if it is far above them), but at least the third.
 */
double hr_station_used(const struct hr_station *station);

/*
 * The same as if each passage had to be handed over, as it is where it is full: while who waited is woken, nobody has it. Above 1: that
 * many cannot pass. A request that has to wait more often than it is in use comes more than once.
 */
double hr_station_used_full(const struct hr_station *station);

/* With exponential holds and pauses between them, the use at which two or more are there for that share of the time. */
double hr_station_used_by_contention(double contended_share, double customers);

/* The use at which so many wait, the mean; likewise however often a request comes. Holds that are all as long: up to 1.4 times that. */
double hr_station_used_by_queue(double waiting, double customers);

/* The use at which that share of those who come have to wait. */
double hr_station_used_by_waits(double wait_share, double customers);

#endif
