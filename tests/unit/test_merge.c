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

#include "run/merge.h"
#include "tests/lib/scratch.h"

#define ALL	 "[\"a\",\"b\",\"c\"]"
#define RUN(...) RUN_OF("p", ALL, __VA_ARGS__)
#define RUN_OF(program, all, more) \
	"{\"type\":\"run\",\"version\":2,\"program\":\"" program "\",\"all\":" all more "}\n"
#define SHARD(m, n, plan) ",\"partition\":\"slice:" #m "/" #n "\",\"plan\":" plan
#define RESULT(id, verdict, end, more)                                                  \
	"{\"type\":\"result\",\"version\":2,\"test\":\"" id "\",\"id\":\"" id           \
	"\",\"seed\":\"1\",\"repetition\":1,\"verdict\":\"" verdict "\",\"end\":\"" end \
	"\",\"checks\":1,\"duration_ns\":5" more "}\n"
#define PASS(id) RESULT(id, "PASS", "finished", "")
#define FAIL(id) RESULT(id, "FAIL", "checks", ",\"reasons\":\"why\"")
#define SUMMARY	 "{\"type\":\"summary\",\"version\":2,\"interrupted\":false}\n"
#define DIGITS	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define EXACT(kernel, last)                                                        \
	",\"mode\":\"exact\",\"inputs\":{\"kernel\":\"" kernel "\"},\"events\":3," \
	"\"events_sha256\":\"" DIGITS last "\""

static struct scratch scratch;
static struct merge merge;
static struct ktstr_error err;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	merge_deinit(&merge);
	scratch_destroy(&scratch);
	return 0;
}

static int add(const char *name, const char *text)
{
	char file[64];

	snprintf(file, sizeof(file), "%s/results.jsonl", name);
	return merge_add(&merge, name, scratch_text(&scratch, file, text), &err);
}

static void add_well(const char *name, const char *text)
{
	assert_int_equal(add(name, text), 0);
}

/* The verdict of the index-th id of the first program. */
static void has(uint32_t index, enum ktstr_verdict verdict, const char *end)
{
	struct result result = { 0 };

	assert_int_equal(merge_load(&merge, &merge.programs[0], index, &result), 0);
	assert_string_equal(result.end, end);
	assert_int_equal(result.verdict, verdict);
	result_deinit(&result);
}

static void lacks(uint32_t index, const char *why)
{
	struct result result = { 0 };

	has(index, KTSTR_ERROR, MERGE_NO_RESULT);
	assert_int_equal(merge_load(&merge, &merge.programs[0], index, &result), 0);
	if (!strstr(result.reasons, why))
		fail_msg("'%s' is not in: %s", why, result.reasons);
	assert_int_equal(result.duration_ns, 0);
	result_deinit(&result);
}

static void says(enum merge_notice_kind kind, const char *what)
{
	for (uint32_t i = 0; i < merge.nr_notices; i++)
		if (merge.notices[i].kind == kind && strstr(merge.notices[i].text, what))
			return;
	for (uint32_t i = 0; i < merge.nr_notices; i++)
		print_error("%s: %s\n", merge_notice_word(merge.notices[i].kind),
			    merge.notices[i].text);
	fail_msg("no notice '%s: %s'", merge_notice_word(kind), what);
}

static void shards_make_a_whole(void **state)
{
	(void)state;
	add_well("1", RUN(SHARD(1, 2, "[\"a\",\"c\"]")) PASS("c") FAIL("a") SUMMARY);
	add_well("2", RUN(SHARD(2, 2, "[\"b\"]")) PASS("b") SUMMARY);
	merge_conclude(&merge);
	assert_int_equal(merge.nr_programs, 1);
	assert_int_equal(merge.programs[0].nr, 3);
	has(0, KTSTR_FAIL, "checks");
	has(1, KTSTR_PASS, "finished");
	has(2, KTSTR_PASS, "finished");
	assert_int_equal(merge.nr_notices, 0);
}

static void a_lost_shard_is_named(void **state)
{
	(void)state;
	add_well("1", RUN(SHARD(1, 3, "[\"a\"]")) PASS("a") SUMMARY);
	add_well("3", RUN(SHARD(3, 3, "[\"c\"]")) PASS("c") SUMMARY);
	merge_conclude(&merge);
	lacks(1, "shard 2 of 3 was to run it, and is missing");
	says(MERGE_MISSING, "shard slice:2/3 of 'p' is missing: no result of 1: b");
	assert_int_equal(merge.nr_kind[MERGE_DAMAGE], 0);
}

static void a_killed_runner_is_named(void **state)
{
	(void)state;
	add_well("1", RUN(SHARD(1, 2, "[\"a\",\"c\"]")) PASS("c") "{\"type\":\"resu");
	add_well("2", RUN(SHARD(2, 2, "[\"b\"]")) PASS("b") SUMMARY);
	merge_conclude(&merge);
	lacks(0, "'1' was to run it, but has not ended its run");
	has(2, KTSTR_PASS, "finished");
	says(MERGE_NOTE, "'1': the last line is cut off");
	says(MERGE_MISSING, "'1': its run of 'p' has not ended (killed, or still running), and 1 "
			    "of 2 have no result: a");
	assert_int_equal(merge.nr_kind[MERGE_DAMAGE], 0);
}

static void an_interrupted_runner_is_named(void **state)
{
	(void)state;
	add_well("1",
		 RUN("") PASS("c") "{\"type\":\"summary\",\"version\":2,\"interrupted\":true}\n");
	merge_conclude(&merge);
	lacks(0, "'1' was to run it, but was interrupted before");
	says(MERGE_MISSING, "was interrupted, and 2 of 3 have no result: a, b");
}

static void a_shard_that_was_run_again_counts(void **state)
{
	(void)state;
	add_well("1", RUN("") PASS("a") RESULT("b", "UNDECIDED", "interrupted", ""));
	add_well("2", RUN("") PASS("a") PASS("b") FAIL("c") SUMMARY);
	add_well("3", RUN("") RESULT("b", "UNDECIDED", "run-timeout", "")
			      RESULT("c", "ERROR", MERGE_NO_RESULT, ""));
	merge_conclude(&merge);
	has(1, KTSTR_PASS, "finished");
	has(2, KTSTR_FAIL, "checks");
	says(MERGE_NOTE, "3 of the ids have a result that was not finished");
	says(MERGE_NOTE,
	     "1 of the ids have more than one result, of the same verdict, such as 'a' in '1' and '2'");
	assert_int_equal(merge.nr_kind[MERGE_CONFLICT], 0);
	assert_int_equal(merge.nr_kind[MERGE_MISSING], 0);
}

/* Whichever comes first. */
static void the_worse_of_a_conflict_counts(void **state)
{
	struct result result = { 0 };

	(void)state;
	add_well("1", RUN("") PASS("a") FAIL("b") RESULT("c", "ERROR", "agent", "") SUMMARY);
	add_well("2", RUN("") FAIL("a") PASS("b") FAIL("c") SUMMARY);
	add_well("3", RUN("") PASS("a") SUMMARY);
	merge_conclude(&merge);
	has(0, KTSTR_FAIL, "checks");
	has(1, KTSTR_FAIL, "checks");
	has(2, KTSTR_FAIL, "checks");
	says(MERGE_CONFLICT, "'a': PASS in '1', but FAIL in '2'; the worse counts");
	says(MERGE_CONFLICT, "'a': FAIL in '2', but PASS in '3'; the worse counts");
	says(MERGE_CONFLICT, "'b': FAIL in '1', but PASS in '2'; the worse counts");
	assert_int_equal(merge_load(&merge, &merge.programs[0], 0, &result), 0);
	assert_string_equal(json_string_value(json_array_get(result.notes, 0)),
			    "PASS in '1', but FAIL in '2'; the worse counts; FAIL in '2', but PASS "
			    "in '3'; the worse counts");
	result_deinit(&result);
}

static void other_events_are_said(void **state)
{
	(void)state;
	add_well("1", RUN("") RESULT("a", "PASS", "finished", EXACT("k", "0"))
			      RESULT("b", "PASS", "finished", EXACT("k", "0"))
				      RESULT("c", "PASS", "finished", EXACT("k", "0")) SUMMARY);
	add_well("2", RUN("") RESULT("a", "PASS", "finished", EXACT("k", "1"))
			      RESULT("b", "PASS", "finished", EXACT("k", "0"))
				      RESULT("c", "PASS", "finished", EXACT("other", "1"))
					      RESULT("c", "PASS", "finished", EXACT("other", "1"))
						      SUMMARY);
	merge_conclude(&merge);
	assert_int_equal(merge.nr_kind[MERGE_CONFLICT], 1);
	/* The kernel once, and the doubles. */
	assert_int_equal(merge.nr_kind[MERGE_NOTE], 2);
	says(MERGE_CONFLICT, "'a': exact and of the same inputs, but the events hash to ");
	says(MERGE_NOTE, "'kernel' of 'p' differs: \"k\" in '1', \"other\" in '2'");
	has(0, KTSTR_PASS, "finished");
}

static void other_settings_are_said_once(void **state)
{
	(void)state;
	add_well("1", RUN(",\"mode\":\"exact\",\"seeds\":\"1..1\"") PASS("a") SUMMARY);
	add_well("2", RUN(",\"mode\":\"live\",\"seeds\":\"1..1\"") PASS("b") SUMMARY);
	add_well("3", RUN(",\"mode\":\"exact\",\"seeds\":\"2..2\"") PASS("c") SUMMARY);
	merge_conclude(&merge);
	assert_int_equal(merge.nr_kind[MERGE_NOTE], 2);
	says(MERGE_NOTE, "'mode' of 'p' differs: \"exact\" in '1', \"live\" in '2'");
	says(MERGE_NOTE, "'seeds' of 'p' differs: \"1..1\" in '1', \"2..2\" in '3'");
}

static void other_matrices_are_refused(void **state)
{
	(void)state;
	add_well("1", RUN("") PASS("a") SUMMARY);
	assert_int_equal(add("2", RUN_OF("p", "[\"a\",\"b\",\"d\"]", "") PASS("a") SUMMARY),
			 -EINVAL);
	assert_non_null(strstr(err.text, "only '2' has 'd'"));
	assert_int_equal(add("3", RUN_OF("p", "[\"a\",\"c\"]", "") SUMMARY), -EINVAL);
	assert_non_null(strstr(err.text, "only '1' has 'b'"));
	assert_int_equal(add("4", RUN_OF("p", "[\"a\",\"c\",\"b\"]", "") SUMMARY), -EINVAL);
	assert_non_null(strstr(err.text, "in another order"));
}

static void programs_are_kept_apart(void **state)
{
	struct result result = { 0 };

	(void)state;
	add_well("1", RUN("") PASS("a") PASS("b") PASS("c") SUMMARY);
	add_well("2", RUN_OF("q", "[\"a\"]", "") FAIL("a") SUMMARY);
	merge_conclude(&merge);
	assert_int_equal(merge.nr_programs, 2);
	assert_int_equal(merge.nr_ids, 4);
	has(0, KTSTR_PASS, "finished");
	assert_int_equal(merge_load(&merge, &merge.programs[1], 0, &result), 0);
	assert_int_equal(result.verdict, KTSTR_FAIL);
	result_deinit(&result);
}

/* What merge writes has a run line for each program and one summary. */
static void merged_files_can_be_merged(void **state)
{
	json_t *line;
	struct results_run run;

	(void)state;
	add_well("m", RUN(",\"seeds\":\"1..1\"") PASS("a") RESULT("b", "ERROR", MERGE_NO_RESULT, "")
			      PASS("c") RUN_OF("q", "[\"a\"]", "") FAIL("a") SUMMARY);
	add_well("2", RUN(SHARD(2, 3, "[\"b\"]") ",\"seeds\":\"1..1\"") PASS("b") SUMMARY);
	merge_conclude(&merge);
	assert_int_equal(merge.nr_programs, 2);
	has(1, KTSTR_PASS, "finished");
	assert_int_equal(merge.nr_kind[MERGE_MISSING] + merge.nr_kind[MERGE_DAMAGE], 0);
	line = merge_run_line(&merge.programs[0]);
	assert_int_equal(results_run_read(line, &run, &err), 0);
	assert_string_equal(run.program, "p");
	assert_int_equal(json_array_size(run.all), 3);
	assert_string_equal(json_string_value(json_object_get(line, "seeds")), "1..1");
	json_decref(line);
}

static void damage_is_told_from_a_cut(void **state)
{
	(void)state;
	add_well("1", RUN("") PASS("a") "{\"type\":\"res\n" PASS("b") "[1]\n" PASS(
			      "zz") "{\"type\":\"result\",\"version\":2}\n"
				    "{\"type\":\"later\",\"version\":9}\n" PASS("c") SUMMARY);
	merge_conclude(&merge);
	has(0, KTSTR_PASS, "finished");
	has(1, KTSTR_PASS, "finished");
	has(2, KTSTR_PASS, "finished");
	assert_int_equal(merge.nr_kind[MERGE_DAMAGE], 4);
	says(MERGE_DAMAGE, "results.jsonl' line 3: ");
	says(MERGE_DAMAGE, "line 5: it is no JSON object");
	says(MERGE_DAMAGE, "line 6: a result of an id that \"all\" has not");
	says(MERGE_DAMAGE, "line 7: \"test\" is not a text");
}

static void no_run_line_is_damage(void **state)
{
	(void)state;
	add_well("1", PASS("a") SUMMARY);
	says(MERGE_DAMAGE, "line 1: a result without a run line before it");
	add_well("2", "{\"type\":\"run\",\"version\":2,\"program\":\"p\"}\n" PASS("a") SUMMARY);
	says(MERGE_DAMAGE, "line 1: \"all\" is not a list");
	add_well("3", RUN_OF("p", "[\"a\",\"a\"]", "") PASS("a") SUMMARY);
	says(MERGE_DAMAGE, "'a' stands twice in \"all\"");
	add_well("4", RUN(SHARD(1, 2, "[\"d\"]")) SUMMARY);
	says(MERGE_DAMAGE, "\"plan\" has an id that \"all\" has not");
	assert_int_equal(merge.nr_programs, 1);
}

static void a_newer_file_is_not_read(void **state)
{
	(void)state;
	add_well("1", RUN("") PASS("a") "{\"type\":\"result\",\"version\":3}\n" PASS("b") SUMMARY);
	merge_conclude(&merge);
	says(MERGE_DAMAGE, "a newer ktstr wrote it (version 3, this one reads 2)");
	has(0, KTSTR_PASS, "finished");
	lacks(1, "no result");
}

static void empty_and_absent_files_are_said(void **state)
{
	(void)state;
	add_well("1", "");
	says(MERGE_NOTE, "is empty: its runner was killed");
	assert_int_equal(
		merge_add(&merge, "none", scratch_path(&scratch, "none/results.jsonl"), &err), 0);
	says(MERGE_DAMAGE, "No such file or directory; is that a run folder?");
	assert_int_equal(merge_add(&merge, "dir", scratch.dir, &err), 0);
	says(MERGE_DAMAGE, "is no regular file");
	merge_conclude(&merge);
	assert_int_equal(merge.nr_programs, 0);
}

/* A file that is cut at any byte gives the results that are whole in it, and never damage. */
static void any_cut_is_a_cut(void **state)
{
	static const char whole[] = RUN("") PASS("a") FAIL("b") PASS("c") SUMMARY;
	char text[sizeof(whole)];

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		uint64_t lines = 0, found = 0;

		memcpy(text, whole, len);
		text[len] = '\0';
		for (const char *p = text; *p; p++)
			lines += p[1] == '\n' || (!p[1] && *p == '}' && p[-1] != '}');
		add_well("cut", text);
		merge_conclude(&merge);
		assert_int_equal(merge.nr_kind[MERGE_DAMAGE], 0);
		for (uint32_t i = 0; merge.nr_programs && i < 3; i++)
			found += merge.programs[0].slots[i].len > 0;
		assert_int_equal(merge.nr_programs, lines > 0);
		if (lines)
			assert_int_equal(found, lines > 4 ? 3 : lines - 1);
		merge_deinit(&merge);
	}
}

static void notices_have_a_limit(void **state)
{
	(void)state;
	for (int i = 0; i < MERGE_NOTICES_MAX + 7; i++)
		merge_notice(&merge, MERGE_NOTE, "line\n%d\x1b", i);
	merge_notice(&merge, MERGE_DAMAGE, "x");
	assert_int_equal(merge.nr_notices, MERGE_NOTICES_MAX + 1);
	assert_int_equal(merge.nr_kind[MERGE_NOTE], MERGE_NOTICES_MAX + 7);
	assert_string_equal(merge.notices[0].text, "line 0\\x1b");
}

/* The file may change between reading and reporting. */
static void a_file_that_changed_is_an_error(void **state)
{
	(void)state;
	add_well("1", RUN("") PASS("a") PASS("b") PASS("c") SUMMARY);
	scratch_text(&scratch, "1/results.jsonl", RUN("") "{}");
	merge_conclude(&merge);
	lacks(0, "no result: read '");
}

static void folders_that_moved_are_found(void **state)
{
	struct result result = { 0 };

	(void)state;
	scratch_text(&scratch, "1/a/result.json", "{}");
	add_well("1", RUN("") RESULT("a", "PASS", "finished", ",\"folder\":\"/elsewhere/run/a\"")
			      RESULT("b", "PASS", "finished", ",\"folder\":\"/elsewhere/run/b\""));
	free(merge.files[0].dir);
	merge.files[0].dir = strdup(scratch_path(&scratch, "1"));
	assert_int_equal(merge_load(&merge, &merge.programs[0], 0, &result), 0);
	assert_string_equal(result.folder, scratch_path(&scratch, "1/a"));
	result_deinit(&result);
	assert_int_equal(merge_load(&merge, &merge.programs[0], 1, &result), 0);
	assert_string_equal(result.folder, "/elsewhere/run/b");
	result_deinit(&result);
}

static struct result of_run(const char *id, uint64_t seed, const char *kernel, const char *last)
{
	struct result result = { .name = strdup("a"),
				 .id = strdup(id),
				 .seed = seed,
				 .mode = "exact",
				 .end = "checks",
				 .verdict = KTSTR_FAIL,
				 .reasons = strdup("why"),
				 .inputs = json_pack("{s:s}", "kernel", kernel) };

	snprintf(result.events_sha256, sizeof(result.events_sha256), "%s%s", DIGITS, last);
	return result;
}

static void repetitions_that_part_are_errors(void **state)
{
	struct result runs[] = {
		of_run("a@1#1", 1, "k", "0"), of_run("a@1#2", 1, "k", "0"),
		of_run("a@1#3", 1, "k", "1"), of_run("a@1#4", 1, "other", "1"),
		of_run("a@1#5", 1, "k", "1"), of_run("a@1#6", 1, "k", "1"),
		of_run("a@2#1", 2, "k", "1"), of_run("a@2#2", 2, "k", "1"),
	};
	struct merge_course course = { 0 };

	(void)state;
	result_set_end(&runs[4], "wall-limit");
	snprintf(runs[5].mode, sizeof(runs[5].mode), "live");
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		assert_int_equal(merge_course_check(&course, &runs[i]), 0);
		assert_int_equal(runs[i].verdict, i == 2 ? KTSTR_ERROR : KTSTR_FAIL);
	}
	assert_string_equal(runs[2].end, "parted");
	assert_string_equal(runs[2].reasons,
			    "two runs of the same inputs parted: this one and 'a@1#1'\n"
			    "  events " DIGITS "1 here\n  events " DIGITS "0 there\n"
			    "  its verdict was FAIL; ktstr replay says where it parts\nwhy");
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		result_deinit(&runs[i]);
	merge_course_deinit(&course);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(shards_make_a_whole),
		TEST(a_lost_shard_is_named),
		TEST(a_killed_runner_is_named),
		TEST(an_interrupted_runner_is_named),
		TEST(a_shard_that_was_run_again_counts),
		TEST(the_worse_of_a_conflict_counts),
		TEST(other_events_are_said),
		TEST(other_settings_are_said_once),
		TEST(other_matrices_are_refused),
		TEST(programs_are_kept_apart),
		TEST(merged_files_can_be_merged),
		TEST(damage_is_told_from_a_cut),
		TEST(no_run_line_is_damage),
		TEST(a_newer_file_is_not_read),
		TEST(empty_and_absent_files_are_said),
		TEST(any_cut_is_a_cut),
		TEST(notices_have_a_limit),
		TEST(a_file_that_changed_is_an_error),
		TEST(folders_that_moved_are_found),
		TEST(repetitions_that_part_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
