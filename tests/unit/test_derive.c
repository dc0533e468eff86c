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

#include <ktstr/ctprof_compare.h>

#include "base/cleanup.h"
#include "tests/lib/made_snapshot.h"

static void expect(struct made *m, unsigned int derived, bool there, double number)
{
	double value = 77;

	assert_int_equal(ktstr_ctprof_derived_get(&made_snapshot(m)->threads[0], derived, &value),
			 there);
	assert_true(value == (there ? number : 77));
}

static void a_missing_input_gives_missing(void **state)
{
	struct made *m = made_create();
	struct ktstr_ctprof_thread *t = made_thread(m, 1, 1, "p", "t", "/");

	(void)state;
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_DERIVED; i++)
		expect(m, i, false, 0);
	expect(m, KTSTR_CTPROF_NR_DERIVED, false, 0);
	made_put(m, t, KTSTR_CTPROF_WAIT_SUM, 100);
	expect(m, KTSTR_CTPROF_DERIVED_AVG_WAIT, false, 0);
	made_put(m, t, KTSTR_CTPROF_WAIT_COUNT, 0);
	expect(m, KTSTR_CTPROF_DERIVED_AVG_WAIT, false, 0);
	made_put(m, t, KTSTR_CTPROF_WAIT_COUNT, 8);
	expect(m, KTSTR_CTPROF_DERIVED_AVG_WAIT, true, 12.5);
	made_destroy(m);
}

static void each_form_is_computed(void **state)
{
	static const unsigned int offcpu[] = {
		KTSTR_CTPROF_CPU_DELAY_TOTAL,	    KTSTR_CTPROF_BLKIO_DELAY_TOTAL,
		KTSTR_CTPROF_FREEPAGES_DELAY_TOTAL, KTSTR_CTPROF_COMPACT_DELAY_TOTAL,
		KTSTR_CTPROF_WPCOPY_DELAY_TOTAL,    KTSTR_CTPROF_IRQ_DELAY_TOTAL,
		KTSTR_CTPROF_SWAPIN_DELAY_TOTAL,    KTSTR_CTPROF_THRASHING_DELAY_TOTAL,
	};
	struct made *m = made_create();
	struct ktstr_ctprof_thread *t = made_thread(m, 1, 1, "p", "t", "/");

	(void)state;
	made_put(m, t, KTSTR_CTPROF_RUN_TIME, 30);
	made_put(m, t, KTSTR_CTPROF_WAIT_TIME, 10);
	expect(m, KTSTR_CTPROF_DERIVED_CPU_EFFICIENCY, true, 0.75);
	made_put(m, t, KTSTR_CTPROF_ALLOCATED, 10);
	made_put(m, t, KTSTR_CTPROF_DEALLOCATED, 25);
	expect(m, KTSTR_CTPROF_DERIVED_LIVE_HEAP, true, -15);
	for (size_t i = 0; i < ARRAY_SIZE(offcpu); i++) {
		expect(m, KTSTR_CTPROF_DERIVED_TOTAL_OFFCPU_DELAY, false, 0);
		made_put(m, t, offcpu[i], 1 << i);
	}
	/* Of swapin (64) and thrashing (128) the larger. */
	expect(m, KTSTR_CTPROF_DERIVED_TOTAL_OFFCPU_DELAY, true, 63 + 128);
	made_destroy(m);
}

static void groups_count_only_who_has_all_inputs(void **state)
{
	static const struct ktstr_ctprof_compare_opts opts = { .group_by =
								       KTSTR_CTPROF_BY_MACHINE };
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made *m = made_create();
	struct ktstr_ctprof_thread *t = made_thread(m, 1, 1, "p", "t", "/");
	struct ktstr_ctprof_side side;
	const struct ktstr_ctprof_value *v;

	(void)state;
	made_put(m, t, KTSTR_CTPROF_WAIT_SUM, 100);
	made_put(m, t, KTSTR_CTPROF_WAIT_COUNT, 10);
	made_put(m, made_thread(m, 1, 2, "p", "t", "/"), KTSTR_CTPROF_WAIT_SUM, 1000000);
	made_put(m, made_thread(m, 1, 3, "p", "t", "/"), KTSTR_CTPROF_WAIT_COUNT, 1000000);
	side = (struct ktstr_ctprof_side){ .snapshot = made_snapshot(m) };
	assert_int_equal(ktstr_ctprof_compare(&side, NULL, &opts, &c, NULL), 0);
	v = &c->blocks[0]
		     .groups[0]
		     .cells[ktstr_ctprof_column_find(&c->blocks[0], "avg_wait")]
		     .sides[0];
	assert_true(v->there && v->number == 10 && v->have == 1 && v->of == 3);
	made_destroy(m);
}

static void rows_are_whole(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_DERIVED; i++) {
		assert_true(strlen(ktstr_ctprof_derived_info(i)->name) > 3);
		assert_true(strlen(ktstr_ctprof_derived_info(i)->about) > 10);
	}
	assert_null(ktstr_ctprof_derived_info(KTSTR_CTPROF_NR_DERIVED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_input_gives_missing),
		cmocka_unit_test(each_form_is_computed),
		cmocka_unit_test(groups_count_only_who_has_all_inputs),
		cmocka_unit_test(rows_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
