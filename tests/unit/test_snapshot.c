// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/snapshot.h"

static void absent_is_not_zero(void **state)
{
	struct ktstr_ctprof_thread t = { 0 };
	int64_t v = 77;

	(void)state;
	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_METRICS; m++) {
		assert_false(ktstr_ctprof_get(&t, m, &v));
		assert_int_equal(v, 77);
		assert_int_equal(ktstr_ctprof_get_or_zero(&t, m), 0);
	}
	thread_set(&t, KTSTR_CTPROF_DEALLOCATED, 0);
	assert_true(ktstr_ctprof_get(&t, KTSTR_CTPROF_DEALLOCATED, &v));
	assert_int_equal(v, 0);
	for (unsigned int m = 0; m < KTSTR_CTPROF_DEALLOCATED; m++)
		assert_false(ktstr_ctprof_get(&t, m, &v));
}

static void thousands_of_texts_are_one_copy_each(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	const char *first[5000];
	char text[32];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 4999; i >= 0; i--) { /* long ones before their prefixes */
			const char *copy;

			snprintf(text, sizeof(text), "thread-%d", i);
			copy = builder_intern(&b, text, strlen(text));
			assert_string_equal(copy, text);
			if (round)
				assert_ptr_equal(copy, first[i]);
			first[i] = copy;
		}
	}
	assert_string_equal(builder_intern(&b, "thread-1234", 7), "thread-");
	assert_string_equal(builder_intern(&b, "a\0b", 3), "a");
}

/* What is sorted is not looked at again, what came since is. */
static void threads_added_to_a_sorted_list_are_sorted(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };

	(void)state;
	for (uint32_t tid = 3000; tid > 1000; tid -= 2) {
		assert_int_equal(builder_reserve(&b, 3), 0);
		builder_add_thread(&b)->tid = tid;
		builder_add_thread(&b)->tid = tid - 1;
		if (tid % 100 == 0)
			assert_int_equal(builder_sort(&b), 0);
		if (tid % 300 == 0) {
			builder_drop_thread(&b);
			builder_add_thread(&b)->tid = tid;
		}
	}
	assert_int_equal(builder_sort(&b), 0);
	for (size_t i = 1; i < b.nr_threads; i++)
		assert_true(b.threads[i - 1].tid < b.threads[i].tid);
}

/* Beyond what malloc() keeps the list is in memory of another kind. */
static void a_list_grows_beyond_what_is_kept(void **state)
{
	const size_t many = (size_t)(40 << 20) / sizeof(struct ktstr_ctprof_thread);
	_cleanup_builder_ struct builder b = { 0 };

	(void)state;
	for (uint32_t tid = 1; tid <= 300; tid++) {
		builder_add_thread(&b)->tid = tid;
		builder_note(&b)->execs = tid;
	}
	for (int round = 0; round < 2; round++)
		assert_int_equal(builder_reserve(&b, many << round), 0);
	assert_true(b.threads_size >= 300 + 2 * many);
	for (uint32_t tid = 301; tid <= 2 * many; tid++)
		builder_add_thread(&b)->tid = tid;
	for (size_t i = 0; i < b.nr_threads; i++)
		assert_int_equal(b.threads[i].tid, i + 1);
	assert_int_equal(b.notes[299].execs, 300);
	assert_int_equal(builder_reserve(&b, KTSTR_CTPROF_MAX_THREADS), 0);
	assert_int_equal(b.threads[299].tid, 300);
}

static void threads_are_sorted_and_unique(void **state)
{
	static const uint32_t ids[][2] = { { 5, 7 }, { 1, 1 }, { 5, 5 }, { 5, 7 }, { 4, 9 } };
	_cleanup_ctprof_ struct ktstr_ctprof *s = NULL;
	struct builder b = { 0 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct ktstr_ctprof_thread *t = builder_add_thread(&b);

		t->tgid = ids[i][0];
		t->tid = ids[i][1];
	}
	builder_add_thread(&b);
	builder_drop_thread(&b);
	builder_add_cgroup(&b)->path = builder_intern(&b, "/b", 2);
	builder_add_cgroup(&b)->path = builder_intern(&b, "/a", 2);
	s = builder_finish(&b);
	assert_int_equal(s->nr_threads, 4);
	assert_int_equal(s->threads[0].tgid, 1);
	assert_int_equal(s->threads[1].tgid, 4);
	assert_int_equal(s->threads[3].tid, 7);
	assert_ptr_equal(ktstr_ctprof_find(s, 5, 5), &s->threads[2]);
	assert_null(ktstr_ctprof_find(s, 5, 6));
	assert_string_equal(s->cgroups[0].path, "/a");
	assert_ptr_equal(ktstr_ctprof_find_cgroup(s, "/b"), &s->cgroups[1]);
	assert_null(ktstr_ctprof_find_cgroup(s, "/c"));
}

static void notes_move_with_their_threads(void **state)
{
	enum { NR = 1000 };
	_cleanup_builder_ struct builder b = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 2 * NR; i++) {
		struct ktstr_ctprof_thread *t = builder_add_thread(&b);

		t->tgid = 1 + i * 7919 % NR; /* each number twice */
		t->tid = t->tgid;
		thread_set(t, KTSTR_CTPROF_NICE, t->tid);
		builder_note(&b)->thread_pointer = t->tid * 16;
	}
	assert_int_equal(builder_sort(&b), 0);
	assert_int_equal(b.nr_threads, NR);
	for (uint32_t i = 0; i < NR; i++) {
		assert_int_equal(b.threads[i].tid, i + 1);
		assert_int_equal(b.threads[i].values[KTSTR_CTPROF_NICE], i + 1);
		assert_int_equal(b.notes[i].thread_pointer, (i + 1) * 16);
	}
}

static void joined_builders_share_their_texts(void **state)
{
	_cleanup_builder_ struct builder b = { 0 }, from = { 0 };
	_cleanup_ctprof_ struct ktstr_ctprof *s = NULL;
	struct builder *both[] = { &b, &from };

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct builder *to = both[i % 2];
		struct ktstr_ctprof_thread *t = builder_add_thread(to);

		t->tgid = t->tid = i + 1;
		t->texts[KTSTR_CTPROF_TEXT_CGROUP] = builder_intern(to, i % 4 < 2 ? "/a" : "/b", 2);
		builder_note(to)->thread_pointer = i;
		leader_set(builder_leader(to, t), KTSTR_CTPROF_SMAPS_RSS, i);
		to->head.summary.threads_walked++;
		to->head.summary.failures[KTSTR_CTPROF_FILE_IO][KTSTR_CTPROF_REASON_OTHER]++;
	}
	builder_fill(&from, KTSTR_FILLER_TASKSTATS, KTSTR_CTPROF_RUN_TIME);
	assert_int_equal(builder_join(&b, &from), 0);
	assert_int_equal(from.nr_threads, 0);
	assert_int_equal(b.notes[500].thread_pointer, 1);
	s = builder_finish(&b);
	assert_int_equal(s->nr_threads, 1000);
	assert_int_equal(s->summary.threads_walked, 1000);
	assert_int_equal(s->summary.failures[KTSTR_CTPROF_FILE_IO][KTSTR_CTPROF_REASON_OTHER],
			 1000);
	assert_int_equal(s->filled_by[KTSTR_CTPROF_RUN_TIME], 1 << KTSTR_FILLER_TASKSTATS);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(ktstr_ctprof_get_or_zero(&s->threads[i], KTSTR_CTPROF_SMAPS_RSS),
				 i);
		assert_ptr_equal(s->threads[i].texts[KTSTR_CTPROF_TEXT_CGROUP],
				 s->threads[i % 4].texts[KTSTR_CTPROF_TEXT_CGROUP]);
	}
}

static void an_empty_snapshot_is_one(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *s = NULL;
	struct builder b = { 0 };

	(void)state;
	s = builder_finish(&b);
	assert_non_null(s);
	assert_null(ktstr_ctprof_find(s, 1, 1));
	assert_null(ktstr_ctprof_find_cgroup(s, "/"));
	ktstr_ctprof_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_is_not_zero),
		cmocka_unit_test(thousands_of_texts_are_one_copy_each),
		cmocka_unit_test(threads_are_sorted_and_unique),
		cmocka_unit_test(threads_added_to_a_sorted_list_are_sorted),
		cmocka_unit_test(a_list_grows_beyond_what_is_kept),
		cmocka_unit_test(notes_move_with_their_threads),
		cmocka_unit_test(joined_builders_share_their_texts),
		cmocka_unit_test(an_empty_snapshot_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
