// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/ctprof_movers.h>

#include "ctprof/snapshot.h"

enum { BORN_FROM = 1000 };

static const unsigned int metrics[] = { KTSTR_CTPROF_RUN_TIME, KTSTR_CTPROF_WAIT_MAX,
					KTSTR_CTPROF_NR_THREADS };

struct ids {
	uint32_t tgid, tid;
	int64_t start;
};

static struct ktstr_ctprof_thread thread(struct ids ids, int64_t run_time)
{
	struct ktstr_ctprof_thread t = { .tgid = ids.tgid, .tid = ids.tid };

	thread_set(&t, KTSTR_CTPROF_START_TIME, ids.start);
	if (run_time >= 0)
		thread_set(&t, KTSTR_CTPROF_RUN_TIME, run_time);
	t.texts[KTSTR_CTPROF_TEXT_PCOMM] = "process";
	t.texts[KTSTR_CTPROF_TEXT_COMM] = "thread";
	t.texts[KTSTR_CTPROF_TEXT_CGROUP] = ids.tgid == 1 ? "/b" : "/a";
	return t;
}

static struct ktstr_ctprof_movers *difference(const struct ktstr_ctprof *older,
					      const struct ktstr_ctprof *newer,
					      enum ktstr_ctprof_movers_by by)
{
	const struct ktstr_ctprof_movers_opts opts = {
		.by = by, .metrics = metrics, .nr_metrics = 3, .born_from_ticks = BORN_FROM
	};
	struct ktstr_ctprof_movers *movers = NULL;

	assert_int_equal(ktstr_ctprof_movers_create(older, newer, &opts, &movers, NULL), 0);
	return movers;
}

static void counters_become_differences(void **state)
{
	struct ktstr_ctprof_thread a[] = { thread((struct ids){ 1, 1, 5 }, 100),
					   thread((struct ids){ 1, 2, 6 }, 50) };
	struct ktstr_ctprof_thread b[] = { thread((struct ids){ 1, 1, 5 }, 130),
					   thread((struct ids){ 1, 2, 6 }, 57) };
	const struct ktstr_ctprof older = { .threads = a, .nr_threads = 2 };
	const struct ktstr_ctprof newer = { .threads = b, .nr_threads = 2 };
	_cleanup_movers_ struct ktstr_ctprof_movers *threads = NULL, *processes = NULL;

	(void)state;
	thread_set(&b[0], KTSTR_CTPROF_WAIT_MAX, 9);
	thread_set(&b[1], KTSTR_CTPROF_WAIT_MAX, 4);
	threads = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_THREAD);
	assert_int_equal(threads->nr_rows, 2);
	assert_int_equal(threads->rows[0].cells[0].value, 30);
	assert_int_equal(threads->rows[1].cells[0].value, 7);
	assert_int_equal(threads->rows[1].tid, 2);
	assert_string_equal(threads->rows[1].name, "thread");
	processes = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_PROCESS);
	assert_int_equal(processes->nr_rows, 1);
	assert_int_equal(processes->rows[0].threads, 2);
	assert_int_equal(processes->rows[0].cells[0].value, 37);
	assert_int_equal(processes->rows[0].cells[0].threads, 2);
	assert_int_equal(processes->rows[0].cells[1].value, 9); /* a peak: the largest */
	assert_int_equal(processes->rows[0].cells[2].threads, 0);
	assert_int_equal(processes->threads_new + processes->threads_gone, 0);
}

static void absent_and_impossible_are_no_zero(void **state)
{
	struct ktstr_ctprof_thread a[] = { thread((struct ids){ 1, 1, 5 }, -1),
					   thread((struct ids){ 1, 2, 6 }, 50),
					   thread((struct ids){ 1, 3, 6 }, 50) };
	struct ktstr_ctprof_thread b[] = { thread((struct ids){ 1, 1, 5 }, 130),
					   thread((struct ids){ 1, 2, 6 }, 40),
					   thread((struct ids){ 1, 3, 6 }, 50) };
	const struct ktstr_ctprof older = { .threads = a, .nr_threads = 3 };
	const struct ktstr_ctprof newer = { .threads = b, .nr_threads = 3 };
	_cleanup_movers_ struct ktstr_ctprof_movers *threads = NULL, *processes = NULL;

	(void)state;
	threads = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_THREAD);
	assert_int_equal(threads->rows[0].cells[0].threads, 0);
	assert_int_equal(threads->rows[1].cells[0].threads, 0);
	assert_int_equal(threads->rows[2].cells[0].threads, 1);
	assert_int_equal(threads->rows[2].cells[0].value, 0);
	processes = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_PROCESS);
	assert_int_equal(processes->rows[0].cells[0].threads, 1);
	assert_int_equal(processes->rows[0].threads, 3);
}

static void new_ones_count_from_their_birth(void **state)
{
	struct ktstr_ctprof_thread a[] = { thread((struct ids){ 7, 7, 5 }, 100) };
	struct ktstr_ctprof_thread b[] = { thread((struct ids){ 7, 7, 5 }, 110),
					   thread((struct ids){ 7, 8, BORN_FROM }, 40),
					   thread((struct ids){ 7, 9, BORN_FROM - 1 }, 5000) };
	const struct ktstr_ctprof older = { .threads = a, .nr_threads = 1 };
	const struct ktstr_ctprof newer = { .threads = b, .nr_threads = 3 };
	_cleanup_movers_ struct ktstr_ctprof_movers *threads = NULL, *processes = NULL;

	(void)state;
	threads = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_THREAD);
	assert_int_equal(threads->rows[0].threads_new, 0);
	assert_int_equal(threads->rows[1].threads_new, 1);
	assert_int_equal(threads->rows[1].cells[0].value, 40);
	/* Older than the interval, and only now seen: nobody knows what it did in it. */
	assert_int_equal(threads->rows[2].threads_new, 1);
	assert_int_equal(threads->rows[2].cells[0].threads, 0);
	processes = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_PROCESS);
	assert_int_equal(processes->rows[0].cells[0].value, 50);
	assert_int_equal(processes->rows[0].cells[0].threads, 2);
	assert_int_equal(processes->rows[0].threads_new, 2);
}

static void gone_ones_are_shown_without_values(void **state)
{
	struct ktstr_ctprof_thread a[] = { thread((struct ids){ 1, 1, 5 }, 100),
					   thread((struct ids){ 2, 2, 5 }, 100) };
	struct ktstr_ctprof_thread b[] = { thread((struct ids){ 2, 2, 5 }, 100) };
	const struct ktstr_ctprof older = { .threads = a, .nr_threads = 2 };
	const struct ktstr_ctprof newer = { .threads = b, .nr_threads = 1 };
	_cleanup_movers_ struct ktstr_ctprof_movers *movers = NULL;

	(void)state;
	movers = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_PROCESS);
	assert_int_equal(movers->nr_rows, 2);
	assert_int_equal(movers->rows[0].threads, 0);
	assert_int_equal(movers->rows[0].threads_gone, 1);
	assert_int_equal(movers->rows[0].cells[0].threads, 0);
	assert_string_equal(movers->rows[0].name, "process");
	assert_int_equal(movers->threads_gone, 1);
	assert_int_equal(movers->threads, 1);
}

static void an_id_given_anew_is_another_thread(void **state)
{
	struct ktstr_ctprof_thread a[] = { thread((struct ids){ 3, 3, 5 }, 100) };
	struct ktstr_ctprof_thread b[] = { thread((struct ids){ 3, 3, BORN_FROM + 1 }, 120) };
	const struct ktstr_ctprof older = { .threads = a, .nr_threads = 1 };
	const struct ktstr_ctprof newer = { .threads = b, .nr_threads = 1 };
	_cleanup_movers_ struct ktstr_ctprof_movers *threads = NULL, *processes = NULL;

	(void)state;
	threads = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_THREAD);
	assert_int_equal(threads->nr_rows, 2);
	assert_int_equal(threads->rows[0].threads_gone, 1);
	assert_int_equal(threads->rows[1].cells[0].value, 120);
	b[0].texts[KTSTR_CTPROF_TEXT_PCOMM] = "other";
	processes = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_PROCESS);
	assert_int_equal(processes->nr_rows, 1);
	assert_string_equal(processes->rows[0].name, "other");
}

static void rows_by_name_and_cgroup(void **state)
{
	struct ktstr_ctprof_thread a[] = { thread((struct ids){ 1, 1, 5 }, 100),
					   thread((struct ids){ 2, 2, 5 }, 100),
					   thread((struct ids){ 3, 3, 5 }, 100) };
	struct ktstr_ctprof_thread b[] = { thread((struct ids){ 1, 1, 5 }, 101),
					   thread((struct ids){ 2, 2, 5 }, 110),
					   thread((struct ids){ 3, 3, 5 }, 200) };
	const struct ktstr_ctprof older = { .threads = a, .nr_threads = 3 };
	const struct ktstr_ctprof newer = { .threads = b, .nr_threads = 3 };
	_cleanup_movers_ struct ktstr_ctprof_movers *names = NULL, *cgroups = NULL;

	(void)state;
	names = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_NAME);
	assert_int_equal(names->nr_rows, 1);
	assert_int_equal(names->rows[0].cells[0].value, 111);
	assert_int_equal(names->rows[0].tgid, 0);
	b[2].texts[KTSTR_CTPROF_TEXT_CGROUP] = NULL;
	a[2].texts[KTSTR_CTPROF_TEXT_CGROUP] = NULL;
	cgroups = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_CGROUP);
	assert_int_equal(cgroups->nr_rows, 3);
	assert_string_equal(cgroups->rows[0].name, "/a");
	assert_int_equal(cgroups->rows[0].cells[0].value, 10);
	assert_int_equal(cgroups->rows[1].cells[0].value, 1);
	assert_null(cgroups->rows[2].name);
	assert_int_equal(cgroups->rows[2].cells[0].value, 100);
}

static void sums_do_not_wrap(void **state)
{
	struct ktstr_ctprof_thread a[] = { thread((struct ids){ 1, 1, 5 }, 0),
					   thread((struct ids){ 1, 2, 5 }, 0) };
	struct ktstr_ctprof_thread b[] = { thread((struct ids){ 1, 1, 5 }, INT64_MAX),
					   thread((struct ids){ 1, 2, 5 }, INT64_MAX) };
	const struct ktstr_ctprof older = { .threads = a, .nr_threads = 2 };
	const struct ktstr_ctprof newer = { .threads = b, .nr_threads = 2 };
	_cleanup_movers_ struct ktstr_ctprof_movers *movers = NULL;

	(void)state;
	movers = difference(&older, &newer, KTSTR_CTPROF_MOVERS_BY_PROCESS);
	assert_true(movers->rows[0].cells[0].value == INT64_MAX);
}

static void what_does_not_move_is_refused(void **state)
{
	static const unsigned int policy[] = { KTSTR_CTPROF_POLICY }, none[] = { 100000 };
	const struct ktstr_ctprof nothing = { 0 };
	struct ktstr_ctprof_movers_opts opts = { .metrics = policy, .nr_metrics = 1 };
	struct ktstr_ctprof_movers *movers = NULL;
	struct ktstr_error err;

	(void)state;
	assert_int_equal(ktstr_ctprof_movers_create(&nothing, &nothing, &opts, &movers, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "'policy'"));
	opts.metrics = none;
	assert_int_equal(ktstr_ctprof_movers_create(&nothing, &nothing, &opts, &movers, &err),
			 -EINVAL);
	opts.nr_metrics = 0;
	assert_int_equal(ktstr_ctprof_movers_create(&nothing, &nothing, &opts, &movers, &err),
			 -EINVAL);
	assert_null(movers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_become_differences),
		cmocka_unit_test(absent_and_impossible_are_no_zero),
		cmocka_unit_test(new_ones_count_from_their_birth),
		cmocka_unit_test(gone_ones_are_shown_without_values),
		cmocka_unit_test(an_id_given_anew_is_another_thread),
		cmocka_unit_test(rows_by_name_and_cgroup),
		cmocka_unit_test(sums_do_not_wrap),
		cmocka_unit_test(what_does_not_move_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
