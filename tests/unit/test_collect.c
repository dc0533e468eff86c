// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/collect.h"

static const struct {
	uint32_t tgid, tid;
	const char *comm, *cgroup;
} threads[] = {
	{ 7, 7, "nginx", "/system.slice/nginx.service" },
	{ 7, 8, "worker-1", "/system.slice/nginx.service" },
	{ 9, 9, "worker-2", "/user.slice/a/b" },
	{ 11, 11, "worker-3", NULL },
	{ 12, 12, NULL, "/user.slice" },
};

static void filter(struct builder *b, const struct ktstr_ctprof_opts *opts)
{
	struct collect c = { .opts = opts, .builder = b };

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		struct ktstr_ctprof_thread *t = builder_add_thread(b);

		t->tgid = threads[i].tgid;
		t->tid = threads[i].tid;
		t->texts[KTSTR_CTPROF_TEXT_COMM] = threads[i].comm;
		t->texts[KTSTR_CTPROF_TEXT_CGROUP] = threads[i].cgroup;
		builder_note(b)->thread_pointer = threads[i].tid;
	}
	collect_apply_filters(&c);
	for (size_t i = 0; i < b->nr_threads; i++)
		assert_int_equal(b->notes[i].thread_pointer, b->threads[i].tid);
}

static void expect(const struct ktstr_ctprof_opts opts, const uint32_t *tids, size_t nr)
{
	_cleanup_builder_ struct builder b = { 0 };

	filter(&b, &opts);
	assert_int_equal(b.nr_threads, nr);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(b.threads[i].tid, tids[i]);
}

static void without_filters_all_stay(void **state)
{
	(void)state;
	expect((struct ktstr_ctprof_opts){ 0 }, (const uint32_t[]){ 7, 8, 9, 11, 12 }, 5);
}

static void each_filter_narrows(void **state)
{
	(void)state;
	expect((struct ktstr_ctprof_opts){ .pid = 7 }, (const uint32_t[]){ 7, 8 }, 2);
	expect((struct ktstr_ctprof_opts){ .comm_glob = "worker-[12]" }, (const uint32_t[]){ 8, 9 },
	       2);
	/* A star stands for parts of a path as well. */
	expect((struct ktstr_ctprof_opts){ .cgroup_glob = "/user.slice/*" },
	       (const uint32_t[]){ 9 }, 1);
	expect((struct ktstr_ctprof_opts){ .cgroup_glob = "/user.slice*" },
	       (const uint32_t[]){ 9, 12 }, 2);
	expect((struct ktstr_ctprof_opts){ .cgroup_glob = "*nginx*", .comm_glob = "worker*" },
	       (const uint32_t[]){ 8 }, 1);
}

static void an_unknown_name_matches_nothing(void **state)
{
	(void)state;
	expect((struct ktstr_ctprof_opts){ .comm_glob = "*" }, (const uint32_t[]){ 7, 8, 9, 11 },
	       4);
	expect((struct ktstr_ctprof_opts){ .cgroup_glob = "*" }, (const uint32_t[]){ 7, 8, 9, 12 },
	       4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_filters_all_stay),
		cmocka_unit_test(each_filter_narrows),
		cmocka_unit_test(an_unknown_name_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
