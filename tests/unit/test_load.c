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
#include <zstd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/load.h"
#include "ctprof/snapshot.h"

#include "../lib/scratch.h"

static struct ktstr_error err;

static struct ktstr_ctprof *make_snapshot(void)
{
	static const char odd[] = "a\\b\"\n\x01\xff\xc3\xa4\\x41";
	struct builder b = { 0 };
	struct ktstr_ctprof_thread *t;
	struct ktstr_ctprof_cgroup *c;

	b.head.captured_at_unix_ns = 1234567890123456789;
	b.head.duration_ns = 5;
	b.head.collector = builder_intern(&b, "procfs", 6);
	b.head.summary.processes = 2;
	b.head.summary.failures[KTSTR_CTPROF_FILE_IO][KTSTR_CTPROF_REASON_PERMISSION] = 3;
	b.head.summary.jemalloc_tags[KTSTR_JEMALLOC_OK] = 1;
	b.head.summary.stop_max_ns = 77;
	t = builder_add_thread(&b);
	t->tgid = 9;
	t->tid = 10;
	t->jemalloc = KTSTR_JEMALLOC_IMPLAUSIBLE;
	t->texts[KTSTR_CTPROF_TEXT_COMM] = builder_intern(&b, odd, sizeof(odd) - 1);
	t = builder_add_thread(&b);
	t->tgid = t->tid = 9;
	t->texts[KTSTR_CTPROF_TEXT_CGROUP] = builder_intern(&b, "/a", 2);
	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_THREAD_METRICS; m++)
		thread_set(t, m, m % 3 ? (int64_t)m * 1000000007 : -(int64_t)m);
	thread_set(t, KTSTR_CTPROF_ALLOCATED, INT64_MAX);
	thread_set(t, KTSTR_CTPROF_DEALLOCATED, INT64_MIN + 1);
	leader_set(builder_leader(&b, t), KTSTR_CTPROF_SMAPS_RSS, 4096);
	leader_set(builder_leader(&b, t), KTSTR_CTPROF_SMAPS_LOCKED, 0);
	builder_fill_present(&b, KTSTR_FILLER_PROCFS, t);
	builder_fill(&b, KTSTR_FILLER_BPF, KTSTR_CTPROF_SMAPS_RSS);
	c = builder_add_cgroup(&b);
	c->path = builder_intern(&b, "/a", 2);
	c->texts[KTSTR_CTPROF_CGROUP_TEXT_CPUS_EFFECTIVE] = builder_intern(&b, "0-3", 3);
	cgroup_set(c, KTSTR_CTPROF_CGROUP_WEIGHT, 100);
	cgroup_set(c, KTSTR_CTPROF_CGROUP_PIDS_MAX, KTSTR_CTPROF_UNLIMITED);
	b.head.host.texts[KTSTR_CTPROF_HOST_TEXT_CMDLINE] = builder_intern(&b, odd, 8);
	host_set(&b.head.host, KTSTR_CTPROF_HOST_RT_RUNTIME, -1);
	b.head.summary.hidden = 1;
	host_set(&b.head.host, KTSTR_CTPROF_HOST_CPUS_ONLINE, 8);
	return builder_finish(&b);
}

static void check_texts(const char *const *x, const char *const *y, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(!x[i], !y[i]);
		if (x[i])
			assert_string_equal(x[i], y[i]);
	}
}

static void check_hosts_equal(const struct ktstr_ctprof *a, const struct ktstr_ctprof *b)
{
	assert_memory_equal(a->filled_by, b->filled_by, sizeof(a->filled_by));
	assert_memory_equal(a->text_filled_by, b->text_filled_by, sizeof(a->text_filled_by));
	assert_memory_equal(a->host.present, b->host.present, sizeof(a->host.present));
	assert_memory_equal(a->host.values, b->host.values, sizeof(a->host.values));
	check_texts(a->host.texts, b->host.texts, KTSTR_CTPROF_NR_HOST_TEXTS);
}

static void check_equal(const struct ktstr_ctprof *a, const struct ktstr_ctprof *b)
{
	assert_int_equal(a->captured_at_unix_ns, b->captured_at_unix_ns);
	assert_int_equal(a->duration_ns, b->duration_ns);
	assert_memory_equal(&a->summary, &b->summary, sizeof(a->summary));
	assert_int_equal(a->nr_threads, b->nr_threads);
	for (size_t i = 0; i < a->nr_threads; i++) {
		const struct ktstr_ctprof_thread *x = &a->threads[i], *y = &b->threads[i];

		assert_int_equal(x->tgid, y->tgid);
		assert_int_equal(x->tid, y->tid);
		assert_int_equal(x->jemalloc, y->jemalloc);
		assert_memory_equal(x->present, y->present, sizeof(x->present));
		assert_memory_equal(x->values, y->values, sizeof(x->values));
		check_texts(x->texts, y->texts, KTSTR_CTPROF_NR_TEXTS);
		assert_int_equal(!x->leader, !y->leader);
		if (x->leader)
			assert_memory_equal(x->leader, y->leader, sizeof(*x->leader));
	}
	check_hosts_equal(a, b);
	assert_int_equal(b->nr_warnings, 0);
	assert_int_equal(a->nr_cgroups, b->nr_cgroups);
	for (size_t i = 0; i < a->nr_cgroups; i++) {
		assert_string_equal(a->cgroups[i].path, b->cgroups[i].path);
		assert_memory_equal(a->cgroups[i].present, b->cgroups[i].present,
				    sizeof(a->cgroups[i].present));
		assert_memory_equal(a->cgroups[i].values, b->cgroups[i].values,
				    sizeof(a->cgroups[i].values));
		check_texts(a->cgroups[i].texts, b->cgroups[i].texts, KTSTR_CTPROF_NR_CGROUP_TEXTS);
	}
}

static void what_was_written_is_loaded(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *made = make_snapshot(), *loaded = NULL;
	struct scratch s;

	(void)state;
	scratch_create(&s);
	assert_int_equal(ktstr_ctprof_write(made, scratch_path(&s, "x.ctprof.zst"), &err), 0);
	assert_int_equal(ktstr_ctprof_load(scratch_path(&s, "x.ctprof.zst"), &loaded, &err), 0);
	check_equal(made, loaded);
	assert_null(loaded->kernel);
	assert_string_equal(loaded->collector, "procfs");
	/* Nothing but metrics that are there reads as a number. */
	assert_int_equal(ktstr_ctprof_get_or_zero(&loaded->threads[1], KTSTR_CTPROF_RUN_TIME), 0);
	assert_false(ktstr_ctprof_get(&loaded->threads[1], KTSTR_CTPROF_RUN_TIME, &(int64_t){ 0 }));
	scratch_destroy(&s);
}

static void a_recorded_machine_survives_the_file(void **state)
{
	const struct ktstr_ctprof_opts opts = { .proc = "tests/data/ctprof/7.3.4/proc",
						.cgroup = "tests/data/ctprof/7.3.4/cgroup" };
	_cleanup_ctprof_ struct ktstr_ctprof *made = NULL, *loaded = NULL;
	struct scratch s;

	(void)state;
	scratch_create(&s);
	assert_int_equal(ktstr_ctprof_capture(&opts, &made, &err), 0);
	assert_int_equal(ktstr_ctprof_write(made, scratch_path(&s, "x"), &err), 0);
	assert_int_equal(ktstr_ctprof_load(scratch_path(&s, "x"), &loaded, &err), 0);
	check_equal(made, loaded);
	scratch_destroy(&s);
}

static int load_text(const char *text)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;

	err.text[0] = '\0';
	return ctprof_load_text(text, strlen(text), "f", NULL, &snap, &err);
}

#define HEAD "{\"type\":\"ktstr-ctprof\",\"version\":1"

static void unknown_names_are_passed_over(void **state)
{
	static const char text[] =
		HEAD ",\"future\":{\"a\":[1,{\"b\":null}]},\"jemalloc_tags\":[\"new\",\"ok\"],"
		     "\"texts\":[\"comm\",\"new\"],\"metrics\":[\"new\",\"run_time_ns\"],"
		     "\"threads\":[[1,2,1,\"c\",\"x\",{\"a\":1},7],[3,3,0,null,null,1.5,null]]}";
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	int64_t v;

	(void)state;
	assert_int_equal(ctprof_load_text(text, strlen(text), "f", NULL, &snap, &err), 0);
	assert_int_equal(snap->nr_threads, 2);
	assert_string_equal(snap->threads[0].texts[KTSTR_CTPROF_TEXT_COMM], "c");
	assert_true(ktstr_ctprof_get(&snap->threads[0], KTSTR_CTPROF_RUN_TIME, &v) && v == 7);
	assert_int_equal(snap->threads[0].jemalloc, KTSTR_JEMALLOC_OK);
	assert_int_equal(snap->threads[1].jemalloc, KTSTR_JEMALLOC_NOT_ASKED);
	assert_false(ktstr_ctprof_get(&snap->threads[1], KTSTR_CTPROF_RUN_TIME, &v));
}

static void damage_is_named(void **state)
{
	static const char *const damaged[] = {
		HEAD,
		HEAD "} x",
		HEAD ",}",
		HEAD ",\"threads\":[]}",
		HEAD
		",\"jemalloc_tags\":[\"ok\"],\"texts\":[],\"metrics\":[\"nice\"],\"threads\":[[1,1,0]]}",
		HEAD
		",\"jemalloc_tags\":[\"ok\"],\"texts\":[],\"metrics\":[],\"threads\":[[1,1,0,5]]}",
		HEAD
		",\"jemalloc_tags\":[\"ok\"],\"texts\":[],\"metrics\":[],\"threads\":[[1,1,1]]}",
		HEAD
		",\"jemalloc_tags\":[\"ok\"],\"texts\":[],\"metrics\":[],\"threads\":[[-1,1,0]]}",
		HEAD
		",\"jemalloc_tags\":[\"ok\"],\"texts\":[],\"metrics\":[],\"threads\":[[1,4294967296,0]]}",
		HEAD
		",\"jemalloc_tags\":[\"ok\"],\"texts\":[],\"metrics\":[\"nice\"],\"threads\":[[1,1,0,1.5]]}",
		HEAD ",\"duration_ns\":99999999999999999999}",
		HEAD ",\"kernel\":\"\\ud800\"}",
		HEAD ",\"kernel\":\"\\u0000\"}",
		HEAD ",\"cgroup_metrics\":[],\"cgroups\":[[null]]}",
		"{\"type\":\"ktstr-ctprof\"}",
		"{\"type\":\"ktstr-ctprof\",\"version\":0}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		assert_int_equal(load_text(damaged[i]), -EBADMSG);
		assert_string_equal(err.text, "load 'f': damaged; capture it again");
	}
	assert_int_equal(load_text("{}"), -EBADMSG);
	assert_string_equal(err.text, "'f' is not a ctprof file");
	assert_int_equal(load_text("{\"type\":\"other\",\"version\":1}"), -EBADMSG);
	assert_string_equal(err.text, "'f' is not a ctprof file");
	assert_int_equal(load_text(""), -EBADMSG);
}

static void newer_files_are_read_as_far_as_known(void **state)
{
	static const char text[] =
		"{\"type\":\"ktstr-ctprof\",\"version\":99,\"x\\n\":1,\"host\":{\"warp\":3,"
		"\"cpus_online\":2},\"filled_by\":{\"psychic\":[\"nice\"]},\"jemalloc_tags\":[],"
		"\"texts\":[],\"metrics\":[\"charm\"],\"threads\":[],\"summary\":{\"aura\":[1],"
		"\"ghosts\":3,\"jemalloc_tags\":{\"odd\":1},\"failures\":{\"tarot\":{\"vanished\":1},"
		"\"io\":{\"fog\":1,\"permission\":2},\"stat\":{\"fog\":1}}}}";
	static const char *const said[] = {
		("file version 99 is newer than this ktstr, which knows up to 2; what it does not "
		 "know is passed over"),
		"member 'x?' is not known here and was passed over",
		"value of the machine 'warp' is not known here and was passed over",
		"collector 'psychic' is not known here and was passed over",
		"metric of threads 'charm' is not known here and was passed over",
		"part of the summary 'aura' is not known here and was passed over",
		"jemalloc tag 'odd' is not known here and was passed over",
		"source 'tarot' is not known here and was passed over",
		"reason 'fog' is not known here and was passed over",
	};
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	int64_t v;

	(void)state;
	assert_int_equal(ctprof_load_text(text, strlen(text), "f", NULL, &snap, &err), 0);
	assert_int_equal(snap->nr_warnings, ARRAY_SIZE(said));
	for (size_t i = 0; i < ARRAY_SIZE(said); i++)
		assert_string_equal(snap->warnings[i], said[i]);
	assert_true(ktstr_ctprof_host_get(&snap->host, KTSTR_CTPROF_HOST_CPUS_ONLINE, &v));
	assert_int_equal(v, 2);
	assert_int_equal(snap->summary.ghosts, 3);
	assert_int_equal(
		snap->summary.failures[KTSTR_CTPROF_FILE_IO][KTSTR_CTPROF_REASON_PERMISSION], 2);
	/* What cannot be read at all is refused, and the likely cause named. */
	assert_int_equal(load_text("{\"type\":\"ktstr-ctprof\",\"version\":3,\"kernel\":1}"),
			 -EPROTONOSUPPORT);
	assert_non_null(strstr(err.text, "written by a newer ktstr (file version 3)"));
}

static void warnings_have_a_limit(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;

	(void)state;
	strbuf_addstr(&text, HEAD);
	for (int i = 0; i < 200; i++)
		strbuf_addf(&text, ",\"x%d\":0", i);
	strbuf_addch(&text, '}');
	assert_int_equal(ctprof_load_text(text.data, text.len, "f", NULL, &snap, &err), 0);
	assert_int_equal(snap->nr_warnings, KTSTR_CTPROF_MAX_WARNINGS);
	assert_string_equal(snap->warnings[KTSTR_CTPROF_MAX_WARNINGS - 1],
			    "more was passed over than is said here");
}

static void deep_files_are_refused(void **state)
{
	(void)state;
	assert_int_equal(load_text(HEAD ",\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"), 0);
	assert_int_equal(load_text(HEAD ",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"), -EBADMSG);
	assert_string_equal(err.text, "load 'f': nested more than 16 deep");
}

static void leaders_need_their_thread(void **state)
{
	(void)state;
	assert_int_equal(load_text(HEAD ",\"leader_metrics\":[\"smaps_rss_bytes\"],"
					"\"leaders\":[[7,1]]}"),
			 -EBADMSG);
	assert_int_equal(load_text(HEAD ",\"leaders\":[]}"), -EBADMSG);
}

static void every_cut_file_is_refused(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *made = make_snapshot();
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct ktstr_ctprof *loaded = NULL;
	struct scratch s;

	(void)state;
	scratch_create(&s);
	assert_int_equal(ktstr_ctprof_write(made, scratch_path(&s, "x"), &err), 0);
	assert_int_equal(io_read_file(scratch_path(&s, "x"), &bytes, &err), 0);
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(ctprof_load_packed(bytes.data, len, "f", &loaded, &err), -EBADMSG);
	strbuf_addch(&bytes, 'x');
	assert_int_equal(ctprof_load_packed(bytes.data, bytes.len, "f", &loaded, &err), -EBADMSG);
	assert_int_equal(ctprof_load_packed("not zstd", 8, "f", &loaded, &err), -EBADMSG);
	assert_string_equal(err.text, "'f' is not a ctprof file");
	assert_int_equal(ktstr_ctprof_load(scratch_path(&s, "none"), &loaded, &err), -ENOENT);
	assert_null(loaded);
	scratch_destroy(&s);
}

static void a_bomb_is_stopped_at_the_limit(void **state)
{
	const size_t size = (size_t)KTSTR_CTPROF_MAX_FILE_BYTES + 1, bound = 1 << 20;
	_cleanup_free_ void *packed = malloc(bound);
	_cleanup_free_ char *zeros = calloc(1, size);
	struct ktstr_ctprof *loaded = NULL;
	size_t len;

	(void)state;
	assert_non_null(packed);
	assert_non_null(zeros);
	len = ZSTD_compress(packed, bound, zeros, size, 1);
	assert_false(ZSTD_isError(len));
	assert_int_equal(ctprof_load_packed(packed, len, "f", &loaded, &err), -E2BIG);
	assert_string_equal(err.text, "load 'f': more than 256 MiB when unpacked");
}

static void a_full_disk_leaves_no_file(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *made = make_snapshot();

	(void)state;
	assert_int_equal(ktstr_ctprof_write(made, "/nonexistent/dir/x", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/dir/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_loaded),
		cmocka_unit_test(a_recorded_machine_survives_the_file),
		cmocka_unit_test(unknown_names_are_passed_over),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(newer_files_are_read_as_far_as_known),
		cmocka_unit_test(warnings_have_a_limit),
		cmocka_unit_test(deep_files_are_refused),
		cmocka_unit_test(leaders_need_their_thread),
		cmocka_unit_test(every_cut_file_is_refused),
		cmocka_unit_test(a_bomb_is_stopped_at_the_limit),
		cmocka_unit_test(a_full_disk_leaves_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
