/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets that the target's processes hold: take in those that are not known yet, and list what is known of each.
 *
 * Hooks iter/task_file, run by user space: a walk over the descriptors. (An iterator over socket storage would be shorter, but
 * Linux 7.x reads through a pointer there that it has cleared.) Cost: 0.1 us per descriptor and interval, 1 us per socket.
 */
#define PEEK_BY_HELPER
#include "request.bpf.h"
#include "socket_row.bpf.h"

/* User space sets these before it walks: list, or just take in; an answer after which nothing was written for so long is complete. */
__u32 walk_lists = 0;
__u64 answer_idle_ns = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hr_socket_row);
} listed_row SEC(".maps");

static __always_inline void take_in_listener(struct socket_state *state, struct sock *sk, __u32 process)
{
	state->process = process;
	if (state->role == HR_ROLE_LISTENER) /* inherited */
		return;
	state->role = HR_ROLE_LISTENER;
	state->decided = 1;
	if (is_tcp(sk)) {
		port_listens(sk->__sk_common.skc_num);
	} else {
		path_listens(unix_name(sk));
		unix_listen((__u64)sk, sk->sk_receive_queue.qlen);
	}
}

/* Nobody who is alive: not known yet, or it listened and left the socket to its children. */
static __always_inline bool is_gone(__u32 process_slot)
{
	struct hr_process *process = process_slot ? process_by_slot(process_slot) : NULL;

	return !process || !process->pid || process->ended_ns;
}

/* What is kept of it; NULL: of no interest, or of no use yet. */
static __always_inline struct socket_state *take_in(struct sock *sk, __u32 process)
{
	struct socket_state *state;

	if (!is_tcp(sk) && !is_unix_stream(sk))
		return NULL;
	if (is_tcp(sk) && sk->__sk_common.skc_state == TCP_CLOSE)
		return NULL;
	state = socket_open(sk, bpf_ktime_get_ns());
	if (state && sk->__sk_common.skc_state == TCP_LISTEN && is_gone(state->process))
		take_in_listener(state, sk, process);
	return state;
}

static __always_inline void finish_idle(struct socket_state *state, struct sock *sk, __u64 now_ns)
{
	if (state->phase == HR_PHASE_SENDING && state->role == HR_ROLE_SERVER && state->last_write_ns + answer_idle_ns <= now_ns) {
		request_finish(state);
		note_request(state, sk);
	}
}

static __always_inline void list(struct bpf_iter_meta *meta, struct socket_state *state, struct sock *sk)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct hr_socket_row *row;
	__u32 zero = 0;

	row = bpf_map_lookup_elem(&listed_row, &zero);
	if (!row)
		return;
	finish_idle(state, sk, now_ns);
	fill_row(row, state, sk, now_ns);
	state->backlog_highest = 0;
	bpf_seq_write(meta->seq, row, sizeof(*row));
}

SEC("iter/task_file")
int walk_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket_state *state;
	struct socket *socket;
	__u32 pid, *slot;

	if (!task || !file)
		return 0;
	pid = task->tgid;
	slot = bpf_map_lookup_elem(&target_processes, &pid);
	if (!slot)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket || !socket->sk)
		return 0;
	state = take_in(socket->sk, *slot);
	if (!state || !walk_lists || state->ended)
		return 0;
	if (!state->decided)
		socket_decide(state, socket->sk);
	if (state->role != HR_ROLE_NONE)
		list(ctx->meta, state, socket->sk);
	return 0;
}
