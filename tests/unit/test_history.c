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
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/scratch.h"
#include "base/io.h"
#include "run/history.h"
#include <ktstr/log.h>

static struct scratch scratch;
static unsigned int warnings;

static void count_warnings(void *arg, enum ktstr_log_level level, const char *text)
{
	(void)arg;
	(void)text;
	warnings += level <= KTSTR_LOG_WARN;
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	warnings = 0;
	ktstr_log_set(count_warnings, NULL);
	return setenv("XDG_STATE_HOME", scratch.dir, 1);
}

static int tear_down(void **state)
{
	(void)state;
	ktstr_log_set(NULL, NULL);
	scratch_destroy(&scratch);
	return 0;
}

static void note(const char *key, uint64_t ns)
{
	struct history h;

	history_load(&h);
	history_note(&h, key, ns);
	history_save(&h);
	history_deinit(&h);
}

static uint64_t expected(const char *key)
{
	struct history h;
	uint64_t ns;

	history_load(&h);
	ns = history_expect(&h, key);
	history_deinit(&h);
	return ns;
}

static void what_was_seen_is_expected(void **state)
{
	(void)state;
	assert_int_equal(expected("p a - host"), 0);
	note("p a - host", 1000);
	note("p b - host", 50);
	assert_int_equal(expected("p a - host"), 1000);
	assert_int_equal(expected("p b - host"), 50);
	/* One odd run is not all. */
	note("p a - host", 3000);
	assert_int_equal(expected("p a - host"), 2000);
	assert_int_equal(warnings, 0);
}

static void a_damaged_file_is_ignored_and_replaced(void **state)
{
	(void)state;
	scratch_text(&scratch, "ktstr/history.json", "{\"version\":1,\"tests\":{\"k\":[5]}}");
	assert_int_equal(expected("k"), 0);
	assert_int_equal(warnings, 1);
	note("k", 7);
	assert_int_equal(expected("k"), 7);
}

static void the_oldest_go(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct history h;

	(void)state;
	strbuf_addstr(&text, "{\"version\":1,\"tests\":{");
	for (int i = 0; i < HISTORY_KEYS_MAX; i++)
		strbuf_addf(&text, "%s\"k%d\":[9,%d]", i ? "," : "", i, i + 1);
	strbuf_addstr(&text, "}}");
	scratch_text(&scratch, "ktstr/history.json", strbuf_str(&text));
	history_load(&h);
	history_note(&h, "new 1", 7);
	history_note(&h, "new 2", 7);
	history_save(&h);
	history_deinit(&h);
	history_load(&h);
	assert_int_equal(json_object_size(h.tests), HISTORY_KEYS_MAX);
	assert_int_equal(history_expect(&h, "new 1"), 7);
	assert_int_equal(history_expect(&h, "k0"), 0);
	assert_int_equal(history_expect(&h, "k1"), 0);
	assert_int_equal(history_expect(&h, "k2"), 9);
	history_deinit(&h);
}

static void a_folder_that_cannot_be_written_hurts_nobody(void **state)
{
	(void)state;
	scratch_text(&scratch, "ktstr", "a file, not a folder");
	note("k", 7);
	assert_int_equal(expected("k"), 0);
}

static void writers_do_not_lose_each_other(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		if (fork() != 0)
			continue;
		for (int k = 0; k < 10; k++) {
			char key[32];

			snprintf(key, sizeof(key), "%d.%d", i, k);
			note(key, 5);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		continue;
	for (int i = 0; i < 80; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%d.%d", i / 10, i % 10);
		assert_int_equal(expected(key), 5);
	}
}

static void refused(const char *text)
{
	struct ktstr_error err;
	json_t *tests = NULL;

	assert_true(history_parse(text, strlen(text), &tests, &err) < 0);
	assert_null(tests);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	refused("");
	refused("[]");
	refused("{\"version\":2,\"tests\":{}}");
	refused("{\"version\":1,\"tests\":[]}");
	refused("{\"version\":1,\"tests\":{\"k\":5}}");
	refused("{\"version\":1,\"tests\":{\"k\":[-5,1]}}");
	refused("{\"version\":1,\"tests\":{\"k\":[5,\"x\"]}}");
	refused("{\"version\":1,\"tests\":{\"k\":[5,1],\"k\":[5,1]}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_seen_is_expected, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_ignored_and_replaced, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_oldest_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_written_hurts_nobody,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(writers_do_not_lose_each_other, set_up, tear_down),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
