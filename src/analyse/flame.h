/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_FLAME_H
#define HR_ANALYSE_FLAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/summary.h"
#include "base/err.h"

/*
 * The sampled stacks of a run as a tree, for flame graphs: below the root a node per group of threads, below that the frames,
 * outermost first. A node's time is that of all samples that go through it. The lightest nodes are left out where there are too
 * many, and their time stays in the nodes above.
 */
struct hr_flame_node {
	uint32_t parent; /* index; of the root its own */
	uint32_t frame;	 /* index in hr_profile.frames; of a group's node: index in hr_summary.groups; of the root nothing */
	uint16_t depth;	 /* 0: the root, 1: a group, 2: its outermost frame */
	uint64_t time_ns, count;
};

struct hr_flame {
	struct hr_flame_node *nodes; /* parents before their children, [0] the root; none if there is no sample */
	size_t node_count;
	size_t left_out; /* nodes */
};

/* 0 and *ret_flame (empty it with hr_flame_fini()), or -ENOMEM. max: nodes, at least 1. */
int hr_flame_make(const struct hr_summary *summary, bool on_cpu, size_t max, struct hr_flame *ret_flame, struct hr_err *err);
void hr_flame_fini(struct hr_flame *flame); /* takes one that is all zero */

#endif
