// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenario/model.h"
#include <ktstr/test.h>

static struct ktstr_error err;

static const struct ktstr_scheduler other = {
	.name = "other",
	.binary = "scx_other",
	.args = { "-s", "20\n000" },
	.flags = { { .name = "llc", .args = { "--llc" }, .excludes = { "flat" } },
		   { .name = "flat", .args = { "--flat" }, .requires = { "big" } } },
	.checks = { KTSTR_AT_MOST(gap_ns, MSECS(10)), KTSTR_NOT_DEMANDED(isolation) },
	.attach_timeout_ns = SECS(3),
};

static const struct ktstr_scenario full = {
	.name = "full",
	.about = "every field of every row",
	.group = "test",
	.limits = { .cpus_min = 2, .cpus_max = 8, .llcs_min = 1, .nodes_min = 1, .threads_min = 1 },
	.needs_ops = { "cgroup_set_weight", "cpu_online" },
	.staged = { &other },
	.steps = {
		{
			.name = "first",
			.cgroups = { { .name = "left",
				       .cpus = "llc:0",
				       .mems = "nodes:0",
				       .quota = "50%",
				       .weight = 200,
				       .idle = true },
				     { .name = "left/inner" } },
			.works = { { .name = "hogs", .percent = 100, .cgroup = "left", .nice = -5 },
				   { .name = "sleepers",
				     .type = KTSTR_WORK_bursty,
				     .count = 3,
				     .affinity = "one:1",
				     .policy = "fifo:50",
				     .memory = "bind:0",
				     .threads = true,
				     .params = { 0, 7000 },
				     .iterations = UINT64_C(1) << 40 },
				   { .name = "p",
				     .type = KTSTR_WORK_program,
				     .program = "true",
				     .args = { "a b", "" } } },
			.ops = { { .kind = KTSTR_OP_set_cpus, .target = "left", .argument = "all" },
				 { .kind = KTSTR_OP_detach } },
			.hold_ns = MSECS(1500) + 1,
		},
		{ .hold_ns = SECS(2), .until = "scheduler gone" },
	},
	.checks = {
		KTSTR_AT_MOST(gap_ns, 0),
		KTSTR_AT_LEAST(cpu_share_percent, 12.5, .work = "hogs", .step = "first"),
		KTSTR_HOLDS(isolation, .cgroup = "left"),
	},
};

static json_t *parsed(const char *text)
{
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(value);
	return value;
}

static void scenario_comes_back_whole(void **state)
{
	struct model_arena *arena = model_arena_create();
	struct ktstr_scenario *back = calloc(1, sizeof(*back));
	json_t *document = scenario_to_json(&full), *again;

	(void)state;
	assert_non_null(document);
	assert_int_equal(scenario_from_json(document, NULL, arena, back, &err), 0);
	again = scenario_to_json(back);
	assert_true(json_equal(document, again));
	assert_string_equal(back->steps[0].works[2].args[0], "a b");
	assert_string_equal(back->steps[0].works[2].args[1], "");
	assert_null(back->steps[0].works[2].args[2]);
	assert_int_equal(back->steps[0].works[1].params[1], 7000);
	assert_int_equal(back->steps[0].works[0].nice, -5);
	assert_true(back->steps[0].cgroups[0].idle);
	assert_int_equal(back->steps[0].hold_ns, MSECS(1500) + 1);
	assert_int_equal(back->checks[0].check, KTSTR_JUDGE_gap_ns);
	assert_true(back->checks[1].bound > 12.4 && back->checks[1].bound < 12.6);
	assert_string_equal(back->staged[0]->args[1], "20\n000");
	assert_true(back->staged[0]->checks[1].off);
	assert_int_equal(back->limits.cpus_max, 8);
	assert_string_equal(back->needs_ops[1], "cpu_online");
	json_decref(document);
	json_decref(again);
	free(back);
	model_arena_destroy(arena);
}

static void rows_may_be_short(void **state)
{
	struct model_arena *arena = model_arena_create();
	struct ktstr_scenario *s = calloc(1, sizeof(*s));
	json_t *document = parsed(
		"{\"needs\":{\"cpus\":\"4\",\"ops\":[\"cpu_online\"]},\"steps\":{\"apart\":{"
		"\"cgroups\":{\"left\":\"llc:0\",\"right\":\"\"},\"works\":{\"hogs\":\"spin\","
		"\"naps\":{\"params\":{\"sleep_us\":\"100\"},\"type\":\"bursty\","
		"\"threads\":\"true\"}},\"ops\":[\"set_cpus left llc:1\",\"restart\"],"
		"\"hold\":\"1.5s\"}},\"checks\":[\"gap<=50ms for hogs in apart\","
		"\"not isolation\",\"weight_error <= 20% for left\","
		"\"cpu_share >= 10 for cgroup left\",{\"check\":\"kicks\",\"bound\":\"100/s\"}]}");

	(void)state;
	if (scenario_from_json(document, NULL, arena, s, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(s->limits.cpus_min, 4);
	assert_string_equal(s->needs_ops[0], "cpu_online");
	assert_string_equal(s->steps[0].name, "apart");
	assert_string_equal(s->steps[0].cgroups[0].cpus, "llc:0");
	assert_string_equal(s->steps[0].cgroups[1].name, "right");
	assert_null(s->steps[0].cgroups[1].cpus);
	assert_int_equal(s->steps[0].works[1].type, KTSTR_WORK_bursty);
	assert_int_equal(s->steps[0].works[1].params[1], 100);
	assert_true(s->steps[0].works[1].threads);
	assert_int_equal(s->steps[0].ops[0].kind, KTSTR_OP_set_cpus);
	assert_string_equal(s->steps[0].ops[0].argument, "llc:1");
	assert_null(s->steps[0].ops[1].target);
	assert_int_equal(s->steps[0].hold_ns, MSECS(1500));
	assert_int_equal((long)s->checks[0].bound, MSECS(50));
	assert_string_equal(s->checks[0].work, "hogs");
	assert_string_equal(s->checks[0].step, "apart");
	assert_true(s->checks[1].off);
	assert_string_equal(s->checks[2].cgroup, "left");
	assert_string_equal(s->checks[3].cgroup, "left");
	assert_int_equal(s->checks[4].check, KTSTR_JUDGE_kicks_per_s);
	json_decref(document);
	free(s);
	model_arena_destroy(arena);
}

static void bad_documents_are_refused(void **state)
{
	static const struct {
		const char *document, *text;
		int code;
	} cases[] = {
		{ "[]", "a scenario is a mapping", -EINVAL },
		{ "{\"step\":[]}", "a scenario has no 'step'; did you mean 'steps'?", -EINVAL },
		{ "{\"steps\":\"x\"}", "steps: a list, or a mapping of names is expected here",
		  -EINVAL },
		{ "{\"steps\":[{}]}", "steps.0: an empty row in 'steps'", -EINVAL },
		{ "{\"steps\":[{\"hold\":5}]}", "steps.0.hold: a time is expected", -EINVAL },
		{ "{\"steps\":[{\"hold\":\"5\"}]}", "steps.0.hold: a time is expected", -EINVAL },
		{ "{\"steps\":[{\"works\":[{\"type\":\"spin\"}]}]}",
		  "steps.0.works.0: a work needs 'name'", -EINVAL },
		{ "{\"steps\":[{\"works\":[\"spin\"]}]}", "steps.0.works.0", -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":\"spni\"}}]}",
		  "steps.0.works.0.type: no work type 'spni'; did you mean 'spin'?", -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":{\"name\":\"b\"}}}]}", "has its name twice",
		  -EINVAL },
		{ "{\"steps\":[{\"works\":{\"\":\"spin\"}}]}", "this is no name", -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":{\"params\":{\"unit\":1}}}}]}",
		  "steps.0.works.0.params.unit: spin has no parameter 'unit'; did you mean "
		  "'units'?",
		  -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":{\"params\":{\"units\":0}}}}]}",
		  "0 is not from 1 to 1000000", -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":{\"type\":\"yield\",\"params\":{\"units\":0}}}}]}",
		  "0 would mean the default", -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":{\"params\":7}}}]}", "such as {units: 16}",
		  -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":{\"count\":-1}}}]}", "-1 is not from 0", -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":{\"count\":1.5}}}]}", "a whole number", -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":{\"threads\":1}}}]}", "true or false", -EINVAL },
		{ "{\"steps\":[{\"works\":{\"a\":{\"cgroup\":\"x\\u0001\"}}}]}",
		  "control characters", -EINVAL },
		{ "{\"steps\":[{\"ops\":[\"set_cpu a all\"]}]}",
		  "steps.0.ops.0: no operation 'set_cpu'; did you mean 'set_cpus'?", -EINVAL },
		{ "{\"steps\":[{\"ops\":[\"set_cpus a\"]}]}", "it is 'set_cpus CGROUP CPUS'",
		  -EINVAL },
		{ "{\"steps\":[{\"ops\":[\"detach now\"]}]}", "it is 'detach'", -EINVAL },
		{ "{\"steps\":[{\"ops\":[\"\"]}]}", "an empty line", -EINVAL },
		{ "{\"steps\":[{\"ops\":{\"a\":\"b\"}}]}", "a list is expected", -EINVAL },
		{ "{\"checks\":[\"gap_ms <= 5ms\"]}",
		  "checks.0: no check 'gap_ms'; did you mean 'gap_ns'?", -EINVAL },
		{ "{\"checks\":[\"gap\"]}", "gap_ns has a bound, 'gap_ns <= ...'", -EINVAL },
		{ "{\"checks\":[\"gap >= 5ms\"]}", "gap_ns has a bound", -EINVAL },
		{ "{\"checks\":[\"gap <= 5\"]}", "'5' is no bound of gap_ns; one is written '50ms'",
		  -EINVAL },
		{ "{\"checks\":[\"spread <= 5ms\"]}", "one is written '20%'", -EINVAL },
		{ "{\"checks\":[\"isolation <= 5\"]}", "isolation has no bound at all", -EINVAL },
		{ "{\"checks\":[\"not gap <= 5ms\"]}", "when it is not demanded", -EINVAL },
		{ "{\"checks\":[\"isolation for\"]}", "a demand is", -EINVAL },
		{ "{\"checks\":[\"isolation in step1 for hogs\"]}", "a demand is", -EINVAL },
		{ "{\"checks\":[\"a b c d e f g h i j k l\"]}", "too many words", -EINVAL },
		{ "{\"checks\":[{\"bound\":5}]}", "a demand needs 'check'", -EINVAL },
		{ "{\"checks\":[{\"check\":\"gap_ns\",\"bound\":true}]}", "a number is expected",
		  -EINVAL },
		{ "{\"steps\":[1,2,3,4,5,6,7,8,9]}", "9 rows in 'steps', at most 8 are read",
		  -E2BIG },
		{ "{\"needs\":{\"ops\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}}",
		  "more than 4 items in 'ops'", -E2BIG },
		{ "{\"staged\":[{\"argz\":[]}]}", "a scheduler has no 'argz'", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model_arena *arena = model_arena_create();
		struct ktstr_scenario s = { .name = "untouched" };
		json_t *document = parsed(cases[i].document);

		assert_int_equal(scenario_from_json(document, NULL, arena, &s, &err),
				 cases[i].code);
		if (!strstr(err.text, cases[i].text))
			fail_msg("%s: '%s' lacks '%s'", cases[i].document, err.text, cases[i].text);
		assert_string_equal(s.name, "untouched");
		json_decref(document);
		model_arena_destroy(arena);
	}
}

static const char *place_of(void *arg, const json_t *value)
{
	return value == arg ? "basic.yaml:12" : NULL;
}

static void errors_name_the_place(void **state)
{
	struct model_arena *arena = model_arena_create();
	json_t *document = parsed("{\"steps\":[{\"hold\":\"x\"}]}");
	json_t *step = json_array_get(json_object_get(document, "steps"), 0);
	struct model_source source = { place_of, json_object_get(step, "hold") };
	struct ktstr_scenario s;

	(void)state;
	assert_int_equal(scenario_from_json(document, &source, arena, &s, &err), -EINVAL);
	assert_string_equal(err.text, "basic.yaml:12: a time is expected here, such as '250ms' or "
				      "'1.5s'");
	json_decref(document);
	model_arena_destroy(arena);
}

static void job_comes_back_whole(void **state)
{
	struct model_arena *arena = model_arena_create();
	struct scenario_job *job = calloc(1, sizeof(*job)), *back = calloc(1, sizeof(*back));
	char *text, *again;

	(void)state;
	job->scenario = full;
	job->scheduler = other;
	job->demands[0] = (struct model_demand){ KTSTR_AT_MOST(gap_ns, 5), "ktstr" };
	job->demands[1] = (struct model_demand){ KTSTR_NOT_DEMANDED(isolation), "test" };
	job->nr_demands = 2;
	job->ops_offsets = json_pack("{s:i}", "cgroup_set_weight", 280);
	assert_int_equal(scenario_job_encode(job, &text, &err), 0);
	if (scenario_job_decode(text, strlen(text), arena, back, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(back->nr_demands, 2);
	assert_string_equal(back->demands[1].from, "test");
	assert_true(back->demands[1].demand.off);
	assert_int_equal(scenario_job_encode(back, &again, &err), 0);
	assert_string_equal(text, again);
	json_decref(job->ops_offsets);
	json_decref(back->ops_offsets);
	free(text);
	free(again);
	free(job);
	free(back);
	model_arena_destroy(arena);
}

static void bad_jobs_are_refused(void **state)
{
	static const struct {
		const char *job, *text;
	} cases[] = {
		{ "", "job: line 1" },
		{ "{\"version\":1}", "job: a job without a scenario" },
		{ "{\"version\":2,\"scenario\":{}}", "version 2, this program knows 1" },
		{ "{\"version\":1,\"scenario\":{},\"x\":1}", "unknown keys" },
		{ "{\"version\":1,\"scenario\":{\"stps\":[]}}",
		  "job: scenario: a scenario has no" },
		{ "{\"version\":1,\"scenario\":{},\"scheduler\":{\"name\":1}}",
		  "job: scheduler.name: a text is expected" },
		{ "{\"version\":1,\"scenario\":{},\"demands\":[{}]}", "a demand needs 'check'" },
		{ "{\"version\":1,\"scenario\":{},\"ops_offsets\":{\"a\":-1}}",
		  "the offset of 'a' is no number" },
		{ "{\"version\":1,\"version\":1,\"scenario\":{}}", "duplicate" },
	};
	struct scenario_job *job = calloc(1, sizeof(*job));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model_arena *arena = model_arena_create();

		assert_int_equal(
			scenario_job_decode(cases[i].job, strlen(cases[i].job), arena, job, &err),
			-EINVAL);
		if (!strstr(err.text, cases[i].text))
			fail_msg("%s: '%s' lacks '%s'", cases[i].job, err.text, cases[i].text);
		model_arena_destroy(arena);
	}
	assert_int_equal(scenario_job_decode("", 2 << 20, NULL, job, &err), -E2BIG);
	free(job);
}

static void text_that_is_not_utf8_cannot_travel(void **state)
{
	struct scenario_job *job = calloc(1, sizeof(*job));
	char *text = NULL;

	(void)state;
	job->scenario.about = "\xff";
	assert_int_equal(scenario_job_encode(job, &text, &err), -EINVAL);
	assert_null(text);
	free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenario_comes_back_whole),
		cmocka_unit_test(rows_may_be_short),
		cmocka_unit_test(bad_documents_are_refused),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(job_comes_back_whole),
		cmocka_unit_test(bad_jobs_are_refused),
		cmocka_unit_test(text_that_is_not_utf8_cannot_travel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
