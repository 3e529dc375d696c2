/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/compare.h"

#include <errno.h>
#include <math.h>

#include "base/text.h"
#include "report/page.h"
#include "report/sentence.h"

#define NAME_COLUMNS 16
#define VALUE_COLUMNS 12
#define CHANGE_COLUMNS 10
#define RANGE_COLUMNS 24
#define PARTS_NAMED 3

static const char *percent(double share, char buf[16])
{
	if (isnan(share))
		return "n/a";
	snprintf(buf, 16, "%+.1f %%", 100 * share);
	return buf;
}

static void value_text(enum hr_measure measure, double value, char buf[32])
{
	char number[16];

	if (isnan(value))
		snprintf(buf, 32, "n/a");
	else if (measure == HR_MEASURE_THROUGHPUT)
		snprintf(buf, 32, "%s/s", hr_text_count(value, number));
	else
		snprintf(buf, 32, "%s", hr_text_duration((uint64_t)llround(value), number));
}

static const char *verdict_of(const struct hr_run *run, char buf[256])
{
	const struct hr_finding *finding = &run->analysis->verdict.finding;

	snprintf(buf, 256, "%s%s%s", hr_verdict_class_name(finding->class), finding->subject ? ": " : "",
		 finding->subject ? finding->subject : "");
	return buf;
}

static void put_runs(const struct hr_page *page, const char *head, const struct hr_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct hr_run_facts *run = &runs[i].analysis->summary->run;
		struct hr_sentence sentence = { "", 0 };
		char elapsed[16], verdict[256];

		hr_say(&sentence, "%s: %s of %s on %s; verdict %s", runs[i].path, hr_text_duration(run->recorded_ns, elapsed),
		       run->target ? run->target : "?", run->host ? run->host : "?", verdict_of(&runs[i], verdict));
		hr_page_paragraph(page, i ? "" : head, HR_HEAD_COLUMNS, sentence.text);
	}
}

static bool is_better(enum hr_measure measure, double change)
{
	return measure == HR_MEASURE_THROUGHPUT ? change > 0 : change < 0;
}

/* "at level 8: throughput +12.3 %, p99 ..."; nothing of a level that got neither better, or worse, beyond noise. */
static bool put_changes(const struct hr_page *page, const char *head, const struct hr_level_comparison *level, bool better)
{
	struct hr_sentence sentence = { "", 0 };
	char change[16];
	size_t said = 0;

	if (level->label)
		hr_say(&sentence, "at level %s: ", level->label);
	for (int i = 0; i < HR_MEASURE_COUNT; i++) {
		const struct hr_difference *difference = &level->measures[i];

		if (difference->beyond_noise && is_better(i, difference->change) == better)
			hr_say(&sentence, "%s%s %s", said++ ? ", " : "", hr_measure_words(i), percent(difference->change, change));
	}
	if (said)
		hr_page_paragraph(page, head, HR_HEAD_COLUMNS, sentence.text);
	return said > 0;
}

/* Levels of which it is known how much is noise. */
static size_t count_known(const struct hr_comparison *comparison)
{
	size_t known = 0;

	for (size_t i = 0; i < comparison->level_count; i++)
		known += !isnan(comparison->levels[i].measures[HR_MEASURE_THROUGHPUT].range.low);
	return known;
}

static void put_answer(const struct hr_page *page, const struct hr_comparison *comparison)
{
	bool any = false;

	for (int better = 0; better < 2; better++) {
		const char *head = better ? "better" : "worse";

		for (size_t i = 0; i < comparison->level_count; i++)
			if (put_changes(page, head, &comparison->levels[i], better)) {
				head = "";
				any = true;
			}
	}
	if (!any)
		hr_page_paragraph(page, "answer", HR_HEAD_COLUMNS, count_known(comparison) ?
				  "Nothing changed by more than noise." :
				  "How much is noise is not known: that takes requests, and at least 3 intervals of a level or several runs.");
}

/* What the ranges cannot know. */
static void put_noise(const struct hr_page *page, const struct hr_comparison *comparison)
{
	size_t within = 0;

	for (size_t i = 0; i < comparison->level_count; i++)
		within += !comparison->levels[i].between_runs;
	if (!within)
		hr_page_paragraph(page, "noise", HR_HEAD_COLUMNS, "How runs of a side differ from each other is in the ranges.");
	else
		hr_page_paragraph(page, "noise", HR_HEAD_COLUMNS, within < comparison->level_count ?
				  "Where a side has one run of a level, the ranges are of the noise within that run: how much two runs of the same "
				  "differ is not in them." :
				  "A side has one run, so the ranges are of the noise within it: how much two runs of the same differ is not in "
				  "them. Several runs on both sides tell: headroom compare A1.db,A2.db B1.db,B2.db.");
}

static void put_only(const struct hr_page *page, const char *head, const char *const *labels, size_t count)
{
	struct hr_sentence sentence = { "", 0 };

	for (size_t i = 0; i < count; i++)
		hr_say(&sentence, "%s%s", i ? ", " : "levels of this side only: ", labels[i]);
	if (count)
		hr_page_paragraph(page, head, HR_HEAD_COLUMNS, sentence.text);
}

static void put_measure(const struct hr_page *page, enum hr_measure measure, const struct hr_difference *difference)
{
	char base[32], new[32], change[16], low[16], high[16], range[48] = "";

	value_text(measure, difference->base, base);
	value_text(measure, difference->new, new);
	if (!isnan(difference->range.low))
		snprintf(range, sizeof(range), "%s to %s", percent(difference->range.low, low), percent(difference->range.high, high));
	fputs("  ", page->out);
	hr_page_text(page, -NAME_COLUMNS, hr_measure_words(measure));
	hr_page_text(page, VALUE_COLUMNS, base);
	hr_page_text(page, VALUE_COLUMNS, new);
	hr_page_text(page, CHANGE_COLUMNS, percent(difference->change, change));
	if (!*range)
		fputs("   noise not known\n", page->out);
	else {
		hr_page_text(page, RANGE_COLUMNS, range);
		fputs(difference->beyond_noise ? "   beyond noise\n" : "   within noise\n", page->out);
	}
}

static void put_plain(const struct hr_page *page, const char *name, const char *format, double base, double new)
{
	char text[2][32];

	if (isnan(base) && isnan(new))
		return;
	for (int i = 0; i < 2; i++) {
		double value = i ? new : base;

		if (isnan(value))
			snprintf(text[i], sizeof(text[i]), "n/a");
		else if (*format == '%')
			hr_page_share_text(value, text[i]);
		else
			snprintf(text[i], sizeof(text[i]), "%.2f", value);
	}
	fputs("  ", page->out);
	hr_page_text(page, -NAME_COLUMNS, name);
	hr_page_text(page, VALUE_COLUMNS, text[0]);
	hr_page_text(page, VALUE_COLUMNS, text[1]);
	fputc('\n', page->out);
}

/* What the difference of the mean latency consists of, in words. */
static void put_why(const struct hr_page *page, const struct hr_level_comparison *level)
{
	double change_ns = level->measures[HR_MEASURE_MEAN].new - level->measures[HR_MEASURE_MEAN].base;
	size_t count;
	enum hr_part parts[HR_PARTS];
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	if (isnan(change_ns))
		return;
	count = hr_comparison_parts(level, parts);
	if (!count)
		return;
	hr_say(&sentence, "A mean request takes %s %s:", hr_text_duration((uint64_t)llround(fabs(change_ns)), buf),
	       change_ns < 0 ? "less" : "more");
	for (size_t i = 0; i < count && i < PARTS_NAMED; i++) {
		double part_ns = level->new.part_ns[parts[i]] - level->base.part_ns[parts[i]];

		hr_say(&sentence, "%s %s%s in %s", i ? "," : "", part_ns < 0 ? "-" : "+",
		       hr_text_duration((uint64_t)llround(fabs(part_ns)), buf), hr_part_name(parts[i]));
	}
	hr_say(&sentence, ".");
	hr_page_paragraph(page, "", 2, sentence.text);
}

static void put_level(const struct hr_page *page, const struct hr_level_comparison *level)
{
	char title[128];

	snprintf(title, sizeof(title), level->label ? "LEVEL %.100s" : "THE WHOLE RUNS%.0s", level->label ? level->label : "");
	fputc('\n', page->out);
	hr_page_text(page, -(NAME_COLUMNS + 2), title);
	hr_page_text(page, VALUE_COLUMNS, "base");
	hr_page_text(page, VALUE_COLUMNS, "new");
	hr_page_text(page, CHANGE_COLUMNS, "change");
	hr_page_text(page, RANGE_COLUMNS, "95 % range");
	fputc('\n', page->out);
	for (int i = 0; i < HR_MEASURE_COUNT; i++)
		put_measure(page, i, &level->measures[i]);
	put_plain(page, "in flight", "x", level->base.in_flight, level->new.in_flight);
	put_plain(page, "CPUs used", "x", level->base.cpus_used, level->new.cpus_used);
	put_plain(page, "CPUs busy", "%", level->base.cpu_share, level->new.cpu_share);
	put_plain(page, "busiest thread", "%", level->base.busiest_share, level->new.busiest_share);
	put_why(page, level);
}

/* Where no label says that two loads are the same. */
static void put_whole(const struct hr_page *page, const struct hr_comparison *comparison, const struct hr_level_comparison *level)
{
	struct hr_sentence sentence = { "", 0 };

	if (level->label)
		return;
	hr_say(&sentence, comparison->any_marked ?
	       "The sides have no level in common" : "Nobody marked levels of load (headroom sweep does, or headroom mark)");
	hr_say(&sentence, ", so all of each run is compared, with what was before, between and after loads.");
	if (level->load_differs)
		hr_say(&sentence, " THE LOAD WAS NOT THE SAME: the numbers in flight differ by more than a tenth, so the differences may be "
		       "the load's.");
	hr_page_paragraph(page, "", 2, sentence.text);
}

static void put_gate(const struct hr_page *page, const struct hr_comparison *comparison, const struct hr_compare_gate *gate)
{
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	if (isnan(gate->share))
		return;
	hr_say(&sentence, gate->failed ? "FAILED: throughput fell or p99 rose by over %s, and by more than noise." :
					 "passed: throughput did not fall, nor p99 rise, by over %s and more than noise.",
	       hr_page_share_text(gate->share, buf));
	if (count_known(comparison) < comparison->level_count)
		hr_say(&sentence, " Of %zu of %zu levels the noise is not known, so they could not fail.",
		       comparison->level_count - count_known(comparison), comparison->level_count);
	fputc('\n', page->out);
	hr_page_paragraph(page, "gate", HR_HEAD_COLUMNS, sentence.text);
}

int hr_compare_text(const struct hr_comparison *comparison, const struct hr_compare_gate *gate, bool utf8, FILE *out,
		    struct hr_err *err)
{
	const struct hr_page page = { .out = out, .utf8 = utf8 };

	put_runs(&page, "base", comparison->base, comparison->base_count);
	put_only(&page, "", comparison->base_only, comparison->base_only_count);
	put_runs(&page, "new", comparison->new, comparison->new_count);
	put_only(&page, "", comparison->new_only, comparison->new_only_count);
	fputc('\n', out);
	put_answer(&page, comparison);
	put_noise(&page, comparison);
	for (size_t i = 0; i < comparison->level_count; i++) {
		put_level(&page, &comparison->levels[i]);
		put_whole(&page, comparison, &comparison->levels[i]);
	}
	put_gate(&page, comparison, gate);
	if (fflush(out) || ferror(out))
		return hr_err_errno(err, errno ? -errno : -EIO, "cannot write the comparison");
	return 0;
}
