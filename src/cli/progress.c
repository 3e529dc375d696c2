/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/progress.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/terminal.h"

void hr_progress_init(struct hr_progress *progress, FILE *out)
{
	*progress = (struct hr_progress){ .out = out, .on = isatty(fileno(out)) };
}

static double percent(uint64_t part_ns, uint64_t whole_ns)
{
	return whole_ns ? 100.0 * part_ns / whole_ns : 0;
}

#define LINE_BYTES 256

/* Of an interval in which requests were answered: "1.23 k requests/s  15.9 in flight  p99 3.2 ms  ". */
static int put_requests(char *line, size_t size, const struct hr_drain_totals *totals, uint64_t interval_ns)
{
	char rate[16], in_flight[32] = "", p99[16], last[32] = "";

	if (!totals->requests || !interval_ns)
		return 0;
	if (!isnan(totals->in_flight))
		snprintf(in_flight, sizeof(in_flight), "%.1f in flight  ", totals->in_flight);
	if (!isnan(totals->request_p99_ns))
		snprintf(last, sizeof(last), "p99 %s  ", hr_text_duration((uint64_t)totals->request_p99_ns, p99));
	return snprintf(line, size, "%s requests/s  %s%s", hr_text_count(totals->requests * 1e9 / interval_ns, rate), in_flight,
			last);
}

/* "level 2 of 6: 8, warm-up, 40 s left  " */
static int put_doing(char *line, size_t size, const struct hr_progress *progress)
{
	uint64_t now_ns = hr_clock_mono_ns();
	char left[32] = "";

	if (!progress->doing)
		return 0;
	if (progress->end_ns > now_ns)
		snprintf(left, sizeof(left), ", %llu s left", (unsigned long long)((progress->end_ns - now_ns) / 1000000000 + 1));
	return snprintf(line, size, "%s%s%s  ", progress->doing, progress->is_warmup ? ", warm-up" : "", left);
}

void hr_progress_show(struct hr_progress *progress, uint64_t elapsed_ns, const struct hr_drain_totals *totals,
		      uint64_t interval_ns)
{
	uint64_t all_ns = totals->on_cpu_ns + totals->runnable_ns + totals->blocked_ns;
	char line[LINE_BYTES], elapsed[16], rate[16];
	int length;

	progress->losses += totals->losses;
	if (!progress->on)
		return;
	length = put_doing(line, sizeof(line), progress);
	length += snprintf(line + length, sizeof(line) - length, "%s  ", hr_text_duration(elapsed_ns, elapsed));
	length += put_requests(line + length, sizeof(line) - length, totals, interval_ns);
	snprintf(line + length, sizeof(line) - length,
		 "%" PRIu32 " threads  %s syscalls/s  on CPU %.1f %%  waiting for CPU %.1f %%  blocked %.1f %%  lost %" PRIu64,
		 totals->threads, hr_text_count(interval_ns ? totals->calls * 1e9 / interval_ns : 0, rate),
		 percent(totals->on_cpu_ns, all_ns), percent(totals->runnable_ns, all_ns), percent(totals->blocked_ns, all_ns),
		 progress->losses);
	/* a line that the terminal breaks cannot be overwritten: what does not fit is left out */
	fprintf(progress->out, "\r\033[K%.*s", hr_terminal_columns(progress->out, LINE_BYTES), line);
	fflush(progress->out);
	progress->shown = true;
}

void hr_progress_clear(struct hr_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", progress->out);
	progress->shown = false;
}
