/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/sentence.h"
#include "report/text_verdict.h"

/* "0.97", "12.3 k", "97.1 %": a quantity with its unit. */
static void say_value(struct hr_sentence *sentence, double value, const char *unit)
{
	char buf[16];

	if (strcmp(unit, "share") == 0)
		hr_say(sentence, "%s", hr_page_share_text(value, buf));
	else if (strncmp(unit, "us", 2) == 0)
		hr_say(sentence, "%s%s", hr_text_duration((uint64_t)fmax(0, value * 1e3), buf), unit + 2);
	else if (strcmp(unit, "elasticity") == 0 || strcmp(unit, "CPUs") == 0)
		hr_say(sentence, "%.2f", fabs(value) < 0.005 ? 0 : value);
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

	if (!(verdict->throughput_rps > 0))
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

#define EVIDENCE_COLUMNS (HR_HEAD_COLUMNS + 11)

/* A column of values, and what each of them is. */
static void put_evidence(const struct hr_page *page, const struct hr_verdict *verdict)
{
	for (size_t i = 0; i < verdict->finding.evidence_count; i++) {
		const struct hr_evidence *evidence = &verdict->finding.evidence[i];
		struct hr_sentence value = { "", 0 }, head = { "", 0 };

		say_value(&value, evidence->value, evidence->unit);
		hr_say(&head, "%-*s%*s", HR_HEAD_COLUMNS, i ? "" : "because", EVIDENCE_COLUMNS - HR_HEAD_COLUMNS - 2, value.text);
		if (head.length < EVIDENCE_COLUMNS) {
			hr_page_paragraph(page, head.text, EVIDENCE_COLUMNS, evidence->what);
		} else {
			hr_say(&value, " %s", evidence->what);
			hr_page_paragraph(page, i ? "" : "because", HR_HEAD_COLUMNS, value.text);
		}
	}
}

#define LIMIT_COLUMN 73

/* What a change would bring: throughput, its 95 % range, and what limits then. */
static void put_prediction(const struct hr_page *page, const struct hr_verdict *verdict, const struct hr_prediction *prediction)
{
	char point[16], low[16], high[16], range[48], head[LIMIT_COLUMN + 64];

	snprintf(range, sizeof(range), "%s .. %s", rps(prediction->range.low, low), rps(prediction->range.high, high));
	snprintf(head, sizeof(head), "%-*s%-21s%10s/s  %-19s%+6.0f %%", HR_HEAD_COLUMNS, "", hr_change_words(prediction->change),
		 rps(prediction->throughput_rps, point), range, 100 * (prediction->throughput_rps / verdict->throughput_rps - 1));
	hr_page_paragraph(page, head, LIMIT_COLUMN, prediction->limit ? prediction->limit : "as now: not what limits");
}

static void put_predictions(const struct hr_page *page, const struct hr_verdict *verdict)
{
	if (verdict->prediction_count)
		fprintf(page->out, "%-*s%-21s%12s  %-19s%8s  %s\n", HR_HEAD_COLUMNS, "with", "", "at most", "95 % of cases", "change",
			"then limited by");
	for (size_t i = 0; i < verdict->prediction_count; i++)
		put_prediction(page, verdict, &verdict->predictions[i]);
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
