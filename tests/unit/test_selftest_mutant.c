// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "run/selftest.h"

static struct mutant mutants[MUTANTS_MAX];

static void words_are_whole(void **unused)
{
	(void)unused;
	assert_true(mutant_word_is_in("wait_ns|gap_ns", "gap_ns"));
	assert_true(mutant_word_is_in("wait_ns", "wait_ns"));
	assert_false(mutant_word_is_in("wait_ns|gap_ns", "gap"));
	assert_false(mutant_word_is_in("wait_ns|gap_ns", "wait_ns|gap_ns"));
	assert_false(mutant_word_is_in("", "x"));
}

static void lists_are_read(void **unused)
{
	struct ktstr_error err = { 0 };

	(void)unused;
	assert_int_equal(
		mutants_parse(
			"[{\"name\":\"a\",\"about\":\"x\",\"group\":\"g\",\"checks\":\"c\"},\n"
			"{\"name\":\"b\",\"about\":\"y\",\"group\":\"g|h\",\"checks\":\"c|d\","
			"\"llcs\":2,\"cpus\":4,\"nodes\":-1,\"new\":true}]\n",
			mutants, &err),
		2);
	assert_string_equal(mutants[1].name, "b");
	assert_int_equal(mutants[1].llcs, 2);
	assert_int_equal(mutants[1].cpus, 4);
	assert_int_equal(mutants[1].nodes, 0);
	assert_int_equal(mutants_parse("[]", mutants, &err), 0);
}

static void broken_lists_are_refused(void **unused)
{
	static const char *const broken[] = {
		"",
		"no json\n",
		"{}",
		"[7]",
		"[{\"name\":\"a\",\"about\":\"x\",\"group\":\"g\"}]\n",
		"[{\"name\":\"\",\"about\":\"x\",\"group\":\"g\",\"checks\":\"c\"}]\n",
		"[{\"name\":1,\"about\":\"x\",\"group\":\"g\",\"checks\":\"c\"}]\n",
		"[{\"name\":\"a\",\"name\":\"b\",\"about\":\"x\",\"group\":\"g\",\"checks\":\"c\"}]",
		("[{\"name\":\"123456789012345678901234567890123456789012345678\",\"about\":"
		 "\"x\",\"group\":\"g\",\"checks\":\"c\"}]"),
	};
	struct ktstr_error err = { 0 };

	(void)unused;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(mutants_parse(broken[i], mutants, &err), -EINVAL);
}

static bool take(struct mutant *m, const char *text)
{
	json_t *result = json_loads(text, 0, NULL);
	bool settled;

	assert_non_null(result);
	settled = mutant_take(m, result);
	json_decref(result);
	return settled;
}

#define PASS "{\"verdict\":\"PASS\",\"scenario\":\"s\",\"preset\":\"p\"}"
#define FAIL(check)                                                                             \
	"{\"verdict\":\"FAIL\",\"scenario\":\"s\",\"preset\":\"p\",\"seed\":\"3\",\"end\":"     \
	"\"checks\",\"findings\":[{\"check\":\"gap_ns\",\"verdict\":\"PASS\",\"text\":\"ok\"}," \
	"{\"check\":\"" check "\",\"verdict\":\"FAIL\",\"text\":\"it starved\"}]}"

static void meant_check_catches(void **unused)
{
	struct mutant m = { .name = "m", .checks = "wait_ns|gap_ns" };

	(void)unused;
	assert_false(take(&m, PASS));
	assert_int_equal(m.fate, MUTANT_MISSED);
	assert_true(take(&m, FAIL("wait_ns")));
	assert_int_equal(m.fate, MUTANT_CAUGHT);
	assert_int_equal(m.runs, 2);
	assert_string_equal(m.scenario, "s");
	assert_string_equal(m.preset, "p");
	assert_string_equal(m.seed, "3");
	assert_string_equal(m.check, "wait_ns");
	assert_string_equal(m.sentence, "it starved");
	/* What comes later takes nothing back. */
	assert_false(take(&m, PASS));
	assert_false(take(&m, FAIL("progress")));
	assert_int_equal(m.fate, MUTANT_CAUGHT);
	assert_string_equal(m.check, "wait_ns");
}

static void other_check_is_an_accident(void **unused)
{
	struct mutant m = { .name = "m", .checks = "isolation" };

	(void)unused;
	assert_false(take(&m, FAIL("wait_ns")));
	assert_int_equal(m.fate, MUTANT_BY_ACCIDENT);
	assert_false(take(&m, PASS));
	assert_int_equal(m.fate, MUTANT_BY_ACCIDENT);
	assert_true(take(&m, FAIL("isolation")));
	assert_int_equal(m.fate, MUTANT_CAUGHT);
}

#define RANKED(text, rank) "{\"rank\":" rank "," text
#define BARE_FAIL(check, scenario)                                                             \
	"\"verdict\":\"FAIL\",\"scenario\":\"" scenario "\",\"end\":\"checks\",\"findings\":[" \
	"{\"check\":\"" check "\",\"verdict\":\"FAIL\",\"text\":\"it starved\"}]}"

/* Which run comes to its end first is chance, so it must not count. */
static void order_counts_not_time(void **unused)
{
	struct mutant m = { .name = "m", .checks = "wait_ns" };

	(void)unused;
	assert_false(take(&m, RANKED(BARE_FAIL("gap_ns", "d"), "4")));
	assert_false(take(&m, RANKED(BARE_FAIL("gap_ns", "b"), "2")));
	assert_false(take(&m, RANKED(BARE_FAIL("gap_ns", "c"), "3")));
	assert_int_equal(m.fate, MUTANT_BY_ACCIDENT);
	assert_string_equal(m.scenario, "b");
	assert_int_equal(mutant_runs(&m), 3);
	m.before = m.runs;
	assert_true(take(&m, RANKED(BARE_FAIL("wait_ns", "z"), "7")));
	assert_int_equal(mutant_runs(&m), 3 + 8);
	assert_true(take(&m, RANKED(BARE_FAIL("wait_ns", "y"), "5")));
	assert_true(take(&m, RANKED(BARE_FAIL("wait_ns", "x"), "6")));
	assert_false(take(&m, RANKED(BARE_FAIL("gap_ns", "a"), "0")));
	assert_int_equal(m.fate, MUTANT_CAUGHT);
	assert_string_equal(m.scenario, "y");
	assert_int_equal(mutant_runs(&m), 3 + 6);
}

static void ends_count_by_their_word(void **unused)
{
	struct mutant m = { .name = "m", .checks = "splat" };

	(void)unused;
	assert_false(take(&m, "{\"verdict\":\"FAIL\",\"end\":\"hung\",\"reasons\":\"it hung\"}"));
	assert_int_equal(m.fate, MUTANT_BY_ACCIDENT);
	assert_true(take(&m, "{\"verdict\":\"FAIL\",\"end\":\"splat\",\"reasons\":\"WARNING\"}"));
	assert_int_equal(m.fate, MUTANT_CAUGHT);
	assert_string_equal(m.sentence, "WARNING");
}

static void neither_error_nor_doubt_is_a_catch(void **unused)
{
	struct mutant m = { .name = "m", .checks = "wait_ns" };

	(void)unused;
	assert_false(take(&m, "{\"verdict\":\"UNDECIDED\",\"end\":\"undecided\"}"));
	assert_int_equal(m.fate, MUTANT_NOT_RUN);
	assert_false(take(&m, "{\"verdict\":\"ERROR\",\"end\":\"agent\",\"reasons\":\"broken\"}"));
	assert_int_equal(m.fate, MUTANT_BROKEN);
	assert_false(take(&m, PASS));
	assert_int_equal(m.fate, MUTANT_MISSED);
}

static void tables_tell_all(void **unused)
{
	struct mutant some[3] = { { .name = "one", .about = "a | b", .checks = "wait_ns" },
				  { .name = "two", .about = "x", .checks = "wait_ns" },
				  { .name = "three", .about = "x", .checks = "y" } };
	struct strbuf out = STRBUF_INIT;

	(void)unused;
	take(&some[0], FAIL("wait_ns"));
	take(&some[1], PASS);
	take(&some[2], FAIL("wait_ns"));
	mutants_table(some, 3, false, &out);
	assert_non_null(strstr(strbuf_str(&out), "s.p by wait_ns"));
	assert_non_null(strstr(strbuf_str(&out), "1 of 3 caught"));
	assert_non_null(strstr(strbuf_str(&out), "1 by accident, 1 missed"));
	strbuf_clear(&out);
	mutants_markdown(some, 3, &out);
	assert_non_null(
		strstr(strbuf_str(&out), "| one | a \\| b | caught | s | p | wait_ns | 1 |"));
	strbuf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_whole),
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(broken_lists_are_refused),
		cmocka_unit_test(meant_check_catches),
		cmocka_unit_test(other_check_is_an_accident),
		cmocka_unit_test(order_counts_not_time),
		cmocka_unit_test(ends_count_by_their_word),
		cmocka_unit_test(neither_error_nor_doubt_is_a_catch),
		cmocka_unit_test(tables_tell_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
