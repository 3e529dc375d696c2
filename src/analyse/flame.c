/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/flame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX UINT16_MAX

/*
 * A tree that grows by paths. Children are found by hash, of their parent and their frame, so that a wide node costs no more
 * than a narrow one.
 */
struct tree {
	struct hr_flame_node *nodes;
	size_t count, capacity;
	uint32_t *slots; /* index of a node + 1; 0: free */
	size_t slot_count; /* a power of two */
};

static size_t slot_of(const struct tree *tree, uint32_t parent, uint32_t frame)
{
	uint64_t key = ((uint64_t)parent << 32 | frame) * 0x9e3779b97f4a7c15ULL;

	return (size_t)(key >> 20) & (tree->slot_count - 1);
}

static void place(struct tree *tree, uint32_t node)
{
	size_t slot = slot_of(tree, tree->nodes[node].parent, tree->nodes[node].frame);

	while (tree->slots[slot])
		slot = (slot + 1) & (tree->slot_count - 1);
	tree->slots[slot] = node + 1;
}

static bool grow(struct tree *tree)
{
	size_t capacity = tree->capacity ? 2 * tree->capacity : 256;
	struct hr_flame_node *nodes = reallocarray(tree->nodes, capacity, sizeof(*nodes));
	uint32_t *slots = calloc(2 * capacity, sizeof(*slots));

	if (nodes)
		tree->nodes = nodes;
	if (!nodes || !slots) {
		free(slots);
		return false;
	}
	free(tree->slots);
	tree->slots = slots;
	tree->slot_count = 2 * capacity;
	tree->capacity = capacity;
	for (size_t i = 1; i < tree->count; i++) /* the root is nobody's child */
		place(tree, (uint32_t)i);
	return true;
}

/* The child of a node, made if it is not there; UINT32_MAX: no memory. */
static uint32_t child(struct tree *tree, uint32_t parent, uint32_t frame)
{
	size_t slot;

	if (tree->count == tree->capacity && !grow(tree))
		return UINT32_MAX;
	slot = slot_of(tree, parent, frame);
	for (; tree->slots[slot]; slot = (slot + 1) & (tree->slot_count - 1)) {
		const struct hr_flame_node *node = &tree->nodes[tree->slots[slot] - 1];

		if (node->parent == parent && node->frame == frame)
			return tree->slots[slot] - 1;
	}
	tree->nodes[tree->count] = (struct hr_flame_node){
		.parent = parent,
		.frame = frame,
		.depth = (uint16_t)(tree->nodes[parent].depth + 1),
	};
	tree->slots[slot] = (uint32_t)tree->count + 1;
	return (uint32_t)tree->count++;
}

static void weigh(struct tree *tree, uint32_t node, const struct hr_stack_sample *sample)
{
	tree->nodes[node].time_ns += sample->time_ns;
	tree->nodes[node].count += sample->count;
}

static bool add(struct tree *tree, const struct hr_stack_sample *sample)
{
	uint32_t node = child(tree, 0, (uint32_t)sample->group);

	for (size_t i = 0; node != UINT32_MAX; i++) {
		weigh(tree, node, sample);
		if (i == sample->depth || tree->nodes[node].depth == DEPTH_MAX)
			break;
		node = child(tree, node, sample->path[i]);
	}
	if (node == UINT32_MAX)
		return false;
	weigh(tree, 0, sample);
	return true;
}

/* Heaviest first; of equals the one that was there first, so that a parent always comes before its children. */
static int compare_weight(const void *a, const void *b, void *nodes)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	const struct hr_flame_node *all = nodes;

	if (all[left].time_ns != all[right].time_ns)
		return all[left].time_ns > all[right].time_ns ? -1 : 1;
	return left < right ? -1 : left > right;
}

/* Keep the heaviest, with parents before children, and point to them where they end up. */
static bool prune(struct tree *tree, size_t max, struct hr_flame *flame)
{
	uint32_t *order = calloc(tree->count, sizeof(*order)), *moved = calloc(tree->count, sizeof(*moved));
	size_t kept = tree->count < max ? tree->count : max;

	flame->nodes = calloc(kept, sizeof(*flame->nodes));
	for (size_t i = 0; order && i < tree->count; i++)
		order[i] = (uint32_t)i;
	if (order && moved && flame->nodes) {
		qsort_r(order, tree->count, sizeof(*order), compare_weight, tree->nodes);
		for (size_t i = 0; i < kept; i++) {
			moved[order[i]] = (uint32_t)i;
			flame->nodes[i] = tree->nodes[order[i]];
			flame->nodes[i].parent = moved[flame->nodes[i].parent];
		}
		flame->node_count = kept;
		flame->left_out = tree->count - kept;
	}
	free(order);
	free(moved);
	return flame->node_count == kept;
}

int hr_flame_make(const struct hr_summary *summary, bool on_cpu, size_t max, struct hr_flame *ret_flame, struct hr_err *err)
{
	const struct hr_profile *profile = &summary->profile;
	struct hr_flame flame = { 0 };
	struct tree tree = { 0 };
	bool done = true, any = false;

	for (size_t i = 0; done && i < profile->sample_count; i++) {
		if (hr_sample_is_on_cpu(&profile->samples[i]) != on_cpu)
			continue;
		if (!any) {
			done = grow(&tree);
			if (!done)
				break;
			tree.nodes[0] = (struct hr_flame_node){ 0 };
			tree.count = 1;
			any = true;
		}
		done = add(&tree, &profile->samples[i]);
	}
	if (done && any)
		done = prune(&tree, max, &flame);
	free(tree.nodes);
	free(tree.slots);
	if (!done) {
		hr_flame_fini(&flame);
		return hr_err_set(err, -ENOMEM, "no memory for the flame graphs");
	}
	*ret_flame = flame;
	return 0;
}

void hr_flame_fini(struct hr_flame *flame)
{
	free(flame->nodes);
	*flame = (struct hr_flame){ 0 };
}
