/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_STACKS_H
#define HR_ANALYSE_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/states.h"

/*
 * Sampled stacks of a run: the part of a summary that the exports are made from. Samples of one group of threads at one place are
 * one, over all intervals. On CPU and off CPU they lie on one grid of time, so both are shares of the same time.
 */
enum hr_frame_kind {
	HR_FRAME_USER,
	HR_FRAME_KERNEL,
	HR_FRAME_MISSING, /* stands for a user stack that could not be taken */
	HR_FRAME_CALL,	  /* the system call that a thread waited in */
	HR_FRAME_STATE,	  /* the state that it was in */
	HR_FRAME_LOCK	  /* the futex that it waited for */
};

struct hr_frame {
	int64_t frame_id;     /* first, to be found by; HR_NULL: no function */
	enum hr_frame_kind kind;
	const char *function; /* NULL: no symbol was found, or it is none */
	const char *module;   /* NULL: not known, or none */
	const char *label;    /* for people: "matmul", "libc.so.6+0x90bf0", "[unknown]", "epoll_wait", "[poll]" */
};

struct hr_stack_sample {
	size_t group;	     /* index in hr_summary.groups */
	enum hr_state state; /* on CPU HR_STATE_USER or HR_STATE_KERNEL */
	const char *syscall; /* off CPU: the call that it waited in; NULL: none, or on CPU */
	const uint32_t *path; /* indices in frames, outermost first: user, then kernel, then off CPU the call, the state and the lock */
	size_t depth;
	size_t user_depth;   /* frames of the user stack; 0: it could not be taken, and HR_FRAME_MISSING stands first */
	uint64_t count;
	uint64_t time_ns;    /* that they stand for */
	uint64_t alone_ns;   /* on CPU: that time over the threads of the process that were on CPU at once; off CPU 0 */
};

struct hr_profile {
	struct hr_frame *frames;
	struct hr_stack_sample *samples; /* by group, on CPU first, most time first */
	uint32_t *paths;		 /* of all samples */
	size_t frame_count, sample_count;
};

static inline bool hr_sample_is_on_cpu(const struct hr_stack_sample *sample)
{
	return hr_state_group(sample->state) == HR_GROUP_ON_CPU;
}

/* Takes one that is all zero. */
void hr_profile_fini(struct hr_profile *profile);

#endif
