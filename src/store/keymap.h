/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_KEYMAP_H
#define HR_STORE_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/tables.h"

/*
 * Numbers the keys of a packed table: equal cells have the same number for as long as they are in use. All zero to begin with,
 * but for what hr_keymap_init() sets.
 */
struct hr_keymap {
	const struct hr_column *columns; /* of the cells of a key */
	int column_count;
	struct hr_keymap_key **buckets;
	size_t bucket_count, key_count;
	int64_t last_id;
	uint32_t round;
};

void hr_keymap_init(struct hr_keymap *map, const struct hr_column *columns, int column_count);
void hr_keymap_fini(struct hr_keymap *map);

/* The number of a key, from 1 on; *ret_new: it was given now. Its texts are copied. 0; -ENOMEM: the map is as it was. */
int hr_keymap_find(struct hr_keymap *map, const union hr_cell *cells, int64_t *ret_id, bool *ret_new);

/* Forget the keys that were not asked for since the sweep before, so that a map holds what is in use and not what ever was. */
void hr_keymap_sweep(struct hr_keymap *map);

/* Forget all keys. No number is given again. */
void hr_keymap_clear(struct hr_keymap *map);

#endif
