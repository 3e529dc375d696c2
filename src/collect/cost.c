/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cost.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/clock.h"

#define EMPTY_RUNS 200

struct hr_cost {
	int empty_fd; /* a program that does nothing */
	int stats_fd; /* statistics are on while it is open */
	uint64_t since_ns;
	struct hr_program_cost before[HR_COST_PROGRAMS_MAX];
	size_t before_count;
};

int hr_cost_open(struct hr_cost **ret_cost, struct hr_err *err)
{
	const struct bpf_insn empty[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 }, /* r0 = 0 */
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct hr_cost *cost = calloc(1, sizeof(*cost));

	if (!cost)
		return hr_err_set(err, -ENOMEM, "out of memory");
	cost->stats_fd = -1;
	cost->empty_fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "hr_empty", "GPL", empty, 2, NULL);
	*ret_cost = cost;
	return 0;
}

void hr_cost_close(struct hr_cost *cost)
{
	if (!cost)
		return;
	if (cost->stats_fd >= 0)
		close(cost->stats_fd);
	if (cost->empty_fd >= 0)
		close(cost->empty_fd);
	free(cost);
}

bool hr_cost_is_open(const struct hr_cost *cost)
{
	return cost->stats_fd >= 0;
}

void hr_cost_begin(struct hr_cost *cost, struct hr_probes *probes)
{
	if (cost->stats_fd >= 0 || cost->empty_fd < 0)
		return;
	cost->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (cost->stats_fd < 0)
		return;
	cost->before_count = hr_probes_costs(probes, cost->before, HR_COST_PROGRAMS_MAX);
	cost->since_ns = hr_clock_mono_ns();
}

/* What the statistics read for a program that does nothing: their own two clock readings. Negative: not known. */
static double empty_run_ns(int fd)
{
	uint64_t argument = 0;
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &argument, .ctx_size_in = sizeof(argument));
	struct bpf_prog_info info = { 0 };
	uint32_t bytes = sizeof(info);

	for (int i = 0; i < EMPTY_RUNS; i++)
		if (bpf_prog_test_run_opts(fd, &options))
			return -1;
	if (bpf_obj_get_info_by_fd(fd, &info, &bytes) || !info.run_cnt)
		return -1;
	return (double)info.run_time_ns / info.run_cnt;
}

bool hr_cost_end(struct hr_cost *cost, struct hr_probes *probes, struct hr_cost_sample *ret)
{
	double empty_ns;

	if (cost->stats_fd < 0)
		return false;
	ret->window_ns = hr_clock_mono_ns() - cost->since_ns;
	ret->count = hr_probes_costs(probes, ret->programs, HR_COST_PROGRAMS_MAX);
	empty_ns = empty_run_ns(cost->empty_fd);
	close(cost->stats_fd);
	cost->stats_fd = -1;
	if (empty_ns < 0 || ret->count != cost->before_count)
		return false;
	for (size_t i = 0; i < ret->count; i++) {
		struct hr_program_cost *program = &ret->programs[i];
		double time_ns;

		program->runs -= cost->before[i].runs;
		time_ns = (double)(program->time_ns - cost->before[i].time_ns) - empty_ns * program->runs;
		program->time_ns = time_ns > 0 ? time_ns : 0;
	}
	return true;
}

double hr_cost_share(const struct hr_cost_sample *sample)
{
	uint64_t time_ns = 0;

	for (size_t i = 0; i < sample->count; i++)
		time_ns += sample->programs[i].time_ns;
	return sample->window_ns ? (double)time_ns / (double)sample->window_ns : NAN;
}
