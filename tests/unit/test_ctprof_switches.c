// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What an option of a capture leaves out is left out, and nothing else is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include <ktstr/ctprof.h>

#define RECORDED "tests/data/ctprof/7.3.4/"

/* What of it is there. */
struct seen {
	bool maps, cgroups, jemalloc, host;
};

static struct seen look(const struct ktstr_ctprof *snap)
{
	struct seen seen = { .cgroups = snap->nr_cgroups > 0 };

	for (size_t i = 0; i < snap->nr_threads; i++) {
		seen.maps |= snap->threads[i].leader != NULL;
		seen.jemalloc |= snap->threads[i].jemalloc != KTSTR_JEMALLOC_NOT_ASKED;
	}
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_HOST_METRICS; i++)
		seen.host |= ktstr_ctprof_host_get(&snap->host, i, &(int64_t){ 0 });
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_REASONS; i++)
		seen.maps |= snap->summary.failures[KTSTR_CTPROF_FILE_SMAPS_ROLLUP][i] > 0;
	return seen;
}

static void expect(const struct ktstr_ctprof_opts *opts, struct seen wanted)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct ktstr_error err;
	struct seen seen;

	if (ktstr_ctprof_capture(opts, &snap, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(snap->nr_threads > 0);
	seen = look(snap);
	assert_int_equal(seen.maps, wanted.maps);
	assert_int_equal(seen.cgroups, wanted.cgroups);
	assert_int_equal(seen.jemalloc, wanted.jemalloc);
	assert_int_equal(seen.host, wanted.host);
}

static void a_copy_of_proc_has_what_is_named(void **state)
{
	struct ktstr_ctprof_opts opts = { .proc = RECORDED "proc", .cgroup = RECORDED "cgroup" };

	(void)state;
	expect(&opts, (struct seen){ .maps = true, .cgroups = true, .host = true });
	opts.no_smaps = true;
	expect(&opts, (struct seen){ .cgroups = true, .host = true });
	opts.cgroup = NULL;
	expect(&opts, (struct seen){ .host = true });
	opts.no_smaps = false;
	expect(&opts, (struct seen){ .maps = true, .host = true });
	opts.cgroup = RECORDED "cgroup/nowhere";
	expect(&opts, (struct seen){ .maps = true, .host = true });
}

static bool has_cgroup2(void)
{
	_cleanup_strbuf_ struct strbuf own = STRBUF_INIT, mounts = STRBUF_INIT;

	return io_read_file("/proc/self/cgroup", &own, NULL) == 0 &&
	       io_read_file("/proc/self/mountinfo", &mounts, NULL) == 0 &&
	       strstr(strbuf_str(&own), "0::/") && strstr(strbuf_str(&mounts), " - cgroup2 ");
}

static void this_machine_has_all_but_what_is_left_out(void **state)
{
	struct ktstr_ctprof_opts opts = { .pid = getpid(), .collector = KTSTR_COLLECTOR_PROCFS };
	struct seen wanted = { .maps = true, .cgroups = true, .jemalloc = true, .host = true };

	(void)state;
	wanted.cgroups = has_cgroup2();
	expect(&opts, wanted);
	opts.no_smaps = true;
	wanted.maps = false;
	expect(&opts, wanted);
	opts.no_jemalloc = true;
	wanted.jemalloc = false;
	expect(&opts, wanted);
	opts.no_smaps = false;
	wanted.maps = true;
	expect(&opts, wanted);
	/* Named, it is not looked for. */
	opts.cgroup = "/nonexistent";
	wanted.cgroups = false;
	expect(&opts, wanted);
}

static void globs_pick_threads(void **state)
{
	struct ktstr_ctprof_opts opts = { .proc = RECORDED "proc", .cgroup_glob = "/load/*" };
	_cleanup_ctprof_ struct ktstr_ctprof *some = NULL, *all = NULL, *none = NULL;

	(void)state;
	assert_int_equal(ktstr_ctprof_capture(&opts, &some, NULL), 0);
	opts.cgroup_glob = NULL;
	assert_int_equal(ktstr_ctprof_capture(&opts, &all, NULL), 0);
	opts.comm_glob = "none-of-these";
	assert_int_equal(ktstr_ctprof_capture(&opts, &none, NULL), 0);
	assert_true(some->nr_threads > 0);
	assert_true(some->nr_threads < all->nr_threads);
	assert_int_equal(none->nr_threads, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_of_proc_has_what_is_named),
		cmocka_unit_test(this_machine_has_all_but_what_is_left_out),
		cmocka_unit_test(globs_pick_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
