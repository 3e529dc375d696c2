/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_STACKS_H
#define HEADROOM_STACKS_H

#include "headroom/types.h"

/*
 * Sampled stacks, on CPU and off. Samples lie on a grid of one period. On CPU a timer takes them. Off CPU nobody runs to take one:
 * a wait that the grid hits n times counts n samples, with the user stack that the thread has when the call returns, as in
 * "Identifying On-/Off-CPU Bottlenecks Together with Blocked Samples" (Ahn et al., OSDI 2024). So both are shares of the same time.
 */

#define HR_STACK_FRAMES 64    /* of each side: user and kernel; deeper ones are cut off at the outer end */
#define HR_STACKS 16384       /* distinct stacks between two passes of user space */
#define HR_SAMPLES 16384      /* rows of samples likewise */

struct hr_sample_key {
	__u32 thread;	      /* slot in `threads` */
	__u16 call_row;	      /* off CPU: the call that it waited in; HR_CALL_*. On CPU: 0 */
	__u8 state;	      /* enum hr_state: HR_STATE_USER and HR_STATE_KERNEL are on CPU */
	__u8 in_call;	      /* call_row says something */
	__u64 user_stack;     /* key in `stacks`; 0: none could be taken */
	union {
		__u64 kernel_stack; /* on CPU: likewise */
		__u64 futex;	    /* off CPU: address of the futex that it waited for; 0: it waited for something else */
	};
};

struct hr_sample {
	__u64 born_ns;	      /* of the thread: slots are used again */
	__u64 count;	      /* samples */
	__u64 alone_ns;	      /* on CPU: each sample's period over the threads of its process that were on CPU then */
};

/* One stack, innermost frame first. Its key is a hash of the frames and, for user stacks, of the process. */
struct hr_stack {
	__u32 process;	      /* slot; 0: kernel */
	__u32 frames;
	__u64 addresses[HR_STACK_FRAMES];
};

HR_SIZE_IS(struct hr_sample_key, 24);
HR_SIZE_IS(struct hr_sample, 24);

#endif
