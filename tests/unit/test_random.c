// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run/body.h"

static struct ktstr *with(uint64_t seed, enum perturb perturb)
{
	struct ktstr *t = body_create(
		&(struct body_opts){ .seed = seed, .perturb = perturb, .record_fd = -1 });

	assert_non_null(t);
	return t;
}

static void numbers_follow_from_the_seed(void **state)
{
	struct ktstr *a = with(7, PERTURB_OFF), *b = with(7, PERTURB_HEAVY),
		     *c = with(8, PERTURB_OFF);

	(void)state;
	assert_int_equal(ktstr_seed(a), 7);
	for (int i = 0; i < 100; i++) {
		uint64_t x = ktstr_random_u64(a);

		/* Perturbation draws from another stream. */
		body_delay(b);
		assert_int_equal(ktstr_random_u64(b), x);
		assert_int_not_equal(ktstr_random_u64(c), x);
		assert_true(ktstr_random_below(a, 3) < 3);
		ktstr_random_below(b, 3);
	}
	assert_int_equal(ktstr_random_below(a, 0), 0);
	body_destroy(a);
	body_destroy(b);
	body_destroy(c);
}

static void nothing_is_drawn_where_nothing_is_perturbed(void **state)
{
	struct ktstr *off = with(7, PERTURB_OFF), *light = with(7, PERTURB_LIGHT);
	uint64_t next;

	(void)state;
	body_delay(off);
	next = prng_u64(&off->delays);
	body_delay(light);
	assert_int_not_equal(prng_u64(&light->delays), next);
	body_destroy(off);
	body_destroy(light);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_follow_from_the_seed),
		cmocka_unit_test(nothing_is_drawn_where_nothing_is_perturbed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
