// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void pieces_are_zeroed_and_keep_their_content(void **state)
{
	_cleanup_arena_ struct arena a = { 0 };
	unsigned char *pieces[3000];

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		size_t size = i * 37 % 5000 + 1;

		pieces[i] = arena_alloc(&a, 1, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < size; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i % 255) + 1, size);
	}
	for (size_t i = 0; i < 3000; i++)
		for (size_t j = 0; j < i * 37 % 5000 + 1; j++)
			assert_int_equal(pieces[i][j], i % 255 + 1);
}

static void large_pieces_do_not_waste_the_rest(void **state)
{
	_cleanup_arena_ struct arena a = { 0 };
	char *small = arena_alloc(&a, 1, 16), *large = arena_alloc(&a, 1 << 20, 3), *next;

	(void)state;
	assert_non_null(small);
	assert_non_null(large);
	large[(3 << 20) - 1] = 1;
	next = arena_alloc(&a, 1, 16);
	assert_ptr_equal(next, small + 16);
}

static void absurd_sizes_are_refused(void **state)
{
	_cleanup_arena_ struct arena a = { 0 };

	(void)state;
	assert_null(arena_alloc(&a, (size_t)-1, 2));
	assert_null(arena_alloc(&a, 1, (size_t)-1));
	assert_non_null(arena_alloc(&a, 0, 0));
}

static void copies_are_terminated(void **state)
{
	_cleanup_arena_ struct arena a = { 0 };

	(void)state;
	assert_string_equal(arena_copy(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_copy(&a, "", 0), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_and_keep_their_content),
		cmocka_unit_test(large_pieces_do_not_waste_the_rest),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(copies_are_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
