// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/compare.h"
#include "tests/lib/made_snapshot.h"

static void threads_are_joined_by_ids_and_birth(void **state)
{
	static const uint32_t before[][2] = { { 1, 1 }, { 5, 5 }, { 5, 7 }, { 8, 8 }, { 9, 9 } };
	static const uint32_t after[][2] = { { 1, 1 }, { 5, 5 }, { 5, 6 }, { 5, 7 }, { 9, 9 } };
	struct made_pair *m = *state;
	const struct ktstr_ctprof *x, *y;
	bool survives[5] = { false };
	thread_ref *joined;

	for (size_t i = 0; i < 5; i++) {
		made_thread(m->a, before[i][0], before[i][1], "p", "t", "/");
		made_thread(m->b, after[i][0], after[i][1], "p", "t", "/");
	}
	x = made_snapshot(m->a);
	y = made_snapshot(m->b);
	made_put(m->b, (struct ktstr_ctprof_thread *)&y->threads[4], KTSTR_CTPROF_START_TIME,
		 12345);
	made_drop((struct ktstr_ctprof_thread *)&x->threads[0], KTSTR_CTPROF_START_TIME);
	joined = join_threads(x, y, survives);
	assert_non_null(joined);
	assert_null(joined[0]); /* one of them lacks its birth */
	assert_ptr_equal(joined[1], &x->threads[1]);
	assert_null(joined[2]);
	assert_ptr_equal(joined[3], &x->threads[2]);
	assert_null(joined[4]); /* the number was used again */
	assert_true(!survives[0] && survives[1] && survives[2] && !survives[3] && !survives[4]);
	free(joined);
}

static bool one_boot(struct made_pair *m, bool *ret_guessed)
{
	return join_one_boot(made_snapshot(m->a), made_snapshot(m->b), ret_guessed);
}

static void boots_are_told_apart(void **state)
{
	struct made_pair *m = *state;
	bool guessed;

	for (uint32_t i = 1; i <= 4; i++)
		made_thread(m->a, i, i, "p", "t", "/");
	for (uint32_t i = 3; i <= 8; i++)
		made_thread(m->b, i, i, "p", "t", "/");
	assert_true(one_boot(m, &guessed) && guessed); /* two of four */
	made_put(m->b, (struct ktstr_ctprof_thread *)made_snapshot(m->b)->threads,
		 KTSTR_CTPROF_START_TIME, 1);
	assert_false(one_boot(m, &guessed));
	made_host_text(m->a, KTSTR_CTPROF_HOST_TEXT_BOOT_ID, "x");
	assert_false(one_boot(m, &guessed));
	assert_true(guessed);
	made_host_text(m->b, KTSTR_CTPROF_HOST_TEXT_BOOT_ID, "x");
	assert_true(one_boot(m, &guessed) && !guessed);
	made_host_text(m->b, KTSTR_CTPROF_HOST_TEXT_BOOT_ID, "y");
	assert_false(one_boot(m, &guessed) || guessed);
}

static double seconds(struct made_pair *m)
{
	return join_seconds(made_snapshot(m->a), made_snapshot(m->b));
}

static void a_clock_that_was_set_does_not_matter(void **state)
{
	struct made_pair *m = *state;

	made_at(m->b, 10);
	assert_true(seconds(m) > 9.999 && seconds(m) < 10.001);
	made_host_put(m->a, KTSTR_CTPROF_HOST_UPTIME, 1000000000);
	assert_true(seconds(m) > 9.999 && seconds(m) < 10.001);
	made_host_put(m->b, KTSTR_CTPROF_HOST_UPTIME, 11500000000);
	assert_true(seconds(m) > 9.999 && seconds(m) < 10.001);
	made_at(m->b, 3600);
	assert_true(seconds(m) > 10.499 && seconds(m) < 10.501);
	made_at(m->b, -3600);
	assert_true(seconds(m) > 10.499 && seconds(m) < 10.501);
}

static void a_walk_is_read_on_its_way(void **state)
{
	struct made_pair *m = *state;
	struct ktstr_ctprof *later = (struct ktstr_ctprof *)made_snapshot(m->b);

	made_at(m->b, 10);
	later->duration_ns = 2000000000;
	assert_true(seconds(m) > 9.999 && seconds(m) < 10.001);
	later->collector = "procfs";
	assert_true(seconds(m) > 10.999 && seconds(m) < 11.001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MADE_TEST(threads_are_joined_by_ids_and_birth),
		MADE_TEST(boots_are_told_apart),
		MADE_TEST(a_clock_that_was_set_does_not_matter),
		MADE_TEST(a_walk_is_read_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
