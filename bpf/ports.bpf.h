/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_PORTS_BPF_H
#define HR_PORTS_BPF_H

#include "maps.bpf.h"

/* Port / 64 -> bits of the ports that the target listens on, in whatever network namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536 / 64);
	__type(key, __u32);
	__type(value, __u64);
} listening_ports __weak SEC(".maps");

static __always_inline void port_listens(__u16 port)
{
	__u32 index = port / 64;
	__u64 *word = bpf_map_lookup_elem(&listening_ports, &index);

	if (word)
		__sync_fetch_and_or(word, 1ULL << (port % 64));
}

static __always_inline bool is_listening_port(__u16 port)
{
	__u32 index = port / 64;
	__u64 *word = bpf_map_lookup_elem(&listening_ports, &index);

	return word && *word >> (port % 64) & 1;
}

#endif
