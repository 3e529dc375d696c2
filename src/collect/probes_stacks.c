/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "collect/probes_private.h"

#define BATCH 128 /* entries taken out of a map at a time */
#define NS_PER_S 1000000000U

void hr_probes_stacks_configure(struct hr_probes *probes, uint32_t sample_hz)
{
	struct headroom_bpf *bpf = probes->bpf;

	bpf->rodata->config.sample_period_ns = sample_hz ? NS_PER_S / sample_hz : 0;
	bpf_program__set_autoload(bpf->progs.on_cpu_sample, sample_hz != 0);
	if (sample_hz)
		return;
	bpf_map__set_max_entries(bpf->maps.stacks, 1);
	bpf_map__set_max_entries(bpf->maps.samples, 1);
}

/* A timer of that CPU. */
static int open_timer(uint32_t cpu, uint32_t period_ns)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period_ns,
	};

	return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static int attach_timer(struct hr_probes *probes, uint32_t cpu, struct hr_err *err)
{
	int fd = open_timer(cpu, probes->bpf->rodata->config.sample_period_ns);

	if (fd < 0 && (errno == ENODEV || errno == ENXIO)) /* the CPU is offline */
		return 0;
	if (fd < 0)
		return hr_err_errno(err, -errno, "cannot sample CPU %u (--no-stacks does without)", cpu);
	probes->timers[cpu] = bpf_program__attach_perf_event(probes->bpf->progs.on_cpu_sample, fd);
	if (probes->timers[cpu])
		return 0;
	close(fd);
	return hr_err_errno(err, -errno, "cannot attach the sampling of stacks (--no-stacks does without)");
}

int hr_probes_stacks_attach(struct hr_probes *probes, struct hr_err *err)
{
	int ret = 0;

	if (!probes->bpf->rodata->config.sample_period_ns)
		return 0;
	probes->timers = calloc(probes->cpus, sizeof(*probes->timers));
	if (!probes->timers)
		return hr_err_set(err, -ENOMEM, "out of memory");
	for (uint32_t cpu = 0; cpu < probes->cpus && !ret; cpu++)
		ret = attach_timer(probes, cpu, err);
	return ret;
}

void hr_probes_stacks_detach(struct hr_probes *probes)
{
	for (uint32_t cpu = 0; probes->timers && cpu < probes->cpus; cpu++)
		bpf_link__destroy(probes->timers[cpu]);
	free(probes->timers);
	probes->timers = NULL;
}

uint32_t hr_probes_sample_period_ns(const struct hr_probes *probes)
{
	return probes->bpf->rodata->config.sample_period_ns;
}

/* Take everything out of a hash map. */
static int take_all(const struct bpf_map *map, void (*each)(void *context, const void *key, const void *value), void *context)
{
	size_t key_bytes = bpf_map__key_size(map), value_bytes = bpf_map__value_size(map);
	char *keys = malloc(BATCH * key_bytes), *values = malloc(BATCH * value_bytes);
	uint64_t position[8], *before = NULL; /* as large as any key */
	int ret = keys && values ? 0 : -ENOMEM;

	while (!ret) {
		uint32_t count = BATCH;

		if (bpf_map_lookup_and_delete_batch(bpf_map__fd(map), before, position, keys, values, &count, NULL))
			ret = -errno;
		if (ret && ret != -ENOENT)
			break;
		for (uint32_t i = 0; i < count; i++)
			each(context, keys + i * key_bytes, values + i * value_bytes);
		before = position;
	}
	free(keys);
	free(values);
	return ret == -ENOENT ? 0 : ret; /* the last batch */
}

struct takers {
	const struct hr_stack_takers *takers;
	void *context;
};

static void take_stack(void *context, const void *key, const void *value)
{
	const struct takers *to = context;

	to->takers->stack(to->context, *(const uint64_t *)key, value);
}

static void take_sample(void *context, const void *key, const void *value)
{
	const struct takers *to = context;

	to->takers->sample(to->context, key, value);
}

int hr_probes_take_samples(struct hr_probes *probes, const struct hr_stack_takers *takers, void *context)
{
	struct takers to = { takers, context };
	int ret;

	if (!hr_probes_sample_period_ns(probes))
		return 0;
	/* samples first: the stacks of all that are taken are there then */
	ret = take_all(probes->bpf->maps.samples, take_sample, &to);
	return ret ? ret : take_all(probes->bpf->maps.stacks, take_stack, &to);
}
