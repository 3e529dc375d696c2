/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "cli/verb.h"
#include "report/plan.h"

static const char verb[] = "plan";

#define RATE_MOST 1e12
#define UTILISATION_LEAST 0.01

struct values {
	const char *rate, *slo, *utilisation, *deployment, *output;
	int format;
	bool force;
};

struct asked {
	double rate_rps, utilisation;
	struct hr_slo slo;
};

static int render_text(const void *report, FILE *out, struct hr_err *err)
{
	return hr_plan_text(report, hr_cli_is_utf8(), out, err);
}

static int render_json(const void *report, FILE *out, struct hr_err *err)
{
	return hr_plan_json(report, out, err);
}

static int render_keda(const void *report, FILE *out, struct hr_err *err)
{
	return hr_plan_keda(report, out, err);
}

static int render_hpa(const void *report, FILE *out, struct hr_err *err)
{
	return hr_plan_hpa(report, out, err);
}

/* In the order of the words of --format. */
static hr_cli_render *const renders[] = { render_text, render_json, render_keda, render_hpa };

/* A plain decimal between low and high. */
static bool read_number(const char *text, double low, double high, double *ret)
{
	char *end;

	if (!*text || text[strspn(text, "0123456789.")])
		return false;
	*ret = strtod(text, &end);
	return !*end && *ret >= low && *ret <= high;
}

/* HR_EXIT_DONE and *ret_asked, or what was said to be wrong. */
static int read_values(const struct values *values, struct asked *ret_asked)
{
	struct hr_err err;

	if (!values->rate)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "for which rate? give --rate with requests per second");
	if (!read_number(values->rate, 1e-6, RATE_MOST, &ret_asked->rate_rps))
		return hr_cli_failf(verb, HR_EXIT_USAGE, "'%s' is no rate; write requests per second, as in --rate 1000", values->rate);
	if (!read_number(values->utilisation, UTILISATION_LEAST, 1, &ret_asked->utilisation))
		return hr_cli_failf(verb, HR_EXIT_USAGE, "'%s' is no utilisation; it is a share from 0.01 to 1", values->utilisation);
	if (hr_slo_parse(values->slo, &ret_asked->slo, &err))
		return hr_cli_fail(verb, HR_EXIT_USAGE, &err);
	if (!hr_plan_is_deployment(values->deployment))
		return hr_cli_failf(verb, HR_EXIT_USAGE, "'%s' is no name of a Deployment", values->deployment);
	return HR_EXIT_DONE;
}

/* Make and write it: the exit status. */
static int plan_run(const struct hr_analysis *analysis, const char *run_path, const struct asked *asked, const struct values *values)
{
	struct hr_plan plan;
	const struct hr_plan_report report = { &plan, analysis, values->deployment };
	struct hr_err err;
	int status = HR_EXIT_DONE;

	if (hr_plan_make(analysis, asked->rate_rps, asked->utilisation, &asked->slo, &plan, &err))
		return hr_cli_failf(verb, HR_EXIT_FAILED, "'%s': %s", run_path, err.text);
	if (hr_cli_write(&(struct hr_cli_output){ values->output, values->force }, renders[values->format], &report, &err))
		status = hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	else if (plan.chosen == HR_PLAN_NONE)
		status = hr_cli_failf(verb, HR_EXIT_GATE, "--slo %s was met at no level that was measured", values->slo);
	hr_plan_fini(&plan);
	return status;
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	const struct values *values = options;
	struct hr_analysis *analysis;
	struct asked asked;
	struct hr_err err;
	int status = read_values(values, &asked);

	if (status != HR_EXIT_DONE)
		return status;
	if (arguments->count != 1)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "which run? name its file: headroom plan RUN.db --rate RPS");
	if (hr_cli_analyse(arguments->given[0], &analysis, &err))
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	status = plan_run(analysis, arguments->given[0], &asked, values);
	hr_analysis_free(analysis);
	return status;
}

static const struct hr_option options[] = {
	HR_OPTION_TEXT(struct values, rate, "rate", 'r', "RPS", "requests per second that all replicas together are to bear"),
	HR_OPTION_TEXT(struct values, slo, "slo", 's', "p99=DURATION,...",
		       "latency at most, as in p99=200ms or p50=20ms,p99=200ms; of mean,\np50, p90 and p99"),
	HR_OPTION_TEXT(struct values, utilisation, "utilisation", 'u', "SHARE",
		       "share of a replica's throughput that is to be used (default 0.7)"),
	HR_OPTION_CHOICE(struct values, format, "format", 'f', "text|json|keda|hpa",
		       "text (the default); json: \"headroom.plan/1\", described by\ndocs/plan.schema.json; keda: a ScaledObject; hpa: a "
		       "HorizontalPodAutoscaler"),
	HR_OPTION_TEXT(struct values, deployment, "deployment", 0, "NAME", "what keda and hpa are to scale (default server)"),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "FILE", "write there and not to the standard output"),
	HR_OPTION_FLAG(struct values, force, "force", 0, "replace FILE if it exists"),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_plan = {
	.name = verb,
	.summary = "say how many replicas a request rate takes, by the levels of a run",
	.usage = "RUN.db --rate RPS [--slo p99=200ms] [--format text|json|keda|hpa] [-o FILE]",
	.notes = "The run has levels of load: `headroom sweep` makes them. Of those that met the limits the one with the most throughput is\n"
		 "what a replica can do. Nothing is extrapolated: the limits are met at one measured load and not at the next. Latencies\n"
		 "are those of the load generator where the run has them (--results), else those at the server. Ends with status 99\n"
		 "where no level met the limits. It needs no root.\n",
	.examples = "  headroom plan run.db --rate 5000 --slo p99=200ms\n"
		    "  headroom plan run.db --rate 5000 --slo p99=200ms --format keda --deployment llm | kubectl apply -f -\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.defaults = &(const struct values){ .utilisation = "0.7", .deployment = "server" },
	.arguments_max = 1,
	.arguments = "one run file",
	.run = run,
};
