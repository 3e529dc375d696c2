/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_CONFIG_H
#define HEADROOM_CONFIG_H

#include "headroom/types.h"

/* What user space decides before the programs are loaded. */
struct hr_bpf_config {
	__u64 epoch_ns;	       /* start of the recording: the parallelism word counts from here */
	__u32 cpus;	       /* possible CPUs */
	__u32 call_shards;     /* power of two */
	__u32 self_pid;	       /* headroom's own: what it starts is no child of the target */
	__u8 shard_per_cpu;    /* no two CPUs share a shard: counts need no atomic operation */
	__u8 follow_children;  /* processes born of the target belong to it */
	__u8 has_rdonly_cast;  /* the kernel has bpf_rdonly_cast() (6.2): files are read without a helper call per field */
	__u8 has_preempt_disable; /* the kernel has bpf_preempt_disable() (6.10) */
	__u8 flow_shards;      /* power of two */
	__u8 pad[3];
	__u32 sample_period_ns; /* of stacks; 0: none are taken */
};

HR_SIZE_IS(struct hr_bpf_config, 32);

#endif
