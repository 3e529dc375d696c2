/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 256

/* The finishing factors of MurmurHash3. */
#define FACTOR_1 0xff51afd7ed558ccdULL
#define FACTOR_2 0xc4ceb9fe1a85ec53ULL

void hr_idmap_init(struct hr_idmap *map, size_t max)
{
	*map = (struct hr_idmap){ .max = max };
}

void hr_idmap_fini(struct hr_idmap *map)
{
	free(map->entries);
	*map = (struct hr_idmap){ .max = map->max };
}

/* Where the key is, or would be. */
static struct hr_idmap_entry *place_of(const struct hr_idmap *map, uint64_t key)
{
	size_t at = (size_t)hr_hash_word(0, key) & (map->size - 1);

	while (map->entries[at].key && map->entries[at].key != key)
		at = (at + 1) & (map->size - 1);
	return &map->entries[at];
}

uint64_t *hr_idmap_find(const struct hr_idmap *map, uint64_t key)
{
	struct hr_idmap_entry *entry = map->size && key ? place_of(map, key) : NULL;

	return entry && entry->key ? &entry->value : NULL;
}

/* At most half of the entries are in use. */
static int grow(struct hr_idmap *map)
{
	struct hr_idmap old = *map;
	size_t size = old.size ? 2 * old.size : SIZE_FIRST;
	struct hr_idmap_entry *entries = calloc(size, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	map->entries = entries;
	map->size = size;
	for (size_t i = 0; i < old.size; i++)
		if (old.entries[i].key)
			*place_of(map, old.entries[i].key) = old.entries[i];
	free(old.entries);
	return 0;
}

int hr_idmap_put(struct hr_idmap *map, uint64_t key, uint64_t value)
{
	uint64_t *known = hr_idmap_find(map, key);

	if (known) {
		*known = value;
		return 0;
	}
	if (map->count >= map->max)
		return -ENOSPC;
	if (2 * (map->count + 1) > map->size && grow(map))
		return -ENOMEM;
	*place_of(map, key) = (struct hr_idmap_entry){ key, value };
	map->count++;
	return 0;
}

void hr_idmap_clear(struct hr_idmap *map)
{
	if (map->size)
		memset(map->entries, 0, map->size * sizeof(*map->entries));
	map->count = 0;
}

uint64_t hr_hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * FACTOR_1;
	hash = (hash ^ hash >> 33) * FACTOR_2;
	return hash ^ hash >> 33;
}

uint64_t hr_hash_text(uint64_t hash, const char *text)
{
	size_t length = strlen(text);
	uint64_t word;

	hash = hr_hash_word(hash, length);
	for (size_t at = 0; at < length; at += sizeof(word)) {
		word = 0;
		memcpy(&word, text + at, length - at < sizeof(word) ? length - at : sizeof(word));
		hash = hr_hash_word(hash, word);
	}
	return hash;
}
