/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_PLAN_H
#define HR_ANALYSE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/analysis.h"

/*
 * How many replicas a rate takes: from the levels of a run, the highest load of one replica at which latencies were what they are to
 * be, and the throughput that it had there. All of it was measured; nothing is extrapolated, and where the measured loads do not
 * bracket the answer a warning says so.
 */

/* HR_SLO(id, name): the figures of latency that may be limited. */
#define HR_SLOS(HR_SLO) HR_SLO(MEAN, "mean") HR_SLO(P50, "p50") HR_SLO(P90, "p90") HR_SLO(P99, "p99")

enum hr_slo_key {
#define HR_SLO_ID(id, name) HR_SLO_##id,
	HR_SLOS(HR_SLO_ID)
#undef HR_SLO_ID
	HR_SLO_KEYS
};

const char *hr_slo_name(enum hr_slo_key key); /* "p99" */

struct hr_slo {
	double limit_ns[HR_SLO_KEYS]; /* latency at most; NAN: not limited */
};

/* "p99=200ms,mean=50ms". 0; -EINVAL: not that, err says what; *ret_slo is then untouched. NULL or "": nothing is limited. */
int hr_slo_parse(const char *text, struct hr_slo *ret_slo, struct hr_err *err);

/* HR_WARNING(id, name, sentence) */
#define HR_PLAN_WARNINGS(HR_WARNING) \
	HR_WARNING(FEW_LEVELS, "few_levels", "fewer than 4 different loads were measured: there is no model, and the bracket is wide") \
	HR_WARNING(LOADS_TOO_LOW, "loads_too_low", \
		   "the highest load that was measured still met the limits and had the most throughput: a replica may do more than is " \
		   "planned with") \
	HR_WARNING(PEAK_OUTSIDE, "peak_outside", "the peak of the model lies outside of the loads that were measured") \
	HR_WARNING(GENERATOR_LIMITED, "generator_limited", \
		   "the load generator was the limit: a replica may do more than is planned with") \
	HR_WARNING(DATA_LOST, "data_lost", "more data was lost than the numbers can bear: measure again") \
	HR_WARNING(INCONCLUSIVE, "inconclusive", "the run does not tell what limits throughput") \
	HR_WARNING(NOT_MONOTONE, "not_monotone", "a higher load met the limits again after one that did not: latencies were not steady") \
	HR_WARNING(ERRORS, "errors", "the load generator saw errors at the level that is planned with") \
	HR_WARNING(COMMAND_FAILED, "command_failed", "the load command failed at the level that is planned with") \
	HR_WARNING(FEW_WINDOWS, "few_windows", "the level that is planned with has too few intervals to tell how steady it was")

enum hr_plan_warning {
#define HR_WARNING_ID(id, name, sentence) HR_PLAN_##id,
	HR_PLAN_WARNINGS(HR_WARNING_ID)
#undef HR_WARNING_ID
	HR_PLAN_WARNING_COUNT
};

const char *hr_plan_warning_name(enum hr_plan_warning warning);
const char *hr_plan_warning_sentence(enum hr_plan_warning warning);

struct hr_plan_level {
	const struct hr_level *level;
	double load, throughput_rps;
	struct hr_range range;		/* of the throughput, 95 % by Student's t over its windows; NAN: fewer than 2 */
	double latency_ns[HR_SLO_KEYS]; /* NAN: not measured */
	bool passes;			/* no limited latency is above its limit, or unknown */
};

#define HR_PLAN_NONE SIZE_MAX

struct hr_plan {
	double rate_rps, utilisation; /* as asked for: what share of a replica's throughput is to be used */
	struct hr_slo slo;
	bool by_client[HR_SLO_KEYS];  /* latencies are as the load generator saw them; false: as seen at the server */
	struct hr_plan_level *levels; /* that have a load and a throughput, ascending; one without a load, in a run of one level */
	size_t level_count;
	size_t passes, fails;	      /* the bracket: highest that met the limits, next one, that did not; HR_PLAN_NONE: there is none */
	size_t chosen;		      /* of those that met them the one with the most throughput; HR_PLAN_NONE: none did */
	double replica_rps;	      /* throughput times utilisation */
	double replica_load;	      /* at which a replica has that, interpolated between measured loads; NAN: not known */
	double replicas;	      /* whole; NAN: none did */
	double replicas_low, replicas_high; /* by the interval of the throughput; NAN: it has none */
	bool warned[HR_PLAN_WARNING_COUNT];
};

/*
 * 0 and *ret_plan (empty it with hr_plan_fini()), which points into the analysis; -ENODATA: no level has a throughput; -ENOMEM.
 * rate_rps is above 0, utilisation in (0, 1].
 */
int hr_plan_make(const struct hr_analysis *analysis, double rate_rps, double utilisation, const struct hr_slo *slo,
		 struct hr_plan *ret_plan, struct hr_err *err);
void hr_plan_fini(struct hr_plan *plan);

#endif
