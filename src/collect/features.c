/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/features.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "collect/cgroup.h"
#include "collect/files.h"
#include "collect/host.h"

/* Bits of CapEff in /proc/self/status (include/uapi/linux/capability.h). */
#define CAP_SYS_ADMIN_BIT 21
#define CAP_SYS_NICE_BIT 23
#define CAP_PERFMON_BIT 38
#define CAP_BPF_BIT 39

#define FIRST_PID_NAMESPACE "pid:[4026531836]" /* PROC_PID_INIT_INO */

enum answer { NOT_KNOWN = -1, LACKS = 0, HAS = 1 };

/* Where to ask. */
struct system {
	const char *root;
	struct btf *btf; /* NULL: the kernel has none that can be read */
	struct hr_host host;
	bool host_known;
};

/* A row and how to ask for it; `name` is what the function looks for. */
struct probe {
	struct hr_feature_row row;
	enum answer (*ask)(const struct system *system, const char *name);
	const char *name;
};

static enum answer answer(bool has)
{
	return has ? HAS : LACKS;
}

static enum answer ask_btf(const struct system *system, const char *name)
{
	(void)name;
	return answer(system->btf);
}

static enum answer ask_type(const struct system *system, const char *name, uint32_t kind)
{
	return system->btf ? answer(btf__find_by_name_kind(system->btf, name, kind) > 0) : NOT_KNOWN;
}

static enum answer ask_function(const struct system *system, const char *name)
{
	return ask_type(system, name, BTF_KIND_FUNC);
}

static enum answer ask_struct(const struct system *system, const char *name)
{
	return ask_type(system, name, BTF_KIND_STRUCT);
}

static enum answer ask_tracepoint(const struct system *system, const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return ask_type(system, type, BTF_KIND_TYPEDEF);
}

typedef enum answer ask_one(const struct system *system, const char *name);

/* All of several names, which have a space between them. */
static enum answer ask_all(const struct system *system, const char *names, ask_one *ask)
{
	enum answer found = HAS;
	char list[128], *rest = list, *name;

	snprintf(list, sizeof(list), "%s", names);
	while (found == HAS && (name = strsep(&rest, " ")))
		found = ask(system, name);
	return found;
}

static enum answer ask_tracepoints(const struct system *system, const char *names)
{
	return ask_all(system, names, ask_tracepoint);
}

static enum answer ask_functions(const struct system *system, const char *names)
{
	return ask_all(system, names, ask_function);
}

/* A tracepoint at the beginning of something, and one at its end. */
static enum answer ask_begin_and_end(const struct system *system, const char *name)
{
	char begin[112], end[112];

	snprintf(begin, sizeof(begin), "%s_begin", name);
	snprintf(end, sizeof(end), "%s_end", name);
	return ask_tracepoint(system, begin) == HAS ? ask_tracepoint(system, end) : ask_tracepoint(system, begin);
}

/* How many arguments a tracepoint has; -1: there is no such tracepoint. */
static int count_arguments(const struct btf *btf, const char *type)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF);
	const struct btf_type *t;

	/* typedef void (*btf_trace_X)(void *, ...) */
	for (int depth = 0; depth < 3 && id > 0; depth++) {
		t = btf__type_by_id(btf, id);
		if (t && btf_is_func_proto(t))
			return btf_vlen(t) - 1;
		id = t && (btf_is_typedef(t) || btf_is_ptr(t)) ? (int)t->type : -1;
	}
	return -1;
}

/* sched_switch(preempt, prev, next, prev_state): the last came with 5.18 and was brought to older kernels. */
static enum answer ask_prev_state(const struct system *system, const char *name)
{
	return system->btf ? answer(count_arguments(system->btf, name) >= 4) : NOT_KNOWN;
}

/* "struct.member" */
static enum answer ask_member(const struct system *system, const char *name)
{
	const char *dot = strchr(name, '.');
	const struct btf_type *type;
	char owner[64];
	int id;

	if (!system->btf)
		return NOT_KNOWN;
	snprintf(owner, sizeof(owner), "%.*s", (int)(dot - name), name);
	id = btf__find_by_name_kind(system->btf, owner, BTF_KIND_STRUCT);
	if (id <= 0)
		return LACKS;
	type = btf__type_by_id(system->btf, id);
	for (int i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(system->btf, btf_members(type)[i].name_off), dot + 1))
			return HAS;
	return LACKS;
}

/* A constant of any enum, also of one without a name. */
static enum answer ask_constant(const struct system *system, const char *name)
{
	if (!system->btf)
		return NOT_KNOWN;
	for (uint32_t id = 1; id < btf__type_cnt(system->btf); id++) {
		const struct btf_type *type = btf__type_by_id(system->btf, id);

		if (!btf_is_enum(type))
			continue;
		for (int i = 0; i < btf_vlen(type); i++)
			if (!strcmp(btf__name_by_offset(system->btf, btf_enum(type)[i].name_off), name))
				return HAS;
	}
	return LACKS;
}

static bool read_capabilities(const struct system *system, uint64_t *ret)
{
	char text[4096], *line;

	if (hr_file_readf(text, sizeof(text), "%s/proc/self/status", system->root) <= 0)
		return false;
	line = strstr(text, "\nCapEff:");
	return line && sscanf(line, " CapEff: %" SCNx64, ret) == 1;
}

static enum answer ask_priority(const struct system *system, const char *name)
{
	uint64_t caps;

	(void)name;
	return read_capabilities(system, &caps) ? answer(caps >> CAP_SYS_NICE_BIT & 1) : NOT_KNOWN;
}

static enum answer ask_privilege(const struct system *system, const char *name)
{
	uint64_t caps;

	(void)name;
	if (!read_capabilities(system, &caps))
		return NOT_KNOWN;
	if (caps >> CAP_SYS_ADMIN_BIT & 1)
		return HAS;
	return answer((caps >> CAP_BPF_BIT & 1) && (caps >> CAP_PERFMON_BIT & 1));
}

static enum answer ask_host_pids(const struct system *system, const char *name)
{
	char link[64];

	(void)name;
	if (hr_link_readf(link, sizeof(link), "%s/proc/self/ns/pid", system->root) < 0)
		return NOT_KNOWN;
	return answer(!strcmp(link, FIRST_PID_NAMESPACE));
}

static enum answer ask_cgroup(const struct system *system, const char *controller)
{
	struct hr_cgroup_mounts mounts;
	char controllers[512], *rest, *word;

	if (hr_cgroup_mounts(system->root, controller, &mounts, NULL))
		return NOT_KNOWN;
	if (mounts.v1.mounted)
		return HAS;
	if (!mounts.v2.mounted ||
	    hr_file_readf(controllers, sizeof(controllers), "%s/cgroup.controllers", mounts.v2.at) < 0)
		return LACKS;
	rest = controllers;
	while ((word = strsep(&rest, " \n")))
		if (!strcmp(word, controller))
			return HAS;
	return LACKS;
}

static enum answer ask_steal_time(const struct system *system, const char *name)
{
	(void)name;
	return system->host_known ? answer(system->host.steal_known) : NOT_KNOWN;
}

static enum answer ask_irq_time(const struct system *system, const char *name)
{
	(void)name;
	return system->host_known ? answer(system->host.irq_known) : NOT_KNOWN;
}

/* Where the kernel has it, but it was not switched on at boot, reading fails. */
static enum answer ask_pressure(const struct system *system, const char *name)
{
	char text[256];

	(void)name;
	return answer(hr_file_readf(text, sizeof(text), "%s/proc/pressure/cpu", system->root) > 0);
}

/* perf_event_open(2): this file is how to find out. */
static enum answer ask_perf_events(const struct system *system, const char *name)
{
	char text[16];

	(void)name;
	return answer(hr_file_readf(text, sizeof(text), "%s/proc/sys/kernel/perf_event_paranoid", system->root) > 0);
}

/* 2 hides them from root too. */
static enum answer ask_kernel_symbols(const struct system *system, const char *name)
{
	char text[16];

	(void)name;
	if (hr_file_readf(text, sizeof(text), "%s/proc/sys/kernel/kptr_restrict", system->root) <= 0)
		return NOT_KNOWN;
	return answer(atoi(text) < 2);
}

static enum answer ask_tracefs(const struct system *system, const char *name)
{
	char path[PATH_MAX], *line = NULL;
	enum answer found = LACKS;
	size_t room = 0;
	FILE *mounts;

	(void)name;
	mounts = hr_path(path, "%s/proc/self/mountinfo", system->root) ? NULL : fopen(path, "re");
	if (!mounts)
		return NOT_KNOWN;
	while (found == LACKS && getline(&line, &room, mounts) > 0)
		found = answer(strstr(line, " - tracefs "));
	free(line);
	fclose(mounts);
	return found;
}

#define NO_RECORDING "nothing can be recorded"
#define NEEDS_RELEASE(version) "boot a kernel " version " or later"

#define NEEDS_NET_TRACING "boot a kernel with CONFIG_INET and CONFIG_TRACING, as those of the distributions are"

/* A tracepoint of the network, which the recording can do without. */
#define NET_TRACEPOINT(name, lost_without) \
	{ { name, "tracepoint " name, lost_without, NEEDS_NET_TRACING, false }, ask_tracepoint, name }

/* A tracepoint without which nothing goes. */
#define TRACEPOINT(name, lost_without) \
	{ { name, "tracepoint " name, lost_without, NEEDS_RELEASE("6.1"), true }, ask_tracepoint, name }

static const struct probe probes[HR_FEATURES] = {
	[HR_FEATURE_BTF] = {
		{ "btf", "kernel types (BTF)", NO_RECORDING,
		  "boot a kernel built with CONFIG_DEBUG_INFO_BTF, as those of the distributions are", true },
		ask_btf, NULL },
	[HR_FEATURE_PRIVILEGE] = {
		{ "privilege", "root, or CAP_BPF with CAP_PERFMON", NO_RECORDING, "run it with sudo", true },
		ask_privilege, NULL },
	[HR_FEATURE_HOST_PIDS] = {
		{ "host_pids", "the host's process ids", "processes have other ids here than in the kernel",
		  "run it on the host, or in a container that shares its pids (docker run --pid=host)", true },
		ask_host_pids, NULL },
	[HR_FEATURE_SCHED_SWITCH] = TRACEPOINT("sched_switch", NO_RECORDING),
	[HR_FEATURE_PREV_STATE] = {
		{ "prev_state", "task state in sched_switch", "a blocked thread cannot be told from a preempted one",
		  NEEDS_RELEASE("6.1"), true },
		ask_prev_state, "btf_trace_sched_switch" },
	[HR_FEATURE_SCHED_WAKING] = TRACEPOINT("sched_waking", "waits for a CPU"),
	[HR_FEATURE_SCHED_WAKEUP_NEW] = TRACEPOINT("sched_wakeup_new", "the first wait of a new thread"),
	[HR_FEATURE_SCHED_MIGRATE_TASK] = TRACEPOINT("sched_migrate_task", "moves between CPUs"),
	[HR_FEATURE_SCHED_PROCESS_EXEC] = TRACEPOINT("sched_process_exec", "programs started while recording"),
	[HR_FEATURE_SCHED_PROCESS_EXIT] = TRACEPOINT("sched_process_exit", "the ends of threads"),
	[HR_FEATURE_SYS_ENTER] = {
		{ "sys_enter", "tracepoint sys_enter", "what a thread waits for",
		  "boot a kernel with CONFIG_FTRACE_SYSCALLS", true },
		ask_tracepoint, "sys_enter" },
	[HR_FEATURE_SYS_EXIT] = {
		{ "sys_exit", "tracepoint sys_exit", "how long system calls take",
		  "boot a kernel with CONFIG_FTRACE_SYSCALLS", true },
		ask_tracepoint, "sys_exit" },
	[HR_FEATURE_TASK_ITERATOR] = {
		{ "task_iterator", "BPF iterator over tasks", "threads that exist before the recording",
		  NEEDS_RELEASE("6.1"), true },
		ask_struct, "bpf_iter__task" },
	[HR_FEATURE_CURRENT_TASK_BTF] = {
		{ "current_task_btf", "BPF helper bpf_get_current_task_btf", "the state of the calling thread",
		  NEEDS_RELEASE("6.1"), true },
		ask_constant, "BPF_FUNC_get_current_task_btf" },
	/* instructions are in no BTF: a helper that came in the same release, 5.12, stands for them */
	[HR_FEATURE_ATOMIC_FETCH] = {
		{ "atomic_fetch", "BPF atomic instructions that return", "how many threads run at once",
		  NEEDS_RELEASE("6.1"), true },
		ask_constant, "BPF_FUNC_check_mtu" },
	[HR_FEATURE_MAP_MMAP] = {
		{ "map_mmap", "BPF maps shared by mapping", NO_RECORDING, NEEDS_RELEASE("6.1"), true },
		ask_constant, "BPF_F_MMAPABLE" },
	[HR_FEATURE_TASK_PT_REGS] = {
		{ "task_pt_regs", "BPF helper bpf_task_pt_regs", "the waits that began before the recording",
		  NEEDS_RELEASE("6.1"), true },
		ask_constant, "BPF_FUNC_task_pt_regs" },
	[HR_FEATURE_CONTENTION] = {
		{ "contention", "tracepoints of kernel locks", "waits for kernel locks count as disk, fault or other",
		  NEEDS_RELEASE("5.19"), false },
		ask_begin_and_end, "contention" },
	[HR_FEATURE_DIRECT_RECLAIM] = {
		{ "direct_reclaim", "tracepoints of direct reclaim",
		  "waits for free memory count as disk, fault or other", "boot a kernel with CONFIG_TRACING", false },
		ask_begin_and_end, "mm_vmscan_direct_reclaim" },
	[HR_FEATURE_MEMCG_RECLAIM] = {
		{ "memcg_reclaim", "tracepoints of cgroup reclaim",
		  "waits at a cgroup's memory limit count as disk, fault or other",
		  "boot a kernel with CONFIG_MEMCG", false },
		ask_begin_and_end, "mm_vmscan_memcg_reclaim" },
	[HR_FEATURE_COMPACTION] = {
		{ "compaction", "tracepoints of compaction", "waits for compaction count as fault or other",
		  "boot a kernel with CONFIG_COMPACTION", false },
		ask_begin_and_end, "mm_compaction" },
	[HR_FEATURE_RDONLY_CAST] = {
		{ "rdonly_cast", "BPF function bpf_rdonly_cast", "nothing; a wait on a file costs some 100 ns more",
		  NEEDS_RELEASE("6.2"), false },
		ask_function, "bpf_rdonly_cast" },
	[HR_FEATURE_RUN_STATISTICS] = {
		{ "run_statistics", "run times of BPF programs", "the cost of the probes is not measured",
		  NEEDS_RELEASE("5.8"), false },
		ask_constant, "BPF_ENABLE_STATS" },
	[HR_FEATURE_CPU_CGROUP] = {
		{ "cpu_cgroup", "cgroup CPU controller", "CPU quotas are not reported",
		  "mount it: mount -t cgroup2 none /sys/fs/cgroup", false },
		ask_cgroup, "cpu" },
	[HR_FEATURE_CPU_THROTTLING] = {
		{ "cpu_throttling", "throttling in the scheduler", "waits for a quota count as waits for other threads",
		  "boot a kernel with CONFIG_CFS_BANDWIDTH", false },
		ask_member, "cfs_rq.throttle_count" },
	[HR_FEATURE_STEAL_TIME] = {
		{ "steal_time", "time taken by the hypervisor", "what the hypervisor takes is not measured",
		  "nothing: it took none since boot, or does not tell", false },
		ask_steal_time, NULL },
	[HR_FEATURE_IRQ_TIME] = {
		{ "irq_time", "time taken by interrupts", "what interrupts take is not measured",
		  "boot a kernel with CONFIG_IRQ_TIME_ACCOUNTING", false },
		ask_irq_time, NULL },
	[HR_FEATURE_PRESSURE] = {
		{ "pressure", "pressure stall information", "how long tasks were held up for want of CPU, disk or memory",
		  "boot with psi=1", false },
		ask_pressure, NULL },
	[HR_FEATURE_TRACEFS] = {
		{ "tracefs", "tracefs", "nothing: no probe needs it",
		  "mount -t tracefs none /sys/kernel/tracing", false },
		ask_tracefs, NULL },
	[HR_FEATURE_REQUEST_HOOKS] = {
		{ "request_hooks", "tracepoints of what sockets receive and send",
		  "requests on unix sockets of type SOCK_SEQPACKET; all others too if request_fentry is missing",
		  NEEDS_RELEASE("6.3"), false },
		ask_tracepoints, "sk_data_ready sock_recv_length sock_send_length" },
	[HR_FEATURE_REQUEST_FENTRY] = {
		{ "request_fentry", "functions that stand in for request_hooks",
		  "nothing if request_hooks is there; requests if it is not", NEEDS_RELEASE("6.3"), false },
		ask_functions, "sock_def_readable tcp_recvmsg tcp_sendmsg" },
	[HR_FEATURE_SOCKET_STORAGE] = {
		{ "socket_storage", "BPF storage in sockets", "requests and connections",
		  NEEDS_RELEASE("6.1"), false },
		ask_constant, "BPF_MAP_TYPE_SK_STORAGE" },
	[HR_FEATURE_INET_SOCK_SET_STATE] =
		NET_TRACEPOINT("inet_sock_set_state", "when connections begin: the times of accept and connect are not measured"),
	[HR_FEATURE_TCP_RETRANSMIT_SKB] = NET_TRACEPOINT("tcp_retransmit_skb", "retransmitted segments by peer"),
	[HR_FEATURE_TCP_DESTROY_SOCK] = NET_TRACEPOINT("tcp_destroy_sock", "when connections end: known by the interval only"),
	[HR_FEATURE_TCP_RECEIVE_RESET] = NET_TRACEPOINT("tcp_receive_reset", "resets by peers are not told from other ends"),
	[HR_FEATURE_TCP_SEND_RESET] = NET_TRACEPOINT("tcp_send_reset", "resets by this host are not told from other ends"),
	[HR_FEATURE_BLOCK_IO] = {
		{ "block_io", "tracepoints of block I/O", "how busy disks are, and how long their requests take",
		  "boot a kernel with CONFIG_BLOCK and CONFIG_TRACING, as those of the distributions are", false },
		ask_tracepoints, "block_rq_issue block_rq_complete" },
	[HR_FEATURE_MEMORY_CGROUP] = {
		{ "memory_cgroup", "cgroup memory controller", "memory limits of cgroups are not reported",
		  "mount it: mount -t cgroup2 none /sys/fs/cgroup", false },
		ask_cgroup, "memory" },
	[HR_FEATURE_PERF_EVENTS] = {
		{ "perf_events", "timers of perf events", "sampled stacks: record needs --no-stacks",
		  "boot a kernel with CONFIG_PERF_EVENTS, as those of the distributions are", false },
		ask_perf_events, NULL },
	[HR_FEATURE_KERNEL_SYMBOLS] = {
		{ "kernel_symbols", "addresses of the kernel's functions", "the names of kernel functions in stacks",
		  "sysctl kernel.kptr_restrict=1", false },
		ask_kernel_symbols, NULL },
	[HR_FEATURE_PRIORITY] = {
		{ "priority", "root, or CAP_SYS_NICE", "intervals on time where threads by the hundred want the CPUs",
		  "run it with sudo", false },
		ask_priority, NULL },
};

const struct hr_feature_row *hr_feature_row(enum hr_feature feature)
{
	return &probes[feature].row;
}

static int ignore_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* libbpf says on stderr what it cannot parse; a library does not print. */
static struct btf *load_btf(const char *root)
{
	libbpf_print_fn_t before;
	char path[PATH_MAX];
	struct btf *btf;

	if (hr_path(path, "%s/sys/kernel/btf/vmlinux", root))
		return NULL;
	before = libbpf_set_print(ignore_message);
	btf = btf__parse_raw(path);
	libbpf_set_print(before);
	return btf;
}

int hr_features_probe(const char *root, struct hr_features *ret, struct hr_err *err)
{
	struct system system = { .root = root };

	*ret = (struct hr_features){ 0 };
	errno = 0;
	system.btf = load_btf(root);
	if (!system.btf && errno == ENOMEM)
		return hr_err_errno(err, -ENOMEM, "cannot read the kernel's types");
	system.host_known = !hr_host_init(&system.host, root, NULL);
	for (int i = 0; i < HR_FEATURES; i++) {
		enum answer found = probes[i].ask(&system, probes[i].name);

		ret->known[i] = found != NOT_KNOWN;
		ret->has[i] = found == HAS;
	}
	btf__free(system.btf);
	hr_host_fini(&system.host);
	return 0;
}

int hr_features_check(const struct hr_features *features, struct hr_err *err)
{
	for (int i = 0; i < HR_FEATURES; i++) {
		const struct hr_feature_row *row = &probes[i].row;

		if (!row->required || features->has[i] || (!features->known[i] && i != HR_FEATURE_BTF))
			continue;
		if (i == HR_FEATURE_PRIVILEGE)
			return hr_err_set(err, -EPERM, "recording needs root: run it with sudo");
		if (i == HR_FEATURE_HOST_PIDS)
			return hr_err_set(err, -ENOENT, "%s: %s", row->lost_without, row->remedy);
		return hr_err_set(err, -ENOENT, "this kernel has no %s: %s", row->what, row->remedy);
	}
	return 0;
}
