/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/sentence.h"
#include "report/text_verdict.h"

#define LABEL_COLUMNS 20

/* "0.97", "12.3 k", "97.1 %": a quantity with its unit. */
static void say_value(struct hr_sentence *sentence, double value, const char *unit)
{
	char buf[16];

	if (strcmp(unit, "share") == 0)
		hr_say(sentence, "%s", hr_page_share_text(value, buf));
	else if (strncmp(unit, "us", 2) == 0)
		hr_say(sentence, "%s%s", hr_text_duration((uint64_t)fmax(0, value * 1e3), buf), unit + 2);
	else if (strcmp(unit, "elasticity") == 0 || strcmp(unit, "CPUs") == 0)
		hr_say(sentence, "%.2f", value);
	else if (strcmp(unit, "times") == 0)
		hr_say(sentence, "%.2f times", value);
	else
		hr_say(sentence, "%s %s", hr_text_count(value, buf), unit);
}

static const char *rps(double value, char buf[16])
{
	return hr_text_count(value, buf);
}

static void put_title(const struct hr_page *page, const struct hr_verdict *verdict)
{
	const struct hr_finding *finding = &verdict->finding;
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	hr_say(&sentence, "%s", hr_verdict_class_name(finding->class));
	if (finding->subject)
		hr_say(&sentence, ": %s", finding->subject);
	if (finding->class != HR_VERDICT_INCONCLUSIVE)
		hr_say(&sentence, " (confidence %s)", hr_page_share_text(finding->confidence, buf));
	hr_page_paragraph(page, "VERDICT", HR_HEAD_COLUMNS, sentence.text);
	if (finding->advice)
		hr_page_paragraph(page, "", HR_HEAD_COLUMNS, finding->advice);
}

static void put_limit(const struct hr_page *page, const struct hr_verdict *verdict)
{
	struct hr_sentence sentence = { "", 0 };
	char buf[16], load[16];

	if (isnan(verdict->throughput_rps))
		return;
	hr_say(&sentence, "The most that was measured is %s requests/s", rps(verdict->throughput_rps, buf));
	if (!isnan(verdict->load))
		hr_say(&sentence, ", at a load of %s", hr_text_count(verdict->load, load));
	hr_say(&sentence, ".");
	if (!isnan(verdict->finding.limit_rps) && verdict->finding.limit_basis)
		hr_say(&sentence, " The limit is %s requests/s: %s.", rps(verdict->finding.limit_rps, buf), verdict->finding.limit_basis);
	if (!isnan(verdict->headroom))
		hr_say(&sentence, " It could be %.2f times as much before the next part is full.", verdict->headroom);
	hr_page_paragraph(page, "limit", HR_HEAD_COLUMNS, sentence.text);
}

static void put_evidence(const struct hr_page *page, const struct hr_verdict *verdict)
{
	for (size_t i = 0; i < verdict->finding.evidence_count; i++) {
		const struct hr_evidence *evidence = &verdict->finding.evidence[i];
		struct hr_sentence sentence = { "", 0 };

		say_value(&sentence, evidence->value, evidence->unit);
		hr_say(&sentence, "  %s", evidence->what);
		hr_page_paragraph(page, i ? "" : "because", HR_HEAD_COLUMNS, sentence.text);
	}
}

static void put_predictions(const struct hr_page *page, const struct hr_verdict *verdict)
{
	for (size_t i = 0; i < verdict->prediction_count; i++) {
		const struct hr_prediction *prediction = &verdict->predictions[i];
		struct hr_sentence sentence = { "", 0 };
		char buf[16], low[16], high[16];

		hr_say(&sentence, "%s: %s requests/s [%s .. %s], %+.0f %%", hr_change_words(prediction->change),
		       rps(prediction->throughput_rps, buf), rps(prediction->range.low, low), rps(prediction->range.high, high),
		       100 * (prediction->throughput_rps / verdict->throughput_rps - 1));
		if (prediction->limit)
			hr_say(&sentence, "; then the limit is %s", prediction->limit);
		else
			hr_say(&sentence, "; that is not what limits");
		hr_page_paragraph(page, i ? "" : "with", HR_HEAD_COLUMNS, sentence.text);
	}
}

static void put_runner_up(const struct hr_page *page, const struct hr_verdict *verdict)
{
	const struct hr_finding *finding = &verdict->runner_up;
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	if (!verdict->has_runner_up)
		return;
	hr_say(&sentence, "%s", hr_verdict_class_name(finding->class));
	if (finding->subject)
		hr_say(&sentence, ": %s", finding->subject);
	hr_say(&sentence, " (confidence %s)", hr_page_share_text(finding->confidence, buf));
	hr_page_paragraph(page, "or", HR_HEAD_COLUMNS, sentence.text);
}

void hr_text_verdict(const struct hr_page *page, const struct hr_analysis *analysis)
{
	if (!analysis->axis.level_count)
		return;
	fputc('\n', page->out);
	put_title(page, &analysis->verdict);
	put_limit(page, &analysis->verdict);
	put_evidence(page, &analysis->verdict);
	put_predictions(page, &analysis->verdict);
	put_runner_up(page, &analysis->verdict);
}

static void put_level(const struct hr_page *page, const struct hr_level *level, double most_rps)
{
	const struct hr_request_summary *requests = &level->summary->requests;
	const struct hr_stage_summary *total = &requests->stages[HR_STAGE_TOTAL];
	const struct hr_cpu_summary *cpus = &level->summary->cpu_total;
	double recorded_ns = (double)level->summary->run.recorded_ns;
	size_t busiest;

	fputs("  ", page->out);
	hr_page_text(page, -(LABEL_COLUMNS - 2), level->label);
	hr_page_duration(page, 9, recorded_ns);
	hr_page_count(page, 10, requests->throughput_rps);
	fputs("  ", page->out);
	hr_page_bar(page, 10, hr_page_ratio(requests->throughput_rps, most_rps));
	hr_page_count(page, 9, requests->in_flight);
	hr_page_duration(page, 9, hr_stage_mean_ns(total));
	hr_page_duration(page, 9, total->latency.p99_ns);
	hr_page_share(page, 9, hr_page_ratio((double)(cpus->target_ns + cpus->other_ns),
					     (double)(cpus->target_ns + cpus->other_ns + cpus->idle_ns)));
	hr_page_share(page, 10, hr_summary_busiest(level->summary, &busiest, 1) ?
			       hr_summary_busy_share(level->summary, &level->summary->threads[busiest]) : NAN);
	fputc('\n', page->out);
}

static void put_model(const struct hr_page *page, const struct hr_model *model)
{
	struct hr_sentence sentence = { "", 0 };
	char buf[16], load[16];

	if (model->kind == HR_MODEL_NONE) {
		if (model->why) {
			hr_say(&sentence, "none: %s", model->why);
			hr_page_paragraph(page, "  model", HR_HEAD_COLUMNS, sentence.text);
		}
		return;
	}
	hr_say(&sentence, "%s, lambda %s/s", hr_model_name(model->kind), hr_text_count(model->lambda, buf));
	if (model->kind == HR_MODEL_USL)
		hr_say(&sentence, ", sigma %.4g [%.3g .. %.3g], kappa %.4g [%.3g .. %.3g]", model->sigma, model->sigma_range.low,
		       model->sigma_range.high, model->kappa, model->kappa_range.low, model->kappa_range.high);
	if (model->kind == HR_MODEL_CAP)
		hr_say(&sentence, ", cap %s/s", hr_text_count(model->cap_rps, buf));
	if (model->peak_identified)
		hr_say(&sentence, "; peak of %s/s at a load of %s%s", hr_text_count(model->peak_throughput_rps, buf),
		       hr_text_count(model->peak_load, load), model->peak_measured ? "" : ", which is beyond what was measured");
	else
		hr_say(&sentence, "; peak not identified");
	hr_page_paragraph(page, "  model", HR_HEAD_COLUMNS, sentence.text);
}

void hr_text_levels(const struct hr_page *page, const struct hr_analysis *analysis)
{
	static const char *const titles[] = {
		[HR_AXIS_MARKED] = "LEVELS",
		[HR_AXIS_GROUPED] = "LEVELS (not marked)",
	};
	const struct hr_axis *axis = &analysis->axis;
	double most_rps = analysis->verdict.throughput_rps;

	if (axis->kind == HR_AXIS_NONE || axis->level_count == 0)
		return;
	hr_page_title(page, titles[axis->kind], LABEL_COLUMNS,
		      "     time    per s            in flight     mean      p99     CPUs   busiest");
	for (size_t i = 0; i < axis->level_count; i++)
		put_level(page, &axis->levels[i], most_rps);
	put_model(page, &analysis->model);
}
