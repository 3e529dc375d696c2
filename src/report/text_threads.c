/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/text_sections.h"

#define GROUPS_SHOWN 8
#define PROCESSES_SHOWN 5
#define CALLS_SHOWN 12
#define WAITS_SHOWN 3 /* blocked states with a column of their own */
#define BAR_COLUMNS 10
#define MEANING_COLUMNS (HR_PAGE_COLUMNS - 34 - BAR_COLUMNS)

/* One line for what is too small to be seen. */
static void put_small_states(const struct hr_page *page, const struct hr_account *account,
			     const enum hr_state *states, size_t n)
{
	char names[HR_PAGE_COLUMNS * 4] = "";
	size_t length = 0;
	uint64_t time_ns = 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "",
					   hr_state_name(states[i]));
		time_ns += account->state_ns[states[i]];
	}
	fputs("  ", page->out);
	hr_page_text(page, -11, "the rest");
	hr_page_share(page, 8, (double)time_ns / (double)hr_account_total_ns(account));
	hr_page_duration(page, 9, (double)time_ns);
	fprintf(page->out, "%*s", BAR_COLUMNS + 4, "");
	hr_page_last(page, MEANING_COLUMNS, names);
}

void hr_text_states(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_account *total = &summary->total;
	double whole_ns = (double)hr_account_total_ns(total);
	enum hr_state ranked[HR_STATES];
	size_t n = hr_account_rank(total, ranked), shown;

	if (n == 0)
		return;
	hr_page_title(page, "WHERE THE TIME WENT", 0, "");
	for (shown = 0; shown < n; shown++) {
		double time_ns = (double)total->state_ns[ranked[shown]];

		if (time_ns / whole_ns < 0.0005)
			break;
		fputs("  ", page->out);
		hr_page_text(page, -11, hr_state_name(ranked[shown]));
		hr_page_share(page, 8, time_ns / whole_ns);
		hr_page_duration(page, 9, time_ns);
		fputs("  ", page->out);
		hr_page_bar(page, BAR_COLUMNS, time_ns / whole_ns);
		fputs("  ", page->out);
		hr_page_last(page, MEANING_COLUMNS, hr_state_meaning(ranked[shown]));
	}
	put_small_states(page, total, ranked + shown, n - shown);
}

/* The blocked states that all threads together were in most. */
static size_t main_waits(const struct hr_account *total, enum hr_state waits[WAITS_SHOWN])
{
	enum hr_state ranked[HR_STATES];
	size_t n = hr_account_rank(total, ranked), count = 0;

	for (size_t i = 0; i < n && count < WAITS_SHOWN; i++)
		if (hr_state_group(ranked[i]) == HR_GROUP_BLOCKED)
			waits[count++] = ranked[i];
	return count;
}

static void put_group(const struct hr_page *page, const struct hr_group_summary *group, double recorded_s,
		      const enum hr_state *waits, size_t wait_count)
{
	const struct hr_account *account = &group->account;
	double whole_ns = (double)hr_account_total_ns(account), rest_ns;

	fputs("  ", page->out);
	hr_page_text(page, -27, group->label);
	fprintf(page->out, "%6zu", group->thread_count);
	hr_page_share(page, 9, hr_page_ratio((double)hr_account_group_ns(account, HR_GROUP_ON_CPU), whole_ns));
	hr_page_share(page, 9, hr_page_ratio((double)hr_account_group_ns(account, HR_GROUP_RUNNABLE), whole_ns));
	rest_ns = (double)hr_account_group_ns(account, HR_GROUP_BLOCKED);
	for (size_t i = 0; i < wait_count; i++) {
		hr_page_share(page, 9, hr_page_ratio((double)account->state_ns[waits[i]], whole_ns));
		rest_ns -= (double)account->state_ns[waits[i]];
	}
	hr_page_share(page, 9, hr_page_ratio(rest_ns, whole_ns));
	hr_page_count(page, 11, hr_page_ratio((double)(account->voluntary + account->involuntary), recorded_s));
	fputc('\n', page->out);
}

void hr_text_groups(const struct hr_page *page, const struct hr_summary *summary)
{
	size_t shown = summary->group_count < GROUPS_SHOWN ? summary->group_count : GROUPS_SHOWN, hidden = 0;
	enum hr_state waits[WAITS_SHOWN];
	size_t wait_count = main_waits(&summary->total, waits);

	if (!hr_account_total_ns(&summary->total))
		return;
	fputc('\n', page->out);
	hr_page_text(page, -29, "THREADS");
	hr_page_text(page, 6, "n");
	hr_page_text(page, 9, "on CPU");
	hr_page_text(page, 9, "for CPU");
	for (size_t i = 0; i < wait_count; i++)
		hr_page_text(page, 9, hr_state_name(waits[i]));
	hr_page_text(page, 9, "rest");
	fputs(" switches/s\n", page->out);
	for (size_t i = 0; i < shown; i++)
		put_group(page, &summary->groups[i], (double)summary->run.recorded_ns / 1e9, waits, wait_count);
	for (size_t i = shown; i < summary->group_count; i++)
		hidden += summary->groups[i].thread_count;
	if (hidden)
		fprintf(page->out, "  and %zu threads in %zu more groups that used less CPU\n", hidden,
			summary->group_count - shown);
}

/* Columns of the parallelism table: threads on CPU from .. to. */
static const struct {
	const char *title;
	int from, to;
} parallel_columns[] = {
	{ "none", 0, 0 }, { "1", 1, 1 }, { "2", 2, 2 }, { "3", 3, 3 },
	{ "4..7", 4, 7 }, { "8..15", 8, 15 }, { "16+", 16, HR_PARALLEL_BINS - 1 },
};
#define PARALLEL_COLUMNS (sizeof(parallel_columns) / sizeof(parallel_columns[0]))

void hr_text_parallelism(const struct hr_page *page, const struct hr_summary *summary)
{
	bool titled = false;

	for (size_t i = 0; i < summary->process_count && i < PROCESSES_SHOWN; i++) {
		const struct hr_process_summary *process = &summary->processes[i];
		char name[128];

		if (isnan(process->parallel_mean))
			continue;
		if (!titled) {
			fputc('\n', page->out);
			hr_page_text(page, -29, "THREADS ON CPU AT ONCE");
			for (size_t c = 0; c < PARALLEL_COLUMNS; c++)
				hr_page_text(page, 9, parallel_columns[c].title);
			hr_page_text(page, 8, "mean*");
			fputc('\n', page->out);
			titled = true;
		}
		snprintf(name, sizeof(name), "%s (%" PRId64 ")", process->name, process->pid);
		fputs("  ", page->out);
		hr_page_text(page, -27, name);
		for (size_t c = 0; c < PARALLEL_COLUMNS; c++) {
			double time_ns = 0;

			for (int bin = parallel_columns[c].from; bin <= parallel_columns[c].to; bin++)
				time_ns += (double)process->parallel_ns[bin];
			hr_page_share(page, 9, hr_page_ratio(time_ns, (double)process->life_ns));
		}
		fprintf(page->out, "%8.2f\n", process->parallel_mean);
	}
	if (titled)
		fputs("  * while at least one was\n", page->out);
}

static void put_call(const struct hr_page *page, const struct hr_summary *summary, const struct hr_call_summary *call)
{
	double seconds = (double)summary->run.recorded_ns / 1e9;
	char cell[64], buf[16];

	snprintf(cell, sizeof(cell), "%s%s", strcmp(call->abi, "native") == 0 ? "" : "32-bit ", call->name);
	fputs("  ", page->out);
	hr_page_text(page, -18, cell);
	hr_page_count(page, 8, (double)call->calls);
	hr_page_count(page, 8, hr_page_ratio((double)call->calls, seconds));
	hr_page_duration(page, 10, call->latency.p50_ns);
	hr_page_duration(page, 9, call->latency.p99_ns);
	hr_page_duration(page, 9, (double)call->total_ns);
	snprintf(cell, sizeof(cell), "%s%s%s",
		 hr_page_share_text(hr_page_ratio((double)call->errors, (double)call->calls), buf),
		 call->top_count ? " " : "", call->top_count ? call->top[0].name : "");
	hr_page_text(page, 20, call->errors ? cell : "-");
	snprintf(cell, sizeof(cell), "%" PRIu64 " for %s", call->in_progress,
		 hr_text_duration(call->in_progress_ns, buf));
	hr_page_text(page, 16, call->in_progress ? cell : "-");
	fputc('\n', page->out);
}

void hr_text_syscalls(const struct hr_page *page, const struct hr_summary *summary)
{
	if (!summary->call_count)
		return;
	fputc('\n', page->out);
	hr_page_text(page, -20, "SYSCALLS");
	hr_page_text(page, 8, "calls");
	hr_page_text(page, 8, "per s");
	hr_page_text(page, 10, "p50");
	hr_page_text(page, 9, "p99");
	hr_page_text(page, 9, "total");
	hr_page_text(page, 20, "failed");
	fprintf(page->out, "%16s\n", "unfinished*");
	for (size_t i = 0; i < summary->call_count && i < CALLS_SHOWN; i++)
		put_call(page, summary, &summary->calls[i]);
	if (summary->call_count > CALLS_SHOWN)
		fprintf(page->out, "  and %zu more\n", summary->call_count - CALLS_SHOWN);
	fputs("  * at the end of the run; the columns before it are of calls that returned\n", page->out);
}
