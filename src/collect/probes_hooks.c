/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collect/probes_private.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

/* Hooks that only some kernels have; without them the run goes on, and `doctor` says what is lost. */
static const char *const optional_tracepoints[] = {
	"contention_begin", "contention_end", "mm_vmscan_direct_reclaim_begin", "mm_vmscan_direct_reclaim_end",
	"mm_vmscan_memcg_reclaim_begin", "mm_vmscan_memcg_reclaim_end", "mm_compaction_begin", "mm_compaction_end",
	"inet_sock_set_state", "tcp_destroy_sock", "tcp_retransmit_skb", "tcp_receive_reset", "tcp_send_reset",
	"block_rq_insert", "block_rq_issue", "block_rq_complete", "block_rq_requeue", "block_rq_merge",
};

/* What sees requests on newer kernels, and the functions that do on older ones; of the latter some may be missing. */
static const char *const request_tracepoints[] = { "sk_data_ready", "sock_recv_length", "sock_send_length" };
static const char *const request_functions[] = { "sock_def_readable", "tcp_recvmsg", "tcp_sendmsg" };

static bool is_in(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool has_tracepoint(const struct btf *kernel, const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(kernel, type, BTF_KIND_TYPEDEF) > 0;
}

static bool has_function(const struct btf *kernel, const char *name)
{
	return btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC) > 0;
}

static bool has_all(const struct btf *kernel, const char *const names[], size_t count,
		    bool (*has)(const struct btf *kernel, const char *name))
{
	for (size_t i = 0; i < count; i++)
		if (!has(kernel, names[i]))
			return false;
	return true;
}

enum hr_request_hooks hr_probes_request_hooks(const struct btf *kernel)
{
	if (has_all(kernel, request_tracepoints, COUNT_OF(request_tracepoints), has_tracepoint))
		return HR_REQUESTS_BY_TRACEPOINTS;
	if (has_all(kernel, request_functions, COUNT_OF(request_functions), has_function))
		return HR_REQUESTS_BY_FUNCTIONS;
	return HR_REQUESTS_UNSEEN;
}

static int choose_tracepoint(struct bpf_program *program, const char *hook, const struct btf *kernel, enum hr_request_hooks hooks,
			     struct hr_err *err)
{
	bool sees_requests = is_in(request_tracepoints, COUNT_OF(request_tracepoints), hook);

	if (sees_requests) {
		bpf_program__set_autoload(program, hooks == HR_REQUESTS_BY_TRACEPOINTS);
	} else if (!has_tracepoint(kernel, hook)) {
		if (!is_in(optional_tracepoints, COUNT_OF(optional_tracepoints), hook))
			return hr_err_set(err, -ENOENT, "this kernel has no tracepoint '%s'; see headroom doctor", hook);
		bpf_program__set_autoload(program, false);
	}
	return 0;
}

/* Loading a program for a hook that the kernel lacks would fail the whole object: ask the kernel's types first. */
int hr_probes_choose(struct headroom_bpf *bpf, const struct btf *kernel, enum hr_request_hooks hooks, bool request_probe,
		     struct hr_err *err)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, bpf->obj) {
		const char *section = bpf_program__section_name(program), *slash = strchr(section, '/');
		const char *hook = slash ? slash + 1 : "";
		int ret = 0;

		if (hr_probes_is_classic(program) || hr_probes_is_second(program))
			bpf_program__set_autoload(program, false);
		else if (!strncmp(section, "tp_btf/", 7))
			ret = choose_tracepoint(program, hook, kernel, hooks, err);
		else if (!strncmp(section, "fentry/", 7) || !strncmp(section, "fexit/", 6))
			bpf_program__set_autoload(program, hooks == HR_REQUESTS_BY_FUNCTIONS && has_function(kernel, hook));
		else if (!strcmp(section, "uprobe") || !strcmp(section, "uretprobe"))
			bpf_program__set_autoload(program, request_probe);
		if (ret)
			return ret;
	}
	return 0;
}
