/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Iterators over sockets: take in those that the target's processes hold already, and list what is known of each.
 *
 * Hooks iter/task_file and iter/bpf_sk_storage_map, run by user space. Cost: 0.1 us per open file of the host where the target
 * has new processes; 1 us per followed socket and interval.
 */
#define PEEK_BY_HELPER
#include "request.bpf.h"
#include "socket_row.bpf.h"

/* An answer after which nothing was written for so long is complete. User space sets it before it lists. */
__u64 answer_idle_ns = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hr_socket_row);
} listed_row SEC(".maps");

static __always_inline void take_in(struct sock *sk, __u32 process)
{
	bool listens = sk->__sk_common.skc_state == TCP_LISTEN;
	struct socket_state *state;

	if (!is_tcp(sk) && !is_unix_stream(sk))
		return;
	if (is_tcp(sk) && sk->__sk_common.skc_state == TCP_CLOSE)
		return; /* of no use yet */
	state = socket_open(sk, bpf_ktime_get_ns());
	if (!state || state->process || !listens)
		return;
	state->role = HR_ROLE_LISTENER;
	state->decided = 1;
	state->process = process;
	if (is_tcp(sk)) {
		port_listens(sk->__sk_common.skc_num);
	} else {
		path_listens(unix_name(sk));
		unix_listen((__u64)sk, sk->sk_receive_queue.qlen);
	}
}

SEC("iter/task_file")
int seed_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	__u32 pid, *slot;

	if (!task || !file)
		return 0;
	pid = task->tgid;
	slot = bpf_map_lookup_elem(&target_processes, &pid);
	if (!slot)
		return 0;
	socket = bpf_sock_from_file(file);
	if (socket && socket->sk)
		take_in(socket->sk, *slot);
	return 0;
}

static __always_inline void finish_idle(struct socket_state *state, struct sock *sk, __u64 now_ns)
{
	if (state->phase == HR_PHASE_SENDING && state->role == HR_ROLE_SERVER && state->last_write_ns + answer_idle_ns <= now_ns) {
		request_finish(state);
		note_request(state, sk);
	}
}

SEC("iter/bpf_sk_storage_map")
int list_sockets(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct socket_state *state;
	struct sock *sk = ctx->sk;
	struct hr_socket_row *row;
	__u64 now_ns;
	__u32 zero = 0;

	if (!sk)
		return 0;
	state = socket_known(sk);
	row = bpf_map_lookup_elem(&listed_row, &zero);
	if (!state || !row || state->ended)
		return 0;
	if (!state->decided)
		socket_decide(state, sk);
	if (state->role == HR_ROLE_NONE)
		return 0;
	now_ns = bpf_ktime_get_ns();
	finish_idle(state, sk, now_ns);
	fill_row(row, state, sk, now_ns);
	state->backlog_highest = 0;
	bpf_seq_write(ctx->meta->seq, row, sizeof(*row));
	return 0;
}
