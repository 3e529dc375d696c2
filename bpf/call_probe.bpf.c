/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that a function delimits: its entry begins one, its return answers it. For servers whose protocol hides them.
 *
 * Hooks a uprobe and a uretprobe on the function of --request-probe; loaded only then. Cost per call: two traps, which are the
 * processor's price, not ours (1 us and more each), and 100 ns.
 */
#define PEEK_BY_HELPER
#include "budget.bpf.h"
#include "registers.bpf.h"

struct probed_call {
	__u64 born_ns;	/* of the thread whose it is */
	__u64 stack;	/* where its frame is: a frame at or above it means that it was left without a return */
	__u32 depth;	/* calls inside calls: the outermost is the request */
	__u32 pad;
	struct begin begin; /* at_ns 0: it is in none */
};

/* Thread slot -> the call that it is in. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct probed_call);
} probed_calls SEC(".maps");

static __always_inline struct hr_flow *probe_flow(__u32 process, __u32 *ret_id)
{
	struct hr_flow_key key = {};

	key.process = process;
	key.role = HR_ROLE_PROBE;
	key.transport = HR_TRANSPORT_FUNCTION;
	*ret_id = flow_find(&key);
	return flow_shard(*ret_id);
}

static __always_inline struct probed_call *call_of(__u32 slot, const struct hr_thread *thread)
{
	struct probed_call *call = bpf_map_lookup_elem(&probed_calls, &slot);

	if (call && call->born_ns != thread->born_ns) {
		call->born_ns = thread->born_ns;
		call->begin.at_ns = 0;
		call->depth = 0;
	}
	return call;
}

static __always_inline struct hr_thread *probed_thread(__u32 *ret_slot)
{
	__u32 pid = (__u32)bpf_get_current_pid_tgid(), *slot = bpf_map_lookup_elem(&thread_slots, &pid);

	if (!slot || !*slot)
		return NULL;
	*ret_slot = *slot;
	return thread_by_slot(*slot);
}

SEC("uprobe")
int call_entry(struct pt_regs *registers)
{
	__u32 slot = 0, flow_id;
	struct hr_thread *thread = probed_thread(&slot);
	struct probed_call *call = thread ? call_of(slot, thread) : NULL;
	__u64 stack = STACK_POINTER(registers), now_ns;
	struct hr_flow *flow;

	if (!call)
		return 0;
	if (call->begin.at_ns && stack < call->stack) {
		call->depth++;
		return 0;
	}
	flow = probe_flow(thread->process, &flow_id);
	if (!flow)
		return 0;
	now_ns = bpf_ktime_get_ns();
	if (call->begin.at_ns) { /* an exception or a jump left it */
		flow_depart(flow, now_ns);
		flow_add(&flow->unanswered, 1);
	}
	call->begin.at_ns = now_ns;
	call->begin.slot = slot;
	call->stack = stack;
	call->depth = 0;
	spent_until(thread, now_ns, call->begin.spent_ns);
	flow_arrive(flow, now_ns);
	return 0;
}

SEC("uretprobe")
int call_return(struct pt_regs *registers)
{
	__u32 slot = 0, flow_id;
	struct hr_thread *thread = probed_thread(&slot);
	struct probed_call *call = thread ? call_of(slot, thread) : NULL;
	struct hr_flow *flow;
	__u64 now_ns;

	if (!call || !call->begin.at_ns)
		return 0;
	if (call->depth) {
		call->depth--;
		return 0;
	}
	flow = probe_flow(thread->process, &flow_id);
	if (!flow)
		return 0;
	now_ns = bpf_ktime_get_ns();
	flow_add(&flow->requests, 1);
	flow_depart(flow, now_ns);
	stage_add(flow_id, HR_STAGE_SERVICE, elapsed_ns(call->begin.at_ns, now_ns));
	stage_add(flow_id, HR_STAGE_TOTAL, elapsed_ns(call->begin.at_ns, now_ns));
	budget_request(flow, slot, &call->begin, now_ns);
	call->begin.at_ns = 0;
	return 0;
}
