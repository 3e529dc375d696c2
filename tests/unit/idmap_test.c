/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps from hashes to numbers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/idmap.h"

#define MANY 5000

static void every_key_has_the_value_that_it_was_given_last(void **state)
{
	struct hr_idmap map;

	(void)state;
	hr_idmap_init(&map, MANY);
	assert_null(hr_idmap_find(&map, 1));
	for (uint64_t key = 1; key <= MANY; key++)
		assert_int_equal(hr_idmap_put(&map, key << 32, key), 0);
	assert_int_equal(hr_idmap_put(&map, 7ULL << 32, 70), 0);
	for (uint64_t key = 1; key <= MANY; key++)
		assert_int_equal(*hr_idmap_find(&map, key << 32), key == 7 ? 70 : key);
	assert_null(hr_idmap_find(&map, 1));
	assert_null(hr_idmap_find(&map, 0));
	assert_int_equal(map.count, MANY);
	hr_idmap_fini(&map);
}

static void beyond_the_limit_only_known_keys_are_taken(void **state)
{
	struct hr_idmap map;

	(void)state;
	hr_idmap_init(&map, 2);
	assert_int_equal(hr_idmap_put(&map, 10, 1), 0);
	assert_int_equal(hr_idmap_put(&map, 20, 2), 0);
	assert_int_equal(hr_idmap_put(&map, 30, 3), -ENOSPC);
	assert_int_equal(hr_idmap_put(&map, 20, 4), 0);
	assert_null(hr_idmap_find(&map, 30));
	assert_int_equal(*hr_idmap_find(&map, 20), 4);
	hr_idmap_clear(&map);
	assert_null(hr_idmap_find(&map, 10));
	assert_int_equal(hr_idmap_put(&map, 30, 3), 0);
	assert_int_equal(*hr_idmap_find(&map, 30), 3);
	hr_idmap_fini(&map);
}

static void a_hash_is_of_all_of_the_text_and_of_where_it_ends(void **state)
{
	static const char *const texts[] = { "", "a", "b", "ab", "ba", "12345678", "123456789", "12345678\1" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (size_t j = 0; j < i; j++)
			assert_true(hr_hash_text(0, texts[i]) != hr_hash_text(0, texts[j]));
	assert_true(hr_hash_text(hr_hash_text(0, "ab"), "c") != hr_hash_text(hr_hash_text(0, "a"), "bc"));
	assert_true(hr_hash_text(5, "ab") == hr_hash_text(5, "ab"));
	assert_true(hr_hash_key(0) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_the_value_that_it_was_given_last),
		cmocka_unit_test(beyond_the_limit_only_known_keys_are_taken),
		cmocka_unit_test(a_hash_is_of_all_of_the_text_and_of_where_it_ends),
	};

	return cmocka_run_group_tests_name("idmap", tests, NULL, NULL);
}
