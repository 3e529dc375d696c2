/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ACCEPT_BPF_H
#define HR_ACCEPT_BPF_H

/*
 * A connection is accepted: how long it stood in the queue; and a unix socket is closed. The calls name descriptors, and the sock
 * behind one, reached through the file table, is none that socket storage can be asked for: what is needed is kept by its address.
 */
#include "block.bpf.h"
#include "incoming.bpf.h"
#include "socket.bpf.h"

/* The sock behind a descriptor of the current thread; NULL: it is no socket. */
static __noinline struct sock *sock_by_fd(__u32 fd)
{
	return sock_of(file_by_fd(bpf_get_current_task_btf(), fd));
}

/* Other descriptors, or calls that other threads are in, hold the file too. */
static __always_inline bool is_shared(struct file *file)
{
	struct file___referenced *referenced = (void *)file;

	if (bpf_core_field_exists(referenced->f_ref))
		return BPF_CORE_READ(referenced, f_ref.refcnt.counter) > 0;
	return BPF_CORE_READ((struct file___counted *)file, f_count.counter) > 1;
}

static __always_inline __u32 accepted_flow(__u32 process, __u8 transport, __u16 port, struct unix_address *name)
{
	struct hr_flow_key key = {};

	key.process = process;
	key.role = HR_ROLE_SERVER;
	key.transport = transport;
	key.port = port;
	*(struct unix_address **)key.address = name;
	return flow_find(&key);
}

static __always_inline void accept_tcp(__u32 process, struct sock *sk, __u64 now_ns)
{
	__u64 address = (__u64)sk;
	struct incoming *incoming = bpf_map_lookup_elem(&incoming_sockets, &address);
	__u16 port = PEEK(sock, sk, __sk_common.skc_num);
	struct hr_flow *flow;
	__u32 id;

	if ((incoming && incoming->flow) || PEEK(sock, sk, sk_protocol) != IPPROTO_TCP)
		return;
	id = accepted_flow(process, HR_TRANSPORT_TCP, port, NULL);
	flow = flow_head(id);
	if (!flow)
		return;
	flow_add(&flow->opened, 1);
	if (!incoming) { /* it came before the recording, or the process was handed the socket that listens */
		port_listens(port);
		return;
	}
	incoming->flow = id;
	incoming->generation = flow->generation;
	stage_add(id, HR_STAGE_ACCEPT, elapsed_ns(incoming->established_ns, now_ns));
}

static __always_inline void accept_unix(__u32 process, struct sock *listener, struct sock *sk, __u64 now_ns)
{
	struct hr_flow *flow;
	__u64 wait_ns = 0;
	__u32 id;

	if (!listener || !bpf_core_type_exists(struct unix_sock))
		return;
	id = accepted_flow(process, HR_TRANSPORT_UNIX, 0, PEEK(unix_sock, sk, addr));
	flow = flow_head(id);
	if (!flow)
		return;
	flow_add(&flow->opened, 1);
	path_listens(PEEK(unix_sock, sk, addr));
	if (unix_accept((__u64)listener, PEEK(sock, listener, sk_receive_queue.qlen), now_ns, &wait_ns))
		stage_add(id, HR_STAGE_ACCEPT, wait_ns);
}

VERIFIED_ONCE int count_accept(struct hr_thread *thread, __u32 fd)
{
	struct sock *sk = sock_by_fd(fd);
	__u32 family;

	if (!sk || !thread)
		return 0;
	family = PEEK(sock, sk, __sk_common.skc_family);
	if (family == AF_UNIX)
		accept_unix(thread->process, sock_by_fd(CALL_ARG(thread, 0)), sk, bpf_ktime_get_ns());
	else
		accept_tcp(thread->process, sk, bpf_ktime_get_ns());
	return 0;
}

/* Only where the target listens on a path at all. A copy that goes, as in a server that forks for each connection, ends nothing. */
VERIFIED_ONCE int note_close(struct hr_thread *thread)
{
	struct file *file;
	struct sock *sk;

	if (!thread || !has_listening_paths)
		return 0;
	file = file_by_fd(bpf_get_current_task_btf(), CALL_ARG(thread, 0));
	sk = sock_of(file);
	if (sk && !is_shared(file) && PEEK(sock, sk, __sk_common.skc_family) == AF_UNIX)
		unix_close((__u64)sk, bpf_ktime_get_ns());
	return 0;
}

#endif
