/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "report/report.h"
#include "report/sentence.h"
#include "report/text_sections.h"
#include "report/text_verdict.h"
#include "store/tables.h"

static const char *or_unknown(const char *text)
{
	return text ? text : "unknown";
}

static void say_time(struct hr_sentence *sentence, const struct hr_run_facts *run)
{
	time_t started = (time_t)(run->started_unix_ns / 1000000000);
	char buf[16], date[32] = "";
	struct tm utc;

	if (run->started_unix_ns > 0 && gmtime_r(&started, &utc))
		strftime(date, sizeof(date), " from %Y-%m-%d %H:%M:%S UTC", &utc);
	hr_say(sentence, "%s%s", hr_text_duration(run->recorded_ns, buf), date);
	if (run->gap_count)
		hr_say(sentence, ", with %zu gap%s in which recording was off", run->gap_count, hr_plural(run->gap_count));
	if (run->ended_ns == HR_NULL)
		hr_say(sentence, ", CUT OFF: the recorder was killed or still runs; this is what it had finished");
	if (run->target_status != HR_NULL)
		hr_say(sentence, ", command exited with %" PRId64, run->target_status);
}

void hr_text_head(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_run_facts *run = &summary->run;
	struct hr_sentence host = { "", 0 }, target = { "", 0 }, when = { "", 0 };
	size_t ended = 0;

	for (size_t i = 0; i < summary->thread_count; i++)
		ended += summary->threads[i].ended;
	hr_say(&host, "%s, Linux %s %s", or_unknown(run->host), or_unknown(run->kernel), or_unknown(run->arch));
	if (run->cpu_count > 0)
		hr_say(&host, ", %" PRId64 " CPU%s", run->cpu_count, hr_plural((size_t)run->cpu_count));
	hr_say(&target, "%zu process%s, %zu thread%s", summary->process_count, summary->process_count == 1 ? "" : "es",
	       summary->thread_count, hr_plural(summary->thread_count));
	if (ended)
		hr_say(&target, " (%zu ended)", ended);
	hr_say(&target, " of %s", or_unknown(run->target));
	say_time(&when, run);
	hr_page_paragraph(page, "host", HR_HEAD_COLUMNS, host.text);
	hr_page_text(page, -HR_HEAD_COLUMNS, "target");
	hr_page_last(page, HR_PAGE_COLUMNS - HR_HEAD_COLUMNS, target.text);
	hr_page_paragraph(page, "time", HR_HEAD_COLUMNS, when.text);
}

/* The blocked state with the most time; -1: none. */
static int main_wait(const struct hr_account *account)
{
	enum hr_state ranked[HR_STATES];
	size_t n = hr_account_rank(account, ranked);

	for (size_t i = 0; i < n; i++)
		if (hr_state_group(ranked[i]) == HR_GROUP_BLOCKED)
			return (int)ranked[i];
	return -1;
}

/* "41.2 % in poll and 3.0 % in futex": what blocks it, the largest parts. */
static void say_waits(struct hr_sentence *sentence, const struct hr_account *account, double whole_ns)
{
	enum hr_state ranked[HR_STATES];
	size_t n = hr_account_rank(account, ranked), said = 0;
	char buf[16];

	for (size_t i = 0; i < n && said < 2; i++) {
		double share = (double)account->state_ns[ranked[i]] / whole_ns;

		if (hr_state_group(ranked[i]) != HR_GROUP_BLOCKED || (said && share < HR_WORTH_SAYING))
			continue;
		hr_say(sentence, "%s%s in %s", said ? " and " : "", hr_page_share_text(share, buf),
		       hr_state_name(ranked[i]));
		said++;
	}
}

/* What all threads did, the largest of on CPU, waiting for one and blocked first. */
static void answer_threads(const struct hr_page *page, const struct hr_summary *summary)
{
	static const char *const doing[HR_GROUPS] = {
		[HR_GROUP_ON_CPU] = "on CPU",
		[HR_GROUP_RUNNABLE] = "waiting for a CPU",
		[HR_GROUP_BLOCKED] = "blocked",
	};
	const struct hr_account *total = &summary->total;
	double whole_ns = (double)hr_account_total_ns(total), share[HR_GROUPS];
	int wait = main_wait(total), most = HR_GROUP_ON_CPU;
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	for (int group = 0; group < HR_GROUPS; group++) {
		share[group] = (double)hr_account_group_ns(total, group) / whole_ns;
		if (share[group] > share[most])
			most = group;
	}
	hr_say(&sentence, "%s %s: %s of all thread time", share[most] > 0.5 ? "Mostly" : "Most of all", doing[most],
	       hr_page_share_text(share[most], buf));
	if (most == HR_GROUP_BLOCKED) {
		hr_say(&sentence, ", ");
		say_waits(&sentence, total, whole_ns);
	}
	for (int group = 0, said = 0; group < HR_GROUPS; group++) {
		if (group == most)
			continue;
		hr_say(&sentence, "%s%s %s", said++ ? ", " : "; ",
		       share[group] > 0 ? hr_page_share_text(share[group], buf) : "0 %", doing[group]);
	}
	if (most != HR_GROUP_BLOCKED && wait >= 0)
		hr_say(&sentence, ", most of it in %s", hr_state_name(wait));
	hr_say(&sentence, ".");
	hr_page_paragraph(page, "threads", HR_HEAD_COLUMNS, sentence.text);
}

/* The group that used the CPUs most, and its busiest thread: averages over all threads hide one that never rests. */
static void answer_busiest(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_group_summary *group = &summary->groups[0];
	const struct hr_thread_summary *thread = &summary->threads[group->busiest];
	double whole_ns = (double)hr_account_total_ns(&group->account);
	double on_cpu_ns = (double)hr_account_group_ns(&group->account, HR_GROUP_ON_CPU);
	double for_cpu_ns = (double)hr_account_group_ns(&group->account, HR_GROUP_RUNNABLE);
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	if (on_cpu_ns <= 0)
		return;
	hr_say(&sentence, "%s, %zu thread%s: %s on CPU", group->label, group->thread_count, hr_plural(group->thread_count),
	       hr_page_share_text(on_cpu_ns / whole_ns, buf));
	if (for_cpu_ns > 0)
		hr_say(&sentence, ", %s waiting for one", hr_page_share_text(for_cpu_ns / whole_ns, buf));
	if (main_wait(&group->account) >= 0) {
		hr_say(&sentence, ", ");
		say_waits(&sentence, &group->account, whole_ns);
	}
	hr_say(&sentence, ".");
	if (group->thread_count > 1)
		hr_say(&sentence, " The busiest of them, tid %" PRId64 ", was on CPU for %s of the run.", thread->tid,
		       hr_page_share_text(hr_summary_busy_share(summary, thread), buf));
	hr_page_paragraph(page, "busiest", HR_HEAD_COLUMNS, sentence.text);
}

/* Who had the CPU for most of the time in which threads waited for one, if they waited for long. */
static void say_owner(struct hr_sentence *sentence, const struct hr_account *total)
{
	double waited_ns = (double)hr_account_group_ns(total, HR_GROUP_RUNNABLE), most_ns = 0;
	int most = HR_OWNER_TARGET;
	char buf[16];

	if (waited_ns < HR_WORTH_SAYING * (double)hr_account_total_ns(total))
		return;
	for (int owner = 0; owner < HR_OWNERS; owner++) {
		double owner_ns = (double)total->runq_owner_ns[owner] + (double)total->preempted_owner_ns[owner];

		if (owner_ns > most_ns) {
			most_ns = owner_ns;
			most = owner;
		}
	}
	if (most_ns > 0)
		hr_say(sentence, " Who had the CPU while threads waited for it: %s, for %s of that time.",
		       hr_owner_meaning(most), hr_page_share_text(most_ns / waited_ns, buf));
}

/* How much of the CPUs the target had, and who kept it from more. */
static void answer_cpus(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_cpu_summary *cpus = &summary->cpu_total;
	double recorded_ns = (double)summary->run.recorded_ns;
	struct hr_sentence sentence = { "", 0 };

	if (!summary->cpu_count || recorded_ns <= 0)
		return;
	hr_say(&sentence, "The target had %.2f of %zu CPU%s, others %.2f; %.2f were idle",
	       (double)cpus->target_ns / recorded_ns, summary->cpu_count, hr_plural(summary->cpu_count),
	       (double)cpus->other_ns / recorded_ns, (double)cpus->idle_ns / recorded_ns);
	if (cpus->steal_ns != HR_NULL && (double)cpus->steal_ns > 0.01 * recorded_ns)
		hr_say(&sentence, "; the hypervisor took %.2f of all that", (double)cpus->steal_ns / recorded_ns);
	hr_say(&sentence, ".");
	say_owner(&sentence, &summary->total);
	for (size_t i = 0; i < summary->quota_count; i++) {
		const struct hr_quota_summary *quota = &summary->quotas[i];
		double share = hr_page_ratio((double)quota->throttled_periods, (double)quota->periods);
		char buf[16];

		if (quota->throttled_periods)
			hr_say(&sentence, " The CPU quota of %s throttled it in %s of the periods.",
			       or_unknown(quota->cgroup), hr_page_share_text(share, buf));
	}
	hr_page_paragraph(page, "CPUs", HR_HEAD_COLUMNS, sentence.text);
}

/* Where the time went, in words. */
void hr_text_answer(const struct hr_page *page, const struct hr_summary *summary)
{
	fputc('\n', page->out);
	if (!hr_account_total_ns(&summary->total)) {
		hr_page_paragraph(page, "", 0, summary->run.interval_count ?
				  "Nothing was recorded of any thread." :
				  "The file holds no finished interval: nothing is known of this run.");
		return;
	}
	hr_text_requests_answer(page, summary);
	answer_threads(page, summary);
	if (summary->group_count > 0)
		answer_busiest(page, summary);
	answer_cpus(page, summary);
}

/* Before anything that may not hold. A verdict is given where what was lost is none of what it rests on. */
static void put_lossy(const struct hr_page *page, const struct hr_analysis *analysis)
{
	const struct hr_summary *summary = analysis->summary;
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	if (!summary->lossy)
		return;
	hr_say(&sentence, "more was lost than the numbers can bear:");
	for (size_t i = 0; i < summary->loss_count; i++)
		if (summary->losses[i].above_limit)
			hr_say(&sentence, " %s times %s.", hr_text_count((double)summary->losses[i].count, buf),
			       summary->losses[i].info ? summary->losses[i].info->sentence : summary->losses[i].name);
	hr_say(&sentence, !analysis->axis.level_count || analysis->verdict.finding.class == HR_VERDICT_INCONCLUSIVE ?
	       " See HEALTH before you believe what follows." : " The verdict does not rest on what is missing; see HEALTH.");
	fputc('\n', page->out);
	hr_page_paragraph(page, "LOSSY", HR_HEAD_COLUMNS, sentence.text);
}

int hr_report_text(const struct hr_analysis *analysis, bool utf8, FILE *out, struct hr_err *err)
{
	static void (*const sections[])(const struct hr_page *, const struct hr_summary *) = {
		hr_text_answer,	     hr_text_states,	   hr_text_groups,    hr_text_requests,
		hr_text_budgets,     hr_text_waits,    hr_text_locks,	   hr_text_code,      hr_text_cpus,
		hr_text_cpu_waits,   hr_text_parallelism, hr_text_syscalls, hr_text_connections, hr_text_listeners,
		hr_text_quotas,	     hr_text_disks,    hr_text_memory,	   hr_text_pressure,  hr_text_health,
	};
	struct hr_page page = { .out = out, .utf8 = utf8 };

	hr_text_head(&page, analysis->summary);
	put_lossy(&page, analysis);
	hr_text_verdict(&page, analysis);
	hr_text_levels(&page, analysis);
	hr_text_request_times(&page, analysis);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		sections[i](&page, analysis->summary);
	if (fflush(out) || ferror(out))
		return hr_err_errno(err, errno ? -errno : -EIO, "cannot write the report");
	return 0;
}
