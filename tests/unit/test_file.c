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
#include "scenario/file.h"

static struct ktstr_error err;
static struct file_scenarios scenarios;

static int read_text(struct model_arena *arena, const char *text)
{
	return file_read("x.yaml", text, strlen(text), arena, &scenarios, &err);
}

static void files_are_read(void **state)
{
	struct model_arena *arena = model_arena_create();
	const struct ktstr_scenario *s;

	(void)state;
	scenarios.nr = 0;
	if (read_text(arena, "ktstr: 1\n"
			     "group: mine\n"
			     "scenarios:\n"
			     "  one:\n"
			     "    about: what holds\n"
			     "    steps: [{works: {hogs: spin}, hold: 1s}]\n"
			     "    checks: [gap <= 50ms for hogs]\n"
			     "  two:\n"
			     "    about: what else holds\n"
			     "    group: other\n"
			     "    steps: [{hold: 1s}]\n") < 0)
		fail_msg("%s", err.text);
	assert_int_equal(scenarios.nr, 2);
	s = scenarios.items[0].scenario;
	assert_string_equal(s->name, "one");
	assert_string_equal(s->group, "mine");
	assert_string_equal(s->steps[0].works[0].name, "hogs");
	assert_string_equal(s->checks[0].work, "hogs");
	assert_string_equal(scenarios.items[0].place, "x.yaml:4");
	assert_string_equal(scenarios.items[1].scenario->group, "other");
	assert_string_equal(scenarios.items[1].place, "x.yaml:8");
	model_arena_destroy(arena);
}

#define HEAD "ktstr: 1\ngroup: g\nscenarios:\n"
#define ONE  HEAD "  one:\n    about: it holds\n"

static void errors_name_file_and_line(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "scenarios: {}\n", "x.yaml:1: the file does not say its version" },
		{ "ktstr: 2\n", "x.yaml:1: this program reads files of version 1" },
		{ "ktstr: [1]\n", "x.yaml:1: this program reads files of version 1" },
		{ "ktstr: 1\nscenario: x\n",
		  "x.yaml:2: no key 'scenario' is known here; did you mean 'scenarios'?" },
		{ "ktstr: 1\n", "x.yaml:1: no scenarios" },
		{ "ktstr: 1\nscenarios:\n", "x.yaml:2: no scenarios" },
		{ "ktstr: 1\nscenarios: [a]\n", "x.yaml:2: no scenarios" },
		{ HEAD "  one: two\n", "x.yaml:4: a scenario is a mapping" },
		{ HEAD "  One: {about: a, steps: [{hold: 1s}]}\n",
		  "x.yaml:4: a scenario's name has lower-case letters" },
		{ HEAD "  one: {name: b}\n", "x.yaml:4: its name stands before the colon" },
		{ "ktstr: 1\nscenarios:\n  one: {about: a, steps: [{hold: 1s}]}\n",
		  "x.yaml:3: which group is it of?" },
		{ HEAD "  one: {steps: [{hold: 1s}]}\n", "x.yaml:4: what does it promise?" },
		{ ONE "    step: 1\n",
		  "x.yaml:6: a scenario has no 'step'; did you mean 'steps'?" },
		{ ONE "    steps:\n", "x.yaml:6: a list, or a mapping of names is expected" },
		{ ONE "    checks: []\n", "x.yaml:4: no step" },
		{ ONE "    steps:\n      - hold: 1\n", "x.yaml:7: a time is expected" },
		{ ONE "    steps:\n      - works:\n          a: spni\n",
		  "x.yaml:8: no work type 'spni'" },
		{ ONE "    steps:\n      - works: {a: spin}\n", "x.yaml:7: step 1: it never ends" },
		{ ONE "    steps:\n      - hold: 1s\n        works:\n          a: spin\n"
		      "          b: {cgroup: c}\n",
		  "x.yaml:10: step 1: work 'b': there is no cgroup 'c'" },
		{ ONE "    steps:\n      - hold: 1s\n        cgroups:\n          - {name: a}\n"
		      "          - {name: a}\n",
		  "x.yaml:10: step 1: two cgroups are named 'a'" },
		{ ONE "    steps:\n      - hold: 1s\n      - hold: 1s\n        ops:\n"
		      "          - restart\n          - attach\n",
		  "x.yaml:11: step 2: attach: the scheduler is attached by then" },
		{ ONE "    steps: [{hold: 1s}]\n    checks:\n      - isolation\n"
		      "      - gap <= 5ms for hogs\n",
		  "x.yaml:9: check gap_ns: there is no work 'hogs'" },
		{ ONE "    steps: [{hold: 1s}]\n    needs: {ops: [fly]}\n",
		  "x.yaml:4: sched_ext has no operation 'fly'" },
		{ ONE "    steps: [{hold: 1s}]\n  two:\n    about: a\n    steps: [{hold: 1s}]\n"
		      "  one: {}\n",
		  "x.yaml:10: 'one' comes twice" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model_arena *arena = model_arena_create();

		scenarios.nr = 0;
		assert_int_equal(read_text(arena, cases[i].text), -EINVAL);
		if (strncmp(err.text, cases[i].expected, strlen(cases[i].expected)) != 0)
			fail_msg("%s\n'%s', expected '%s'", cases[i].text, err.text,
				 cases[i].expected);
		model_arena_destroy(arena);
	}
}

static void names_are_unique_among_files(void **state)
{
	static const char text[] = ONE "    steps: [{hold: 1s}]\n";
	struct model_arena *arena = model_arena_create();

	(void)state;
	scenarios.nr = 0;
	assert_int_equal(read_text(arena, text), 0);
	assert_int_equal(file_read("y.yaml", text, strlen(text), arena, &scenarios, &err), -EINVAL);
	assert_string_equal(err.text, "y.yaml:4: x.yaml:4 has a scenario of the same name, 'one'");
	model_arena_destroy(arena);
}

static void project_has_demands(void **state)
{
	struct model_arena *arena = model_arena_create();
	struct ktstr_demand rows[PROJECT_CHECKS];
	static const char good[] = "ktstr: 1\nchecks:\n  - gap <= 50ms\n  - not isolation\n",
			  bad[] = "ktstr: 1\ncheks: []\n", worse[] = "ktstr: 1\nchecks: [gap]\n";
	size_t nr = 99;

	(void)state;
	assert_int_equal(file_read_project("k", good, strlen(good), arena, rows, &nr, &err), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(rows[0].check, KTSTR_JUDGE_gap_ns);
	assert_true(rows[1].off);
	assert_int_equal(rows[2].check, KTSTR_JUDGE_none);
	assert_int_equal(file_read_project("k", bad, strlen(bad), arena, rows, &nr, &err), -EINVAL);
	assert_string_equal(err.text, "k:2: no key 'cheks' is known here; did you mean 'checks'?");
	assert_int_equal(file_read_project("k", worse, strlen(worse), arena, rows, &nr, &err),
			 -EINVAL);
	assert_string_equal(err.text, "k:2: gap_ns has a bound, 'gap_ns <= ...'");
	model_arena_destroy(arena);
}

static void scheduler_has_flags(void **state)
{
	static const struct {
		const char *text, *expected;
	} bad[] = {
		{ "ktstr: 1\n", "k:1: no scheduler; it stands below 'scheduler:'" },
		{ "ktstr: 1\nscheduler: {args: [x]}\n", "k:2: which program is it?" },
		{ "ktstr: 1\nscheduler:\n  binary: b\n  flags: {one: {excludes: [noe]}}\n",
		  "k:2: there is no flag 'noe'; did you mean 'one'?" },
		{ "ktstr: 1\nscheduler: {binary: b}\nflags: {}\n", "k:3: no key 'flags'" },
	};
	static const char good[] =
		"ktstr: 1\nscheduler:\n  binary: b\n  args: [-v]\n"
		"  flags:\n    one: {args: [-1, x]}\n"
		"    two: {args: [-2], requires: [one]}\n  checks: [isolation]\n";
	struct model_arena *arena = model_arena_create();
	struct ktstr_scheduler s = { 0 };

	(void)state;
	assert_int_equal(file_read_scheduler("k", good, strlen(good), arena, &s, &err), 0);
	assert_string_equal(s.binary, "b");
	assert_string_equal(s.flags[0].args[1], "x");
	assert_string_equal(s.flags[1].requires[0], "one");
	assert_null(s.flags[2].name);
	assert_int_equal(s.checks[0].check, KTSTR_JUDGE_isolation);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(
			file_read_scheduler("k", bad[i].text, strlen(bad[i].text), arena, &s, &err),
			-EINVAL);
		assert_memory_equal(err.text, bad[i].expected, strlen(bad[i].expected));
	}
	model_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(errors_name_file_and_line),
		cmocka_unit_test(names_are_unique_among_files),
		cmocka_unit_test(project_has_demands),
		cmocka_unit_test(scheduler_has_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
