/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_INCOMING_BPF_H
#define HR_INCOMING_BPF_H

#include "flow.bpf.h"

/* Established, not ended connections that came in on a port of the target, for accept, which leads to a socket only by its address. */
struct incoming {
	__u64 established_ns;
	__u32 flow; /* 0: not accepted yet */
	__u32 generation;
};

/* Address of the sock -> that. Full: the connection's accept wait is not measured. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct incoming);
} incoming_sockets __weak SEC(".maps");

#endif
