/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/keymap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 64

struct hr_keymap_key {
	struct hr_keymap_key *next;
	uint64_t hash;
	int64_t id;
	uint32_t round; /* in which it was last asked for */
	union hr_cell cells[]; /* then the texts */
};

void hr_keymap_init(struct hr_keymap *map, const struct hr_column *columns, int column_count)
{
	*map = (struct hr_keymap){ .columns = columns, .column_count = column_count };
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
	return hash ^ hash >> 29;
}

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xCBF29CE484222325ULL; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001B3ULL;
	return hash;
}

static bool is_text(const struct hr_keymap *map, int column)
{
	return map->columns[column].type == HR_COLUMN_TEXT;
}

static uint64_t hash_cells(const struct hr_keymap *map, const union hr_cell *cells)
{
	uint64_t hash = 0;

	for (int i = 0; i < map->column_count; i++) {
		if (is_text(map, i))
			hash = mix(hash, cells[i].text ? hash_text(cells[i].text) : 0);
		else
			hash = mix(hash, (uint64_t)cells[i].integer);
	}
	return hash;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_cells(const struct hr_keymap *map, const union hr_cell *a, const union hr_cell *b)
{
	for (int i = 0; i < map->column_count; i++)
		if (is_text(map, i) ? !same_text(a[i].text, b[i].text) : a[i].integer != b[i].integer)
			return false;
	return true;
}

/* Its texts stand behind its cells. */
static struct hr_keymap_key *copy_key(const struct hr_keymap *map, const union hr_cell *cells)
{
	const size_t cells_bytes = (size_t)map->column_count * sizeof(*cells);
	struct hr_keymap_key *key;
	size_t text_bytes = 0;
	char *text;

	for (int i = 0; i < map->column_count; i++)
		if (is_text(map, i) && cells[i].text)
			text_bytes += strlen(cells[i].text) + 1;
	key = malloc(sizeof(*key) + cells_bytes + text_bytes);
	if (!key)
		return NULL;
	memcpy(key->cells, cells, cells_bytes);
	text = (char *)(key->cells + map->column_count);
	for (int i = 0; i < map->column_count; i++) {
		if (!is_text(map, i) || !cells[i].text)
			continue;
		key->cells[i].text = strcpy(text, cells[i].text);
		text += strlen(text) + 1;
	}
	return key;
}

/* Twice the buckets; without memory for them the chains get longer. */
static int grow(struct hr_keymap *map)
{
	size_t count = map->bucket_count ? 2 * map->bucket_count : FIRST_BUCKETS;
	struct hr_keymap_key **buckets = calloc(count, sizeof(struct hr_keymap_key *));

	if (!buckets)
		return map->buckets ? 0 : -ENOMEM;
	for (size_t i = 0; i < map->bucket_count; i++) {
		struct hr_keymap_key *next;

		for (struct hr_keymap_key *key = map->buckets[i]; key; key = next) {
			struct hr_keymap_key **bucket = &buckets[key->hash & (count - 1)];

			next = key->next;
			key->next = *bucket;
			*bucket = key;
		}
	}
	free(map->buckets);
	map->buckets = buckets;
	map->bucket_count = count;
	return 0;
}

int hr_keymap_find(struct hr_keymap *map, const union hr_cell *cells, int64_t *ret_id, bool *ret_new)
{
	const uint64_t hash = hash_cells(map, cells);
	struct hr_keymap_key *key = map->buckets ? map->buckets[hash & (map->bucket_count - 1)] : NULL;

	while (key && (key->hash != hash || !same_cells(map, key->cells, cells)))
		key = key->next;
	*ret_new = !key;
	if (!key) {
		if (map->key_count >= map->bucket_count && grow(map))
			return -ENOMEM;
		key = copy_key(map, cells);
		if (!key)
			return -ENOMEM;
		key->hash = hash;
		key->id = ++map->last_id;
		key->next = map->buckets[hash & (map->bucket_count - 1)];
		map->buckets[hash & (map->bucket_count - 1)] = key;
		map->key_count++;
	}
	key->round = map->round;
	*ret_id = key->id;
	return 0;
}

void hr_keymap_sweep(struct hr_keymap *map)
{
	for (size_t i = 0; i < map->bucket_count; i++) {
		struct hr_keymap_key **place = &map->buckets[i], *key;

		while ((key = *place)) {
			if (key->round == map->round) {
				place = &key->next;
				continue;
			}
			*place = key->next;
			free(key);
			map->key_count--;
		}
	}
	map->round++;
}

void hr_keymap_clear(struct hr_keymap *map)
{
	map->round++; /* of which no key is */
	hr_keymap_sweep(map);
}

void hr_keymap_fini(struct hr_keymap *map)
{
	hr_keymap_clear(map);
	free(map->buckets);
	map->buckets = NULL;
	map->bucket_count = 0;
}
