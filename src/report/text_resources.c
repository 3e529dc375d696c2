/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "report/sentence.h"
#include "report/text_sections.h"
#include "store/tables.h"

#define DISKS_SHOWN 6
#define LIMITS_SHOWN 4
#define NAME_COLUMNS 18
#define HEAD_COLUMNS 16	      /* of paragraphs, as in HEALTH */
#define WORTH_A_ROW 0.001     /* utilisation of a disk that the target did not use */
#define WORTH_A_LINE 0.01     /* pressure */
#define HOST_NEARLY_FULL 0.9
#define MIB (1024.0 * 1024.0)

static double seconds_of(const struct hr_summary *summary)
{
	return (double)summary->run.recorded_ns / 1e9;
}

/* "23.7 MiB", "1.50 GiB". */
static const char *bytes(double value, char buf[16])
{
	if (value >= 1024 * MIB)
		snprintf(buf, 16, "%.2f GiB", value / (1024 * MIB));
	else
		snprintf(buf, 16, "%.1f MiB", value / MIB);
	return buf;
}

/* ---- disks ---- */

static bool is_used_by_target(const struct hr_disk_summary *disk)
{
	for (int i = 0; i < HR_DISK_OPERATIONS; i++)
		if (disk->operations[i].target.count)
			return true;
	return false;
}

static bool is_worth_showing(const struct hr_summary *summary, const struct hr_disk_summary *disk)
{
	return is_used_by_target(disk) || hr_disk_utilisation(summary, disk) >= WORTH_A_ROW;
}

static void put_operation(const struct hr_page *page, const struct hr_summary *summary, const char *name,
			  const struct hr_disk_operation_summary *operation)
{
	const struct hr_disk_work_summary *all = &operation->all;

	fputs("    ", page->out);
	hr_page_text(page, -(NAME_COLUMNS - 4), name);
	fprintf(page->out, "%18s", "");
	hr_page_count(page, 9, hr_page_ratio((double)all->count, seconds_of(summary)));
	hr_page_count(page, 9, hr_page_ratio((double)all->data_bytes / MIB, seconds_of(summary)));
	hr_page_duration(page, 9, operation->latency.p50_ns);
	hr_page_duration(page, 9, operation->latency.p99_ns);
	hr_page_duration(page, 9, hr_page_ratio((double)all->queued_ns, (double)all->count));
	hr_page_share(page, 10, hr_page_ratio((double)operation->target.count, (double)all->count));
	hr_page_count(page, 9, (double)all->errors);
	fputc('\n', page->out);
}

static void put_disk(const struct hr_page *page, const struct hr_summary *summary, const struct hr_disk_summary *disk)
{
	char queue[32];

	fputs("  ", page->out);
	hr_page_text(page, -(NAME_COLUMNS - 2), disk->name ? disk->name : "?");
	hr_page_share(page, 8, hr_disk_utilisation(summary, disk));
	snprintf(queue, sizeof(queue), "%.2f", (double)disk->in_flight_ns / (double)summary->run.recorded_ns);
	fprintf(page->out, "%10s\n", queue);
	for (int i = 0; i < HR_DISK_OPERATIONS; i++)
		if (disk->operations[i].all.count)
			put_operation(page, summary, hr_disk_operation_name(i), &disk->operations[i]);
}

void hr_text_disks(const struct hr_page *page, const struct hr_summary *summary)
{
	size_t shown = 0, worth = 0;

	for (size_t i = 0; i < summary->disk_count && summary->run.recorded_ns; i++) {
		if (!is_worth_showing(summary, &summary->disks[i]) || worth++ >= DISKS_SHOWN)
			continue;
		if (!shown++) {
			fputc('\n', page->out);
			hr_page_text(page, -NAME_COLUMNS, "DISKS");
			fprintf(page->out, "%8s%10s%9s%9s%9s%9s%9s%10s%9s\n", "busy", "in flight", "per s", "MiB/s", "p50", "p99",
				"queued", "by target", "failed");
		}
		put_disk(page, summary, &summary->disks[i]);
	}
	if (worth > shown)
		fprintf(page->out, "  and %zu more\n", worth - shown);
}

/* ---- memory ---- */

static void put_target_memory(const struct hr_page *page, const struct hr_summary *summary)
{
	const struct hr_memory_summary *memory = &summary->memory;
	struct hr_sentence sentence = { "", 0 };
	char buf[16];

	hr_say(&sentence, "%s resident at most", bytes((double)memory->resident_bytes, buf));
	if (memory->swapped_bytes > 0)
		hr_say(&sentence, ", %s in swap", bytes((double)memory->swapped_bytes, buf));
	hr_say(&sentence, "; %s minor", hr_text_count((double)memory->minor_faults / seconds_of(summary), buf));
	hr_say(&sentence, " and %s major page faults per second",
	       hr_text_count((double)memory->major_faults / seconds_of(summary), buf));
	hr_page_paragraph(page, "  target", HEAD_COLUMNS, sentence.text);
}

static bool is_limit_worth_saying(const struct hr_memory_limit_summary *limit)
{
	return limit->cgroup || limit->used_share >= HOST_NEARLY_FULL || limit->hits > 0 || limit->oom_kills > 0;
}

static void put_limit(const struct hr_page *page, const struct hr_memory_limit_summary *limit, const char *head)
{
	struct hr_sentence sentence = { "", 0 };
	char used[16], all[16], buf[16];

	hr_say(&sentence, "%s of %s used at most (%s)", bytes((double)limit->used_bytes, used),
	       bytes((double)limit->limit_bytes, all), hr_page_share_text(limit->used_share, buf));
	if (limit->cache_bytes > 0)
		hr_say(&sentence, ", %s of it cache", bytes((double)limit->cache_bytes, buf));
	if (limit->hits > 0)
		hr_say(&sentence, limit->cgroup ? "; the limit was hit %s times" : "; %s direct reclaims",
		       hr_text_count((double)limit->hits, buf));
	if (limit->refaults > 0)
		hr_say(&sentence, "; %s pages were dropped and read again", hr_text_count((double)limit->refaults, buf));
	if (limit->oom_kills > 0)
		hr_say(&sentence, "; %" PRId64 " process%s killed for want of memory", limit->oom_kills,
		       limit->oom_kills == 1 ? "" : "es");
	if (limit->cgroup)
		hr_say(&sentence, ": %s", limit->cgroup);
	hr_page_paragraph(page, head, HEAD_COLUMNS, sentence.text);
}

void hr_text_memory(const struct hr_page *page, const struct hr_summary *summary)
{
	size_t said = 0;

	if (summary->memory.resident_bytes == HR_NULL || !summary->run.recorded_ns)
		return;
	hr_page_title(page, "MEMORY", 0, "");
	put_target_memory(page, summary);
	for (size_t i = 0; i < summary->memory_limit_count; i++) {
		const struct hr_memory_limit_summary *limit = &summary->memory_limits[i];

		if (is_limit_worth_saying(limit) && (!limit->cgroup || said++ < LIMITS_SHOWN))
			put_limit(page, limit, limit->cgroup ? "  limit" : "  host");
	}
}

/* ---- pressure ---- */

static void put_pressure(const struct hr_page *page, const struct hr_summary *summary, const struct hr_pressure_summary *pressure)
{
	double recorded_ns = (double)summary->run.recorded_ns;
	struct hr_sentence sentence = { "", 0 };
	char head[HEAD_COLUMNS], buf[16];

	snprintf(head, sizeof(head), "  %s", pressure->resource ? pressure->resource : "?");
	hr_say(&sentence, "tasks of %s were held up for it %s of the time", pressure->cgroup ? pressure->cgroup : "the host",
	       hr_page_share_text((double)pressure->some_ns / recorded_ns, buf));
	if (pressure->full_ns > 0)
		hr_say(&sentence, ", all of them %s", hr_page_share_text((double)pressure->full_ns / recorded_ns, buf));
	hr_page_paragraph(page, head, HEAD_COLUMNS, sentence.text);
}

void hr_text_pressure(const struct hr_page *page, const struct hr_summary *summary)
{
	bool titled = false;

	for (size_t i = 0; i < summary->pressure_count; i++) {
		const struct hr_pressure_summary *pressure = &summary->pressures[i];

		if ((double)pressure->some_ns < WORTH_A_LINE * (double)summary->run.recorded_ns || !summary->run.recorded_ns)
			continue;
		if (!titled)
			hr_page_title(page, "PRESSURE", 0, "");
		titled = true;
		put_pressure(page, summary, pressure);
	}
}
