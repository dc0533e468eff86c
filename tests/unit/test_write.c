// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "ctprof/snapshot.h"
#include "ctprof/write.h"

enum { TEXT_BYTES = 16384 };

static struct ktstr_error err;

static const char *intern(struct builder *b, const char *text)
{
	return builder_intern(b, text, strlen(text));
}

static struct ktstr_ctprof *make(void)
{
	struct builder b = { 0 };
	struct ktstr_ctprof_thread *t = builder_add_thread(&b);
	struct ktstr_ctprof_cgroup *c;

	t->tgid = t->tid = 7;
	t->texts[KTSTR_CTPROF_TEXT_COMM] = t->texts[KTSTR_CTPROF_TEXT_PCOMM] = intern(&b, "a\\b");
	thread_set(t, KTSTR_CTPROF_NICE, -5);
	leader_set(builder_leader(&b, t), KTSTR_CTPROF_SMAPS_SWAP, 0);
	t = builder_add_thread(&b);
	t->tgid = 7;
	t->tid = 8;
	t->jemalloc = KTSTR_JEMALLOC_SELF;
	t->texts[KTSTR_CTPROF_TEXT_CGROUP] = intern(&b, "/g");
	thread_set(t, KTSTR_CTPROF_RUN_TIME, 12);
	builder_fill(&b, KTSTR_FILLER_BPF, KTSTR_CTPROF_RUN_TIME);
	c = builder_add_cgroup(&b);
	c->path = intern(&b, "/g");
	c->texts[KTSTR_CTPROF_CGROUP_TEXT_MEMS_EFFECTIVE] = intern(&b, "0");
	cgroup_set(c, KTSTR_CTPROF_CGROUP_PIDS_MAX, KTSTR_CTPROF_UNLIMITED);
	b.head.host.texts[KTSTR_CTPROF_HOST_TEXT_ARCH] = intern(&b, "x86_64");
	host_set(&b.head.host, KTSTR_CTPROF_HOST_LLCS, 2);
	return builder_finish(&b);
}

static void check_part(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in\n%s", part, text);
}

/* What the file of @snap unpacks to; @text: TEXT_BYTES. */
static void write_text(const struct ktstr_ctprof *snap, char *text)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	size_t len;

	assert_int_equal(ctprof_pack(snap, "f", &bytes, &err), 0);
	len = ZSTD_decompress(text, TEXT_BYTES - 1, bytes.data, bytes.len);
	assert_false(ZSTD_isError(len));
	text[len] = '\0';
}

static void the_format_is_as_documented(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = make();
	char text[TEXT_BYTES];

	(void)state;
	write_text(snap, text);
	/* One line. */
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_memory_equal(
		text, "{\"type\":\"ktstr-ctprof\",\"version\":2,\"captured_at_unix_ns\":0", 58);
	check_part(text, ",\"kernel\":null,\"collector\":null,\"filled_by\":{\"procfs\":[],"
			 "\"bpf\":[\"run_time_ns\"],\"taskstats\":[],\"ptrace\":[],\"vm\":[]},");
	check_part(text, ",\"host\":{\"arch\":\"x86_64\",\"llcs\":2},");
	check_part(text,
		   ",\"strings\":[\"a\\\\\\\\b\",\"/g\"],\"texts\":[\"pcomm\",\"comm\",\"cgroup\","
		   "\"cpu_affinity\"],\"metrics\":[\"nice\",\"run_time_ns\"],"
		   "\"threads\":[[7,7,0,0,0,null,null,-5,null],[7,8,2,null,null,1,null,null,12]],"
		   "\"leader_metrics\":[\"smaps_swap_bytes\"],\"leaders\":[[7,0]],"
		   "\"cgroup_texts\":[\"cpus_effective\",\"mems_effective\"],"
		   "\"cgroup_metrics\":[\"pids_max\"],"
		   "\"cgroups\":[[\"/g\",null,\"0\",9223372036854775807]]}\n");
}

static void nothing_at_all_can_be_written(void **state)
{
	struct builder b = { 0 };
	_cleanup_ctprof_ struct ktstr_ctprof *snap = builder_finish(&b);
	char text[TEXT_BYTES];

	(void)state;
	write_text(snap, text);
	check_part(text, "\"metrics\":[],\"threads\":[],\"leader_metrics\":[],\"leaders\":[],");
}

/* Threads with names that are ends of one long text, until all of them are @bytes together. */
static struct ktstr_ctprof *make_large(const char *text, size_t len, size_t bytes)
{
	struct builder b = { 0 };

	for (size_t all = 0, i = 0; all < bytes; all += len - i++) {
		struct ktstr_ctprof_thread *t = builder_add_thread(&b);

		assert_non_null(t);
		assert_true(i < len);
		t->tgid = t->tid = (uint32_t)i + 1;
		t->texts[KTSTR_CTPROF_TEXT_COMM] = text + i;
	}
	return builder_finish(&b);
}

static void a_file_has_a_limit(void **state)
{
	enum { LEN = 1 << 16, BELOW = KTSTR_CTPROF_MAX_FILE_BYTES - (2 << 20) };
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	_cleanup_free_ char *text = malloc(LEN + 1);
	_cleanup_ctprof_ struct ktstr_ctprof *fits = NULL, *large = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', LEN);
	text[LEN] = '\0';
	fits = make_large(text, LEN, BELOW);
	large = make_large(text, LEN, KTSTR_CTPROF_MAX_FILE_BYTES);
	assert_int_equal(ctprof_pack(fits, "f", &bytes, &err), 0);
	strbuf_clear(&bytes);
	assert_int_equal(ctprof_pack(large, "f", &bytes, &err), -E2BIG);
	assert_string_equal(err.text, "write 'f': snapshot is over 256 MiB; capture fewer threads");
	assert_int_equal(bytes.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_format_is_as_documented),
		cmocka_unit_test(nothing_at_all_can_be_written),
		cmocka_unit_test(a_file_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
