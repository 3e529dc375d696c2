/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "analyse/predict.h"
#include "analyse/rules.h"
#include "analyse/verdict.h"

/* The rules on quantities that are made here: a server of 4 workers on 2 CPUs, at 1 client and at 16, with nothing full. */

static struct hr_contrast healthy(void)
{
	static const struct {
		enum hr_law law;
		double top, low;
	} given[] = {
		{ HR_LAW_THROUGHPUT, 1000, 990 },   { HR_LAW_CLIENTS, 16, 1 },	       { HR_LAW_IN_FLIGHT, 15, 1 },
		{ HR_LAW_REACHED, 0.94, 1 },	    { HR_LAW_QUEUE_SHARE, 0.1, 0 },    { HR_LAW_CPUS_BUSY, 0.3, 0.2 },    { HR_LAW_CPUS_HERE, 0.35, 0.3 },
		{ HR_LAW_CPUS_TARGET, 0.4, 0.3 },   { HR_LAW_CPUS_OTHER, 0.2, 0.1 },   { HR_LAW_CPU_TARGET_SHARE, 0.67, 0.75 },
		{ HR_LAW_CPU_DEMAND, 400, 400 },    { HR_LAW_CPU_DEMAND_OTHER, 200, 200 }, { HR_LAW_CPU_WAIT, 0.02, 0.01 },
		{ HR_LAW_CPU_WAIT_OTHERS, 0.3, 0.3 }, { HR_LAW_CPU_WAIT_QUOTA, 0, 0 }, { HR_LAW_THREAD_BUSY, 0.2, 0.2 },
		{ HR_LAW_THREAD_OF_TARGET, 0.3, 0.3 }, { HR_LAW_POOL_SLOTS, 4, 4 },    { HR_LAW_POOL_BUSY, 0.5, 0.2 },
		{ HR_LAW_POOL_EXCESS, 0.1, 0 },	    { HR_LAW_POOL_DEMAND, 2000, 2000 }, { HR_LAW_BUSY_DISK, 0, 0 },	    { HR_LAW_BUSY_CPU_WAIT, 0.02, 0.01 },
		{ HR_LAW_BUSY_MEMORY, 0, 0 },	    { HR_LAW_BUSY_KLOCK, 0, 0 },       { HR_LAW_BUSY_PEER, 0, 0 },
		{ HR_LAW_BUSY_SLEEP, 0, 0 },	    { HR_LAW_BUSY_DEVICE, 0, 0 },      { HR_LAW_BUSY_SEND, 0, 0 },
		{ HR_LAW_SEND_FULL, 0, 0 },	    { HR_LAW_RETRANSMITS, 0, 0 },      { HR_LAW_BACKLOG_FULL, 0.1, 0 },
		{ HR_LAW_DROPS, 0, 0 },
	};
	struct hr_contrast contrast = { .has_low = true, .elasticity = 0.05 };

	for (int law = 0; law < HR_LAW_COUNT; law++)
		contrast.top.value[law] = contrast.low.value[law] = NAN;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		contrast.top.value[given[i].law] = given[i].top;
		contrast.low.value[given[i].law] = given[i].low;
	}
	return contrast;
}

static const struct hr_rule *best(const struct hr_contrast *contrast, double *ret_degree)
{
	const struct hr_rule *found = NULL;

	*ret_degree = 0;
	for (size_t i = 0; i < hr_rule_count; i++) {
		double degree = hr_rule_degree(&hr_rules[i], contrast);

		if (degree > *ret_degree) {
			*ret_degree = degree;
			found = &hr_rules[i];
		}
	}
	return found;
}

static void assert_class(const struct hr_contrast *contrast, enum hr_verdict_class class)
{
	double degree;
	const struct hr_rule *rule = best(contrast, &degree);

	if (!rule || rule->class != class || degree < 0.9)
		fail_msg("%s to a degree of %.2f, and not %s", rule ? hr_verdict_class_name(rule->class) : "nothing", degree,
			 hr_verdict_class_name(class));
}

struct change {
	enum hr_law law;
	double top, low;
};

static void what_is_full_is_the_verdict(void **state)
{
	static const struct {
		enum hr_verdict_class class;
		struct change changes[5];
	} cases[] = {
		{ HR_VERDICT_CPU_QUOTA, { { HR_LAW_QUOTA_THROTTLED, 0.95, 0 }, { HR_LAW_QUOTA_USED, 0.98, 0.2 } } },
		{ HR_VERDICT_ACCEPT_BACKLOG, { { HR_LAW_BACKLOG_FULL, 1.2, 0 }, { HR_LAW_DROPS, 9, 0 } } },
		{ HR_VERDICT_NETWORK_LOSS, { { HR_LAW_RETRANSMITS, 0.06, 0.06 }, { HR_LAW_REACHED, 0.1, 0.1 } } },
		{ HR_VERDICT_NETWORK_SEND, { { HR_LAW_SEND_FULL, 0.9, 0.9 } } },
		{ HR_VERDICT_CPU_NEIGHBOUR,
		  { { HR_LAW_BUSY_CPU_WAIT, 0.6, 0.5 }, { HR_LAW_CPU_WAIT_OTHERS, 0.9, 0.9 }, { HR_LAW_CPUS_HERE, 1, 1 },
		    { HR_LAW_CPU_TARGET_SHARE, 0.2, 0.2 } } },
		{ HR_VERDICT_LOCK_CONTENTION, { { HR_LAW_LOCK_CONTENDED, 1, 0 }, { HR_LAW_LOCK_OF_BUSY, 0.7, 0 }, { HR_LAW_POOL_BUSY, 1, 0.2 } } },
		{ HR_VERDICT_KERNEL_LOCK, { { HR_LAW_BUSY_KLOCK, 0.8, 0 } } },
		{ HR_VERDICT_MEMORY, { { HR_LAW_BUSY_MEMORY, 0.8, 0 } } },
		{ HR_VERDICT_DISK_IO, { { HR_LAW_BUSY_DISK, 0.9, 0.9 }, { HR_LAW_POOL_BUSY, 1, 0.2 }, { HR_LAW_POOL_EXCESS, 0.7, 0 } } },
		{ HR_VERDICT_DEVICE, { { HR_LAW_BUSY_DEVICE, 0.9, 0.9 } } },
		{ HR_VERDICT_SERIAL_THREAD, { { HR_LAW_THREAD_BUSY, 0.98, 0.6 }, { HR_LAW_THREAD_OF_TARGET, 0.99, 0.99 } } },
		{ HR_VERDICT_CPU_OVERSUBSCRIBED, { { HR_LAW_CPUS_HERE, 1, 0.5 }, { HR_LAW_BUSY_CPU_WAIT, 0.6, 0 }, { HR_LAW_CPU_DEMAND, 2000, 400 } } },
		{ HR_VERDICT_CPU_SATURATED, { { HR_LAW_CPUS_HERE, 1, 0.5 }, { HR_LAW_BUSY_CPU_WAIT, 0.6, 0 }, { HR_LAW_CPU_DEMAND, 420, 400 } } },
		/* a runtime that has no more threads than there are CPUs: requests wait in it */
		{ HR_VERDICT_CPU_SATURATED, { { HR_LAW_CPUS_HERE, 1, 0.5 }, { HR_LAW_CPU_TARGET_SHARE, 0.97, 0.95 }, { HR_LAW_QUEUE_SHARE, 0.7, 0 } } },
		{ HR_VERDICT_DOWNSTREAM, { { HR_LAW_DOWNSTREAM_SHARE, 0.95, 0.9 }, { HR_LAW_PEER_TIME, 50000, 5000 } } },
		{ HR_VERDICT_TIMER, { { HR_LAW_BUSY_SLEEP, 0.9, 0.9 }, { HR_LAW_SLEEP_TIME, 50000, 5000 } } },
		{ HR_VERDICT_WORKER_POOL, { { HR_LAW_POOL_BUSY, 1, 0.2 }, { HR_LAW_POOL_EXCESS, 0.8, 0 }, { HR_LAW_QUEUE_SHARE, 0.8, 0 } } },
		{ HR_VERDICT_WORKER_POOL,
		  { { HR_LAW_LINKS_BUSY, 0.95, 0.9 }, { HR_LAW_LINKS_EXCESS, 0.75, 0 }, { HR_LAW_DOWNSTREAM_SHARE, 0.25, 0.9 },
		    { HR_LAW_PEER_TIME, 20500, 20000 } } },
		{ HR_VERDICT_WORKER_POOL,
		  { { HR_LAW_QUEUE_SHARE, 0.75, 0 }, { HR_LAW_POOL_EXCESS, 0.75, 0 }, { HR_LAW_SERVICE, 20500, 20000 }, { HR_LAW_BUSY_CPU, 0.05, 0.1 },
		    { HR_LAW_BUSY_CPU_WAIT, 0.02, 0.01 } } },
		{ HR_VERDICT_SERIAL_THREAD, { { HR_LAW_BLAMED_THREAD, 0.7, 0.2 }, { HR_LAW_THREAD_BUSY, 0.7, 0.5 }, { HR_LAW_THREAD_OF_TARGET, 0.8, 0.8 } } },
		{ HR_VERDICT_SERIAL_THREAD, { { HR_LAW_TURNS_IN_IPC, 0.8, 0 } } },
		{ HR_VERDICT_LOCK_CONTENTION, { { HR_LAW_TURNS_IN_POLL, 0.8, 0 } } },
		{ HR_VERDICT_LOCK_CONTENTION, { { HR_LAW_TURNS_AT_LOCK, 0.8, 0 } } },
		{ HR_VERDICT_LOCK_CONTENTION,
		  { { HR_LAW_SERVED_IN_FUTEX, 0.9, 0.1 }, { HR_LAW_SERVED_FUTEX_TIME, 50000, 5000 }, { HR_LAW_TURNS_IN_FUTEX, 0.9, 0.1 } } },
		{ HR_VERDICT_LOCK_CONTENTION,
		  { { HR_LAW_LOCK_REFUSED, 1, 0 }, { HR_LAW_BUSY_SLEEP, 0.9, 0.5 }, { HR_LAW_SLEEP_TIME, 50000, 5000 } } },
		{ HR_VERDICT_TIMER,
		  { { HR_LAW_BUSY_SLEEP, 0.9, 0.5 }, { HR_LAW_SLEEP_TIME, 5000, 5000 }, { HR_LAW_POOL_BUSY, 0.1, 0.1 }, { HR_LAW_SERVICE, 80000, 5000 } } },
		{ HR_VERDICT_CLIENT_LIMITED, { { HR_LAW_REACHED, 0.2, 0.5 } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hr_contrast contrast = healthy();

		for (size_t k = 0; k < 5; k++) {
			if (cases[i].changes[k].top == 0 && cases[i].changes[k].low == 0)
				continue;
			contrast.top.value[cases[i].changes[k].law] = cases[i].changes[k].top;
			contrast.low.value[cases[i].changes[k].law] = cases[i].changes[k].low;
		}
		assert_class(&contrast, cases[i].class);
	}
}

static void where_throughput_still_grows_nothing_is_a_bottleneck(void **state)
{
	struct hr_contrast contrast = healthy();

	(void)state;
	contrast.elasticity = 0.95;
	contrast.top.value[HR_LAW_POOL_BUSY] = 1;
	contrast.top.value[HR_LAW_POOL_EXCESS] = 0.8;
	contrast.top.value[HR_LAW_THREAD_BUSY] = 0.95;
	contrast.top.value[HR_LAW_THREAD_OF_TARGET] = 0.95;
	assert_class(&contrast, HR_VERDICT_NOT_SATURATED);
}

static void one_level_with_free_resources_is_not_saturated(void **state)
{
	struct hr_contrast contrast = healthy();
	double degree;

	(void)state;
	contrast.has_low = false;
	contrast.elasticity = NAN;
	assert_int_equal(best(&contrast, &degree)->class, HR_VERDICT_NOT_SATURATED);
	assert_true(degree < 0.9); /* less sure: growth was not seen */
}

/* A program that nobody asks, looked at for a while: nobody says that its load generator is slow. */
static void without_requests_a_load_generator_is_not_to_blame(void **state)
{
	struct hr_contrast contrast = { .has_low = false, .elasticity = NAN };
	double degree;

	(void)state;
	for (int law = 0; law < HR_LAW_COUNT; law++)
		contrast.top.value[law] = contrast.low.value[law] = NAN;
	contrast.top.value[HR_LAW_THREAD_BUSY] = 0.01;
	contrast.top.value[HR_LAW_CPUS_BUSY] = 0.05;
	assert_null(best(&contrast, &degree));
}

/* The one worker shares its one CPU with somebody else's processes, while the other CPU is free: a second worker would share it too. */
static void where_cpus_are_full_it_is_no_worker_that_lacks(void **state)
{
	struct hr_contrast contrast = healthy();
	double degree;

	(void)state;
	contrast.top.value[HR_LAW_POOL_SLOTS] = contrast.low.value[HR_LAW_POOL_SLOTS] = 1;
	contrast.top.value[HR_LAW_POOL_BUSY] = 1;
	contrast.top.value[HR_LAW_POOL_EXCESS] = 0.94;
	assert_class(&contrast, HR_VERDICT_WORKER_POOL);
	contrast.top.value[HR_LAW_CPUS_HERE] = 1;
	contrast.top.value[HR_LAW_BUSY_CPU_WAIT] = 0.5;
	contrast.top.value[HR_LAW_CPU_WAIT_OTHERS] = 1;
	contrast.top.value[HR_LAW_CPU_TARGET_SHARE] = 0.48;
	assert_int_equal(best(&contrast, &degree)->class, HR_VERDICT_CPU_NEIGHBOUR);
}

/* It was to send 1,000 a second, and sends 600: the server has time. */
static void a_rate_that_is_not_reached_by_an_idle_server_is_the_clients(void **state)
{
	struct hr_contrast contrast = healthy();

	(void)state;
	contrast.top.value[HR_LAW_CLIENTS] = contrast.top.value[HR_LAW_REACHED] = NAN;
	contrast.top.value[HR_LAW_RATE_REACHED] = 0.6;
	assert_class(&contrast, HR_VERDICT_CLIENT_LIMITED);
	contrast.top.value[HR_LAW_THREAD_BUSY] = contrast.top.value[HR_LAW_THREAD_OF_TARGET] = 0.99;
	assert_class(&contrast, HR_VERDICT_SERIAL_THREAD);
}

static void what_was_not_measured_meets_no_condition(void **state)
{
	struct hr_contrast contrast = { .has_low = false, .elasticity = NAN };
	double degree;

	(void)state;
	for (int law = 0; law < HR_LAW_COUNT; law++)
		contrast.top.value[law] = contrast.low.value[law] = NAN;
	best(&contrast, &degree);
	assert_true(degree == 0);
}

static void thresholds_have_reasons_and_soft_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < hr_rule_count; i++) {
		size_t conditions = 0;

		for (; conditions < HR_CONDITIONS_MAX && hr_rules[i].conditions[conditions].reason; conditions++)
			assert_true(hr_rules[i].conditions[conditions].no != hr_rules[i].conditions[conditions].yes);
		assert_true(conditions > 0);
		assert_true(!strchr(hr_rules[i].advice, '%') == (hr_rules[i].subject == HR_NO_SUBJECT));
	}
}

static const struct hr_remains nothing_goes = { NAN, 0, 0 };

static struct hr_prediction predicted(struct hr_verdict *verdict, enum hr_change change)
{
	for (size_t i = 0; i < verdict->prediction_count; i++)
		if (verdict->predictions[i].change == change)
			return verdict->predictions[i];
	fail_msg("no prediction of %s", hr_change_name(change));
	return (struct hr_prediction){ 0 };
}

/* 4 workers of 4 ms: 1000/s. Twice the workers, 2000/s; no worker too few, what the CPUs give. */
static void a_pool_is_predicted_by_its_slots(void **state)
{
	struct hr_contrast contrast = healthy();
	struct hr_window windows[] = { { 1, 1, 990, 15 }, { 2, 1, 1010, 15 } };
	struct hr_level level = { .windows = windows, .window_count = 2 };
	struct hr_verdict verdict = { .finding.class = HR_VERDICT_WORKER_POOL, .headroom = NAN };
	struct hr_prediction twice;

	(void)state;
	contrast.top.value[HR_LAW_POOL_DEMAND] = 4000;
	contrast.low.value[HR_LAW_THROUGHPUT] = 250; /* 1 client: so 20 could have 5000 */
	contrast.top.value[HR_LAW_CLIENTS] = 20;
	hr_predict(&contrast, &nothing_goes, &level, &verdict);
	twice = predicted(&verdict, HR_CHANGE_TWICE_WORKERS);
	assert_true(fabs(twice.throughput_rps - 2000) < 1);
	assert_true(twice.range.low < 1800 && twice.range.high > 2200 && twice.range.low > 1500);
	assert_true(fabs(predicted(&verdict, HR_CHANGE_TWICE_CPUS).throughput_rps - 1000) < 1);
	/*
	 * 2 CPUs, of which others take 0.1 more for 750 requests more: 1 / 15 always, of which they keep 2 / (4 + 1 / 15), and 133 us with
	 * each request beside its 400 us; a wake-up takes 60 us, and is spared where the 70 % are not idle
	 */
	assert_true(fabs(predicted(&verdict, HR_CHANGE_CAUSE_REMOVED).throughput_rps -
			 (2 - 1.0 / 15 * 2 / (4 + 1.0 / 15)) / (400e-6 + 0.1 / 750) / 0.895) < 1);
}

/* Where throughput stands still, it may be that others are busier by chance: of nothing that they do is known whether requests need it. */
static void what_others_take_is_not_for_requests_that_do_not_come(void **state)
{
	struct hr_contrast contrast = healthy();
	struct hr_level level = { 0 };
	struct hr_verdict verdict = { .finding.class = HR_VERDICT_TIMER, .headroom = NAN };
	struct hr_prediction removed;

	(void)state;
	contrast.top.value[HR_LAW_THROUGHPUT] = contrast.low.value[HR_LAW_THROUGHPUT] = 100;
	contrast.top.value[HR_LAW_CLIENTS] = 1e9;
	contrast.top.value[HR_LAW_POOL_SLOTS] = 100;
	contrast.top.value[HR_LAW_THREAD_BUSY] = 0.001;
	hr_predict(&contrast, &nothing_goes, &level, &verdict);
	removed = predicted(&verdict, HR_CHANGE_CAUSE_REMOVED);
	assert_true(fabs(removed.throughput_rps - (2 - 0.15 * 2 / 100.15) / 400e-6 / 0.895) < 1);
	assert_true(removed.range.low < 2 / 2400e-6 / 0.895 && removed.range.high > 2 / 400e-6 / 0.895); /* 0.2 CPUs for 100 requests: 2 ms */
}

/* The server has one CPU of two; on the other are its clients, who come with it when it gets both: (1 + 0.25) of 2. */
static void on_twice_the_cpus_there_may_be_others_already(void **state)
{
	struct hr_contrast contrast = healthy();
	struct hr_level level = { 0 };
	struct hr_verdict verdict = { .finding.class = HR_VERDICT_CPU_SATURATED, .headroom = NAN };
	struct hr_prediction twice;

	(void)state;
	contrast.top.value[HR_LAW_CLIENTS] = 1e9;
	contrast.top.value[HR_LAW_CPUS_TARGET] = 1;
	contrast.top.value[HR_LAW_CPUS_OTHER] = 0.25;
	contrast.top.value[HR_LAW_CPUS_BUSY] = 0.625;
	contrast.top.value[HR_LAW_CPUS_HERE] = contrast.top.value[HR_LAW_CPUS_USABLE] = 1;
	hr_predict(&contrast, &nothing_goes, &level, &verdict);
	twice = predicted(&verdict, HR_CHANGE_TWICE_CPUS);
	assert_true(fabs(twice.throughput_rps - 1000 * 2 / 1.25) < 1);
	assert_true(twice.range.high > 2000 && twice.range.low < 1600);
}

/* Half of the CPUs are others', who may give way or not: the range knows. */
static void a_busy_host_makes_predictions_less_sure(void **state)
{
	struct hr_contrast contrast = healthy();
	struct hr_level level = { 0 };
	struct hr_verdict verdict = { .finding.class = HR_VERDICT_WORKER_POOL, .headroom = NAN };
	struct hr_prediction removed;

	(void)state;
	contrast.top.value[HR_LAW_CPUS_BUSY] = 0.7;
	contrast.top.value[HR_LAW_CPUS_OTHER] = contrast.low.value[HR_LAW_CPUS_OTHER] = 1;
	contrast.low.value[HR_LAW_THROUGHPUT] = 500;
	hr_predict(&contrast, &nothing_goes, &level, &verdict);
	removed = predicted(&verdict, HR_CHANGE_CAUSE_REMOVED);
	assert_true(fabs(removed.throughput_rps - (2 - 1 * 2.0 / 5) / 400e-6 / 0.955) < 1); /* 4 threads of its own, and one of others */
	assert_true(removed.range.low < 1 / 400e-6 && removed.range.high > 2 / 400e-6);
}

/* One client gets 20 a second through the losses, and so 16 get 300; without them it is the server that ends it. */
static void what_is_lost_slows_clients_at_any_load(void **state)
{
	struct hr_contrast contrast = healthy();
	struct hr_level level = { 0 };
	struct hr_verdict verdict = { .finding.class = HR_VERDICT_NETWORK_LOSS, .headroom = NAN };

	(void)state;
	contrast.top.value[HR_LAW_THROUGHPUT] = 300;
	contrast.low.value[HR_LAW_THROUGHPUT] = 20;
	contrast.top.value[HR_LAW_CPUS_OTHER] = contrast.low.value[HR_LAW_CPUS_OTHER] = 0.01;
	contrast.top.value[HR_LAW_THREAD_BUSY] = 0.05;
	hr_predict(&contrast, &nothing_goes, &level, &verdict);
	assert_true(predicted(&verdict, HR_CHANGE_CAUSE_REMOVED).throughput_rps > 3000);
}

/* A lock of the kernel: of a request's 400 us of CPU time 100 us are left, and of its 1010 us at one client 310 us. */
static void what_goes_with_the_cause_is_not_reckoned_with(void **state)
{
	const struct hr_remains remains = { .cpu_us = 100, .cpu_error = 0, .saved_us = 700 };
	struct hr_contrast contrast = healthy();
	struct hr_level level = { 0 };
	struct hr_verdict verdict = { .finding.class = HR_VERDICT_KERNEL_LOCK, .headroom = NAN };

	(void)state;
	contrast.low.value[HR_LAW_LATENCY] = 1010;
	contrast.low.value[HR_LAW_BUSY_KLOCK] = 0;
	contrast.top.value[HR_LAW_CPUS_OTHER] = contrast.low.value[HR_LAW_CPUS_OTHER] = 0;
	contrast.top.value[HR_LAW_CPUS_BUSY] = 0.2;
	contrast.top.value[HR_LAW_THREAD_BUSY] = 0.01;
	hr_predict(&contrast, &remains, &level, &verdict);
	assert_true(fabs(predicted(&verdict, HR_CHANGE_CAUSE_REMOVED).throughput_rps - 2 / 100e-6 / 0.6) < 1);
	verdict.prediction_count = 0;
	contrast.top.value[HR_LAW_CLIENTS] = 4; /* 4 turns of 1 / 990 s less 700 us */
	hr_predict(&contrast, &remains, &level, &verdict);
	assert_true(fabs(predicted(&verdict, HR_CHANGE_CAUSE_REMOVED).throughput_rps - 4 / (1.0 / 990 - 700e-6)) < 1);
}

static void nothing_is_predicted_of_what_is_not_known(void **state)
{
	struct hr_contrast contrast = healthy();
	struct hr_verdict verdict = { .finding.class = HR_VERDICT_INCONCLUSIVE, .headroom = NAN };
	struct hr_level level = { 0 };

	(void)state;
	hr_predict(&contrast, &nothing_goes, &level, &verdict);
	assert_int_equal(verdict.prediction_count, 0);
	verdict.finding.class = HR_VERDICT_CPU_SATURATED;
	contrast.top.value[HR_LAW_THROUGHPUT] = NAN;
	hr_predict(&contrast, &nothing_goes, &level, &verdict);
	assert_int_equal(verdict.prediction_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_full_is_the_verdict),
		cmocka_unit_test(where_throughput_still_grows_nothing_is_a_bottleneck),
		cmocka_unit_test(one_level_with_free_resources_is_not_saturated),
		cmocka_unit_test(without_requests_a_load_generator_is_not_to_blame),
		cmocka_unit_test(where_cpus_are_full_it_is_no_worker_that_lacks),
		cmocka_unit_test(a_rate_that_is_not_reached_by_an_idle_server_is_the_clients),
		cmocka_unit_test(what_was_not_measured_meets_no_condition),
		cmocka_unit_test(thresholds_have_reasons_and_soft_edges),
		cmocka_unit_test(a_pool_is_predicted_by_its_slots),
		cmocka_unit_test(what_others_take_is_not_for_requests_that_do_not_come),
		cmocka_unit_test(on_twice_the_cpus_there_may_be_others_already),
		cmocka_unit_test(a_busy_host_makes_predictions_less_sure),
		cmocka_unit_test(what_is_lost_slows_clients_at_any_load),
		cmocka_unit_test(what_goes_with_the_cause_is_not_reckoned_with),
		cmocka_unit_test(nothing_is_predicted_of_what_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
