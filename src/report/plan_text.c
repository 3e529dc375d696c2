/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/plan.h"

#include <errno.h>
#include <math.h>

#include "base/text.h"
#include "report/page.h"
#include "report/sentence.h"

#define LABEL_COLUMNS 24

bool hr_plan_has_slo(const struct hr_slo *slo)
{
	for (int key = 0; key < HR_SLO_KEYS; key++)
		if (!isnan(slo->limit_ns[key]))
			return true;
	return false;
}

static const char *duration(double ns, char buf[16])
{
	return isfinite(ns) && ns >= 0 ? hr_text_duration((uint64_t)ns, buf) : "not measured";
}

void hr_plan_say_slo(struct hr_sentence *sentence, const struct hr_slo *slo)
{
	const char *between = "";
	char buf[16];

	for (int key = 0; key < HR_SLO_KEYS; key++)
		if (!isnan(slo->limit_ns[key])) {
			hr_say(sentence, "%s%s of at most %s", between, hr_slo_name(key), duration(slo->limit_ns[key], buf));
			between = ", ";
		}
}

void hr_plan_say_latencies(struct hr_sentence *sentence, const struct hr_plan *plan, const struct hr_plan_level *level)
{
	const char *between = "";
	char buf[16];

	for (int key = 0; key < HR_SLO_KEYS; key++)
		if (!isnan(plan->slo.limit_ns[key])) {
			hr_say(sentence, "%s%s %s", between, hr_slo_name(key), duration(level->latency_ns[key], buf));
			between = ", ";
		}
}

static const char *load_unit(const struct hr_plan_level *level, double load)
{
	return isnan(level->level->offered) || level->level->is_rate ? "in flight" : load == 1 ? "client" : "clients";
}

static void say_load(struct hr_sentence *sentence, const struct hr_plan_level *level)
{
	if (isnan(level->load))
		hr_say(sentence, "the load of the run");
	else
		hr_say(sentence, "%.6g %s", level->load, load_unit(level, level->load));
}

static void put_need(const struct hr_page *page, const struct hr_plan *plan)
{
	struct hr_sentence sentence = { "", 0 };
	char rate[16], per[16];

	if (plan->chosen == HR_PLAN_NONE) {
		hr_say(&sentence, "No number of replicas does it: at no level that was measured was ");
		hr_plan_say_slo(&sentence, &plan->slo);
		hr_say(&sentence, " met.");
	} else {
		hr_say(&sentence, "%.0f replica%s for %s requests/s", plan->replicas, plan->replicas > 1 ? "s" : "",
		       hr_text_count(plan->rate_rps, rate));
		if (plan->replicas_low < plan->replicas_high)
			hr_say(&sentence, " (%.0f to %.0f)", plan->replicas_low, plan->replicas_high);
		hr_say(&sentence, ", each at %.3g %% of its %s requests/s.", plan->utilisation * 100,
		       hr_text_count(plan->levels[plan->chosen].throughput_rps, per));
	}
	hr_page_paragraph(page, "plan", HR_HEAD_COLUMNS, sentence.text);
}

static void put_replica(const struct hr_page *page, const struct hr_plan *plan)
{
	struct hr_sentence sentence = { "", 0 };
	const struct hr_plan_level *level;
	char rate[16], low[16], high[16];

	if (plan->chosen == HR_PLAN_NONE)
		return;
	level = &plan->levels[plan->chosen];
	hr_say(&sentence, "One replica did %s requests/s", hr_text_count(level->throughput_rps, rate));
	if (!isnan(level->range.low))
		hr_say(&sentence, " [%s .. %s]", hr_text_count(level->range.low, low), hr_text_count(level->range.high, high));
	hr_say(&sentence, " at ");
	say_load(&sentence, level);
	hr_say(&sentence, ". Scale out at %s requests/s", hr_text_count(plan->replica_rps, rate));
	if (!isnan(plan->replica_load))
		hr_say(&sentence, ", about %.3g %s, by lines between what was measured", plan->replica_load,
		       load_unit(level, plan->replica_load));
	hr_say(&sentence, ".");
	hr_page_paragraph(page, "replica", HR_HEAD_COLUMNS, sentence.text);
}

static void say_bracket(struct hr_sentence *sentence, const struct hr_plan *plan)
{
	if (plan->passes == HR_PLAN_NONE)
		hr_say(sentence, "Not met at ");
	else
		hr_say(sentence, "Met at ");
	say_load(sentence, &plan->levels[plan->passes == HR_PLAN_NONE ? 0 : plan->passes]);
	hr_say(sentence, " (");
	hr_plan_say_latencies(sentence, plan, &plan->levels[plan->passes == HR_PLAN_NONE ? 0 : plan->passes]);
	hr_say(sentence, ")");
	if (plan->passes == HR_PLAN_NONE) {
		hr_say(sentence, ", the lowest load that was measured.");
	} else if (plan->fails == HR_PLAN_NONE) {
		hr_say(sentence, ", the highest load that was measured.");
	} else {
		hr_say(sentence, ", not at ");
		say_load(sentence, &plan->levels[plan->fails]);
		hr_say(sentence, " (");
		hr_plan_say_latencies(sentence, plan, &plan->levels[plan->fails]);
		hr_say(sentence, "); between them was not measured.");
	}
}

static void say_by_whom(struct hr_sentence *sentence, const struct hr_plan *plan)
{
	bool client = false, server = false;

	for (int key = 0; key < HR_SLO_KEYS; key++)
		if (!isnan(plan->slo.limit_ns[key]))
			*(plan->by_client[key] ? &client : &server) = true;
	if (client)
		hr_say(sentence, " %satencies are those that the load generator saw.", server ? "Of percentiles, l" : "L");
	if (server)
		hr_say(sentence, " %s measured at the server: the network and the client's own queue are not in %s.",
		       client ? "The mean is" : "Latencies are", client ? "it" : "them");
}

static void put_slo(const struct hr_page *page, const struct hr_plan *plan)
{
	struct hr_sentence sentence = { "", 0 };

	if (!hr_plan_has_slo(&plan->slo))
		return;
	hr_plan_say_slo(&sentence, &plan->slo);
	hr_say(&sentence, ". ");
	say_bracket(&sentence, plan);
	say_by_whom(&sentence, plan);
	hr_page_paragraph(page, "limits", HR_HEAD_COLUMNS, sentence.text);
}

static void put_verdict(const struct hr_page *page, const struct hr_finding *finding)
{
	struct hr_sentence sentence = { "", 0 };
	char confidence[16];

	hr_say(&sentence, "%s", hr_verdict_class_name(finding->class));
	if (finding->subject)
		hr_say(&sentence, ": %s", finding->subject);
	hr_say(&sentence, " (confidence %s). %s", hr_page_share_text(finding->confidence, confidence),
	       finding->advice ? finding->advice : "");
	hr_page_paragraph(page, "limit", HR_HEAD_COLUMNS, sentence.text);
}

static void put_warnings(const struct hr_page *page, const struct hr_plan *plan)
{
	for (int warning = 0; warning < HR_PLAN_WARNING_COUNT; warning++)
		if (plan->warned[warning])
			hr_page_paragraph(page, "warning", HR_HEAD_COLUMNS, hr_plan_warning_sentence(warning));
}

static void put_levels(const struct hr_page *page, const struct hr_plan *plan)
{
	hr_page_title(page, "LEVELS", LABEL_COLUMNS, "   load     req/s      mean       p50       p90       p99  limits");
	for (size_t i = 0; i < plan->level_count; i++) {
		const struct hr_plan_level *level = &plan->levels[i];

		fputs("  ", page->out);
		hr_page_text(page, -(LABEL_COLUMNS - 2), level->level->label ? level->level->label : "the run");
		hr_page_count(page, 7, level->load);
		hr_page_count(page, 10, level->throughput_rps);
		for (int key = 0; key < HR_SLO_KEYS; key++)
			hr_page_duration(page, 10, level->latency_ns[key]);
		fprintf(page->out, "  %s\n", !hr_plan_has_slo(&plan->slo) ? "none" : level->passes ? "met" : "not met");
	}
}

int hr_plan_text(const struct hr_plan_report *report, bool utf8, FILE *out, struct hr_err *err)
{
	const struct hr_page page = { out, utf8 };

	put_need(&page, report->plan);
	put_replica(&page, report->plan);
	put_slo(&page, report->plan);
	put_verdict(&page, &report->analysis->verdict.finding);
	put_warnings(&page, report->plan);
	put_levels(&page, report->plan);
	if (fflush(out) || ferror(out))
		return hr_err_errno(err, -EIO, "cannot write the plan");
	return 0;
}
