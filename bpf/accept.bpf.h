/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ACCEPT_BPF_H
#define HR_ACCEPT_BPF_H

/*
 * A connection is accepted: how long it stood in the queue. The call returns a descriptor, and the sock behind it, reached through
 * the file table, is none that socket storage can be asked for: see incoming_sockets.
 */
#include "block.bpf.h"
#include "incoming.bpf.h"

static __noinline void count_accept(__u32 process, __u32 fd)
{
	struct file *file = file_by_fd(bpf_get_current_task_btf(), fd);
	struct incoming *incoming;
	struct hr_flow_key key = {};
	struct hr_flow *flow;
	struct socket *socket;
	__u64 sk;

	if (!file)
		return;
	socket = PEEK(file, file, private_data);
	sk = (__u64)PEEK(socket, socket, sk);
	incoming = bpf_map_lookup_elem(&incoming_sockets, &sk);
	if (!incoming || incoming->flow)
		return;
	key.process = process;
	key.role = HR_ROLE_SERVER;
	key.transport = HR_TRANSPORT_TCP;
	key.port = PEEK(sock, sk, __sk_common.skc_num);
	incoming->flow = flow_find(&key);
	flow = flow_head(incoming->flow);
	if (!flow)
		return;
	incoming->generation = flow->generation;
	flow_add(&flow->opened, 1);
	stage_add(incoming->flow, HR_STAGE_ACCEPT, elapsed_ns(incoming->established_ns, bpf_ktime_get_ns()));
}

#endif
