/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/sentence.h"
#include "report/text_sections.h"
#include "store/tables.h"

#define CHAINS_SHOWN 6
#define ROWS_LOOKED_AT 500 /* for chains: the largest */
#define LOCKS_SHOWN 8
#define STATES_SAID 2
#define ENDS_SAID 4
#define KNOTS_SAID 3
#define LOCK_COLUMNS 27 /* of a name in the table of locks */
#define NAME_COLUMNS 40 /* of a name inside a sentence */
#define NAME_BYTES (4 * NAME_COLUMNS + 4)
#define LEAST_WAITED 0.01 /* of the run, by all threads together: a lock that is worth a line */
#define ONE_SITE 0.95	/* a share of the waiting for a lock that needs no remark either */
#define WELL_KNOWN 0.9	/* a share of the windows that needs no remark */

static double known(int64_t value)
{
	return value == HR_NULL ? NAN : (double)value;
}

/* Other people's names are cut, so that they do not push out what is said of them. */
static const char *fit(const struct hr_page *page, const char *text, char name[NAME_BYTES])
{
	return hr_page_fit(page, name, NAME_BYTES, text ? text : "one of several threads", NAME_COLUMNS);
}

/* ---- chains ---- */

/* All that one group waited for in one state and subject, whoever ended it. */
struct chain {
	const struct hr_wait_summary *first; /* the row of it with the most time */
	const struct hr_wait_summary *woken; /* the one with the most time that somebody ended; NULL: nobody did */
	double busy_ns;			     /* time that is not idle */
};

static bool is_same(const struct hr_wait_summary *a, const struct hr_wait_summary *b)
{
	if (a->group != b->group || a->state != b->state || a->kind != b->kind)
		return false;
	return a->subject && b->subject ? strcmp(a->subject, b->subject) == 0 : a->subject == b->subject;
}

static struct chain chain_of(const struct hr_waits_summary *waits, size_t at)
{
	struct chain chain = { .first = &waits->waits[at] };

	for (size_t i = at; i < waits->wait_count; i++) {
		const struct hr_wait_summary *row = &waits->waits[i];

		if (!is_same(row, chain.first))
			continue;
		chain.busy_ns += (double)row->time_ns - row->idle_ns;
		if (row->waker && !chain.woken)
			chain.woken = row;
	}
	return chain;
}

static bool was_before(const struct hr_waits_summary *waits, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (is_same(&waits->waits[i], &waits->waits[at]))
			return true;
	return false;
}

static void say_subject(const struct hr_page *page, struct hr_sentence *sentence, const struct hr_wait_summary *row)
{
	static const char *const kinds[HR_SUBJECTS] = {
		[HR_SUBJECT_FUTEX] = "futex ", [HR_SUBJECT_PEER] = "peer ", [HR_SUBJECT_CLIENTS] = "clients of ",
		[HR_SUBJECT_FILE] = "file ", [HR_SUBJECT_PIPE] = "", [HR_SUBJECT_UNIX] = "unix socket ",
		[HR_SUBJECT_DEVICE] = "device ", [HR_SUBJECT_EVENT] = "", [HR_SUBJECT_KLOCK] = "kernel lock ",
	};
	char name[NAME_BYTES], title[NAME_BYTES + 16];

	if (row->state != HR_STATE_FUTEX && row->state != HR_STATE_KLOCK)
		hr_say(sentence, "in %s", hr_state_name(row->state));
	if (row->subject)
		hr_say(sentence, "%sfor %s%s", sentence->text[sentence->length - 1] == ' ' ? "" : " ",
		       row->is_sited ? "the " : kinds[row->kind] ? kinds[row->kind] : "",
		       hr_lock_title(fit(page, row->subject, name), row->is_gil, title, sizeof(title)));
	else if (row->state == HR_STATE_FUTEX)
		hr_say(sentence, row->kind == HR_SUBJECT_FUTEX ? "for futexes of their own" : "in futex");
	else if (row->state == HR_STATE_KLOCK)
		hr_say(sentence, "for kernel locks");
}

static const char *doing(enum hr_state state, char buf[32])
{
	switch (state) {
	case HR_STATE_USER: return "on CPU";
	case HR_STATE_RUNQ: return "waiting for a CPU";
	case HR_STATE_PREEMPTED: return "preempted";
	default: snprintf(buf, 32, "in %s", hr_state_name(state)); return buf;
	}
}

/*
 * What the waker did meanwhile. Of a lock, without its own wait for it: who waits behind others waits while they do, and asks
 * what they did then.
 */
static void say_meanwhile(struct hr_sentence *sentence, const struct hr_wait_summary *row)
{
	bool is_lock = row->is_lock || row->kind == HR_SUBJECT_KLOCK;
	struct hr_account did = hr_account_none();
	enum hr_state ranked[HR_STATES];
	double sum_ns, share;
	size_t n, said = 0;
	char buf[16], words[32];

	memcpy(did.state_ns, row->waker_state_ns, sizeof(did.state_ns));
	did.state_ns[HR_STATE_USER] += did.state_ns[HR_STATE_KERNEL];
	did.state_ns[HR_STATE_KERNEL] = 0;
	if (is_lock)
		did.state_ns[row->state] = 0;
	sum_ns = (double)hr_account_total_ns(&did);
	n = hr_account_rank(&did, ranked);
	for (size_t i = 0; i < n && said < STATES_SAID; i++) {
		share = (double)did.state_ns[ranked[i]] / sum_ns;
		if (said && share < HR_WORTH_SAYING)
			break;
		hr_say(sentence, "%s%s %s", said ? " and " : is_lock ? ", which, its own wait aside, was " : ", which meanwhile was ",
		       hr_page_share_text(share, buf), doing(ranked[i], words));
		said++;
	}
}

static void put_chain(const struct hr_page *page, const struct hr_summary *summary, const struct chain *chain)
{
	const struct hr_group_summary *group = &summary->groups[chain->first->group];
	size_t threads = group->thread_count;
	struct hr_sentence sentence = { "", 0 };
	char name[NAME_BYTES], buf[16];

	hr_say(&sentence, "%zu %s thread%s wait%s %s of %s time ", threads, fit(page, group->label, name), hr_plural(threads),
	       threads == 1 ? "s" : "", hr_page_share_text(chain->busy_ns / (double)group->account.life_ns, buf),
	       threads == 1 ? "its" : "their");
	say_subject(page, &sentence, chain->first);
	if (chain->woken) {
		bool is_lock = chain->woken->is_lock || chain->woken->kind == HR_SUBJECT_KLOCK;

		hr_say(&sentence, ", %s by %s", is_lock ? "released" : "woken", fit(page, chain->woken->waker, name));
		say_meanwhile(&sentence, chain->woken);
	}
	hr_page_paragraph(page, " ", 2, sentence.text);
}

static void put_chains(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_waits_summary *waits = &summary->waits;
	size_t shown = 0;

	for (size_t i = 0; i < waits->wait_count && i < ROWS_LOOKED_AT && shown < CHAINS_SHOWN; i++) {
		const struct hr_wait_summary *row = &waits->waits[i];
		struct chain chain;

		if ((double)row->time_ns <= row->idle_ns)
			return;
		if (was_before(waits, i))
			continue;
		chain = chain_of(waits, i);
		if (chain.busy_ns < HR_WORTH_SAYING * (double)summary->groups[row->group].account.life_ns)
			continue;
		put_chain(page, summary, &chain);
		shown++;
	}
}

/* ---- where they end ---- */

static const char *const end_phrases[HR_BLAME_ENDS] = {
	[HR_BLAME_ON_CPU] = "%s on CPU",
	[HR_BLAME_RUNQ] = "%s waiting for a CPU",
	[HR_BLAME_PREEMPTED] = "%s preempted",
	[HR_BLAME_DISK] = "the disk, for %s",
	[HR_BLAME_FAULT] = "page faults of %s",
	[HR_BLAME_RECLAIM] = "memory reclaim in %s",
	[HR_BLAME_KLOCK] = "kernel locks, for %s",
	[HR_BLAME_PEER] = "peer %s",
	[HR_BLAME_OTHER] = "%s, outside the target",
	[HR_BLAME_TIMER] = "timers of %s",
	[HR_BLAME_DEVICE] = "devices, for %s",
	[HR_BLAME_CHILD] = "children of %s",
	[HR_BLAME_STOPPED] = "%s stopped",
	[HR_BLAME_CLIENTS] = "clients of %s",
	[HR_BLAME_UNKNOWN] = "what is not known of %s",
};

static void say_end(const struct hr_page *page, struct hr_sentence *sentence, const struct hr_end_summary *end)
{
	char name[NAME_BYTES], buf[16];

	if (end->end == HR_BLAME_PEER && !end->owner)
		hr_say(sentence, "the network");
	else {
		/* the phrase is one of the above, with a name as its only part */
		const char *phrase = end_phrases[end->end], *place = strstr(phrase, "%s");

		hr_say(sentence, "%.*s%s%s", (int)(place - phrase), phrase, fit(page, end->owner, name), place + 2);
	}
	hr_say(sentence, " (%s)", hr_page_share_text(end->share, buf));
}

/* The share of what threads of the target ended, or had the lock of, of which it is known what they did. */
static double window_share(const struct hr_waits_summary *waits)
{
	double window_ns = 0, time_ns = 0;

	for (size_t i = 0; i < waits->wait_count; i++) {
		const struct hr_wait_summary *row = &waits->waits[i];
		double busy_share = 1 - hr_page_ratio(row->idle_ns, (double)row->time_ns);

		if (!row->time_ns || (!row->is_lock && strcmp(row->source, hr_source_name(HR_SOURCE_THREAD)) != 0))
			continue;
		window_ns += busy_share * (double)row->window_ns;
		time_ns += busy_share * (double)row->time_ns;
	}
	return hr_page_ratio(window_ns, time_ns);
}

static void say_knots(const struct hr_page *page, struct hr_sentence *sentence, const struct hr_waits_summary *waits)
{
	char name[NAME_BYTES];

	hr_say(sentence, " wPerf's knot, a cross-check by the graph alone, says otherwise:");
	for (size_t i = 0; i < waits->knot_count && i < KNOTS_SAID; i++)
		hr_say(sentence, "%s %s", i ? "," : "", fit(page, waits->knots[i].name, name));
	if (waits->knot_count > KNOTS_SAID)
		hr_say(sentence, " and %zu more", waits->knot_count - KNOTS_SAID);
	hr_say(sentence, ".");
}

static void put_ends(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_waits_summary *waits = &summary->waits;
	double blamed_ns = waits->waited_ns - waits->idle_ns - waits->residual_ns, window = window_share(waits);
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	hr_say(&sentence, "Followed to its end, %s of waiting is due to", hr_text_duration((uint64_t)llround(blamed_ns), buf));
	for (size_t i = 0; i < waits->end_count && i < ENDS_SAID && (i == 0 || waits->ends[i].share >= HR_WORTH_SAYING); i++) {
		hr_say(&sentence, "%s ", i ? ", to" : "");
		say_end(page, &sentence, &waits->ends[i]);
	}
	hr_say(&sentence, ".");
	if (waits->idle_ns > 0)
		hr_say(&sentence, " Left out as idle, waiting for work: %s.",
		       hr_text_duration((uint64_t)llround(waits->idle_ns), buf));
	if (waits->residual_ns > 0.01 * waits->waited_ns)
		hr_say(&sentence, " Without an end, as in circles in which nobody runs: %s.",
		       hr_text_duration((uint64_t)llround(waits->residual_ns), buf));
	if (window < WELL_KNOWN)
		hr_say(&sentence, " What threads did that others waited for is known for %s of that time; the rest is taken to be alike.",
		       hr_page_share_text(window, buf));
	if (waits->knots_differ)
		say_knots(page, &sentence, waits);
	hr_page_paragraph(page, " ", 2, sentence.text);
}

void hr_text_waits(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_waits_summary *waits = &summary->waits;
	char buf[16];

	if (!(waits->waited_ns > 0))
		return;
	fputs("\nWHO WAITS FOR WHOM\n", page->out);
	if (!waits->blame_count) {
		struct hr_sentence sentence = { "", 0 };

		hr_say(&sentence, "All waiting, %s, is for work.", hr_text_duration((uint64_t)llround(waits->waited_ns), buf));
		hr_page_paragraph(page, " ", 2, sentence.text);
		return;
	}
	put_chains(page, summary);
	put_ends(page, summary);
}

/* ---- locks ---- */

/* "_PyRuntime+0x1a8 (the GIL)", "0x55d0c8 [heap]", "kernel mmap_lock". */
static void put_lock_name(const struct hr_page *page, int width, const struct hr_lock_summary *lock)
{
	const char *mapping = lock->symbol || lock->is_shared || lock->is_sited ? NULL : lock->mapping, *file = mapping ? strrchr(mapping, '/') : NULL;
	char name[512], title[sizeof(name) + 16];

	snprintf(name, sizeof(name), "%s%s%s%s", lock->is_kernel ? "kernel " : "", lock->name, mapping ? " " : "",
		 file ? file + 1 : mapping ? mapping : "");
	hr_page_text(page, width, hr_lock_title(name, lock->is_gil, title, sizeof(title)));
}

/* Its process stands before it in the line. */
static const char *releaser_of(const struct hr_lock_summary *lock)
{
	size_t length = strlen(lock->process);

	if (!lock->releaser)
		return "n/a";
	if (lock->process_count > 1)
		return lock->releaser;
	return strncmp(lock->releaser, lock->process, length) == 0 && lock->releaser[length] == '/' ? lock->releaser + length + 1 :
												       lock->releaser;
}

static void put_site_share(const struct hr_page *page, const struct hr_lock_summary *lock)
{
	char share[16], name[NAME_BYTES];

	fprintf(page->out, "    %s of that waiting is in %s\n", hr_page_share_text(lock->site_share, share), fit(page, lock->site, name));
}

static void put_lock(const struct hr_page *page, const struct hr_summary *summary, const struct hr_lock_summary *lock)
{
	char processes[40];

	fputs("  ", page->out);
	put_lock_name(page, -LOCK_COLUMNS, lock);
	fputc(' ', page->out);
	if (lock->process_count > 1)
		snprintf(processes, sizeof(processes), "%zu processes", lock->process_count);
	hr_page_text(page, -13, lock->process_count > 1 ? processes : lock->process);
	hr_page_count(page, 8, (double)lock->thread_count);
	hr_page_duration(page, 9, (double)lock->time_ns);
	hr_page_share(page, 10, hr_page_ratio(known(lock->contended_ns), (double)summary->run.recorded_ns));
	hr_page_count(page, 7, known(lock->longest));
	hr_page_duration(page, 9, hr_page_ratio(known(lock->handover_ns), (double)lock->count));
	fputs("  ", page->out);
	hr_page_last(page, HR_PAGE_COLUMNS - 88, releaser_of(lock));
	if (lock->is_sited && (lock->site_share < ONE_SITE || strlen(lock->name) > LOCK_COLUMNS))
		put_site_share(page, lock);
}

void hr_text_locks(const struct hr_page *page, const struct hr_summary *summary)
{
	double recorded_ns = (double)summary->run.recorded_ns;
	size_t count = 0;

	for (size_t i = 0; i < summary->waits.lock_count; i++) {
		const struct hr_lock_summary *lock = &summary->waits.locks[i];

		if (!lock->is_lock || (double)lock->time_ns < LEAST_WAITED * recorded_ns || count++ >= LOCKS_SHOWN)
			continue;
		if (count == 1) {
			fputc('\n', page->out);
			hr_page_text(page, -30, "LOCKS*");
			hr_page_text(page, -13, "process");
			fprintf(page->out, "%8s%9s%10s%7s%9s  %s\n", "threads", "waited", "contended", "queue", "handover",
				"released by");
		}
		put_lock(page, summary, lock);
	}
	if (count > LOCKS_SHOWN)
		fprintf(page->out, "  and %zu more\n", count - LOCKS_SHOWN);
	if (count)
		fputs("  * contended: share of the run in which a thread waited; queue: the longest; handover: from release\n"
		      "    until the woken thread had a CPU, mean\n", page->out);
}
