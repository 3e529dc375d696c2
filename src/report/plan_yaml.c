/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/plan.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/sentence.h"

#define NAME_MAX_BYTES 253

bool hr_plan_is_deployment(const char *name)
{
	static const char inner[] = "abcdefghijklmnopqrstuvwxyz0123456789-.", outer[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t length = strlen(name);

	return length > 0 && length <= NAME_MAX_BYTES && strspn(name, inner) == length && strchr(outer, name[0]) &&
	       strchr(outer, name[length - 1]);
}

/* What it was made from, as a comment. No text of others is in it. */
static void put_origin(const struct hr_plan *plan, FILE *out)
{
	const struct hr_plan_level *level = &plan->levels[plan->chosen];
	struct hr_sentence sentence = { "", 0 };
	char rate[16], per[16];

	fprintf(out, "# One replica did %s requests/s", hr_text_count(level->throughput_rps, per));
	if (!isnan(level->load))
		fprintf(out, " at a load of %.6g", level->load);
	if (hr_plan_has_slo(&plan->slo)) {
		hr_plan_say_latencies(&sentence, plan, level);
		fprintf(out, " (%s)", sentence.text);
	}
	fprintf(out, "; %.3g %% of that is the target of each.\n", plan->utilisation * 100);
	fprintf(out, "# The most replicas are what %s requests/s take.\n", hr_text_count(plan->rate_rps, rate));
	for (int warning = 0; warning < HR_PLAN_WARNING_COUNT; warning++)
		if (plan->warned[warning])
			fprintf(out, "# Warning: %s.\n", hr_plan_warning_sentence(warning));
}

static int finish(FILE *out, struct hr_err *err)
{
	if (fflush(out) || ferror(out))
		return hr_err_errno(err, -EIO, "cannot write the plan");
	return 0;
}

static int put_nothing(const struct hr_plan *plan, FILE *out, struct hr_err *err)
{
	struct hr_sentence sentence = { "", 0 };

	hr_plan_say_slo(&sentence, &plan->slo);
	fprintf(out, "# Nothing to apply: at no level that was measured was %s met.\n", sentence.text);
	return finish(out, err);
}

int hr_plan_keda(const struct hr_plan_report *report, FILE *out, struct hr_err *err)
{
	const struct hr_plan *plan = report->plan;

	if (plan->chosen == HR_PLAN_NONE)
		return put_nothing(plan, out, err);
	put_origin(plan, out);
	fprintf(out,
		"# Put the address of your Prometheus and the name of your counter of requests here.\n"
		"apiVersion: keda.sh/v1alpha1\n"
		"kind: ScaledObject\n"
		"metadata:\n"
		"  name: %s\n"
		"spec:\n"
		"  scaleTargetRef:\n"
		"    name: %s\n"
		"  minReplicaCount: 1\n"
		"  maxReplicaCount: %.0f\n"
		"  triggers:\n"
		"    - type: prometheus\n"
		"      metricType: AverageValue\n"
		"      metadata:\n"
		"        serverAddress: http://prometheus.monitoring.svc:9090\n"
		"        query: sum(rate(http_requests_total{deployment=\"%s\"}[1m]))\n"
		"        threshold: \"%.4f\"\n",
		report->deployment, report->deployment, plan->replicas, report->deployment, plan->replica_rps);
	return finish(out, err);
}

int hr_plan_hpa(const struct hr_plan_report *report, FILE *out, struct hr_err *err)
{
	const struct hr_plan *plan = report->plan;

	if (plan->chosen == HR_PLAN_NONE)
		return put_nothing(plan, out, err);
	put_origin(plan, out);
	/* a quantity in thousandths, "m": Kubernetes' own way to write what is no whole number */
	fprintf(out,
		"# Takes a metrics adapter that gives requests per second of each pod by this name.\n"
		"apiVersion: autoscaling/v2\n"
		"kind: HorizontalPodAutoscaler\n"
		"metadata:\n"
		"  name: %s\n"
		"spec:\n"
		"  scaleTargetRef:\n"
		"    apiVersion: apps/v1\n"
		"    kind: Deployment\n"
		"    name: %s\n"
		"  minReplicas: 1\n"
		"  maxReplicas: %.0f\n"
		"  metrics:\n"
		"    - type: Pods\n"
		"      pods:\n"
		"        metric:\n"
		"          name: http_requests_per_second\n"
		"        target:\n"
		"          type: AverageValue\n"
		"          averageValue: \"%.0fm\"\n",
		report->deployment, report->deployment, plan->replicas, fmax(floor(plan->replica_rps * 1000), 1));
	return finish(out, err);
}
