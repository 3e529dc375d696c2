/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/text_sections.h"
#include "store/tables.h"

#define NEIGHBOURS_SHOWN 5
#define HEALTH_COLUMNS 16
#define LINE_BYTES 1024

static double known(int64_t value)
{
	return value == HR_NULL ? NAN : (double)value;
}

static uint64_t cpu_time_ns(const struct hr_cpu_summary *cpu)
{
	return cpu->target_ns + cpu->other_ns + cpu->idle_ns;
}

static void put_cpu(const struct hr_page *page, const char *name, const struct hr_cpu_summary *cpu)
{
	double whole_ns = (double)cpu_time_ns(cpu);

	fputs("  ", page->out);
	hr_page_text(page, -20, name);
	hr_page_share(page, 9, hr_page_ratio((double)cpu->target_ns, whole_ns));
	hr_page_share(page, 9, hr_page_ratio((double)cpu->other_ns, whole_ns));
	hr_page_share(page, 9, hr_page_ratio((double)cpu->idle_ns, whole_ns));
	hr_page_share(page, 18, hr_page_ratio(known(cpu->steal_ns), whole_ns));
	hr_page_share(page, 9, hr_page_ratio(known(cpu->irq_ns), whole_ns));
	fputc('\n', page->out);
}

static void put_neighbours(const struct hr_page *page, const struct hr_summary *summary)
{
	char line[LINE_BYTES] = "";
	double recorded_ns = (double)summary->run.recorded_ns, rest_ns = 0;
	size_t length = 0;

	if (!summary->neighbour_count)
		return;
	for (size_t i = 0; i < summary->neighbour_count; i++) {
		const struct hr_neighbour_summary *neighbour = &summary->neighbours[i];

		if (i >= NEIGHBOURS_SHOWN || neighbour->pid == HR_NULL) {
			rest_ns += (double)neighbour->cpu_ns;
			continue;
		}
		length += (size_t)snprintf(line + length, sizeof(line) - length, "%s (%" PRId64 ") %.2f, ",
					   neighbour->name ? neighbour->name : "?", neighbour->pid,
					   hr_page_ratio((double)neighbour->cpu_ns, recorded_ns));
	}
	snprintf(line + length, sizeof(line) - length, "the rest %.2f", hr_page_ratio(rest_ns, recorded_ns));
	hr_page_paragraph(page, "  others, in CPUs:", 20, line);
}

void hr_text_cpus(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_cpu_summary *busiest = NULL;
	char name[32];

	if (!summary->cpu_count)
		return;
	for (size_t i = 0; i < summary->cpu_count; i++) {
		const struct hr_cpu_summary *cpu = &summary->cpus[i];

		if (!busiest || hr_page_ratio((double)cpu->idle_ns, (double)cpu_time_ns(cpu)) <
				hr_page_ratio((double)busiest->idle_ns, (double)cpu_time_ns(busiest)))
			busiest = cpu;
	}
	fputc('\n', page->out);
	hr_page_text(page, -22, "WHO HAD THE CPUS");
	fprintf(page->out, "%9s%9s%9s%18s%9s\n", "target", "others", "idle", "of these: steal", "irq");
	snprintf(name, sizeof(name), "all %zu", summary->cpu_count);
	put_cpu(page, name, &summary->cpu_total);
	if (summary->cpu_count > 1) {
		snprintf(name, sizeof(name), "busiest: CPU %" PRId64, busiest->cpu);
		put_cpu(page, name, busiest);
	}
	put_neighbours(page, summary);
}

static void put_cpu_wait(const struct hr_page *page, const struct hr_summary *summary, const char *name,
			 uint64_t time_ns, const uint64_t owner_ns[HR_OWNERS], const struct hr_latency *latency)
{
	if (!time_ns)
		return;
	fputs("  ", page->out);
	hr_page_text(page, -16, name);
	hr_page_duration(page, 9, (double)time_ns);
	for (int owner = 0; owner < HR_OWNERS; owner++)
		hr_page_share(page, 8, summary->owner_known[owner] || owner_ns[owner] ?
			      hr_page_ratio((double)owner_ns[owner], (double)time_ns) : NAN);
	hr_page_count(page, 8, (double)latency->count);
	hr_page_duration(page, 8, latency->p50_ns);
	hr_page_duration(page, 9, latency->p99_ns);
	fputc('\n', page->out);
}

void hr_text_cpu_waits(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_account *total = &summary->total;

	if (!total->state_ns[HR_STATE_RUNQ] && !total->state_ns[HR_STATE_PREEMPTED])
		return;
	fputc('\n', page->out);
	hr_page_text(page, -18, "WAITS FOR A CPU");
	hr_page_text(page, 9, "total");
	for (int owner = 0; owner < HR_OWNERS; owner++)
		hr_page_text(page, 8, hr_owner_name(owner));
	fprintf(page->out, "%8s%8s%9s\n", "waits", "p50", "p99");
	put_cpu_wait(page, summary, "runq", total->state_ns[HR_STATE_RUNQ], total->runq_owner_ns, &summary->runq);
	put_cpu_wait(page, summary, "preempted", total->state_ns[HR_STATE_PREEMPTED], total->preempted_owner_ns,
		     &summary->preempted);
}

void hr_text_quotas(const struct hr_page *page, const struct hr_summary *summary)
{
	if (!summary->quota_count)
		return;
	fputc('\n', page->out);
	hr_page_text(page, -52, "CPU QUOTA");
	fprintf(page->out, "%8s%10s%14s%14s\n", "CPUs", "period", "throttled in", "for");
	for (size_t i = 0; i < summary->quota_count; i++) {
		const struct hr_quota_summary *quota = &summary->quotas[i];

		fputs("  ", page->out);
		hr_page_text(page, -50, quota->cgroup ? quota->cgroup : "?");
		hr_page_count(page, 8, hr_page_ratio((double)quota->quota_ns, (double)quota->period_ns));
		hr_page_duration(page, 10, (double)quota->period_ns);
		hr_page_share(page, 14, hr_page_ratio((double)quota->throttled_periods, (double)quota->periods));
		hr_page_duration(page, 14, (double)quota->throttled_ns);
		fputc('\n', page->out);
	}
}

static void put_accounted(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_accounted *accounted = &summary->accounted;
	char line[LINE_BYTES], buf[16];

	if (isnan(accounted->share)) {
		hr_page_paragraph(page, "  accounted", HEALTH_COLUMNS, "not measured: no thread was recorded");
		return;
	}
	snprintf(line, sizeof(line), "%.2f %% of %s of thread time; the worst thread (tid %" PRId64 ") is %.2f %% off",
		 100 * accounted->share, hr_text_duration(summary->total.life_ns, buf),
		 summary->threads[accounted->worst].tid, 100 * accounted->worst_share);
	hr_page_paragraph(page, "  accounted", HEALTH_COLUMNS, line);
}

static void put_losses(const struct hr_page *page, const struct hr_summary *summary)
{
	if (!summary->loss_count)
		hr_page_paragraph(page, "  lost", HEALTH_COLUMNS,
				  summary->run.interval_count ? "nothing" : "not measured");
	for (size_t i = 0; i < summary->loss_count; i++) {
		const struct hr_loss_summary *loss = &summary->losses[i];
		char line[LINE_BYTES], buf[16];

		snprintf(line, sizeof(line), "%s time%s %s (%s%s)", hr_text_count((double)loss->count, buf),
			 loss->count == 1 ? "" : "s", loss->info ? loss->info->sentence : loss->name,
			 loss->info ? hr_loss_kind_name(loss->info->kind) : "of a later version",
			 loss->above_limit ? ", ABOVE THE LIMIT" : "");
		hr_page_paragraph(page, i ? "" : "  lost", HEALTH_COLUMNS, line);
	}
}

static void put_cost(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_cost *cost = &summary->cost;
	char line[LINE_BYTES], share[16], window[16];
	size_t length = 0;

	if (isnan(cost->collector_cpu_share))
		length += (size_t)snprintf(line, sizeof(line), "recorder: CPU not measured");
	else
		length += (size_t)snprintf(line, sizeof(line), "recorder: %s of one CPU",
					   hr_page_share_text(cost->collector_cpu_share, share));
	if (cost->collector_rss_bytes != HR_NULL)
		length += (size_t)snprintf(line + length, sizeof(line) - length, ", %.1f MiB",
					   (double)cost->collector_rss_bytes / (1024 * 1024));
	if (isnan(cost->bpf_cpu_share))
		snprintf(line + length, sizeof(line) - length, "; probes: not measured");
	else
		snprintf(line + length, sizeof(line) - length, "; probes: %s of one CPU (sampled for %s)",
			 hr_page_share_text(cost->bpf_cpu_share, share), hr_text_duration(cost->bpf_window_ns, window));
	hr_page_paragraph(page, "  cost", HEALTH_COLUMNS, line);
}

/* What is missing from the run for want of a feature; `headroom doctor` says more. */
static void put_features(const struct hr_page *page, const struct hr_summary *summary)
{
	static const char nothing[] = "nothing";
	bool first = true;

	for (size_t i = 0; i < summary->feature_count; i++) {
		const struct hr_feature_summary *feature = &summary->features[i];
		char line[LINE_BYTES];

		if (feature->has || strncmp(feature->lost_without, nothing, strlen(nothing)) == 0)
			continue;
		snprintf(line, sizeof(line), "%s: %s", feature->name, feature->lost_without);
		hr_page_paragraph(page, first ? "  kernel lacks" : "", HEALTH_COLUMNS, line);
		first = false;
	}
}

void hr_text_health(const struct hr_page *page, const struct hr_summary *summary)
{
	hr_page_title(page, "HEALTH", 0, "");
	put_accounted(page, summary);
	put_losses(page, summary);
	put_cost(page, summary);
	put_features(page, summary);
	fputs("\n-: none, n/a: not measured\n", page->out);
}
