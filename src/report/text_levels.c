/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "report/sentence.h"
#include "report/text_verdict.h"

#define LABEL_COLUMNS 20
#define WAITS_SHOWN 2 /* parts of the service time with a column of their own */
#define WAIT_COLUMNS 12

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
	static const char *const names[] = {
		[HR_MODEL_LINEAR] = "linear growth",
		[HR_MODEL_CAP] = "a hard cap",
		[HR_MODEL_USL] = "Universal Scalability Law",
	};
	struct hr_sentence sentence = { "", 0 };
	char buf[16], load[16];

	if (model->kind == HR_MODEL_NONE) {
		if (model->why) {
			hr_say(&sentence, "none: %s", model->why);
			hr_page_paragraph(page, "  model", HR_HEAD_COLUMNS, sentence.text);
		}
		return;
	}
	hr_say(&sentence, "%s: %s/s for each unit of load while there are few (lambda)", names[model->kind], hr_text_count(model->lambda, buf));
	if (model->kind == HR_MODEL_USL)
		hr_say(&sentence, ", contention (sigma) %.3g [%.2g .. %.2g], coherency (kappa) %.3g [%.2g .. %.2g]", model->sigma,
		       model->sigma_range.low, model->sigma_range.high, model->kappa, model->kappa_range.low, model->kappa_range.high);
	if (model->peak_identified)
		hr_say(&sentence, ", at most %s/s; the knee is at a load of %s%s", hr_text_count(model->peak_throughput_rps, buf),
		       hr_text_count(model->peak_load, load), model->peak_measured ? "" : ", which is beyond what was measured");
	else
		hr_say(&sentence, "; where it ends is not identified");
	hr_say(&sentence, ".");
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
		      "     time    req/s            in flight     mean      p99     CPUs   busiest*");
	for (size_t i = 0; i < axis->level_count; i++)
		put_level(page, &axis->levels[i], most_rps);
	put_model(page, &analysis->model);
	hr_page_paragraph(page, "  *", 4, "share of the level in which the busiest thread was on CPU; CPUs: share of all CPU time that "
			  "somebody used");
}

/* ---- where a request's time goes, level by level ---- */

/* The parts of the service time that are not on or for a CPU: each blocked state, and the hand-over after the last. */
#define HANDOFF HR_STATES
#define PARTS (HR_STATES + 1)

static const char *part_name(int part)
{
	return part == HANDOFF ? HR_HANDOFF_NAME : hr_state_name(part);
}

/* Means of a request of a level; those of the service time are shares of it, known for most requests but not for all. */
struct request_time {
	double mean_ns, queue_ns, stream_ns, on_cpu_ns, for_cpu_ns, part_ns[PARTS];
};

static double mean_or_0(const struct hr_stage_summary *stage)
{
	return stage->count ? hr_stage_mean_ns(stage) : 0;
}

/* false: nothing was followed from its first read to its answer. */
static bool request_time(const struct hr_request_summary *requests, struct request_time *ret_time)
{
	const struct hr_stage_summary *stages = requests->stages;
	double budget_ns = (double)hr_budget_total_ns(&requests->budget), scale;
	double service_ns = mean_or_0(&stages[HR_STAGE_SERVICE]);
	struct request_time time = { .mean_ns = hr_stage_mean_ns(&stages[HR_STAGE_TOTAL]), .stream_ns = mean_or_0(&stages[HR_STAGE_STREAM]) };

	if (requests->requests == HR_NULL || !(time.mean_ns > 0) || !(budget_ns > 0))
		return false;
	/* the queue is also of reads that were never answered: of a request it is what service and stream leave */
	time.queue_ns = fmin(mean_or_0(&stages[HR_STAGE_QUEUE]), fmax(0, time.mean_ns - service_ns - time.stream_ns));
	scale = service_ns / budget_ns;
	for (int state = 0; state < HR_STATES; state++) {
		double ns = scale * (double)requests->budget.state_ns[state];

		if (hr_state_group(state) == HR_GROUP_BLOCKED)
			time.part_ns[state] = ns;
		else
			*(hr_state_group(state) == HR_GROUP_ON_CPU ? &time.on_cpu_ns : &time.for_cpu_ns) += ns;
	}
	time.part_ns[HANDOFF] = scale * (double)requests->budget.handoff_ns;
	*ret_time = time;
	return true;
}

/* The parts that take most at any level, the largest first. */
static size_t main_parts(const struct hr_axis *axis, int parts[WAITS_SHOWN])
{
	double most_ns[PARTS] = { 0 };
	struct request_time time;
	size_t count = 0;

	for (size_t i = 0; i < axis->level_count; i++)
		for (int part = 0; request_time(&axis->levels[i].summary->requests, &time) && part < PARTS; part++)
			most_ns[part] = fmax(most_ns[part], time.part_ns[part]);
	while (count < WAITS_SHOWN) {
		int best = 0;

		for (int part = 1; part < PARTS; part++)
			if (most_ns[part] > most_ns[best])
				best = part;
		if (!(most_ns[best] > 0))
			break;
		most_ns[best] = 0;
		parts[count++] = best;
	}
	return count;
}

static void put_request_time(const struct hr_page *page, const struct hr_level *level, const int *parts, size_t part_count)
{
	struct request_time time;
	double rest_ns = 0;

	if (!request_time(&level->summary->requests, &time))
		return;
	for (int part = 0; part < PARTS; part++)
		rest_ns += time.part_ns[part];
	fputs("  ", page->out);
	hr_page_text(page, -(LABEL_COLUMNS - 2), level->label);
	hr_page_duration(page, 9, time.mean_ns);
	hr_page_duration(page, 9, time.queue_ns);
	hr_page_duration(page, 9, time.on_cpu_ns);
	hr_page_duration(page, 9, time.for_cpu_ns);
	for (size_t i = 0; i < part_count; i++) {
		hr_page_duration(page, WAIT_COLUMNS, time.part_ns[parts[i]]);
		rest_ns -= time.part_ns[parts[i]];
	}
	hr_page_duration(page, 9, rest_ns < 1 ? 0 : rest_ns); /* what is left of a sum of fractions is none */
	hr_page_duration(page, 9, time.stream_ns);
	fputc('\n', page->out);
}

void hr_text_request_times(const struct hr_page *page, const struct hr_analysis *analysis)
{
	const struct hr_axis *axis = &analysis->axis;
	int parts[WAITS_SHOWN];
	size_t part_count = main_parts(axis, parts), known = 0;
	struct request_time time;

	for (size_t i = 0; i < axis->level_count; i++)
		known += request_time(&axis->levels[i].summary->requests, &time);
	if (axis->kind == HR_AXIS_NONE || !known)
		return;
	fputc('\n', page->out);
	hr_page_text(page, -LABEL_COLUMNS, "A REQUEST'S TIME*");
	fprintf(page->out, "%9s%9s%9s%9s", "mean", "queue", "on CPU", "for CPU");
	for (size_t i = 0; i < part_count; i++)
		hr_page_text(page, WAIT_COLUMNS, part_name(parts[i]));
	fprintf(page->out, "%9s%9s\n", "rest", "stream");
	for (size_t i = 0; i < axis->level_count; i++)
		put_request_time(page, &axis->levels[i], parts, part_count);
	hr_page_paragraph(page, "  *", 4, "means by level. queue: until its first read; then service, by what the thread that serves it does, until "
			  "the first write of the answer; stream: until the last");
}
