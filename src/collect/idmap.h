/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_IDMAP_H
#define HR_COLLECT_IDMAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * 64-bit keys to 64-bit values, in memory that grows as it fills, up to a limit. Keys are hashes of what they stand for: that two
 * of 100,000 have the same is less likely than 1 in 10^9.
 */
struct hr_idmap {
	struct hr_idmap_entry {
		uint64_t key; /* 0: free */
		uint64_t value;
	} *entries;
	size_t size; /* of entries: a power of two, or 0 */
	size_t count, max;
};

/* Empty, for at most max keys; it allocates as they come. hr_idmap_fini() takes one that is all zero. */
void hr_idmap_init(struct hr_idmap *map, size_t max);
void hr_idmap_fini(struct hr_idmap *map);

/* The value of a key, or NULL. Valid until the next put. */
uint64_t *hr_idmap_find(const struct hr_idmap *map, uint64_t key);

/* Set the value of a key that is not 0. 0; -ENOSPC: max others are there already; -ENOMEM. */
int hr_idmap_put(struct hr_idmap *map, uint64_t key, uint64_t value);

/* Forget all. */
void hr_idmap_clear(struct hr_idmap *map);

/* Hashes: begin with any number, go on with words and texts. A finished one is a key. */
uint64_t hr_hash_word(uint64_t hash, uint64_t word);
uint64_t hr_hash_text(uint64_t hash, const char *text);
static inline uint64_t hr_hash_key(uint64_t hash)
{
	return hash ? hash : 1;
}

#endif
