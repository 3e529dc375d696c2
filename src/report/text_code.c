/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/sentence.h"
#include "report/text_sections.h"

#define PLACES_SHOWN 8
#define PLACE_WORTH_SHOWING 0.005
#define GROUP_COLUMNS 24

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

#define SPINS 0.8 /* of the life of its threads but for their waits for a CPU: that is no work in between */

/* Nearly all the time on CPU there, whenever it gets one: it waits for the device without giving up the CPU. */
static bool spins(const struct hr_summary *summary, const struct hr_code_place *place)
{
	const struct hr_account *account = &summary->groups[place->group].account;
	double with_cpu_ns = (double)account->life_ns - (double)hr_account_group_ns(account, HR_GROUP_RUNNABLE);

	return place->is_driver && (double)place->time_ns >= SPINS * with_cpu_ns;
}

static const char *function_text(const struct hr_summary *summary, const struct hr_code_place *place)
{
	if (place->is_driver)
		return spins(summary, place) ? "spins in a driver's library" : "(in a driver's library)";
	return !place->has_stack ? "(no stack)" : place->function ? place->function : "(no symbol)";
}

static void put_function(const struct hr_page *page, const struct hr_summary *summary, const struct hr_code_place *place,
			 int function_columns, int module_columns)
{
	const char *module = last_part(place->module);

	hr_page_text(page, 1 - function_columns, function_text(summary, place));
	fputc(' ', page->out);
	hr_page_text(page, -module_columns, module ? module : "");
}

static void put_group(const struct hr_page *page, const struct hr_summary *summary, const struct hr_code_place *place)
{
	fputs("  ", page->out);
	hr_page_text(page, 1 - GROUP_COLUMNS, summary->groups[place->group].label);
	fputc(' ', page->out);
}

/* Of places in descending order of that weight, how many are worth a line. */
static size_t shown_of(const struct hr_code_place *places, size_t count, bool by_wall, uint64_t whole_ns)
{
	size_t shown = 0;

	while (shown < count && shown < PLACES_SHOWN &&
	       (double)(by_wall ? places[shown].alone_ns : places[shown].time_ns) >= PLACE_WORTH_SHOWING * (double)whole_ns)
		shown++;
	return shown;
}

static void put_more(const struct hr_page *page, size_t count, size_t shown)
{
	if (count > shown)
		fprintf(page->out, "  and %zu more\n", count - shown);
}

static void put_on_cpu(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_code *code = &summary->code;
	size_t shown = shown_of(code->on_cpu, code->on_cpu_count, true, code->alone_ns);

	if (!code->on_cpu_count)
		return;
	fprintf(page->out, "\n%-*s%-38s%-19s%8s%9s\n", GROUP_COLUMNS + 2, "HOT CODE ON CPU", "function", "module", "CPU", "wall*");
	for (size_t i = 0; i < shown; i++) {
		const struct hr_code_place *place = &code->on_cpu[i];

		put_group(page, summary, place);
		put_function(page, summary, place, 38, 19);
		hr_page_share(page, 8, hr_page_ratio((double)place->time_ns, (double)code->on_cpu_ns));
		hr_page_share(page, 9, hr_page_ratio((double)place->alone_ns, (double)code->alone_ns));
		fputc('\n', page->out);
	}
	put_more(page, code->on_cpu_count, shown);
	fputs("  * a sample among n threads of its process on CPU at once counts 1/n: what it costs in wall time\n", page->out);
}

static void put_off_cpu(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_code *code = &summary->code;
	size_t shown = shown_of(code->off_cpu, code->off_cpu_count, false, code->off_cpu_ns);

	if (!code->off_cpu_count)
		return;
	fprintf(page->out, "\n%-*s%-12s%-15s%-26s%-13s%8s\n", GROUP_COLUMNS + 2, "HOT CODE OFF CPU", "state", "call", "function*", "module",
		"blocked");
	for (size_t i = 0; i < shown; i++) {
		const struct hr_code_place *place = &code->off_cpu[i];

		put_group(page, summary, place);
		hr_page_text(page, -12, hr_state_name(place->state));
		hr_page_text(page, -14, place->syscall ? place->syscall : "-");
		fputc(' ', page->out);
		put_function(page, summary, place, 26, 13);
		hr_page_share(page, 8, hr_page_ratio((double)place->time_ns, (double)code->off_cpu_ns));
		fputc('\n', page->out);
	}
	put_more(page, code->off_cpu_count, shown);
	fputs("  * innermost of the program's own; waits that had not ended with the run are not sampled\n", page->out);
}

/* How good the stacks are, and what would make them better. */
static void put_quality(const struct hr_page *page, const struct hr_code *code)
{
	double without = hr_page_ratio((double)code->samples_without_stack, (double)code->samples);
	double cut_off = hr_page_ratio((double)code->samples_with_short_stack, (double)code->samples);
	struct hr_sentence sentence = { "", 0 };
	char buf[2][16], number[16];

	if (without + cut_off <= 0)
		return;
	hr_say(&sentence, "Of %s samples, %s have no user stack and %s one of under %d functions.",
	       hr_text_count((double)code->samples, number), without > 0 ? hr_page_share_text(without, buf[0]) : "none",
	       cut_off > 0 ? hr_page_share_text(cut_off, buf[1]) : "none", HR_SHORT_STACK_FRAMES);
	if (without + cut_off >= HR_WORTH_SAYING)
		hr_say(&sentence, " Frame pointers give more (-fno-omit-frame-pointer), and names of code made at run time need a map: "
		       "Python 3.12 -X perf, Node --perf-basic-prof, perf-map-agent for Java.");
	hr_page_paragraph(page, "  stacks", 10, sentence.text);
}

void hr_text_code(const struct hr_page *page, const struct hr_summary *summary)
{
	put_on_cpu(page, summary);
	put_off_cpu(page, summary);
	if (summary->code.samples)
		put_quality(page, &summary->code);
}
