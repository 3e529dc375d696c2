/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_PLAN_H
#define HR_REPORT_PLAN_H

#include <stdbool.h>
#include <stdio.h>

#include "analyse/plan.h"
#include "report/sentence.h"

/* Renderings of a plan. They write to `out` and flush it: 0, or a negative errno with err set. */

struct hr_plan_report {
	const struct hr_plan *plan;
	const struct hr_analysis *analysis;
	const char *deployment; /* the Kubernetes Deployment that is to be scaled */
};

int hr_plan_text(const struct hr_plan_report *report, bool utf8, FILE *out, struct hr_err *err);

/* "headroom.plan/1", see docs/plan.schema.json. */
int hr_plan_json(const struct hr_plan_report *report, FILE *out, struct hr_err *err);

/*
 * A KEDA ScaledObject (prometheus trigger), and a HorizontalPodAutoscaler (autoscaling/v2, requests per second and pod): YAML.
 * Where no level met the limits there is nothing to apply: a comment that says so, in an otherwise empty document.
 */
int hr_plan_keda(const struct hr_plan_report *report, FILE *out, struct hr_err *err);
int hr_plan_hpa(const struct hr_plan_report *report, FILE *out, struct hr_err *err);

/* A name that Kubernetes takes for a Deployment: a DNS subdomain (RFC 1123), so that it needs no quotes in YAML either. */
bool hr_plan_is_deployment(const char *name);

/* Of the latencies that are limited: "p99 143 ms" at a level; "p99 of at most 200 ms"; whether there are any. */
void hr_plan_say_latencies(struct hr_sentence *sentence, const struct hr_plan *plan, const struct hr_plan_level *level);
void hr_plan_say_slo(struct hr_sentence *sentence, const struct hr_slo *slo);
bool hr_plan_has_slo(const struct hr_slo *slo);

#endif
