/* SPDX-License-Identifier: BSD-2-Clause */
/* A lock of which the truth is known: a station is simulated, and what can be seen of it from outside is given to the estimate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "analyse/capacity.h"
#include "analyse/random.h"
#include "analyse/station.h"

#define CUSTOMERS_MAX 64
#define SECONDS 400.0

/* Customers who pause, queue, and hold the station one at a time. */
struct world {
	size_t customers;
	double pause_s, hold_s; /* means */
	bool is_regular;	/* holds are all as long */
	double visits;		/* of one request: as many holds, with a pause before each */
};

struct truth {
	struct hr_station station; /* what is seen */
	double waiting;		   /* likewise, the mean */
	double used;		   /* what is not */
};

static double exponential(struct hr_random *random, double mean)
{
	return -mean * log(1 - hr_random_share(random));
}

static double hold(const struct world *world, struct hr_random *random)
{
	return world->is_regular ? world->hold_s : exponential(random, world->hold_s);
}

static size_t first_of(const double *times, size_t count)
{
	size_t first = 0;

	for (size_t i = 1; i < count; i++)
		first = times[i] < times[first] ? i : first;
	return first;
}

static struct truth simulate(const struct world *world)
{
	struct hr_random random = { 7 };
	double back_s[CUSTOMERS_MAX], now_s = 0, free_s = INFINITY, held_s = 0, contended_s = 0, waited_s = 0, visits = 0, waits = 0;
	size_t away = world->customers;

	for (size_t i = 0; i < away; i++)
		back_s[i] = exponential(&random, world->pause_s);
	while (now_s < SECONDS) {
		size_t next = first_of(back_s, away), here = world->customers - away;
		double next_s = away ? back_s[next] : INFINITY, then_s = fmin(next_s, free_s);

		held_s += here ? then_s - now_s : 0;
		contended_s += here > 1 ? then_s - now_s : 0;
		waited_s += here > 1 ? (double)(here - 1) * (then_s - now_s) : 0;
		now_s = then_s;
		if (free_s <= next_s) {
			back_s[away++] = now_s + exponential(&random, world->pause_s);
			free_s = here > 1 ? now_s + hold(world, &random) : INFINITY;
			continue;
		}
		back_s[next] = back_s[--away];
		visits++;
		waits += here > 0;
		if (!here)
			free_s = now_s + hold(world, &random);
	}
	return (struct truth){ { (double)world->customers, contended_s / now_s, waited_s / now_s, waits / now_s, visits / world->visits / now_s, NAN },
			       waited_s / now_s, held_s / now_s };
}

static void assert_used(const struct world *world, double within)
{
	struct truth truth = simulate(world);
	double used = hr_station_used(&truth.station);

	if (!(fabs(used / truth.used - 1) <= within))
		fail_msg("%zu customers, pause %g, %s: %.4f is not %.4f within %g", world->customers, world->pause_s,
			 world->is_regular ? "regular" : "random", used, truth.used, within);
}

static void the_use_of_a_station_is_told_by_its_waits(void **state)
{
	(void)state;
	for (size_t customers = 2; customers <= CUSTOMERS_MAX; customers *= 2)
		for (double busy = 0.1; busy < 0.8; busy += 0.2)
			for (int is_regular = 0; is_regular < 2; is_regular++) {
				struct world world = { customers, (double)customers * 0.005 / busy, 0.005, is_regular, 1 };

				assert_used(&world, 0.1);
			}
}

/* Then the share of requests that wait says too much, and how long somebody waits says what there is. */
static void a_request_that_comes_several_times_is_seen(void **state)
{
	(void)state;
	for (int is_regular = 0; is_regular < 2; is_regular++) {
		struct world world = { 16, 0.2, 0.005, is_regular, 3 };

		assert_used(&world, 0.15);
	}
}

/* Of random holds the queue says it all, and of regular ones not less than by 1.4. */
static void the_use_of_a_station_is_told_by_its_queue_alone(void **state)
{
	(void)state;
	for (size_t customers = 2; customers <= CUSTOMERS_MAX; customers *= 2)
		for (int is_regular = 0; is_regular < 2; is_regular++) {
			struct world world = { customers, (double)customers * 0.01, 0.005, is_regular, 1 };
			struct truth truth = simulate(&world);
			double over = truth.used / hr_station_used_by_queue(truth.waiting, (double)customers);

			if (!(over > 0.95 && over < (is_regular ? 1.42 : 1.05)))
				fail_msg("%zu customers, %s: off by %.3f", customers, is_regular ? "regular" : "random", over);
		}
	assert_true(fabs(hr_station_used_by_queue(0.5, NAN) - 0.5) < 1e-9);
	assert_true(isnan(hr_station_used_by_queue(0.5, 1)) && isnan(hr_station_used_by_queue(0, 8)));
}

static void what_is_not_seen_is_not_told(void **state)
{
	struct hr_station one = { 1, NAN, NAN, 0, 100, NAN }, nobody_waits = { 8, 0, 0, 0, 100, NAN }, full = { 8, 1, 3, 300, 300, NAN },
			  open = { NAN, 0.25, NAN, 50, 100, NAN };

	(void)state;
	assert_true(isnan(hr_station_used(&one)));
	assert_true(isnan(hr_station_used(&nobody_waits)));
	assert_true(hr_station_used(&full) > 0.99 && hr_station_used(&full) <= 1);
	assert_true(fabs(hr_station_used(&open) - 0.5) < 0.03); /* M/M/1: the square of the use */
}

/* Where it is not known when somebody waits, how many do and how often tell as much. */
static void the_use_of_a_station_is_told_by_its_queue_and_its_waits(void **state)
{
	(void)state;
	for (size_t customers = 4; customers <= CUSTOMERS_MAX; customers *= 2)
		for (int is_regular = 0; is_regular < 2; is_regular++) {
			struct world world = { customers, (double)customers * 0.01, 0.005, is_regular, 1 };
			struct truth truth = simulate(&world);

			truth.station.contended_share = NAN;
			if (!(fabs(hr_station_used(&truth.station) / truth.used - 1) <= 0.1))
				fail_msg("%zu customers, %s: %.4f is not %.4f", customers, is_regular ? "regular" : "random",
					 hr_station_used(&truth.station), truth.used);
		}
}

/* 100 passages a second that use half of it, and take 1 ms each to be handed over; or 200, of which every second has to wait. */
static void a_full_station_is_also_handed_over(void **state)
{
	struct hr_station once = { NAN, 0.25, NAN, 50, 100, 0.001 }, twice = { NAN, 0.25, NAN, 200, 100, 0.001 };

	(void)state;
	assert_true(fabs(hr_station_used_full(&once) - hr_station_used(&once) - 0.1) < 1e-9);
	assert_true(fabs(hr_station_used_full(&twice) - hr_station_used(&twice) - 0.2 / hr_station_used(&twice)) < 1e-9);
	once.handover_s = NAN;
	assert_true(hr_station_used_full(&once) == hr_station_used(&once));
}

/* From 2, 4 and 8 of them, who use it up to half, its limit: 200 holds of 5 ms a second. */
static void the_limit_of_a_station_is_told_from_where_it_is_half_full(void **state)
{
	(void)state;
	for (int is_regular = 0; is_regular < 2; is_regular++) {
		struct hr_capacity_point points[3];
		struct hr_capacity_resource resource = { "lock", points, 3, 0 };
		struct hr_capacity capacity;

		for (size_t i = 0; i < 3; i++) {
			struct world world = { (size_t)2 << i, 0.07, 0.005, is_regular, 1 };
			struct truth truth = simulate(&world);

			points[i] = (struct hr_capacity_point){ (double)world.customers, truth.station.requests_per_s,
								hr_station_used(&truth.station), 1 };
		}
		hr_capacity_of(&resource, INFINITY, &capacity);
		if (!(fabs(capacity.limit_rps / 200 - 1) < 0.1))
			fail_msg("%.1f a second are not 200", capacity.limit_rps);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_use_of_a_station_is_told_by_its_waits),
		cmocka_unit_test(a_request_that_comes_several_times_is_seen),
		cmocka_unit_test(the_use_of_a_station_is_told_by_its_queue_alone),
		cmocka_unit_test(the_use_of_a_station_is_told_by_its_queue_and_its_waits),
		cmocka_unit_test(a_full_station_is_also_handed_over),
		cmocka_unit_test(what_is_not_seen_is_not_told),
		cmocka_unit_test(the_limit_of_a_station_is_told_from_where_it_is_half_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
