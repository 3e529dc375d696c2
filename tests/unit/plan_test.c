/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "analyse/plan.h"
#include "report/plan.h"
#include "store/tables.h"

#define MS 1e6
#define LEVELS_MAX 8
#define WINDOWS 4

/* A level as it was measured: its p50 is a tenth of its p99, its mean a half. */
struct row {
	double load, throughput_rps, p99_ms;
};

struct made {
	struct hr_analysis analysis;
	struct hr_summary *summaries; /* of the levels, and the run's last */
	struct hr_level levels[LEVELS_MAX];
	struct hr_window windows[LEVELS_MAX][WINDOWS];
};

static const struct hr_client_result no_client = { NAN, NAN, NAN, NAN, NAN };
static const struct hr_slo no_slo = { { NAN, NAN, NAN, NAN } };

static struct made *make(const struct row *rows, size_t count)
{
	static const double around[WINDOWS] = { 0.98, 1.02, 0.99, 1.01 };
	struct made *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	made->summaries = calloc(count + 1, sizeof(*made->summaries));
	assert_non_null(made->summaries);
	for (size_t i = 0; i < count; i++) {
		struct hr_stage_summary *total = &made->summaries[i].requests.stages[HR_STAGE_TOTAL];

		made->summaries[i].requests.throughput_rps = rows[i].throughput_rps;
		*total = (struct hr_stage_summary){
			.count = 1000,
			.total_ns = isnan(rows[i].p99_ms) ? 0 : (uint64_t)(1000 * rows[i].p99_ms / 2 * MS),
			.latency = { 1000, rows[i].p99_ms * MS / 10, rows[i].p99_ms * MS / 2, rows[i].p99_ms * MS },
		};
		for (size_t w = 0; w < WINDOWS; w++)
			made->windows[i][w] = (struct hr_window){ .seconds = 1, .throughput_rps = rows[i].throughput_rps * around[w], .in_flight = rows[i].load };
		made->levels[i] = (struct hr_level){
			.label = "a level", .offered = rows[i].load, .load = rows[i].load, .summary = &made->summaries[i],
			.windows = made->windows[i], .window_count = WINDOWS, .client = no_client, .status = HR_NULL,
		};
	}
	made->analysis.summary = &made->summaries[count];
	made->analysis.axis = (struct hr_axis){ HR_AXIS_MARKED, made->levels, count, NULL };
	made->analysis.verdict.finding = (struct hr_finding){
		.class = HR_VERDICT_LOCK_CONTENTION, .subject = "the lock", .confidence = 0.9, .action = HR_ACTION_FIX_SERIAL_SECTION,
	};
	return made;
}

static void drop(struct made *made)
{
	free(made->summaries);
	free(made);
}

static const struct row usual[] = { { 1, 100, 10 }, { 2, 195, 12 }, { 4, 380, 20 }, { 8, 600, 90 }, { 16, 650, 250 }, { 32, 500, 900 } };

static struct hr_slo slo_of(const char *text)
{
	struct hr_slo slo;
	struct hr_err err = { "" };

	if (hr_slo_parse(text, &slo, &err))
		fail_msg("%s", err.text);
	return slo;
}

static struct hr_plan plan_of(const struct made *made, double rate_rps, double utilisation, const struct hr_slo *slo)
{
	struct hr_plan plan;
	struct hr_err err = { "" };

	if (hr_plan_make(&made->analysis, rate_rps, utilisation, slo, &plan, &err))
		fail_msg("%s", err.text);
	return plan;
}

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) <= 1e-9 * fabs(expected)))
		fail_msg("%.12g is not %.12g", value, expected);
}

static void limits_are_read_and_what_is_none_is_refused_with_a_sentence(void **state)
{
	static const char *const wrong[] = { "p99", "p99=", "p99=200", "p98=200ms", "=1ms", "p99=1ms,", ",", "p99=1ms,p99=2ms", "p99=-1ms" };
	struct hr_slo slo = slo_of("p99=200ms,mean=50ms");
	struct hr_slo kept = no_slo;
	struct hr_err err;

	(void)state;
	assert_near(slo.limit_ns[HR_SLO_P99], 200 * MS);
	assert_near(slo.limit_ns[HR_SLO_MEAN], 50 * MS);
	assert_true(isnan(slo.limit_ns[HR_SLO_P50]));
	assert_true(isnan(slo_of(NULL).limit_ns[HR_SLO_P99]));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		err.text[0] = '\0';
		assert_true(hr_slo_parse(wrong[i], &kept, &err) < 0);
		assert_true(err.text[0] && isnan(kept.limit_ns[HR_SLO_P99]));
	}
}

static void the_bracket_is_two_levels_that_were_measured(void **state)
{
	struct made *made = make(usual, 6);
	struct hr_slo slo = slo_of("p99=200ms");
	struct hr_plan plan = plan_of(made, 1000, 0.7, &slo);

	(void)state;
	assert_near(plan.levels[plan.passes].load, 8);
	assert_near(plan.levels[plan.fails].load, 16);
	assert_int_equal(plan.chosen, plan.passes);
	assert_near(plan.replica_rps, 420);
	assert_near(plan.replicas, 3); /* 1000 / 420 = 2.38 */
	/* 380 at 4, 600 at 8: 420 lies 40 / 220 of the way */
	assert_near(plan.replica_load, 4 + 4 * 40.0 / 220);
	/* windows of 588, 612, 594, 606: standard deviation sqrt(120), t of 3 degrees of freedom 3.182 */
	assert_near(plan.levels[plan.chosen].range.high, 600 + 3.182 * sqrt(360 / 3.0 / 4));
	assert_false(plan.warned[HR_PLAN_LOADS_TOO_LOW] || plan.warned[HR_PLAN_NOT_MONOTONE] || plan.warned[HR_PLAN_FEW_LEVELS]);
	hr_plan_fini(&plan);
	drop(made);
}

static void a_replica_is_planned_at_the_most_throughput_and_not_at_the_most_load(void **state)
{
	struct made *made = make(usual, 6);
	struct hr_plan plan = plan_of(made, 650, 1, &no_slo);

	(void)state;
	assert_near(plan.levels[plan.passes].load, 32);
	assert_true(plan.fails == HR_PLAN_NONE);
	assert_near(plan.levels[plan.chosen].load, 16);
	assert_near(plan.replicas, 1); /* and no second for a rounding error */
	assert_near(plan.replicas_high, 2);
	hr_plan_fini(&plan);
	drop(made);
}

static void limits_that_no_level_meets_have_no_replicas(void **state)
{
	struct made *made = make(usual, 6);
	struct hr_slo slo = slo_of("p50=100us");
	struct hr_plan plan = plan_of(made, 1000, 0.7, &slo);

	(void)state;
	assert_true(plan.chosen == HR_PLAN_NONE && plan.passes == HR_PLAN_NONE);
	assert_near(plan.levels[plan.fails].load, 1);
	assert_true(isnan(plan.replicas) && isnan(plan.replica_rps) && isnan(plan.replica_load));
	hr_plan_fini(&plan);
	drop(made);
}

static void a_level_that_passes_after_one_that_did_not_was_lucky(void **state)
{
	static const struct row rows[] = { { 1, 100, 10 }, { 2, 195, 300 }, { 4, 380, 20 }, { 8, 600, 400 } };
	struct made *made = make(rows, 4);
	struct hr_slo slo = slo_of("p99=200ms");
	struct hr_plan plan = plan_of(made, 1000, 0.7, &slo);

	(void)state;
	assert_near(plan.levels[plan.passes].load, 1);
	assert_near(plan.levels[plan.fails].load, 2);
	assert_true(plan.warned[HR_PLAN_NOT_MONOTONE]);
	hr_plan_fini(&plan);
	drop(made);
}

static void a_latency_that_was_not_measured_meets_no_limit(void **state)
{
	static const struct row rows[] = { { 1, 100, NAN }, { 2, 195, NAN } };
	struct made *made = make(rows, 2);
	struct hr_slo slo = slo_of("p99=1h");
	struct hr_plan plan = plan_of(made, 1000, 0.7, &slo);

	(void)state;
	assert_true(plan.chosen == HR_PLAN_NONE);
	hr_plan_fini(&plan);
	drop(made);
}

static void what_the_load_generator_saw_goes_before_what_the_server_did_if_it_is_known_everywhere(void **state)
{
	struct made *made = make(usual, 6);
	struct hr_slo slo = slo_of("p99=200ms");
	struct hr_plan plan;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		made->levels[i].client.p99_ns = (i < 2 ? 150 : 300) * MS;
	plan = plan_of(made, 1000, 0.7, &slo);
	assert_true(plan.by_client[HR_SLO_P99] && !plan.by_client[HR_SLO_P50]);
	assert_near(plan.levels[plan.passes].load, 2);
	hr_plan_fini(&plan);
	made->levels[5].client.p99_ns = NAN;
	plan = plan_of(made, 1000, 0.7, &slo);
	assert_false(plan.by_client[HR_SLO_P99]);
	assert_near(plan.levels[plan.passes].load, 8);
	hr_plan_fini(&plan);
	drop(made);
}

static void what_makes_a_plan_doubtful_is_said(void **state)
{
	struct made *made = make(usual, 3);
	struct hr_plan plan;

	(void)state;
	made->analysis.summary->lossy = true;
	made->analysis.verdict.finding.class = HR_VERDICT_CLIENT_LIMITED;
	made->levels[2].client.errors = 3;
	made->levels[2].status = 1;
	made->levels[2].window_count = 1;
	made->analysis.model = (struct hr_model){ .kind = HR_MODEL_USL, .peak_identified = true, .peak_measured = false };
	plan = plan_of(made, 1000, 0.7, &no_slo);
	assert_true(plan.warned[HR_PLAN_FEW_LEVELS] && plan.warned[HR_PLAN_LOADS_TOO_LOW] && plan.warned[HR_PLAN_PEAK_OUTSIDE]);
	assert_true(plan.warned[HR_PLAN_GENERATOR_LIMITED] && plan.warned[HR_PLAN_DATA_LOST] && plan.warned[HR_PLAN_ERRORS]);
	assert_true(plan.warned[HR_PLAN_COMMAND_FAILED] && plan.warned[HR_PLAN_FEW_WINDOWS] && !plan.warned[HR_PLAN_INCONCLUSIVE]);
	assert_true(isnan(plan.replicas_low) && isnan(plan.replicas_high));
	hr_plan_fini(&plan);
	drop(made);
}

static void a_run_without_requests_has_no_plan(void **state)
{
	static const struct row rows[] = { { 1, NAN, NAN }, { 2, 0, NAN }, { NAN, 100, 1 } };
	struct made *made = make(rows, 3);
	struct hr_plan plan;
	struct hr_err err = { "" };

	(void)state;
	assert_true(hr_plan_make(&made->analysis, 10, 0.7, &no_slo, &plan, &err) < 0);
	assert_non_null(strstr(err.text, "no requests"));
	drop(made);
}

typedef int render(const struct hr_plan_report *report, FILE *out, struct hr_err *err);

static int text(const struct hr_plan_report *report, FILE *out, struct hr_err *err)
{
	return hr_plan_text(report, true, out, err);
}

/* The caller frees it. */
static char *rendered(render *to, const struct made *made, const struct hr_plan *plan)
{
	char *written = NULL;
	size_t size;
	FILE *out = open_memstream(&written, &size);

	assert_non_null(out);
	assert_int_equal(to(&(struct hr_plan_report){ plan, &made->analysis, "llm-1" }, out, NULL), 0);
	fclose(out);
	return written;
}

static void assert_says(const char *written, const char *phrase)
{
	if (!strstr(written, phrase))
		fail_msg("'%s' is not in:\n%s", phrase, written);
}

static void the_text_says_how_many_of_what_and_why(void **state)
{
	struct made *made = make(usual, 6);
	struct hr_slo slo = slo_of("p99=200ms");
	struct hr_plan plan = plan_of(made, 1000, 0.7, &slo);
	char *written = rendered(text, made, &plan);

	(void)state;
	assert_says(written, "3 replicas for 1.00 k requests/s");
	assert_says(written, "Met at 8 clients (p99 90.0 ms), not at 16 clients (p99 250 ms)");
	assert_says(written, "lock-contention: the lock");
	free(written);
	hr_plan_fini(&plan);
	slo = slo_of("p99=1us");
	plan = plan_of(made, 1000, 0.7, &slo);
	written = rendered(text, made, &plan);
	assert_says(written, "No number of replicas does it");
	free(written);
	hr_plan_fini(&plan);
	drop(made);
}

static void fragments_hold_the_figures_of_the_plan(void **state)
{
	struct made *made = make(usual, 6);
	struct hr_slo slo = slo_of("p99=200ms");
	struct hr_plan plan = plan_of(made, 1000, 0.7, &slo);
	char *keda = rendered(hr_plan_keda, made, &plan), *hpa = rendered(hr_plan_hpa, made, &plan);

	(void)state;
	assert_says(keda, "    name: llm-1\n");
	assert_says(keda, "maxReplicaCount: 3\n");
	assert_says(keda, "threshold: \"420.0000\"\n");
	assert_says(hpa, "maxReplicas: 3\n");
	assert_says(hpa, "averageValue: \"420000m\"\n");
	free(keda);
	free(hpa);
	hr_plan_fini(&plan);
	drop(made);
}

static void only_what_kubernetes_takes_for_a_name_gets_into_yaml(void **state)
{
	static const char *const wrong[] = { "", "A", "a b", "a\nb", "-a", "a-", "a:", "a\"", "a_b", ".a" };

	(void)state;
	assert_true(hr_plan_is_deployment("llm-1.prod"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(hr_plan_is_deployment(wrong[i]));
}

static void assert_valid(const char *json)
{
	char path[64], command[256];
	FILE *out;

	snprintf(path, sizeof(path), "/tmp/headroom-plan-%d.json", (int)getpid());
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(json, out);
	fclose(out);
	snprintf(command, sizeof(command), "python3 -W ignore -m jsonschema -i %s docs/plan.schema.json", path);
	assert_int_equal(system(command), 0);
	unlink(path);
}

static void json_satisfies_its_schema(void **state)
{
	static const char *const limits[] = { NULL, "p99=200ms,p50=1s", "p99=1us" };

	(void)state;
	if (system("python3 -c 'import jsonschema' 2>/dev/null") || access("docs/plan.schema.json", R_OK)) {
		print_message("SKIP: needs python3-jsonschema, and the project's folder as the working directory\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct made *made = make(usual, 3 + i);
		struct hr_slo slo = slo_of(limits[i]);
		struct hr_plan plan = plan_of(made, 1000, 0.7, &slo);
		char *json = rendered(hr_plan_json, made, &plan);

		assert_valid(json);
		free(json);
		hr_plan_fini(&plan);
		drop(made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read_and_what_is_none_is_refused_with_a_sentence),
		cmocka_unit_test(the_bracket_is_two_levels_that_were_measured),
		cmocka_unit_test(a_replica_is_planned_at_the_most_throughput_and_not_at_the_most_load),
		cmocka_unit_test(limits_that_no_level_meets_have_no_replicas),
		cmocka_unit_test(a_level_that_passes_after_one_that_did_not_was_lucky),
		cmocka_unit_test(a_latency_that_was_not_measured_meets_no_limit),
		cmocka_unit_test(what_the_load_generator_saw_goes_before_what_the_server_did_if_it_is_known_everywhere),
		cmocka_unit_test(what_makes_a_plan_doubtful_is_said),
		cmocka_unit_test(a_run_without_requests_has_no_plan),
		cmocka_unit_test(the_text_says_how_many_of_what_and_why),
		cmocka_unit_test(fragments_hold_the_figures_of_the_plan),
		cmocka_unit_test(only_what_kubernetes_takes_for_a_name_gets_into_yaml),
		cmocka_unit_test(json_satisfies_its_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
