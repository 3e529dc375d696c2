/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/sentence.h"
#include "report/text_sections.h"
#include "store/tables.h"

#define FLOWS_SHOWN 8
#define LISTENERS_SHOWN 8
#define ENDPOINTS_SAID 2
#define PARTS_SAID 4
#define WAITS_SHOWN 2 /* blocked states with a column of their own */
#define WAIT_COLUMNS 12
#define NAME_BYTES 512

/* Why requests cannot be told apart, by the bit of the reason. */
static const char *const multiplexed_meanings[HR_MULTIPLEXED_REASONS] = {
	"the next comes before the answer is complete", "several come in one read", "HTTP/2", "a websocket or the like",
};

static double known(int64_t value)
{
	return value == HR_NULL ? NAN : (double)value;
}

static const char *duration(double ns, char buf[16])
{
	return isnan(ns) ? "n/a" : hr_text_duration((uint64_t)llround(ns), buf);
}

/* A mean number of things: "0.05", "15.9", "1.23 k". */
static const char *number(double value, char buf[16])
{
	if (value >= 999.5)
		return hr_text_count(value, buf);
	snprintf(buf, 16, "%.*f", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
	return buf;
}

/* "nginx :8000", "nginx -> 10.0.0.7:5432", in name, which is returned. */
static const char *flow_name(const struct hr_flow_summary *flow, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "%s %s%s", flow->process, flow->role == HR_ROLE_DOWNSTREAM ? "-> " : "", flow->endpoint);
	return name;
}

static void put_more(const struct hr_page *page, size_t count, size_t shown)
{
	if (count > shown)
		fprintf(page->out, "  and %zu more\n", count - shown);
}

/* ---- the answer ---- */

/* "on :8000 and :8001", of flows of the run; that_are_multiplexed: of those whose requests cannot be told apart only. */
static void say_endpoints(struct hr_sentence *sentence, const struct hr_summary *summary, bool that_are_multiplexed)
{
	size_t count = 0, said = 0;

	for (size_t i = 0; i < summary->flow_count; i++) {
		const struct hr_flow_summary *flow = &summary->flows[i];

		if (!flow->is_front || (that_are_multiplexed && flow->requests.requests != HR_NULL))
			continue;
		count++;
		if (said < ENDPOINTS_SAID)
			hr_say(sentence, "%s%s", said++ ? ", " : "on ", flow->endpoint);
	}
	if (count > said)
		hr_say(sentence, " and %zu more", count - said);
}

/* A part of a time and how it is said. */
struct part {
	double ns;
	const char *before, *name;
};

/* Into parts, the largest first. */
static void add_part(struct part *parts, size_t *count, double ns, const char *before, const char *name)
{
	size_t at = (*count)++;

	for (; at > 0 && parts[at - 1].ns < ns; at--)
		parts[at] = parts[at - 1];
	parts[at] = (struct part){ ns, before, name };
}

static void say_parts(struct hr_sentence *sentence, const struct part *parts, size_t count, double requests, double least_ns)
{
	char buf[16];

	for (size_t i = 0; i < count && i < PARTS_SAID && parts[i].ns >= least_ns; i++)
		hr_say(sentence, "%s %s %s%s", i ? "," : "", duration(parts[i].ns / requests, buf), parts[i].before,
		       parts[i].name);
	hr_say(sentence, ".");
}

/* "Of the mean of 3.6 ms, 2.9 ms waited in the receive queue, 0.7 ms was service." */
static void say_stages(struct hr_sentence *sentence, const struct hr_request_summary *requests)
{
	static const struct {
		enum hr_stage stage;
		const char *what;
	} stages[] = {
		{ HR_STAGE_QUEUE, "waited in the receive queue" },
		{ HR_STAGE_SERVICE, "was service" },
		{ HR_STAGE_STREAM, "was sending the rest of the answer" },
	};
	double mean_ns = hr_stage_mean_ns(&requests->stages[HR_STAGE_TOTAL]);
	struct part parts[HR_STAGES];
	size_t count = 0;
	char buf[16];

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (requests->stages[stages[i].stage].count)
			add_part(parts, &count, hr_stage_mean_ns(&requests->stages[stages[i].stage]), stages[i].what, "");
	/* calls of a function have no parts */
	if (!requests->stages[HR_STAGE_QUEUE].count || !(mean_ns > 0) || parts[0].ns < HR_WORTH_SAYING * mean_ns)
		return;
	hr_say(sentence, " Of the mean of %s,", duration(mean_ns, buf));
	say_parts(sentence, parts, count, 1, HR_WORTH_SAYING * mean_ns);
}

static double group_ns(const struct hr_budget *budget, enum hr_state_group group)
{
	double total_ns = 0;

	for (int state = 0; state < HR_STATES; state++)
		if (hr_state_group(state) == group)
			total_ns += (double)budget->state_ns[state];
	return total_ns;
}

/* "Of 8.1 ms of service a request spends 5.0 ms on CPU, 1.9 ms in the run queue, 1.1 ms in futex." */
static void say_budget(struct hr_sentence *sentence, const struct hr_budget *budget)
{
	double total_ns = (double)hr_budget_total_ns(budget), requests = (double)budget->requests;
	struct part parts[HR_STATES + 3];
	size_t count = 0;
	char buf[16];

	if (!budget->requests || total_ns <= 0)
		return;
	add_part(parts, &count, group_ns(budget, HR_GROUP_ON_CPU), "on CPU", "");
	add_part(parts, &count, group_ns(budget, HR_GROUP_RUNNABLE), "waiting for a CPU", "");
	add_part(parts, &count, (double)budget->handoff_ns, "between two threads", "");
	for (int state = 0; state < HR_STATES; state++)
		if (hr_state_group(state) == HR_GROUP_BLOCKED)
			add_part(parts, &count, (double)budget->state_ns[state], "in ", hr_state_name(state));
	hr_say(sentence, " Of %s of service a request spends", duration(total_ns / requests, buf));
	say_parts(sentence, parts, count, requests, HR_WORTH_SAYING * total_ns);
}

/* Connections of the run's flows that are multiplexed, and why. */
static void say_why_not(struct hr_sentence *sentence, const struct hr_summary *summary)
{
	uint64_t connections[HR_MULTIPLEXED_REASONS] = { 0 };
	const char *between = " (";

	for (size_t i = 0; i < summary->flow_count; i++)
		for (int reason = 0; summary->flows[i].is_front && reason < HR_MULTIPLEXED_REASONS; reason++)
			connections[reason] += summary->flows[i].multiplexed[reason];
	for (int reason = 0; reason < HR_MULTIPLEXED_REASONS; reason++) {
		if (!connections[reason])
			continue;
		hr_say(sentence, "%s%" PRIu64 " connection%s: %s", between, connections[reason],
		       hr_plural(connections[reason]), multiplexed_meanings[reason]);
		between = "; ";
	}
	hr_say(sentence, "%s", *between == ';' ? ")" : "");
}

static void say_multiplexed(struct hr_sentence *sentence, const struct hr_summary *summary)
{
	const struct hr_request_summary *requests = &summary->requests;
	const struct hr_latency *queue = &requests->stages[HR_STAGE_QUEUE].latency;
	char p50[16], p99[16], buf[16];

	hr_say(sentence, "Those ");
	say_endpoints(sentence, summary, true);
	hr_say(sentence, " cannot be told apart from outside");
	say_why_not(sentence, summary);
	hr_say(sentence, ", so they are not counted");
	if (requests->counted)
		hr_say(sentence, "; %s could", hr_text_count((double)requests->counted, buf));
	hr_say(sentence, ".");
	if (queue->count)
		hr_say(sentence, " Data waited for its first read: p50 %s, p99 %s.", duration(queue->p50_ns, p50),
		       duration(queue->p99_ns, p99));
	hr_say(sentence, " `--request-probe` takes the calls of a function for requests.");
}

static void say_counted(struct hr_sentence *sentence, const struct hr_summary *summary)
{
	const struct hr_request_summary *requests = &summary->requests;
	const struct hr_latency *total = &requests->stages[HR_STAGE_TOTAL].latency;
	char p50[16], p90[16], p99[16], buf[16];

	hr_say(sentence, "%s/s ", requests->counted ? hr_text_count(requests->throughput_rps, buf) : "0");
	say_endpoints(sentence, summary, false);
	if (!isnan(requests->in_flight))
		hr_say(sentence, ", %s in flight", number(requests->in_flight, buf));
	if (!isnan(requests->in_flight) && !isnan(requests->in_flight_little))
		hr_say(sentence, " (%s by Little's law)", number(requests->in_flight_little, buf));
	if (total->count)
		hr_say(sentence, "; p50 %s, p90 %s, p99 %s end to end", duration(total->p50_ns, p50),
		       duration(total->p90_ns, p90), duration(total->p99_ns, p99));
	hr_say(sentence, ".");
	say_stages(sentence, requests);
	say_budget(sentence, &requests->budget);
	if (requests->unanswered)
		hr_say(sentence, " %s were read and never answered.", hr_text_count((double)requests->unanswered, buf));
	if (requests->multiplexed_reads) {
		hr_say(sentence, " Left out: %s read%s whose requests cannot be told apart",
		       hr_text_count((double)requests->multiplexed_reads, buf), hr_plural(requests->multiplexed_reads));
		say_why_not(sentence, summary);
		hr_say(sentence, ".");
	}
}

void hr_text_requests_answer(const struct hr_page *page, const struct hr_summary *summary)
{
	struct hr_sentence sentence = { "", 0 };

	if (!summary->flow_count || !summary->flows[0].is_front)
		return;
	if (summary->requests.requests == HR_NULL)
		say_multiplexed(&sentence, summary);
	else
		say_counted(&sentence, summary);
	hr_page_paragraph(page, "requests", HR_HEAD_COLUMNS, sentence.text);
}

/* ---- stages ---- */

static void put_stage(const struct hr_page *page, const struct hr_stage_summary *stage, const char *name)
{
	fputs("    ", page->out);
	hr_page_text(page, -24, name);
	hr_page_count(page, 12, (double)stage->count);
	hr_page_duration(page, 12, hr_stage_mean_ns(stage));
	hr_page_duration(page, 12, stage->latency.p50_ns);
	hr_page_duration(page, 12, stage->latency.p90_ns);
	hr_page_duration(page, 12, stage->latency.p99_ns);
	fputc('\n', page->out);
}

static void put_flow_line(const struct hr_page *page, const struct hr_flow_summary *flow)
{
	const struct hr_request_summary *requests = &flow->requests;
	struct hr_sentence line = { "", 0 };
	char name[NAME_BYTES], fitted[NAME_BYTES], buf[16];

	/* names first, so that a long one does not push out the numbers */
	hr_page_fit(page, fitted, sizeof(fitted), flow_name(flow, name), 38);
	hr_say(&line, "%s", fitted);
	if (flow->process_count > 1)
		hr_say(&line, ", %zu processes", flow->process_count);
	if (requests->requests == HR_NULL)
		hr_say(&line, ": multiplexed, not counted");
	else
		hr_say(&line, ": %s/s", requests->counted ? hr_text_count(requests->throughput_rps, buf) : "0");
	if (!isnan(requests->in_flight))
		hr_say(&line, ", %s in flight", number(requests->in_flight, buf));
	if (!isnan(requests->in_flight) && !isnan(requests->in_flight_little))
		hr_say(&line, " (%s)", number(requests->in_flight_little, buf));
	if (requests->requests != HR_NULL && requests->multiplexed_reads)
		hr_say(&line, "; %s read%s left out, multiplexed", hr_text_count((double)requests->multiplexed_reads, buf),
		       hr_plural(requests->multiplexed_reads));
	fputs("  ", page->out);
	hr_page_last(page, HR_PAGE_COLUMNS - 2, line.text);
}

static bool has_stages(const struct hr_flow_summary *flow)
{
	for (int stage = 0; stage < HR_STAGES; stage++)
		if (flow->requests.stages[stage].count)
			return true;
	return false;
}

/* What the stages that occur begin and end with. */
static void put_stage_meanings(const struct hr_page *page, const bool seen[HR_STAGES])
{
	struct hr_sentence meanings = { "", 0 };

	for (int stage = 0; stage < HR_STAGES; stage++)
		if (seen[stage])
			hr_say(&meanings, "%s%s: %s", meanings.length ? "; " : "", hr_stage_name(stage),
			       hr_stage_meaning(stage));
	hr_say(&meanings, "; in flight: counted (by Little's law)");
	hr_page_paragraph(page, "  *", 4, meanings.text);
}

void hr_text_requests(const struct hr_page *page, const struct hr_summary *summary)
{
	bool seen[HR_STAGES] = { false };
	size_t count = 0;

	for (size_t i = 0; i < summary->flow_count; i++) {
		const struct hr_flow_summary *flow = &summary->flows[i];

		if (!has_stages(flow) || count++ >= FLOWS_SHOWN)
			continue;
		if (count == 1) {
			fputc('\n', page->out);
			hr_page_text(page, -28, "REQUESTS*");
			fprintf(page->out, "%12s%12s%12s%12s%12s\n", "count", "mean", "p50", "p90", "p99");
		}
		put_flow_line(page, flow);
		for (int stage = 0; stage < HR_STAGES; stage++) {
			if (flow->requests.stages[stage].count)
				put_stage(page, &flow->requests.stages[stage], hr_stage_name(stage));
			seen[stage] = seen[stage] || flow->requests.stages[stage].count;
		}
	}
	put_more(page, count, FLOWS_SHOWN);
	if (count)
		put_stage_meanings(page, seen);
}

/* ---- what the service time goes to ---- */

/* The blocked states that requests were in most. */
static size_t main_waits(const struct hr_summary *summary, enum hr_state waits[WAITS_SHOWN])
{
	struct hr_account all = hr_account_none();
	enum hr_state ranked[HR_STATES];
	size_t n, count = 0;

	for (size_t i = 0; i < summary->flow_count; i++)
		for (int state = 0; state < HR_STATES; state++)
			all.state_ns[state] += summary->flows[i].requests.budget.state_ns[state];
	n = hr_account_rank(&all, ranked);
	for (size_t i = 0; i < n && count < WAITS_SHOWN; i++)
		if (hr_state_group(ranked[i]) == HR_GROUP_BLOCKED)
			waits[count++] = ranked[i];
	return count;
}

static void put_budget(const struct hr_page *page, const struct hr_flow_summary *flow, const enum hr_state *waits,
		       size_t wait_count)
{
	const struct hr_budget *budget = &flow->requests.budget;
	double requests = (double)budget->requests, rest_ns = group_ns(budget, HR_GROUP_BLOCKED);
	char name[NAME_BYTES];

	fputs("  ", page->out);
	hr_page_text(page, -25, flow_name(flow, name));
	hr_page_count(page, 9, requests);
	hr_page_duration(page, 8, (double)hr_budget_total_ns(budget) / requests);
	hr_page_duration(page, 8, group_ns(budget, HR_GROUP_ON_CPU) / requests);
	hr_page_duration(page, 8, group_ns(budget, HR_GROUP_RUNNABLE) / requests);
	for (size_t i = 0; i < wait_count; i++) {
		hr_page_duration(page, WAIT_COLUMNS, (double)budget->state_ns[waits[i]] / requests);
		rest_ns -= (double)budget->state_ns[waits[i]];
	}
	hr_page_duration(page, 8, (double)budget->handoff_ns / requests);
	hr_page_duration(page, 8, rest_ns / requests);
	fputc('\n', page->out);
}

void hr_text_budgets(const struct hr_page *page, const struct hr_summary *summary)
{
	enum hr_state waits[WAITS_SHOWN];
	size_t wait_count = main_waits(summary, waits), count = 0;

	for (size_t i = 0; i < summary->flow_count; i++) {
		const struct hr_flow_summary *flow = &summary->flows[i];

		if (!flow->requests.budget.requests || !hr_budget_total_ns(&flow->requests.budget) || count++ >= FLOWS_SHOWN)
			continue;
		if (count == 1) {
			fputc('\n', page->out);
			hr_page_text(page, -27, "A REQUEST'S SERVICE TIME*");
			fprintf(page->out, "%9s%8s%8s%8s", "requests", "service", "on CPU", "for CPU");
			for (size_t wait = 0; wait < wait_count; wait++)
				hr_page_text(page, WAIT_COLUMNS, hr_state_name(waits[wait]));
			fprintf(page->out, "%8s%8s\n", "handoff", "rest");
		}
		put_budget(page, flow, waits, wait_count);
	}
	put_more(page, count, FLOWS_SHOWN);
	if (count)
		fputs("  * means over requests, of the thread that serves one; handoff: from one thread to another\n", page->out);
}

/* ---- connections ---- */

static void put_bytes(const struct hr_page *page, int width, uint64_t bytes)
{
	char buf[16], cell[24];

	hr_text_count((double)bytes, buf);
	snprintf(cell, sizeof(cell), "%s%sB", buf, strchr(buf, ' ') ? "" : " ");
	hr_page_text(page, width, bytes ? cell : "-");
}

/* What is out of the ordinary. */
static void put_remarks(const struct hr_page *page, const struct hr_summary *summary, const struct hr_flow_summary *flow)
{
	const struct {
		uint64_t count;
		const char *what;
	} remarks[] = {
		{ flow->connect_failures, "failed to connect" },
		{ summary->resets_in_known ? flow->resets_in : 0, "reset by the peer" },
		{ summary->resets_out_known ? flow->resets_out : 0, "reset by this host" },
		{ flow->endings[HR_ENDING_FAILED], "gave up" },
	};
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	for (size_t i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++)
		if (remarks[i].count)
			hr_say(&sentence, "%s%s %s", sentence.length ? "; " : "", hr_text_count((double)remarks[i].count, buf),
			       remarks[i].what);
	if (flow->zero_window_ns != HR_NULL && flow->zero_window_ns > 0)
		hr_say(&sentence, "%sheld back by the peer's window for %s", sentence.length ? "; " : "",
		       duration((double)flow->zero_window_ns, buf));
	for (int reason = 0; reason < HR_MULTIPLEXED_REASONS; reason++)
		if (flow->multiplexed[reason])
			hr_say(&sentence, "%s%s multiplexed: %s", sentence.length ? "; " : "",
			       hr_text_count((double)flow->multiplexed[reason], buf), multiplexed_meanings[reason]);
	if (sentence.length)
		hr_page_paragraph(page, "", 4, sentence.text);
}

static void put_connections(const struct hr_page *page, const struct hr_summary *summary, const struct hr_flow_summary *flow)
{
	bool tcp = strcmp(flow->transport, hr_transport_name(HR_TRANSPORT_TCP)) == 0;
	char name[NAME_BYTES];

	fputs("  ", page->out);
	hr_page_text(page, -25, flow_name(flow, name));
	hr_page_count(page, 8, (double)flow->open);
	hr_page_count(page, 8, (double)flow->opened);
	hr_page_count(page, 8, known(flow->closed));
	put_bytes(page, 9, flow->in_bytes);
	put_bytes(page, 9, flow->out_bytes);
	hr_page_count(page, 7, tcp && summary->retransmits_known ? (double)flow->retransmits : NAN);
	hr_page_duration(page, 8, known(flow->srtt_median_ns));
	hr_page_duration(page, 8, known(flow->srtt_worst_ns));
	hr_page_duration(page, 8, (double)flow->send_full_ns);
	fputc('\n', page->out);
	put_remarks(page, summary, flow);
}

void hr_text_connections(const struct hr_page *page, const struct hr_summary *summary)
{
	size_t count = 0;

	for (size_t i = 0; i < summary->flow_count; i++) {
		const struct hr_flow_summary *flow = &summary->flows[i];

		if (flow->role == HR_ROLE_PROBE || count++ >= FLOWS_SHOWN)
			continue;
		if (count == 1) {
			fputc('\n', page->out);
			hr_page_text(page, -27, "CONNECTIONS*");
			fprintf(page->out, "%8s%8s%8s%9s%9s%7s%8s%8s%8s\n", "open", "opened", "closed", "in", "out", "resent",
				"rtt p50", "worst", "full");
		}
		put_connections(page, summary, flow);
	}
	put_more(page, count, FLOWS_SHOWN);
	if (count)
		fputs("  * resent: segments; rtt: the kernel's smoothed round trip, at the end; full: the send buffer was\n",
		      page->out);
}

void hr_text_listeners(const struct hr_page *page, const struct hr_summary *summary)
{
	size_t count = summary->listener_count;

	if (!count)
		return;
	fputc('\n', page->out);
	hr_page_text(page, -52, "LISTENERS");
	fprintf(page->out, "%16s%10s%12s\n", "backlog highest", "of", "dropped");
	for (size_t i = 0; i < count && i < LISTENERS_SHOWN; i++) {
		const struct hr_listener_summary *listener = &summary->listeners[i];
		char name[NAME_BYTES];

		snprintf(name, sizeof(name), "%s %s", listener->process ? listener->process : "?", listener->address);
		fputs("  ", page->out);
		hr_page_text(page, -50, name);
		hr_page_count(page, 16, (double)listener->backlog_highest);
		hr_page_count(page, 10, (double)listener->backlog_max);
		hr_page_count(page, 12, known(listener->drops));
		fputc('\n', page->out);
	}
	put_more(page, count, LISTENERS_SHOWN);
}
