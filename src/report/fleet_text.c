/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/fleet.h"

#include <errno.h>
#include <math.h>
#include <time.h>

#include "base/text.h"
#include "report/page.h"
#include "report/sentence.h"

#define LABEL_COLUMNS 18
#define HOST_COLUMNS 24
#define NUMBER_COLUMNS 11

static const char *host_of(const struct hr_run *run)
{
	const char *host = run->analysis->summary->run.host;

	return host ? host : run->path;
}

/* When the first of them began; 0: not known. */
static time_t first_start(const struct hr_fleet *fleet)
{
	int64_t first_ns = 0;

	for (size_t i = 0; i < fleet->run_count; i++) {
		int64_t started_ns = fleet->runs[i].analysis->summary->run.started_unix_ns;

		if (started_ns > 0 && (!first_ns || started_ns < first_ns))
			first_ns = started_ns;
	}
	return (time_t)(first_ns / 1000000000);
}

static void put_head(const struct hr_page *page, const struct hr_fleet *fleet)
{
	time_t started = first_start(fleet);
	struct hr_sentence sentence = { "", 0 };
	char spread[16], overlap[16], date[32] = "";
	struct tm utc;

	if (started > 0 && gmtime_r(&started, &utc))
		strftime(date, sizeof(date), " from %Y-%m-%d %H:%M:%S UTC", &utc);
	hr_say(&sentence, "%zu runs%s, begun within %s of each other; all of them were recorded for %s.", fleet->run_count, date,
	       hr_text_duration((uint64_t)llround(fleet->spread_s * 1e9), spread),
	       hr_text_duration((uint64_t)llround(fleet->overlap_s * 1e9), overlap));
	if (!fleet->at_once)
		hr_say(&sentence, " THEY ARE NOT OF THE SAME TIME: what adds up below was never there at once.");
	hr_page_paragraph(page, "fleet", HR_HEAD_COLUMNS, sentence.text);
}

/* The level with the most throughput; the whole runs if there is none. */
static const struct hr_fleet_level *best(const struct hr_fleet *fleet)
{
	const struct hr_fleet_level *best_level = &fleet->whole;

	for (size_t i = 0; i < fleet->level_count; i++)
		if (best_level == &fleet->whole || fleet->levels[i].throughput_rps > best_level->throughput_rps)
			best_level = &fleet->levels[i];
	return best_level;
}

static void put_requests(const struct hr_page *page, const struct hr_fleet *fleet)
{
	const struct hr_fleet_level *level = best(fleet);
	struct hr_sentence sentence = { "", 0 };
	char rate[16], flight[16], p50[16], p99[16], limit[16];

	if (isnan(level->throughput_rps) || isnan(level->p99_ns))
		return;
	hr_say(&sentence, "%s/s over %zu hosts%s%s, %s in flight; p50 %s, p99 %s of all requests.",
	       hr_text_count(level->throughput_rps, rate), level->hosts, level->label ? " at level " : "", level->label ? level->label : "",
	       hr_text_count(level->in_flight, flight), hr_text_duration((uint64_t)llround(level->p50_ns), p50),
	       hr_text_duration((uint64_t)llround(level->p99_ns), p99));
	if (!isnan(fleet->limit_rps))
		hr_say(&sentence, " The hosts' limits together are %s/s.", hr_text_count(fleet->limit_rps, limit));
	hr_page_paragraph(page, "requests", HR_HEAD_COLUMNS, sentence.text);
}

static void put_verdicts(const struct hr_page *page, const struct hr_fleet *fleet)
{
	struct hr_sentence sentence = { "", 0 };

	for (int class = 0; class < HR_VERDICT_COUNT; class++) {
		size_t count = 0;

		for (size_t i = 0; i < fleet->run_count; i++)
			count += fleet->runs[i].analysis->verdict.finding.class == (enum hr_verdict_class)class;
		if (count)
			hr_say(&sentence, "%s%s on %zu", sentence.length ? ", " : "", hr_verdict_class_name(class), count);
	}
	hr_page_paragraph(page, "verdicts", HR_HEAD_COLUMNS, sentence.text);
}

static void say_share(struct hr_sentence *sentence, const struct hr_fleet_level *level, size_t run)
{
	const struct hr_fleet_share *share = &level->shares[run];
	const char *at = level->label ? " at level " : "", *label = level->label ? level->label : "";

	if (!isnan(share->throughput_off))
		hr_say(sentence, "%s throughput %+.0f %%%s%s", sentence->length ? "," : "", 100 * share->throughput_off, at, label);
	if (!isnan(share->p99_off))
		hr_say(sentence, "%s p99 %+.0f %%%s%s", sentence->length ? "," : "", 100 * share->p99_off, at, label);
}

static void put_off(const struct hr_page *page, const struct hr_fleet *fleet)
{
	size_t off = 0;

	for (size_t i = 0; i < fleet->run_count; i++) {
		struct hr_sentence what = { "", 0 }, sentence = { "", 0 };

		if (!hr_fleet_is_off(fleet, i))
			continue;
		for (size_t k = 0; k < fleet->level_count; k++)
			say_share(&what, &fleet->levels[k], i);
		if (!fleet->level_count)
			say_share(&what, &fleet->whole, i);
		if (hr_fleet_verdict_is_off(fleet, i))
			hr_say(&what, "%s verdict %s where %zu have %s", what.length ? "," : "",
			       hr_verdict_class_name(fleet->runs[i].analysis->verdict.finding.class), fleet->common_count,
			       hr_verdict_class_name(fleet->common_verdict));
		if (!what.length)
			continue;
		hr_say(&sentence, "%s:%s", host_of(&fleet->runs[i]), what.text);
		hr_page_paragraph(page, off++ ? "" : "unlike", HR_HEAD_COLUMNS, sentence.text);
	}
	if (!off)
		hr_page_paragraph(page, "unlike", HR_HEAD_COLUMNS, fleet->run_count < HR_FLEET_HOSTS_MIN ?
				  "Who is unlike the others takes three hosts to tell." : "No host is unlike the others.");
}

static void put_level(const struct hr_page *page, const struct hr_fleet_level *level)
{
	fputs("  ", page->out);
	hr_page_text(page, -LABEL_COLUMNS, level->label ? level->label : "whole runs");
	hr_page_count(page, 7, (double)level->hosts);
	hr_page_count(page, NUMBER_COLUMNS, level->throughput_rps);
	hr_page_count(page, NUMBER_COLUMNS, level->in_flight);
	hr_page_duration(page, NUMBER_COLUMNS, level->mean_ns);
	hr_page_duration(page, NUMBER_COLUMNS, level->p50_ns);
	hr_page_duration(page, NUMBER_COLUMNS, level->p90_ns);
	hr_page_duration(page, NUMBER_COLUMNS, level->p99_ns);
	fputc('\n', page->out);
}

static void put_levels(const struct hr_page *page, const struct hr_fleet *fleet)
{
	fputc('\n', page->out);
	hr_page_text(page, -(LABEL_COLUMNS + 2), "LEVELS, ALL HOSTS");
	fprintf(page->out, "%7s%11s%11s%11s%11s%11s%11s\n", "hosts", "requests/s", "in flight", "mean", "p50", "p90", "p99");
	for (size_t i = 0; i < fleet->level_count; i++)
		put_level(page, &fleet->levels[i]);
	put_level(page, &fleet->whole);
	if (!fleet->level_count)
		hr_page_paragraph(page, "", 2, "Nobody marked levels of load (headroom sweep does, or headroom mark), so all of each run is taken, "
				  "with what was before, between and after loads.");
}

static void put_host(const struct hr_page *page, const struct hr_fleet *fleet, size_t run)
{
	const struct hr_fleet_share *share = &best(fleet)->shares[run];
	const struct hr_finding *finding = &fleet->runs[run].analysis->verdict.finding;
	struct hr_sentence verdict = { "", 0 };

	hr_say(&verdict, "%s%s%s", hr_verdict_class_name(finding->class), finding->subject ? ": " : "",
	       finding->subject ? finding->subject : "");
	fputs(hr_fleet_is_off(fleet, run) ? "! " : "  ", page->out);
	hr_page_text(page, -HOST_COLUMNS, host_of(&fleet->runs[run]));
	hr_page_count(page, NUMBER_COLUMNS, share->throughput_rps);
	hr_page_duration(page, NUMBER_COLUMNS, share->p99_ns);
	hr_page_count(page, NUMBER_COLUMNS, finding->limit_rps);
	fputs("  ", page->out);
	hr_page_last(page, HR_PAGE_COLUMNS - HOST_COLUMNS - 3 * NUMBER_COLUMNS - 4, verdict.text);
}

static void put_hosts(const struct hr_page *page, const struct hr_fleet *fleet)
{
	const struct hr_fleet_level *level = best(fleet);
	char title[64];

	snprintf(title, sizeof(title), level->label ? "HOSTS, LEVEL %.40s" : "HOSTS%.0s", level->label ? level->label : "");
	fputc('\n', page->out);
	hr_page_text(page, -(HOST_COLUMNS + 2), title);
	fprintf(page->out, "%11s%11s%11s  %s\n", "requests/s", "p99", "limit/s", "verdict");
	for (size_t i = 0; i < fleet->run_count; i++)
		put_host(page, fleet, i);
	fputs("\n-: none, n/a: not measured, !: unlike the others\n", page->out);
}

int hr_fleet_text(const struct hr_fleet *fleet, bool utf8, FILE *out, struct hr_err *err)
{
	const struct hr_page page = { .out = out, .utf8 = utf8 };

	put_head(&page, fleet);
	put_requests(&page, fleet);
	put_verdicts(&page, fleet);
	put_off(&page, fleet);
	put_levels(&page, fleet);
	put_hosts(&page, fleet);
	if (fflush(out) || ferror(out))
		return hr_err_errno(err, errno ? -errno : -EIO, "cannot write the report");
	return 0;
}
