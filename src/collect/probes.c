/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/probes.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "collect/files.h"
#include "collect/probes_private.h"
#include "collect/syscalls.h"
#include "headroom/config.h"

/* So often the kernel skips a program by chance, when one interrupts another. */
#define SKIPPED_MANY 8

#define CALL_RECORDS_BYTES (32U << 20) /* mapped, and so resident, as a whole */

#define OBJECTS 3

/* The programs, and their spares; NULL: these were not needed. */
static struct headroom_bpf *object_of(const struct hr_probes *probes, int index)
{
	struct headroom_bpf *const objects[OBJECTS] = { probes->bpf, probes->classic, probes->seconds };

	return objects[index];
}

/* A power of two: one per CPU, but not more than that. */
static uint32_t shards_for(uint32_t cpus, uint32_t max)
{
	uint32_t shards = 1;

	while (shards < cpus && shards < max)
		shards *= 2;
	return shards;
}

static int configure(struct hr_probes *probes, const struct hr_probes_options *options, const struct btf *kernel,
		     struct hr_err *err)
{
	struct headroom_bpf *bpf = probes->bpf;
	unsigned long pid_max = 0;
	char text[32];
	int possible = libbpf_num_possible_cpus();

	if (possible < 0)
		return hr_err_errno(err, possible, "cannot count the CPUs");
	if (hr_file_read("/proc/sys/kernel/pid_max", text, sizeof(text)) > 0)
		pid_max = strtoul(text, NULL, 10);
	if (!pid_max)
		pid_max = 4194304; /* the kernel's own limit */
	probes->cpus = possible;
	probes->shards = shards_for(possible, HR_CALL_SHARDS_MAX);
	probes->flow_shards = shards_for(possible, HR_FLOW_SHARDS_MAX);
	bpf->rodata->config = (struct hr_bpf_config){
		.epoch_ns = probes->epoch_ns,
		.cpus = probes->cpus,
		.call_shards = probes->shards,
		.flow_shards = probes->flow_shards,
		.self_pid = getpid(),
		.shard_per_cpu = probes->cpus <= probes->shards,
		.follow_children = options->follow_children,
		.has_rdonly_cast = btf__find_by_name_kind(kernel, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0,
		.has_preempt_disable = btf__find_by_name_kind(kernel, "bpf_preempt_disable", BTF_KIND_FUNC) > 0,
	};
	hr_syscall_kinds(bpf->rodata->call_kinds);
	hr_syscall_buffers(bpf->rodata->call_buffers);
	bpf_map__set_max_entries(bpf->maps.thread_slots, pid_max + 1);
	probes->records = CALL_RECORDS_BYTES / (probes->shards * sizeof(struct hr_calls));
	if (probes->records > HR_CALL_RECORDS)
		probes->records = HR_CALL_RECORDS;
	bpf_map__set_max_entries(bpf->maps.calls, probes->records * probes->shards);
	bpf_map__set_max_entries(bpf->maps.cpus, probes->cpus);
	hr_probes_requests_configure(probes);
	hr_probes_stacks_configure(probes, options->sample_hz);
	hr_probes_unwind_configure(probes, options->sample_hz != 0);
	return 0;
}

static int prepare_maps(struct hr_probes *probes, struct hr_err *err)
{
	struct headroom_bpf *bpf = probes->bpf;
	int ret;

	if ((ret = hr_probes_map(bpf->maps.threads, &probes->threads, err)) ||
	    (ret = hr_probes_map(bpf->maps.processes, &probes->processes, err)) ||
	    (ret = hr_probes_map(bpf->maps.calls, &probes->calls, err)) ||
	    (ret = hr_probes_map(bpf->maps.cpus, &probes->cpu_records, err)) ||
	    (ret = hr_probes_fill(bpf->maps.free_threads, 1, HR_THREAD_SLOTS - 1, err)) ||
	    (ret = hr_probes_fill(bpf->maps.free_processes, 1, HR_PROCESS_SLOTS - 1, err)))
		return ret;
	ret = hr_probes_fill(bpf->maps.free_calls, 1, probes->records - 1, err);
	if (!ret)
		ret = hr_probes_requests_prepare(probes, err);
	if (!ret)
		ret = hr_probes_disks_prepare(probes, err);
	if (!ret)
		ret = hr_probes_unwind_prepare(probes, err);
	return ret ? ret : hr_probes_waits_prepare(probes, err);
}

static int load(struct hr_probes *probes, struct hr_err *err)
{
	int ret = headroom_bpf__load(probes->bpf);

	if (ret == -EPERM) /* -EACCES is a verdict of the verifier */
		return hr_err_errno(err, ret, "the kernel does not let headroom load BPF programs: run it as root (sudo)");
	if (ret)
		return hr_err_errno(err, ret, "cannot load the BPF programs (headroom doctor says what this kernel has)");
	return 0;
}

static int open_programs(struct hr_probes *probes, const struct hr_probes_options *options, const struct btf *kernel,
			 enum hr_request_hooks hooks, struct hr_err *err)
{
	int ret;

	probes->bpf = headroom_bpf__open();
	if (!probes->bpf)
		return hr_err_errno(err, -errno, "cannot open the BPF programs");
	probes->has_requests = hooks != HR_REQUESTS_UNSEEN;
	ret = hr_probes_choose(probes->bpf, kernel, hooks, options->request_symbol, err);
	if (!ret)
		ret = configure(probes, options, kernel, err);
	return ret ? ret : load(probes, err);
}

int hr_probes_open(const struct hr_probes_options *options, struct hr_probes **ret_probes, struct hr_err *err)
{
	struct hr_probes *probes = calloc(1, sizeof(*probes));
	struct btf *kernel = NULL;
	enum hr_request_hooks hooks;
	int ret;

	if (!probes)
		return hr_err_set(err, -ENOMEM, "out of memory");
	probes->epoch_ns = hr_clock_mono_ns();
	probes->request_binary = options->request_binary;
	probes->request_symbol = options->request_symbol;
	kernel = btf__load_vmlinux_btf();
	if (!kernel) {
		ret = hr_err_errno(err, -errno, "cannot read the kernel's types (/sys/kernel/btf/vmlinux); "
						"headroom needs a kernel built with CONFIG_DEBUG_INFO_BTF");
		goto out;
	}
	hooks = hr_probes_request_hooks(kernel);
	ret = open_programs(probes, options, kernel, hooks, err);
	if (ret && ret != -EPERM && hooks == HR_REQUESTS_BY_FUNCTIONS) { /* it has the functions, but cannot trace them */
		headroom_bpf__destroy(probes->bpf);
		ret = open_programs(probes, options, kernel, HR_REQUESTS_UNSEEN, err);
	}
	if (!ret)
		ret = prepare_maps(probes, err);
	if (!ret)
		*ret_probes = probes;
out:
	btf__free(kernel);
	if (ret)
		hr_probes_close(probes);
	return ret;
}

/* Who has a CPU is known from its first switch on: run on each of them once, so that none has to wait for its own. */
static void visit_cpus(void)
{
	int configured = sysconf(_SC_NPROCESSORS_CONF);
	cpu_set_t *home = CPU_ALLOC(configured), *there = CPU_ALLOC(configured);
	size_t bytes = CPU_ALLOC_SIZE(configured);

	if (home && there && sched_getaffinity(0, bytes, home) == 0) {
		for (int cpu = 0; cpu < configured; cpu++) {
			CPU_ZERO_S(bytes, there);
			CPU_SET_S(cpu, bytes, there);
			sched_setaffinity(0, bytes, there); /* one that is offline is left out */
		}
		sched_setaffinity(0, bytes, home);
	}
	CPU_FREE(home);
	CPU_FREE(there);
}

/* Iterators are run, and a function's probes need to know which. */
static bool is_attached_by_section(const struct bpf_program *program)
{
	enum bpf_attach_type type = bpf_program__expected_attach_type(program);

	return type == BPF_TRACE_RAW_TP || type == BPF_TRACE_FENTRY || type == BPF_TRACE_FEXIT;
}

static int attach_all(struct hr_probes *probes, struct hr_err *err)
{
	struct bpf_program *program;
	int ret;

	bpf_object__for_each_program(program, probes->bpf->obj) {
		struct bpf_link **link = NULL;

		if (!bpf_program__autoload(program) || !is_attached_by_section(program))
			continue;
		for (int i = 0; i < probes->bpf->skeleton->prog_cnt; i++)
			if (*probes->bpf->skeleton->progs[i].prog == program)
				link = probes->bpf->skeleton->progs[i].link;
		*link = bpf_program__attach(program);
		if (!*link)
			return hr_err_errno(err, -errno, "cannot attach the BPF program '%s'", bpf_program__name(program));
	}
	ret = hr_probes_requests_attach(probes, err);
	return ret ? ret : hr_probes_stacks_attach(probes, err);
}

int hr_probes_attach(struct hr_probes *probes, struct hr_err *err)
{
	int ret = attach_all(probes, err);

	if (ret)
		hr_probes_detach(probes);
	else
		visit_cpus();
	return ret;
}

static int program_info(const struct bpf_program *program, struct bpf_prog_info *ret_info)
{
	uint32_t bytes = sizeof(*ret_info);

	memset(ret_info, 0, sizeof(*ret_info));
	if (bpf_program__fd(program) < 0)
		return -ENOENT;
	return bpf_obj_get_info_by_fd(bpf_program__fd(program), ret_info, &bytes);
}

uint64_t hr_probes_skipped(const struct bpf_program *program)
{
	struct bpf_prog_info info;

	return program_info(program, &info) ? 0 : info.recursion_misses;
}

static void replace_link(struct bpf_link **before, struct bpf_link **link, const struct bpf_program *program)
{
	bpf_link__destroy(*before);
	*before = NULL;
	*link = bpf_program__attach(program);
}

static void go_classic(struct hr_probes *probes)
{
	struct headroom_bpf *bpf = probes->bpf, *classic;

	probes->asked_classic = true;
	classic = probes->classic = hr_probes_load_spares(probes, hr_probes_is_classic);
	if (!classic) /* some events are better than none */
		return;
	replace_link(&bpf->links.sys_enter, &classic->links.tp_sys_enter, classic->progs.tp_sys_enter);
	replace_link(&bpf->links.sys_exit, &classic->links.tp_sys_exit, classic->progs.tp_sys_exit);
	if (classic->links.tp_sys_enter && classic->links.tp_sys_exit)
		return;
	/* no tracefs: likewise */
	replace_link(&classic->links.tp_sys_enter, &bpf->links.sys_enter, bpf->progs.sys_enter);
	replace_link(&classic->links.tp_sys_exit, &bpf->links.sys_exit, bpf->progs.sys_exit);
}

void hr_probes_mend(struct hr_probes *probes)
{
	const struct headroom_bpf *bpf = probes->bpf;

	hr_probes_requests_mend(probes);
	if (!probes->asked_classic && hr_probes_skipped(bpf->progs.sys_enter) + hr_probes_skipped(bpf->progs.sys_exit) >= SKIPPED_MANY)
		go_classic(probes);
}

void hr_probes_detach(struct hr_probes *probes)
{
	hr_probes_requests_detach(probes);
	hr_probes_stacks_detach(probes);
	for (int i = 0; i < OBJECTS; i++)
		if (object_of(probes, i))
			headroom_bpf__detach(object_of(probes, i));
}

void hr_probes_close(struct hr_probes *probes)
{
	if (!probes)
		return;
	hr_probes_unmap(&probes->threads);
	hr_probes_unmap(&probes->processes);
	hr_probes_unmap(&probes->calls);
	hr_probes_unmap(&probes->cpu_records);
	hr_probes_requests_close(probes);
	hr_probes_waits_close(probes);
	hr_probes_unwind_close(probes);
	hr_probes_disks_close(probes);
	for (int i = OBJECTS - 1; i >= 0; i--)
		headroom_bpf__destroy(object_of(probes, i));
	free(probes);
}

uint64_t hr_probes_epoch_ns(const struct hr_probes *probes)
{
	return probes->epoch_ns;
}

/* Of programs that have no second to tell what they missed. */
static uint64_t skipped_alone(const struct hr_probes *probes, const struct headroom_bpf *bpf)
{
	struct bpf_program *program;
	uint64_t skipped = 0;

	if (!bpf)
		return 0;
	bpf_object__for_each_program(program, bpf->obj)
		if (!hr_probes_is_paired(probes, program))
			skipped += hr_probes_skipped(program);
	return skipped;
}

void hr_probes_losses(struct hr_probes *probes, uint64_t ret_counts[HR_LOSSES])
{
	uint64_t *per_cpu = calloc(probes->cpus, sizeof(*per_cpu));

	memset(ret_counts, 0, HR_LOSSES * sizeof(*ret_counts));
	for (uint32_t reason = 0; per_cpu && reason < HR_LOSSES_KERNEL; reason++) {
		if (bpf_map_lookup_elem(bpf_map__fd(probes->bpf->maps.losses), &reason, per_cpu))
			continue;
		for (uint32_t cpu = 0; cpu < probes->cpus; cpu++)
			ret_counts[reason] += per_cpu[cpu];
	}
	free(per_cpu);
	ret_counts[HR_LOSS_MISSED_PROGRAMS] = hr_probes_requests_missed(probes);
	for (int i = 0; i < OBJECTS; i++)
		ret_counts[HR_LOSS_MISSED_PROGRAMS] += skipped_alone(probes, object_of(probes, i));
}

size_t hr_probes_costs(struct hr_probes *probes, struct hr_program_cost *ret_costs, size_t max)
{
	struct bpf_program *program;
	size_t count = 0;

	for (int i = 0; i < OBJECTS; i++) {
		if (!object_of(probes, i))
			continue;
		bpf_object__for_each_program(program, object_of(probes, i)->obj) {
			struct bpf_prog_info info;

			if (count < max && !program_info(program, &info))
				ret_costs[count++] = (struct hr_program_cost){
					.name = bpf_program__name(program),
					.runs = info.run_cnt,
					.time_ns = info.run_time_ns,
				};
		}
	}
	return count;
}
