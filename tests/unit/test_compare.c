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

#include "base/cleanup.h"
#include "ctprof/compare.h"
#include "tests/lib/made_snapshot.h"

enum { THREADS = 400, NAMES = 12 };

DEFINE_CLEANUP(struct made *, made_destroy);
#define _cleanup_made_ _cleanup_(made_destroyp)

static uint64_t seed = 1;

static uint32_t chance(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static const char *const processes[NAMES] = { "app",	     "db",   "web",  "kworker/0:1",
					      "kworker/1:0", "sh",   "java", "cc1",
					      "make",	     "init", "sshd", "cron" };
static const char *const threads[NAMES] = {
	"main", "worker-1", "worker-2", "worker-3",	   "gc", "io:1",
	"io:2", "x",	    "y",	"pool-1-thread-7", "z9", "timer"
};
static const char *const cgroups[] = { "/", "/user.slice/session-1.scope",
				       "/user.slice/session-2.scope", "/system.slice/db.service",
				       NULL };

static const unsigned int counters[] = { KTSTR_CTPROF_RUN_TIME,	     KTSTR_CTPROF_WAIT_TIME,
					 KTSTR_CTPROF_VOLUNTARY_CSW, KTSTR_CTPROF_ALLOCATED,
					 KTSTR_CTPROF_DEALLOCATED,   KTSTR_CTPROF_WAIT_MAX,
					 KTSTR_CTPROF_NICE,	     KTSTR_CTPROF_POLICY };

/* Some of everything, some of it absent. */
static void populate(struct made *m, uint32_t first_pid, int64_t most)
{
	for (uint32_t i = 0; i < THREADS; i++) {
		struct ktstr_ctprof_thread *t = made_thread(
			m, first_pid + i / 4 * 4, first_pid + i, processes[i / 4 % NAMES],
			threads[chance(NAMES)], cgroups[chance(ARRAY_SIZE(cgroups))]);

		for (size_t j = 0; j < ARRAY_SIZE(counters); j++)
			if (chance(4))
				made_put(m, t, counters[j], chance((uint32_t)most));
	}
}

static const struct ktstr_ctprof_compare_opts by_process = { .group_by = KTSTR_CTPROF_BY_PROCESS };

static const struct ktstr_ctprof_cell *cell(const struct ktstr_ctprof_comparison *c, size_t block,
					    const char *label, const char *metric)
{
	const struct ktstr_ctprof_block *b = &c->blocks[block];
	int column = ktstr_ctprof_column_find(b, metric);

	assert_true(column >= 0);
	for (size_t i = 0; i < b->nr_groups; i++)
		if (!strcmp(b->groups[i].label, label))
			return &b->groups[i].cells[column];
	fail_msg("no group '%s'", label);
	return NULL;
}

static void a_record_against_itself_is_zero(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	_cleanup_made_ struct made *m = made_create();

	(void)state;
	populate(m, 100, 1000000);
	c = made_compare(m, m, NULL);
	assert_true(c->one_boot);
	assert_true(c->born == 0 && c->ended == 0);
	assert_int_equal(c->nr_blocks, 4);
	for (size_t i = 0; i < c->nr_blocks; i++) {
		for (size_t j = 0; j < c->blocks[i].nr_groups; j++) {
			for (size_t k = 0; k < c->blocks[i].nr_columns; k++) {
				const struct ktstr_ctprof_cell *x =
					&c->blocks[i].groups[j].cells[k];

				assert_true(x->delta == 0 && !x->differs && x->mark == 0);
				assert_true(!x->has_percent || x->percent == 0);
				assert_true(!x->between.there || x->between.number == 0 ||
					    c->blocks[i].columns[k].kind ==
						    KTSTR_CTPROF_KIND_DERIVED);
				assert_true(x->sides[0].there == x->sides[1].there);
			}
			assert_true(c->blocks[i].groups[j].weight == 0);
		}
	}
}

/* Sums of one counter over the threads of a snapshot that pass. */
static int64_t sum_of(const struct ktstr_ctprof *s, unsigned int metric, uint32_t *ret_have)
{
	int64_t sum = 0, v;

	*ret_have = 0;
	for (size_t i = 0; i < s->nr_threads; i++) {
		if (ktstr_ctprof_get(&s->threads[i], metric, &v)) {
			sum += v;
			++*ret_have;
		}
	}
	return sum;
}

static void groups_add_up_to_the_machine(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made_pair *m = *state;

	populate(m->a, 100, 1000000);
	populate(m->b, 50000, 1000000);
	c = made_compare(m->a, m->b, NULL);
	assert_false(c->one_boot);
	for (size_t j = 0; j < 5; j++) {
		for (unsigned int side = 0; side < 2; side++) {
			uint32_t have;
			int64_t wanted = sum_of(c->sides[side].snapshot, counters[j], &have);

			for (size_t i = 0; i < c->nr_blocks; i++) {
				int64_t sum = 0;
				uint32_t had = 0, of = 0;

				for (size_t g = 0; g < c->blocks[i].nr_groups; g++) {
					const struct ktstr_ctprof_value *v =
						&c->blocks[i]
							 .groups[g]
							 .cells[ktstr_ctprof_column_find(
								 &c->blocks[i],
								 ktstr_ctprof_metric_info(
									 counters[j])
									 ->name)]
							 .sides[side];

					assert_true(v->there == (v->have > 0));
					sum += v->there ? v->low : 0;
					had += v->have;
					of += v->of;
				}
				assert_int_equal(sum, wanted);
				assert_int_equal(had, have);
				assert_int_equal(of, THREADS);
			}
		}
	}
}

static int by_label(const void *a, const void *b)
{
	const struct ktstr_ctprof_group *x = a, *y = b;

	return strcmp(x->label, y->label);
}

/* The same threads under other numbers, in the reverse order. */
static void order_of_threads_does_not_matter(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL, *d = NULL;
	struct made_pair *m = *state;
	const struct ktstr_ctprof *s;

	populate(m->a, 100, 50);
	s = made_snapshot(m->a);
	for (size_t i = s->nr_threads; i-- > 0;) {
		const struct ktstr_ctprof_thread *from = &s->threads[i];
		uint32_t tid = (uint32_t)(s->nr_threads - i);
		struct ktstr_ctprof_thread *t = made_thread(
			m->b, tid, tid, from->texts[KTSTR_CTPROF_TEXT_PCOMM],
			from->texts[KTSTR_CTPROF_TEXT_COMM], from->texts[KTSTR_CTPROF_TEXT_CGROUP]);

		memcpy(t->present, from->present, sizeof(t->present));
		memcpy(t->values, from->values, sizeof(t->values));
	}
	c = made_compare(m->a, NULL, NULL);
	d = made_compare(m->b, NULL, NULL);
	for (size_t i = 0; i < c->nr_blocks; i++) {
		struct ktstr_ctprof_block *x = &c->blocks[i], *y = &d->blocks[i];

		assert_int_equal(x->nr_groups, y->nr_groups);
		qsort(x->groups, x->nr_groups, sizeof(*x->groups), by_label);
		qsort(y->groups, y->nr_groups, sizeof(*y->groups), by_label);
		for (size_t j = 0; j < x->nr_groups; j++) {
			assert_string_equal(x->groups[j].label, y->groups[j].label);
			for (size_t k = 0; k < ARRAY_SIZE(counters); k++) {
				int column = ktstr_ctprof_column_find(
					x, ktstr_ctprof_metric_info(counters[k])->name);
				const struct ktstr_ctprof_value *v =
					&x->groups[j].cells[column].sides[0];
				const struct ktstr_ctprof_value *w =
					&y->groups[j].cells[column].sides[0];

				assert_true(v->there == w->there && v->mixed == w->mixed);
				assert_true(v->low == w->low && v->high == w->high);
				assert_true(v->have == w->have && v->of == w->of);
			}
		}
	}
}

static void nothing_that_is_lost_becomes_zero(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made_pair *m = *state;
	const struct ktstr_ctprof_cell *x;

	made_put(m->a, made_thread(m->a, 1, 1, "p", "p", "/"), KTSTR_CTPROF_RUN_TIME, 5000);
	made_thread(m->b, 1, 1, "p", "p", "/");
	c = made_compare(m->a, m->b, NULL);
	x = cell(c, 0, "all threads", "run_time_ns");
	assert_true(x->sides[0].there && x->sides[0].low == 5000);
	assert_false(x->sides[1].there);
	assert_true(x->sides[1].have == 0 && x->sides[1].of == 1);
	assert_false(x->between.there);
	assert_false(x->has_delta || x->has_percent);
	assert_false(cell(c, 0, "all threads", "cpu_efficiency")->sides[0].there);
	assert_false(cell(c, 0, "all threads", "wait_time_ns")->sides[0].there);
	assert_false(cell(c, 0, "all threads", "uptime_ns")->sides[0].there);
}

/* a: one thread that goes on, one that ends; b: another one was born. */
static void make_one_boot(struct made *a, struct made *b)
{
	made_put(a, made_thread(a, 10, 10, "app", "main", "/x"), KTSTR_CTPROF_RUN_TIME, 1000);
	made_put(a, made_thread(a, 20, 20, "app", "main", "/x"), KTSTR_CTPROF_RUN_TIME, 9000);
	made_put(a, made_thread(a, 40, 40, "other", "o", "/y"), KTSTR_CTPROF_RUN_TIME, 50);
	made_put(b, made_thread(b, 10, 10, "app", "main", "/x"), KTSTR_CTPROF_RUN_TIME, 1700);
	made_put(b, made_thread(b, 30, 30, "new", "n", "/x"), KTSTR_CTPROF_RUN_TIME, 300);
	made_put(b, made_thread(b, 40, 40, "other", "o", "/y"), KTSTR_CTPROF_RUN_TIME, 80);
	made_at(b, 10);
}

static void one_boot_is_joined_by_threads(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made_pair *m = *state;
	const struct ktstr_ctprof_cell *x;

	make_one_boot(m->a, m->b);
	c = made_compare(m->a, m->b, &by_process);
	assert_true(c->one_boot && c->guessed);
	assert_true(c->born == 1 && c->ended == 1);
	assert_true(c->seconds[1] == 10);
	x = cell(c, 1, "app", "run_time_ns");
	assert_true(x->sides[0].low == 10000 && x->sides[1].low == 1700);
	assert_true(x->between.there && x->between.low == 700 && x->delta == 700);
	assert_int_equal(x->mark, KTSTR_CTPROF_MARK_AT_LEAST);
	assert_true(x->percent == 7);
	x = cell(c, 1, "new", "run_time_ns");
	assert_false(x->sides[0].there);
	assert_true(x->has_delta && x->delta == 300 && !x->has_percent);
	assert_int_equal(x->mark, KTSTR_CTPROF_MARK_NONE);
	x = cell(c, 1, "other", "run_time_ns");
	assert_true(x->delta == 30 && x->mark == KTSTR_CTPROF_MARK_NONE);
	x = cell(c, 0, "all threads", "run_time_ns");
	assert_true(x->delta == 1030);
	assert_true(cell(c, 1, "app", "run_time_ns")->share > 0.67);
}

static void other_boots_are_compared_by_sums(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made_pair *m = *state;
	const struct ktstr_ctprof_cell *x;

	make_one_boot(m->a, m->b);
	made_host_text(m->a, KTSTR_CTPROF_HOST_TEXT_BOOT_ID, "one");
	made_host_text(m->b, KTSTR_CTPROF_HOST_TEXT_BOOT_ID, "two");
	c = made_compare(m->a, m->b, &by_process);
	assert_false(c->one_boot);
	x = cell(c, 1, "app", "run_time_ns");
	assert_true(x->delta == -8300 && x->percent == -83 && x->mark == KTSTR_CTPROF_MARK_NONE);
	assert_false(x->between.there);
	assert_false(cell(c, 1, "new", "run_time_ns")->has_delta);
}

static void numbers_used_again_are_others(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made_pair *m = *state;
	struct ktstr_ctprof_thread *t;

	made_put(m->a, made_thread(m->a, 1, 1, "i", "i", "/"), KTSTR_CTPROF_RUN_TIME, 1);
	made_put(m->a, made_thread(m->a, 10, 10, "p", "p", "/"), KTSTR_CTPROF_RUN_TIME, 100);
	made_put(m->b, made_thread(m->b, 1, 1, "i", "i", "/"), KTSTR_CTPROF_RUN_TIME, 1);
	t = made_thread(m->b, 10, 10, "p", "p", "/");
	made_put(m->b, t, KTSTR_CTPROF_RUN_TIME, 150);
	made_put(m->b, t, KTSTR_CTPROF_START_TIME, 99999);
	c = made_compare(m->a, m->b, &by_process);
	assert_true(cell(c, 1, "p", "run_time_ns")->delta == 150);
	assert_true(c->born == 1 && c->ended == 1);
}

static void a_counter_that_went_back_is_marked(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made_pair *m = *state;
	const struct ktstr_ctprof_cell *x;

	for (uint32_t i = 1; i <= 3; i++) {
		made_put(m->a, made_thread(m->a, i, i, "p", "p", "/"), KTSTR_CTPROF_ALLOCATED,
			 1000);
		made_put(m->b, made_thread(m->b, i, i, "p", "p", "/"), KTSTR_CTPROF_ALLOCATED,
			 i == 2 ? 10 : 1500);
	}
	made_group_put(made_group(m->a, "/"), KTSTR_CTPROF_CGROUP_USAGE, 500);
	made_group_put(made_group(m->b, "/"), KTSTR_CTPROF_CGROUP_USAGE, 400);
	/* It may have been there all the time, without a thread in it. */
	made_group_put(made_group(m->b, "/new"), KTSTR_CTPROF_CGROUP_USAGE, 400);
	c = made_compare(m->a, m->b,
			 &(struct ktstr_ctprof_compare_opts){ .group_by = KTSTR_CTPROF_BY_CGROUP });
	assert_false(cell(c, 1, "/new", "usage_us")->between.there);
	x = cell(c, 1, "/", "allocated_bytes");
	assert_int_equal(x->mark, KTSTR_CTPROF_MARK_IMPOSSIBLE);
	assert_int_equal(x->went_back, 1);
	assert_true(x->delta == 1000 && x->between.have == 2 && x->between.of == 3);
	x = cell(c, 1, "/", "usage_us");
	assert_int_equal(x->mark, KTSTR_CTPROF_MARK_IMPOSSIBLE);
	assert_false(x->has_delta);
}

static void windows_are_compared_by_rates(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made *moments[4];
	struct ktstr_ctprof_side sides[2];
	const struct ktstr_ctprof_cell *x;
	struct ktstr_error err;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		static const int64_t run[] = { 1000, 5000, 70, 370 };
		struct ktstr_ctprof_thread *t;

		moments[i] = made_create();
		t = made_thread(moments[i], 7, 7, "p", "p", "/");
		made_put(moments[i], t, KTSTR_CTPROF_RUN_TIME, run[i]);
		made_put(moments[i], t, KTSTR_CTPROF_TIMESLICES, run[i] / 10);
		made_at(moments[i], i < 2 ? i * 4 : 100 + i);
	}
	sides[0] = (struct ktstr_ctprof_side){ made_snapshot(moments[1]), made_snapshot(moments[0]),
					       "a" };
	sides[1] = (struct ktstr_ctprof_side){ made_snapshot(moments[3]), made_snapshot(moments[2]),
					       "b" };
	assert_int_equal(ktstr_ctprof_compare(&sides[0], &sides[1], NULL, &c, &err), 0);
	assert_true(c->per_second && !c->one_boot);
	assert_true(c->seconds[0] == 4 && c->seconds[1] == 1);
	x = cell(c, 0, "all threads", "run_time_ns");
	assert_true(x->sides[0].number == 1000 && x->sides[1].number == 300);
	assert_true(x->delta == -700 && x->percent == -70);
	assert_true(cell(c, 0, "all threads", "avg_slice_ns")->sides[0].number == 10);
	sides[1].since = NULL;
	assert_int_equal(ktstr_ctprof_compare(&sides[0], &sides[1], NULL, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is a moment"));
	for (unsigned int i = 0; i < 4; i++)
		made_destroy(moments[i]);
}

static void a_rate_divides_what_happened(void **state)
{
	static const struct ktstr_ctprof_compare_opts opts = { .group_by = KTSTR_CTPROF_BY_PROCESS,
							       .per_second = true };
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made_pair *m = *state;

	make_one_boot(m->a, m->b);
	c = made_compare(m->a, m->b, &opts);
	assert_true(cell(c, 1, "app", "run_time_ns")->delta == 70);
	assert_true(cell(c, 1, "app", "run_time_ns")->percent == 7);
}

static void sides_that_do_not_fit_are_refused(void **state)
{
	struct made_pair *m = *state;
	struct ktstr_ctprof_side x, y;
	struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_error err;

	make_one_boot(m->a, m->b);
	x = (struct ktstr_ctprof_side){ .snapshot = made_snapshot(m->a), .name = "x" };
	y = (struct ktstr_ctprof_side){ .snapshot = made_snapshot(m->b), .name = "y" };
	assert_int_equal(ktstr_ctprof_compare(&y, &x, NULL, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'x' was taken before 'y'"));
	assert_int_equal(ktstr_ctprof_compare(
				 &x, &y,
				 &(struct ktstr_ctprof_compare_opts){
					 .per_second = true, .boots = KTSTR_CTPROF_BOOTS_OTHER },
				 &c, &err),
			 -EINVAL);
	assert_int_equal(ktstr_ctprof_compare(
				 &x, &y,
				 &(struct ktstr_ctprof_compare_opts){ .metrics = "run_time,speed" },
				 &c, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "no metric 'speed'"));
	assert_null(c);
}

static void values_are_put_together_by_their_rules(void **state)
{
	static const struct {
		int64_t policy, nice, wait_max, start;
		const char *cpus;
	} rows[] = { { 0, 5, 10, 3, "0-3" }, { 7, -5, 30, 1, "0-3,8" }, { 0, 0, 20, 2, "0-3" } };
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	_cleanup_made_ struct made *m = made_create();
	const struct ktstr_ctprof_value *v;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct ktstr_ctprof_thread *t = made_thread(m, 1, i + 1, "p", "t", "/");

		made_put(m, t, KTSTR_CTPROF_POLICY, rows[i].policy);
		made_put(m, t, KTSTR_CTPROF_NICE, rows[i].nice);
		made_put(m, t, KTSTR_CTPROF_WAIT_MAX, rows[i].wait_max);
		made_put(m, t, KTSTR_CTPROF_CPU_DELAY_MIN, rows[i].start);
		t->texts[KTSTR_CTPROF_TEXT_CPU_AFFINITY] = rows[i].cpus;
		if (!i)
			made_put(m, t, KTSTR_CTPROF_SMAPS_RSS, 77);
	}
	c = made_compare(m, NULL, NULL);
	v = &cell(c, 0, "all threads", "policy")->sides[0];
	assert_true(v->low == 0 && v->mixed && v->have == 3);
	v = &cell(c, 0, "all threads", "nice")->sides[0];
	assert_true(v->low == -5 && v->high == 5 && v->number == 0);
	v = &cell(c, 0, "all threads", "wait_max_ns")->sides[0];
	assert_true(v->low == 30 && v->number == 30);
	v = &cell(c, 0, "all threads", "cpu_delay_min_ns")->sides[0];
	assert_true(v->low == 1);
	v = &cell(c, 0, "all threads", "cpu_affinity")->sides[0];
	assert_true(v->low == 4 && v->high == 5 && v->mixed && !v->text);
	v = &cell(c, 0, "all threads", "smaps_rss_bytes")->sides[0];
	assert_true(v->low == 77 && v->have == 1 && v->of == 1);
}

static void frequent_values_beat_small_ones(void **state)
{
	static const int64_t values[] = { 1000, -3, 1000, -3, 5, 1000 };
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	_cleanup_made_ struct made *m = made_create();

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(values); i++)
		made_put(m, made_thread(m, 1, i + 1, "p", "t", "/"), KTSTR_CTPROF_POLICY,
			 values[i]);
	c = made_compare(m, NULL, NULL);
	assert_int_equal(cell(c, 0, "all threads", "policy")->sides[0].low, 1000);
}

static void sums_do_not_wrap(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	_cleanup_made_ struct made *m = made_create();

	(void)state;
	for (uint32_t i = 1; i < 4; i++)
		made_put(m, made_thread(m, 1, i, "p", "t", "/"), KTSTR_CTPROF_RUN_TIME,
			 INT64_MAX / 2);
	c = made_compare(m, NULL, NULL);
	assert_true(cell(c, 0, "all threads", "run_time_ns")->sides[0].low == INT64_MAX);
}

static void cgroups_bring_their_own_values(void **state)
{
	static const char *const globs[] = { "/docker/*" };
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	_cleanup_made_ struct made *m = made_create();
	const struct ktstr_ctprof_cell *x;
	struct ktstr_ctprof_cgroup *g;

	(void)state;
	made_thread(m, 1, 1, "p", "p", "/docker/a");
	made_thread(m, 2, 2, "p", "p", "/docker/b");
	made_thread(m, 3, 3, "p", "p", NULL);
	for (int i = 0; i < 2; i++) {
		g = made_group(m, i ? "/docker/b" : "/docker/a");
		made_group_put(g, KTSTR_CTPROF_CGROUP_USAGE, 100 + i);
		made_group_put(g, KTSTR_CTPROF_CGROUP_MEMORY_MAX,
			       i ? KTSTR_CTPROF_UNLIMITED : 4096);
	}
	c = made_compare(m, NULL,
			 &(struct ktstr_ctprof_compare_opts){ .group_by = KTSTR_CTPROF_BY_CGROUP,
							      .flatten = globs,
							      .nr_flatten = 1 });
	assert_int_equal(c->blocks[1].nr_groups, 2);
	x = cell(c, 1, "/docker/*", "usage_us");
	assert_true(x->sides[0].low == 201 && x->sides[0].have == 2 && x->sides[0].of == 2);
	x = cell(c, 1, "/docker/*", "memory_max_bytes");
	assert_true(x->sides[0].low == KTSTR_CTPROF_UNLIMITED);
	assert_false(cell(c, 1, "(unknown)", "usage_us")->sides[0].there);
}

static void the_machine_has_its_own_values(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made_pair *m = *state;
	const struct ktstr_ctprof_cell *x;

	make_one_boot(m->a, m->b);
	made_host_put(m->a, KTSTR_CTPROF_HOST_FORKS, 100);
	made_host_put(m->b, KTSTR_CTPROF_HOST_FORKS, 130);
	made_host_text(m->a, KTSTR_CTPROF_HOST_TEXT_EXT_STATE, "disabled");
	made_host_text(m->b, KTSTR_CTPROF_HOST_TEXT_EXT_STATE, "enabled");
	c = made_compare(m->a, m->b, NULL);
	x = cell(c, 0, "all threads", "forks");
	assert_true(x->between.low == 30 && x->delta == 30 && x->mark == KTSTR_CTPROF_MARK_NONE);
	assert_true(cell(c, 0, "all threads", "ext_state")->differs);
	assert_true(ktstr_ctprof_column_find(&c->blocks[1], "forks") < 0);
}

static void columns_are_chosen(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL, *d = NULL;
	_cleanup_made_ struct made *m = made_create();

	(void)state;
	made_thread(m, 1, 1, "p", "p", "/");
	c = made_compare(m, NULL,
			 &(struct ktstr_ctprof_compare_opts){ .group_by = KTSTR_CTPROF_BY_TASK,
							      .metrics = "nice,run_time",
							      .sort = "avg_wait:asc" });
	assert_int_equal(c->blocks[1].nr_columns, 3);
	d = made_compare(m, NULL,
			 &(struct ktstr_ctprof_compare_opts){
				 .group_by = KTSTR_CTPROF_BY_PROCESS,
				 .sections = 1u << KTSTR_CTPROF_SECTION_DERIVED });
	assert_int_equal(d->blocks[1].nr_columns, KTSTR_CTPROF_NR_DERIVED);
}

static void names_without_letters_are_seen(void **state)
{
	static const struct ktstr_ctprof_compare_opts by[] = {
		{ .group_by = KTSTR_CTPROF_BY_PROCESS },
		{ .group_by = KTSTR_CTPROF_BY_NAME },
		{ .group_by = KTSTR_CTPROF_BY_TASK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
		_cleanup_made_ struct made *m = made_create();

		made_put(m, made_thread(m, 1, 1, "", "", "/"), KTSTR_CTPROF_RUN_TIME, 5);
		made_put(m, made_thread(m, 2, 2, NULL, NULL, "/"), KTSTR_CTPROF_RUN_TIME, 7);
		c = made_compare(m, NULL, &by[i]);
		assert_true(cell(c, 1, "(empty)", "run_time_ns")->sides[0].low == 5);
		assert_true(cell(c, 1, "(unknown)", "run_time_ns")->sides[0].low == 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_against_itself_is_zero),
		MADE_TEST(groups_add_up_to_the_machine),
		MADE_TEST(order_of_threads_does_not_matter),
		MADE_TEST(nothing_that_is_lost_becomes_zero),
		MADE_TEST(one_boot_is_joined_by_threads),
		MADE_TEST(other_boots_are_compared_by_sums),
		MADE_TEST(numbers_used_again_are_others),
		MADE_TEST(a_counter_that_went_back_is_marked),
		cmocka_unit_test(windows_are_compared_by_rates),
		MADE_TEST(a_rate_divides_what_happened),
		MADE_TEST(sides_that_do_not_fit_are_refused),
		cmocka_unit_test(values_are_put_together_by_their_rules),
		cmocka_unit_test(frequent_values_beat_small_ones),
		cmocka_unit_test(sums_do_not_wrap),
		cmocka_unit_test(cgroups_bring_their_own_values),
		MADE_TEST(the_machine_has_its_own_values),
		cmocka_unit_test(columns_are_chosen),
		cmocka_unit_test(names_without_letters_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
