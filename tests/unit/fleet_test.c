/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>

#include "made_run.h"
#include "report/fleet.h"

#define MS 1e6
#define HOSTS 4

static struct made_run made[HOSTS];
static struct hr_run runs[HOSTS];
static const char *const names[HOSTS] = { "web-1", "web-2", "web-3", "web-4" };

static void begin(void)
{
	for (int i = 0; i < HOSTS; i++) {
		made_begin(&made[i], names[i], (uint64_t)i + 1);
		made[i].whole.run.started_unix_ns = 1700000000000000000 + i * 1000000;
		made[i].whole.run.ended_ns = 10000000000;
	}
}

static struct hr_fleet load(size_t count)
{
	struct hr_fleet fleet;
	struct hr_err err;

	for (size_t i = 0; i < count; i++)
		runs[i] = made[i].run;
	if (hr_fleet_load(runs, count, &fleet, &err))
		fail_msg("%s", err.text);
	return fleet;
}

static void end(struct hr_fleet *fleet)
{
	hr_fleet_fini(fleet);
	for (int i = 0; i < HOSTS; i++)
		made_end(&made[i]);
}

static void assert_near(double seen, double expected, double share)
{
	if (!(fabs(seen / expected - 1) <= share))
		fail_msg("%g is not %g", seen, expected);
}

static void throughput_adds_up_and_latencies_are_of_all_requests(void **state)
{
	struct hr_fleet fleet;

	(void)state;
	begin();
	made_level(&made[0], "8", 4, 900, 10 * MS, 0, HR_STATE_FUTEX, 0.5);
	made_level(&made[1], "8", 4, 100, 100 * MS, 0, HR_STATE_FUTEX, 0.5);
	fleet = load(2);
	assert_int_equal(fleet.level_count, 1);
	assert_int_equal(fleet.levels[0].hosts, 2);
	assert_near(fleet.levels[0].throughput_rps, 1000, 1e-9);
	assert_near(fleet.levels[0].mean_ns, (900 * 10 + 100 * 100) / 1000.0 * MS, 1e-6);
	/* nine of ten requests are of the fast host: no mean of the hosts' percentiles says that */
	assert_near(fleet.levels[0].p50_ns, 10 * MS, 1.0 / 64);
	assert_near(fleet.levels[0].p90_ns, 10 * MS, 1.0 / 64);
	assert_near(fleet.levels[0].p99_ns, 100 * MS, 1.0 / 64);
	assert_near(fleet.levels[0].in_flight, 9 + 10, 1e-6);
	assert_near(fleet.levels[0].shares[1].throughput_rps, 100, 1e-9);
	assert_near(fleet.levels[0].shares[1].p99_ns, 100 * MS, 1.0 / 64);
	/* two hosts do not tell who of them is off */
	assert_false(hr_fleet_is_off(&fleet, 0));
	assert_false(hr_fleet_is_off(&fleet, 1));
	end(&fleet);
}

static void a_level_is_of_the_hosts_that_have_it(void **state)
{
	struct hr_fleet fleet;

	(void)state;
	begin();
	made_level(&made[0], "1", 2, 100, 10 * MS, 0, HR_STATE_FUTEX, 0.5);
	made_level(&made[0], "8", 2, 500, 10 * MS, 0, HR_STATE_FUTEX, 0.5);
	made_level(&made[1], "8", 2, 600, 10 * MS, 0, HR_STATE_FUTEX, 0.5);
	fleet = load(2);
	assert_int_equal(fleet.level_count, 2);
	assert_string_equal(fleet.levels[0].label, "1");
	assert_int_equal(fleet.levels[0].hosts, 1);
	assert_near(fleet.levels[0].throughput_rps, 100, 1e-9);
	assert_false(fleet.levels[0].shares[1].has);
	assert_true(isnan(fleet.levels[0].shares[1].throughput_rps));
	assert_near(fleet.levels[1].throughput_rps, 1100, 1e-9);
	end(&fleet);
}

static void a_host_unlike_the_others_is_named_and_one_within_their_spread_is_not(void **state)
{
	static const double rps[HOSTS] = { 1000, 1020, 600, 985 }, latency_ms[HOSTS] = { 10, 10.4, 10.2, 9.8 };
	struct hr_fleet fleet;

	(void)state;
	begin();
	for (int i = 0; i < HOSTS; i++) {
		made_level(&made[i], "8", 4, rps[i], latency_ms[i] * MS, 0, HR_STATE_FUTEX, 0.5);
		made[i].analysis.verdict.finding.class = i == 3 ? HR_VERDICT_DISK_IO : HR_VERDICT_CPU_SATURATED;
		made[i].analysis.verdict.finding.limit_rps = 1000;
	}
	fleet = load(HOSTS);
	assert_true(hr_fleet_is_off(&fleet, 2));
	assert_near(fleet.levels[0].shares[2].throughput_off, 600 / 992.5 - 1, 0.01);
	assert_true(isnan(fleet.levels[0].shares[2].p99_off));
	assert_false(hr_fleet_is_off(&fleet, 0));
	assert_false(hr_fleet_is_off(&fleet, 1));
	assert_true(isnan(fleet.levels[0].shares[3].throughput_off));
	assert_true(hr_fleet_verdict_is_off(&fleet, 3));
	assert_false(hr_fleet_verdict_is_off(&fleet, 0));
	assert_int_equal(fleet.common_verdict, HR_VERDICT_CPU_SATURATED);
	assert_int_equal(fleet.common_count, 3);
	assert_near(fleet.limit_rps, 4000, 1e-9);
	end(&fleet);
}

static void runs_that_were_not_at_once_are_said_to_be_so(void **state)
{
	struct hr_fleet fleet;
	struct hr_err err;
	char *text = NULL;
	size_t size;
	FILE *out;

	(void)state;
	begin();
	made_level(&made[0], "8", 2, 100, 10 * MS, 0, HR_STATE_FUTEX, 0.5);
	made_level(&made[1], "8", 2, 100, 10 * MS, 0, HR_STATE_FUTEX, 0.5);
	fleet = load(2);
	assert_true(fleet.at_once);
	assert_near(fleet.spread_s, 0.001, 1e-3);
	assert_near(fleet.overlap_s, 9.999, 1e-6);
	hr_fleet_fini(&fleet);
	made[1].whole.run.started_unix_ns += 3600000000000;
	fleet = load(2);
	assert_false(fleet.at_once);
	assert_true(fleet.overlap_s == 0);
	out = open_memstream(&text, &size);
	assert_int_equal(hr_fleet_text(&fleet, false, out, &err), 0);
	fclose(out);
	assert_non_null(strstr(text, "NOT OF THE SAME TIME"));
	assert_null(strstr(text, "nan"));
	free(text);
	end(&fleet);
}

static void a_run_that_is_named_twice_is_refused(void **state)
{
	struct hr_fleet fleet;
	struct hr_err err;

	(void)state;
	begin();
	runs[0] = runs[1] = made[0].run;
	assert_int_equal(hr_fleet_load(runs, 2, &fleet, &err), -EEXIST);
	assert_string_equal(err.text, "'web-1' and 'web-1' are the same run");
}

static void hosts_without_requests_are_null_and_not_0(void **state)
{
	struct hr_fleet fleet;
	struct hr_err err;
	char *text = NULL;
	size_t size;
	FILE *out;
	json_t *root;

	(void)state;
	begin();
	made_level(&made[0], "8", 0, 0, 0, 0, HR_STATE_FUTEX, 0.5);
	made_level(&made[1], "8", 0, 0, 0, 0, HR_STATE_FUTEX, 0.5);
	fleet = load(2);
	out = open_memstream(&text, &size);
	assert_int_equal(hr_fleet_json(&fleet, out, &err), 0);
	fclose(out);
	root = json_loads(text, 0, NULL);
	assert_true(json_is_null(json_object_get(json_object_get(root, "total"), "throughput_rps")));
	assert_true(json_is_null(json_object_get(json_object_get(json_object_get(root, "total"), "latency_ms"), "p99")));
	assert_true(json_is_array(json_object_get(root, "hosts")));
	json_decref(root);
	free(text);
	end(&fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(throughput_adds_up_and_latencies_are_of_all_requests),
		cmocka_unit_test(a_level_is_of_the_hosts_that_have_it),
		cmocka_unit_test(a_host_unlike_the_others_is_named_and_one_within_their_spread_is_not),
		cmocka_unit_test(runs_that_were_not_at_once_are_said_to_be_so),
		cmocka_unit_test(a_run_that_is_named_twice_is_refused),
		cmocka_unit_test(hosts_without_requests_are_null_and_not_0),
	};

	return cmocka_run_group_tests_name("fleet", tests, NULL, NULL);
}
