// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/names.h"

static void expect_pattern(enum names_rule rule, const char *name, const char *pattern)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	names_pattern(&out, rule, name);
	assert_string_equal(strbuf_str(&out), pattern);
}

static void tokens_become_patterns(void **state)
{
	static const char *const rows[][2] = {
		{ "kworker/3:1-events", "kworker/{N}:{N}-events" },
		{ "kworker/u16:12+flush-254:0", "kworker/u{N}:{N}+flush-{N}:{N}" },
		{ "worker12", "worker{N}" },
		{ "12worker", "{N}worker" },
		{ "12", "{N}" },
		{ "deadbeef", "deadbeef" }, /* no digit: a word */
		{ "dead6eef", "{H}" },
		{ "a1", "{H}" },
		{ "A1", "A{N}" }, /* upper case is no hex of an id */
		{ "x1y", "x1y" },
		{ "a", "a" },
		{ "", "" },
		{ "...", "..." },
		{ "a b\t7", "a b\t{N}" },
		{ "[kthreadd]@4", "[kthreadd]@{N}" },
		{ "caf\xc3\xa9 9\xff", "caf\xc3\xa9 9\xff" },
		{ "0123456789abcdef", "{H}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_pattern(NAMES_THREAD, rows[i][0], rows[i][1]);
	expect_pattern(NAMES_EXACT, "kworker/3:1-events", "kworker/3:1-events");
}

static void paths_know_units_and_ids(void **state)
{
	static const char *const rows[][2] = {
		{ "/user.slice/user-1000.slice/session-3.scope",
		  "/user.slice/user-{N}.slice/session-{N}.scope" },
		{ "/a/getty@tty1.service", "/a/getty@{I}.service" },
		{ "/a/getty@tty1.service/x", "/a/getty@{I}.service/x" },
		{ "/a/x@one-two.service", "/a/x@one-two.service" },
		{ "/a/x@one.two.service", "/a/x@one.two.service" },
		{ "/a/x@a7b.scope", "/a/x@{H}.scope" },
		{ "/a/x@.service", "/a/x@.service" },
		{ "/docker-0123456789ab.scope", "/docker-0123456789ab.scope" },
		{ "/docker-0123456789a.scope", "/docker-{H}.scope" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_pattern(NAMES_CGROUP, rows[i][0], rows[i][1]);
	expect_pattern(NAMES_CGROUP_IDS, "/docker-0123456789ab.scope", "/docker-{H}.scope");
}

static void expect_labels(enum names_rule rule, const char *const *names, size_t nr,
			  const char *const *labels)
{
	_cleanup_(text_set_deinit) struct text_set set = { 0 };
	_cleanup_(buckets_deinit) struct buckets b = { 0 };
	_cleanup_arena_ struct arena arena = { 0 };

	for (size_t i = 0; i < nr; i++)
		assert_int_equal(text_set_add(&set, names[i]), i);
	assert_int_equal(buckets_make(&set, rule, &arena, &b), 0);
	for (size_t i = 0; i < nr; i++)
		assert_string_equal(b.labels[b.of[i]], labels[i]);
}

static void what_all_members_share_stays(void **state)
{
	static const char *const names[] = { "kworker/0:1-mm", "kworker/0:2-mm", "kworker/0:12-mm",
					     "only-7", "pool-1-thread-9" };
	static const char *const labels[] = { "kworker/0:{N}-mm", "kworker/0:{N}-mm",
					      "kworker/0:{N}-mm", "only-7", "pool-1-thread-9" };
	static const char *const paths[] = { "/u/getty@tty1.service", "/u/getty@tty2.service",
					     "/u/user@0.service/app-3.scope",
					     "/u/user@0.service/app-4.scope" };
	static const char *const path_labels[] = { "/u/getty@{I}.service", "/u/getty@{I}.service",
						   "/u/user@0.service/app-{N}.scope",
						   "/u/user@0.service/app-{N}.scope" };

	(void)state;
	expect_labels(NAMES_THREAD, names, ARRAY_SIZE(names), labels);
	expect_labels(NAMES_CGROUP, paths, ARRAY_SIZE(paths), path_labels);
}

static void many_tokens_are_not_too_many(void **state)
{
	char a[2048], b[2048];
	const char *const names[] = { a, b };
	_cleanup_(text_set_deinit) struct text_set set = { 0 };
	_cleanup_(buckets_deinit) struct buckets buckets = { 0 };
	_cleanup_arena_ struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(a); i += 2)
		memcpy(&a[i], "1-", 2);
	a[sizeof(a) - 2] = '\0';
	memcpy(b, a, sizeof(a));
	b[sizeof(b) - 4] = '2';
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(text_set_add(&set, names[i]), i);
	assert_int_equal(buckets_make(&set, NAMES_THREAD, &arena, &buckets), 0);
	assert_int_equal(buckets.nr, 1);
	assert_memory_equal(buckets.labels[0], "1-1-1-", 6);
	assert_non_null(strstr(buckets.labels[0], "{N}"));
}

static void texts_are_numbered_once(void **state)
{
	_cleanup_(text_set_deinit) struct text_set set = { 0 };
	static char texts[5000][16];

	(void)state;
	assert_int_equal(text_set_find(&set, "x"), NAMES_NONE);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			snprintf(texts[i], sizeof(texts[i]), "text-%u", i);
			assert_int_equal(text_set_add(&set, texts[i]), i);
		}
	}
	assert_int_equal(set.nr, 5000);
	assert_int_equal(text_set_add(&set, strdupa("text-77")), 77);
	assert_int_equal(text_set_find(&set, "text-4999"), 4999);
	assert_int_equal(text_set_find(&set, "text-5000"), NAMES_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_become_patterns),
		cmocka_unit_test(paths_know_units_and_ids),
		cmocka_unit_test(what_all_members_share_stays),
		cmocka_unit_test(many_tokens_are_not_too_many),
		cmocka_unit_test(texts_are_numbered_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
