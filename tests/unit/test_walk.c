// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/fault.h"
#include <ktstr/ctprof.h>

#include "../lib/scratch.h"

static struct ktstr_error err;

static struct ktstr_ctprof *capture(const char *proc, const char *cgroup)
{
	struct ktstr_ctprof *snap = NULL;

	if (ktstr_ctprof_capture(&(struct ktstr_ctprof_opts){ .proc = proc, .cgroup = cgroup },
				 &snap, &err) < 0)
		fail_msg("%s", err.text);
	return snap;
}

static int64_t value(const struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric metric)
{
	int64_t v = 0;

	assert_true(ktstr_ctprof_get(t, metric, &v));
	return v;
}

static bool absent(const struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric metric)
{
	int64_t v;

	return !ktstr_ctprof_get(t, metric, &v);
}

/* What is known of the recorded process, whatever its numbers. */
struct recording {
	const char *proc, *cgroup; /* cgroup may be NULL */
	const char *affinity;
	uint32_t leader;
	bool ext;	 /* this kernel has sched_ext */
	bool schedstats; /* and counted waits */
	bool sleep;	 /* and tells it from being blocked, since Linux 5.16 */
};

enum { RECORDED_THREADS = 6 };

static const struct recording recordings[] = {
	{ "tests/data/ctprof/5.15.100/proc", NULL, "0-1", 49, false, true, false },
	{ "tests/data/ctprof/6.1.0-50/proc", "tests/data/ctprof/6.1.0-50/cgroup", "0-1", 86, false,
	  true, true },
	{ "tests/data/ctprof/6.12.107/proc", "tests/data/ctprof/6.12.107/cgroup", "0-1", 128, false,
	  true, true },
	{ "tests/data/ctprof/6.18.44/proc", NULL, "0-3", 30997, false, false, false },
	{ "tests/data/ctprof/7.3.4/proc", "tests/data/ctprof/7.3.4/cgroup", "0-1", 100, true, true,
	  true },
};

static void check_recorded_thread(const struct recording *r, const struct ktstr_ctprof_thread *t,
				  uint32_t i)
{
	static const char *const names[RECORDED_THREADS] = {
		"a b) R 1 (c",	  "rt", "nice \\7", "new\nline", "\xff\xfe bytes 1234",
		"15 bytes: ) S 2"
	};

	assert_string_equal(t->texts[KTSTR_CTPROF_TEXT_COMM], names[i]);
	assert_string_equal(t->texts[KTSTR_CTPROF_TEXT_PCOMM], names[0]);
	assert_string_equal(t->texts[KTSTR_CTPROF_TEXT_CGROUP], "/load/a b");
	assert_string_equal(t->texts[KTSTR_CTPROF_TEXT_CPU_AFFINITY], r->affinity);
	assert_true(value(t, KTSTR_CTPROF_RUN_TIME) >= 200000000);
	assert_true(value(t, KTSTR_CTPROF_START_TIME) > 0);
	assert_true(value(t, KTSTR_CTPROF_VOLUNTARY_CSW) >= 3);
	assert_int_equal(value(t, KTSTR_CTPROF_NICE), i == 2 ? 7 : 0);
	assert_int_equal(value(t, KTSTR_CTPROF_POLICY), i == 1 ? 2 : 0);
	assert_int_equal(value(t, KTSTR_CTPROF_PRIORITY), i == 1 ? -11 : i == 2 ? 27 : 20);
	assert_int_equal(absent(t, KTSTR_CTPROF_WAIT_COUNT), !r->schedstats);
	assert_int_equal(absent(t, KTSTR_CTPROF_VOLUNTARY_SLEEP), !r->sleep);
	assert_int_equal(absent(t, KTSTR_CTPROF_EXT_ENABLED), !r->ext);
	assert_int_equal(absent(t, KTSTR_CTPROF_NR_THREADS), i != 0);
	assert_int_equal(absent(t, KTSTR_CTPROF_HIWATER_RSS), i != 0);
	assert_int_equal(absent(t, KTSTR_CTPROF_SMAPS_PSS), i != 0);
	assert_true(absent(t, KTSTR_CTPROF_ALLOCATED));
	assert_true(absent(t, KTSTR_CTPROF_CPU_DELAY_COUNT));
	assert_int_equal(t->jemalloc, KTSTR_JEMALLOC_NOT_ASKED);
}

static void check_recorded_leader(const struct ktstr_ctprof_thread *t)
{
	assert_int_equal(value(t, KTSTR_CTPROF_NR_THREADS), RECORDED_THREADS);
	assert_in_range(value(t, KTSTR_CTPROF_SMAPS_PSS), 1, value(t, KTSTR_CTPROF_SMAPS_RSS));
	assert_true(value(t, KTSTR_CTPROF_HIWATER_VM) > 0);
}

static void check_recorded_cgroup(const struct ktstr_ctprof *snap)
{
	const struct ktstr_ctprof_cgroup *c = ktstr_ctprof_find_cgroup(snap, "/load/a b");
	int64_t v;

	assert_non_null(c);
	assert_true(ktstr_ctprof_cgroup_get(c, KTSTR_CTPROF_CGROUP_MAX_QUOTA, &v));
	assert_int_equal(v, 20000);
	assert_true(ktstr_ctprof_cgroup_get(c, KTSTR_CTPROF_CGROUP_NR_THROTTLED, &v));
	assert_true(v > 0);
	assert_true(ktstr_ctprof_cgroup_get(c, KTSTR_CTPROF_CGROUP_WEIGHT, &v) && v == 100);
	assert_true(ktstr_ctprof_cgroup_get(c, KTSTR_CTPROF_CGROUP_PIDS_CURRENT, &v) && v == 5);
}

static void recorded_kernels_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recordings); i++) {
		const struct recording *r = &recordings[i];
		_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(r->proc, r->cgroup);
		char text[256];

		assert_int_equal(snap->nr_threads, RECORDED_THREADS + 1);
		/* Behind kthreadd, in the order of their birth. */
		for (uint32_t n = 0; n < RECORDED_THREADS; n++)
			check_recorded_thread(r, &snap->threads[n + 1], n);
		check_recorded_leader(ktstr_ctprof_find(snap, r->leader, r->leader));
		assert_string_equal(ktstr_ctprof_find(snap, 2, 2)->texts[KTSTR_CTPROF_TEXT_COMM],
				    "kthreadd");
		assert_int_equal(ktstr_ctprof_remedy(&snap->summary, text, sizeof(text)), 0);
		assert_string_equal(text, "");
		if (r->cgroup)
			check_recorded_cgroup(snap);
	}
}

static const char stat_text[] =
	"%u (t%u) S 1 2 3 0 -1 0 11 0 13 0 15 16 0 0 20 0 21 0 %u 24 25 26 27 28 29 30 31 32 33 34 "
	"35 36 37 38 17 3 0 0 41 42 43 44\n";

static void add_file(const struct scratch *s, uint32_t tgid, uint32_t tid, const char *name,
		     const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%u/task/%u/%s", tgid, tid, name);
	scratch_text(s, path, text);
}

static void add_thread(const struct scratch *s, uint32_t tgid, uint32_t tid)
{
	char text[512];

	snprintf(text, sizeof(text), stat_text, tid, tid, tid);
	add_file(s, tgid, tid, "stat", text);
	add_file(s, tgid, tid, "status", "voluntary_ctxt_switches:\t5\n");
	add_file(s, tgid, tid, "schedstat", "1 2 3\n");
	add_file(s, tgid, tid, "cgroup", "0::/a\n");
}

static void threads_come_sorted_by_number(void **state)
{
	static const uint32_t ids[][2] = {
		{ 2, 2 }, { 10, 9 }, { 10, 10 }, { 10, 100 }, { 100, 100 }
	};
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct scratch s;

	(void)state;
	scratch_create(&s);
	for (size_t i = ARRAY_SIZE(ids); i--;)
		add_thread(&s, ids[i][0], ids[i][1]);
	scratch_text(&s, "self", "");
	scratch_text(&s, "notanumber/task/1/stat", "");
	snap = capture(s.dir, NULL);
	assert_int_equal(snap->nr_threads, ARRAY_SIZE(ids));
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_int_equal(snap->threads[i].tgid, ids[i][0]);
		assert_int_equal(snap->threads[i].tid, ids[i][1]);
	}
	assert_string_equal(ktstr_ctprof_find(snap, 10, 9)->texts[KTSTR_CTPROF_TEXT_PCOMM], "t10");
	assert_null(ktstr_ctprof_find(snap, 10, 11));
	scratch_destroy(&s);
}

static void a_missing_file_is_an_option_that_is_off(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_thread *t;
	struct scratch s;
	char text[256];

	(void)state;
	scratch_create(&s);
	add_thread(&s, 5, 5);
	add_thread(&s, 6, 6);
	snap = capture(s.dir, NULL);
	t = ktstr_ctprof_find(snap, 5, 5);
	assert_true(absent(t, KTSTR_CTPROF_RCHAR));
	assert_true(absent(t, KTSTR_CTPROF_WAIT_SUM));
	assert_int_equal(value(t, KTSTR_CTPROF_RUN_TIME), 1);
	assert_int_equal(snap->summary.failures[KTSTR_CTPROF_FILE_IO][KTSTR_CTPROF_REASON_MISSING],
			 2);
	assert_int_equal(
		snap->summary.failures[KTSTR_CTPROF_FILE_SCHED][KTSTR_CTPROF_REASON_MISSING], 2);
	assert_int_equal(ktstr_ctprof_remedy(&snap->summary, text, sizeof(text)), 4);
	assert_non_null(strstr(text, "CONFIG_SCHED_DEBUG"));
	scratch_destroy(&s);
}

static void one_bad_file_costs_its_own_values(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_thread *t;
	struct scratch s;

	(void)state;
	scratch_create(&s);
	add_thread(&s, 5, 5);
	add_file(&s, 5, 5, "stat", "garbage");
	add_file(&s, 5, 5, "comm", "named\n");
	add_file(&s, 5, 5, "schedstat", "1 2\n");
	add_file(&s, 5, 5, "cgroup", "4:memory:/only/v1\n");
	snap = capture(s.dir, NULL);
	t = ktstr_ctprof_find(snap, 5, 5);
	assert_non_null(t);
	assert_string_equal(t->texts[KTSTR_CTPROF_TEXT_COMM], "named");
	assert_null(t->texts[KTSTR_CTPROF_TEXT_CGROUP]);
	assert_true(absent(t, KTSTR_CTPROF_STATE));
	assert_true(absent(t, KTSTR_CTPROF_RUN_TIME));
	assert_int_equal(value(t, KTSTR_CTPROF_VOLUNTARY_CSW), 5);
	assert_int_equal(
		snap->summary.failures[KTSTR_CTPROF_FILE_STAT][KTSTR_CTPROF_REASON_UNPARSABLE], 1);
	assert_int_equal(
		snap->summary.failures[KTSTR_CTPROF_FILE_SCHEDSTAT][KTSTR_CTPROF_REASON_UNPARSABLE],
		1);
	assert_int_equal(
		snap->summary.failures[KTSTR_CTPROF_FILE_CGROUP][KTSTR_CTPROF_REASON_MISSING], 1);
	scratch_destroy(&s);
}

static void ghosts_leave_no_trace_but_a_count(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct scratch s;

	(void)state;
	scratch_create(&s);
	add_thread(&s, 5, 5);
	/* A thread that ended: its folder is still listed, nothing in it can be opened. */
	assert_int_equal(mkdir(scratch_path(&s, "5/task/7"), 0755), 0);
	snap = capture(s.dir, NULL);
	assert_int_equal(snap->nr_threads, 1);
	assert_int_equal(snap->summary.ghosts, 1);
	assert_int_equal(snap->summary.threads_walked, 2);
	assert_int_equal(
		snap->summary.failures[KTSTR_CTPROF_FILE_STAT][KTSTR_CTPROF_REASON_VANISHED], 0);
	scratch_destroy(&s);
}

static void a_leader_is_read_again_at_its_own_place(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct scratch s;
	char text[512];

	(void)state;
	scratch_create(&s);
	add_thread(&s, 5, 6);
	/* Not listed, or taken for gone: the process's own files still tell. */
	snprintf(text, sizeof(text), stat_text, 5, 5, 5);
	scratch_text(&s, "5/stat", text);
	snap = capture(s.dir, NULL);
	assert_non_null(ktstr_ctprof_find(snap, 5, 5));
	assert_string_equal(ktstr_ctprof_find(snap, 5, 6)->texts[KTSTR_CTPROF_TEXT_PCOMM], "t5");
	assert_int_equal(snap->summary.ghosts, 0);
	scratch_destroy(&s);
}

static void a_dropped_leader_would_be_noticed(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;

	(void)state;
	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_LEADER_DROPPED);
	snap = capture(recordings[0].proc, NULL);
	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_NONE);
	assert_null(ktstr_ctprof_find(snap, recordings[0].leader, recordings[0].leader));
	assert_non_null(ktstr_ctprof_find(snap, recordings[0].leader, recordings[0].leader + 1));
}

static void contaminated_kernel_threads_would_be_noticed(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;

	(void)state;
	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_KERNEL_THREADS);
	snap = capture(recordings[0].proc, NULL);
	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_NONE);
	assert_false(absent(ktstr_ctprof_find(snap, 2, 2), KTSTR_CTPROF_ALLOCATED));
}

static void one_process_only(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct ktstr_ctprof_opts opts = { .pid = 5 };
	struct scratch s;

	(void)state;
	scratch_create(&s);
	opts.proc = s.dir;
	add_thread(&s, 5, 5);
	add_thread(&s, 6, 6);
	scratch_text(&s, "5/status", "Name:\tx\nTgid:\t5\n");
	scratch_text(&s, "7/status", "Name:\tx\nTgid:\t6\n");
	assert_int_equal(ktstr_ctprof_capture(&opts, &snap, &err), 0);
	assert_int_equal(snap->nr_threads, 1);
	opts.pid = 8;
	assert_int_equal(ktstr_ctprof_capture(&opts, &snap, &err), -ESRCH);
	assert_string_equal(err.text, "no process 8");
	opts.pid = 7;
	assert_int_equal(ktstr_ctprof_capture(&opts, &snap, &err), -ESRCH);
	assert_string_equal(err.text, "7 is a thread of process 6; name that one");
	opts.pid = -1;
	assert_int_equal(ktstr_ctprof_capture(&opts, &snap, &err), -ESRCH);
	opts = (struct ktstr_ctprof_opts){ .proc = "/nonexistent/proc" };
	assert_int_equal(ktstr_ctprof_capture(&opts, &snap, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/proc"));
	scratch_destroy(&s);
}

/* As a machine without cgroup v2 writes it. */
static void v1_only_has_no_cgroup(void **state)
{
	const struct ktstr_ctprof_opts glob = { .cgroup_glob = "*" };
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL, *none = NULL;
	struct ktstr_ctprof_opts opts = glob;
	const struct ktstr_ctprof_thread *t;
	struct scratch s;
	char text[256];

	(void)state;
	scratch_create(&s);
	add_thread(&s, 5, 5);
	add_file(&s, 5, 5, "cgroup",
		 "9:name=systemd:/\n8:pids:/a.slice\n4:memory:/a.slice\n1:cpu,cpuacct:/a.slice\n");
	snap = capture(s.dir, NULL);
	t = ktstr_ctprof_find(snap, 5, 5);
	assert_non_null(t);
	assert_null(t->texts[KTSTR_CTPROF_TEXT_CGROUP]);
	assert_int_equal(
		snap->summary.failures[KTSTR_CTPROF_FILE_CGROUP][KTSTR_CTPROF_REASON_MISSING], 1);
	assert_int_equal(snap->nr_cgroups, 0);
	assert_true(ktstr_ctprof_remedy(&snap->summary, text, sizeof(text)) > 0);
	opts.proc = s.dir;
	assert_int_equal(ktstr_ctprof_capture(&opts, &none, &err), 0);
	assert_int_equal(none->nr_threads, 0);
	scratch_destroy(&s);
}

static void filters_narrow_a_capture(void **state)
{
	struct ktstr_ctprof_opts opts = { .proc = recordings[0].proc, .comm_glob = "kthread*" };
	_cleanup_ctprof_ struct ktstr_ctprof *one = NULL, *process = NULL, *none = NULL;

	(void)state;
	assert_int_equal(ktstr_ctprof_capture(&opts, &one, &err), 0);
	assert_int_equal(one->nr_threads, 1);
	assert_int_equal(one->threads[0].tid, 2);
	/* The process is called so, its other threads are not. */
	opts.comm_glob = "a b) R 1 (?";
	assert_int_equal(ktstr_ctprof_capture(&opts, &process, &err), 0);
	assert_int_equal(process->nr_threads, RECORDED_THREADS);
	assert_true(value(&process->threads[5], KTSTR_CTPROF_RUN_TIME) > 0);
	opts.cgroup_glob = "/lo?d";
	assert_int_equal(ktstr_ctprof_capture(&opts, &none, &err), 0);
	assert_int_equal(none->nr_threads, 0);
}

static void large_files_are_read_whole(void **state)
{
	static char text[100000];
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct scratch s;

	(void)state;
	scratch_create(&s);
	add_thread(&s, 5, 5);
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text + sizeof(text) - 40, "\nvoluntary_ctxt_switches:\t77\nabcdefghi\n", 40);
	add_file(&s, 5, 5, "status", text);
	snap = capture(s.dir, NULL);
	assert_int_equal(value(ktstr_ctprof_find(snap, 5, 5), KTSTR_CTPROF_VOLUNTARY_CSW), 77);
	scratch_destroy(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_kernels_are_understood),
		cmocka_unit_test(threads_come_sorted_by_number),
		cmocka_unit_test(a_missing_file_is_an_option_that_is_off),
		cmocka_unit_test(one_bad_file_costs_its_own_values),
		cmocka_unit_test(ghosts_leave_no_trace_but_a_count),
		cmocka_unit_test(a_leader_is_read_again_at_its_own_place),
		cmocka_unit_test(a_dropped_leader_would_be_noticed),
		cmocka_unit_test(contaminated_kernel_threads_would_be_noticed),
		cmocka_unit_test(one_process_only),
		cmocka_unit_test(v1_only_has_no_cgroup),
		cmocka_unit_test(filters_narrow_a_capture),
		cmocka_unit_test(large_files_are_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
