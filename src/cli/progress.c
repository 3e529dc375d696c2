/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/progress.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/text.h"

void hr_progress_init(struct hr_progress *progress, FILE *out)
{
	*progress = (struct hr_progress){ .out = out, .on = isatty(fileno(out)) };
}

static double percent(uint64_t part_ns, uint64_t whole_ns)
{
	return whole_ns ? 100.0 * part_ns / whole_ns : 0;
}

void hr_progress_show(struct hr_progress *progress, uint64_t elapsed_ns, const struct hr_drain_totals *totals,
		      uint64_t interval_ns)
{
	uint64_t all_ns = totals->on_cpu_ns + totals->runnable_ns + totals->blocked_ns;
	char elapsed[16], rate[16];

	progress->losses += totals->losses;
	if (!progress->on)
		return;
	fprintf(progress->out,
		"\r\033[K%s  %" PRIu32 " threads  %s syscalls/s  on CPU %.1f %%  waiting for CPU %.1f %%  blocked %.1f %%  lost %" PRIu64,
		hr_text_duration(elapsed_ns, elapsed), totals->threads,
		hr_text_count(interval_ns ? totals->calls * 1e9 / interval_ns : 0, rate), percent(totals->on_cpu_ns, all_ns),
		percent(totals->runnable_ns, all_ns), percent(totals->blocked_ns, all_ns), progress->losses);
	fflush(progress->out);
	progress->shown = true;
}

void hr_progress_clear(struct hr_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", progress->out);
	progress->shown = false;
}
