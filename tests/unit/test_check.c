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
#include "scenario/check.h"
#include "scenario/model.h"

static struct ktstr_error err;
static struct check_where where;

/* @text: JSON with ' for ". */
static int check(const char *text, const char *topology)
{
	struct model_arena *arena = model_arena_create();
	struct ktstr_scenario *s = calloc(1, sizeof(*s));
	struct ktstr_topology t;
	char *json = strdup(text);
	json_t *document;
	int r;

	for (char *p = json; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	document = json_loads(json, 0, NULL);
	if (!document || scenario_from_json(document, NULL, arena, s, &err) < 0)
		fail_msg("%s: %s", text, document ? err.text : "no JSON");
	if (topology)
		assert_int_equal(ktstr_topology_parse(topology, &t, &err), 0);
	r = scenario_check_at(s, topology ? &t : NULL, &where, &err);
	json_decref(document);
	free(json);
	free(s);
	model_arena_destroy(arena);
	return r;
}

#define HOLD	       "'hold':'1s'"
#define CGROUPS	       "'cgroups':{'left':'llc:0','right':'llc:1','left/inner':'one:0'}"
#define WORKS	       "'works':{'hogs':{'percent':100,'cgroup':'left'},'job':'once'}"
#define STEP(more)     "{'steps':[{" CGROUPS "," WORKS "," HOLD more "}]}"
#define OPS(ops)       STEP(",'ops':[" ops "]")
#define WORK(more)     "{'steps':[{" CGROUPS ",'works':{'w':{" more "}}," HOLD "}]}"
#define CGROUP(more)   "{'steps':[{'cgroups':{'c':{" more "}}," HOLD "}]}"
#define CHECKS(checks) "{'steps':[{" CGROUPS "," WORKS "," HOLD "}],'checks':[" checks "]}"

static void good_scenarios_pass(void **state)
{
	static const char *const cases[] = {
		STEP(""),
		OPS("'swap_cpus left right','set_cpus left/inner llc:1'"),
		OPS("'clear_cpus left','set_cpus left/inner one:3'"),
		OPS("'move hogs right','set_affinity hogs llc:1','stop job'"),
		OPS("'cpu_offline 3','cpu_online 3','cpu_offline one:2'"),
		OPS("'detach','attach','restart'"),
		OPS("'set_weight left 200','set_idle left 1','set_nice hogs -20'"),
		OPS("'set_quota left 50ms/100ms','set_mems left nodes:0','freeze left','thaw left'"),
		STEP(",'until':'done job'"),
		STEP(",'until':'iterations hogs 100'"),
		STEP(",'until':'scheduler gone'"),
		WORK("'type':'pipe_pair','count':4,'policy':'fifo:50','memory':'bind:0'"),
		WORK("'type':'herd','count':6,'params':{'group':3},'affinity':'random:2'"),
		CHECKS("'gap <= 5ms','gap <= 9ms for hogs','gap <= 9ms in step1'"),
		CHECKS("'cpu_share >= 10 for hogs','cpu_share_max <= 20 for hogs'"),
		CHECKS("'isolation for cgroup left','quota <= 110%','not gap'"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (check(cases[i], "1n2l2c1t") < 0)
			fail_msg("%s: %s", cases[i], err.text);
		if (check(cases[i], NULL) < 0)
			fail_msg("%s: any machine: %s", cases[i], err.text);
	}
}

struct bad {
	const char *scenario, *text;
	enum check_part part;
	int code;
};

static void expect_bad(const struct bad *cases, size_t nr, const char *topology)
{
	for (size_t i = 0; i < nr; i++) {
		int r = check(cases[i].scenario, topology);

		if (r != cases[i].code || !strstr(err.text, cases[i].text))
			fail_msg("%s: %d, '%s'; expected %d, '%s'", cases[i].scenario, r,
				 r ? err.text : "", cases[i].code, cases[i].text);
		assert_int_equal(where.part, cases[i].part);
	}
}

static const struct bad nonsense[] = {
	{ "{}", "no step", CHECK_WHOLE, -EINVAL },
	{ "{'steps':[{'name':'x'}]}", "step 'x': it never ends", CHECK_STEP, -EINVAL },
	{ "{'steps':[{'until':'scheduler gone'}]}", "as a limit to its event", CHECK_STEP,
	  -EINVAL },
	{ "{'steps':[{'hold':'2h'}]}", "more than an hour", CHECK_STEP, -EINVAL },
	{ "{'steps':[{'name':'a'," HOLD "},{'name':'a'," HOLD "}]}", "two steps are named 'a'",
	  CHECK_STEP, -EINVAL },
	{ "{'needs':{'cpus':4,'cpus_max':2},'steps':[{" HOLD "}]}", "at least 4 CPUs and at most 2",
	  CHECK_WHOLE, -EINVAL },
	{ "{'needs':{'ops':['cgroup_set_wait']},'steps':[{" HOLD "}]}",
	  "no operation 'cgroup_set_wait'; did you mean 'cgroup_set_weight'?", CHECK_WHOLE,
	  -EINVAL },
	{ "{'staged':[{'name':'a'}],'steps':[{" HOLD "}]}", "has no binary", CHECK_STAGED,
	  -EINVAL },
	{ "{'staged':[{'binary':'a'}],'steps':[{" HOLD "}]}", "without a name", CHECK_STAGED,
	  -EINVAL },
	{ "{'staged':[{'name':'a','binary':'b'},{'name':'a','binary':'b'}],'steps':[{" HOLD "}]}",
	  "two staged schedulers 'a'", CHECK_STAGED, -EINVAL },
	{ CGROUP("'cpus':'inherit'"), "cgroup 'c': 'inherit' is for affinities", CHECK_CGROUP,
	  -EINVAL },
	{ CGROUP("'cpus':'lcl:0'"), "are not understood", CHECK_CGROUP, -EINVAL },
	{ CGROUP("'mems':'bind:0'"), "nodes of a cgroup are", CHECK_CGROUP, -EINVAL },
	{ CGROUP("'quota':'half'"), "quota", CHECK_CGROUP, -EINVAL },
	{ CGROUP("'weight':10001"), "weight 10001 is not from", CHECK_CGROUP, -EINVAL },
	{ CGROUP("'weight':5,'idle':true"), "an idle cgroup has no weight", CHECK_CGROUP, -EINVAL },
	{ "{'steps':[{'cgroups':{'a/b':''}," HOLD "}]}", "'a', which it is to be in", CHECK_CGROUP,
	  -EINVAL },
	{ "{'steps':[{'cgroups':{'cpu.max':''}," HOLD "}]}", "a name has letters", CHECK_CGROUP,
	  -EINVAL },
	{ "{'steps':[{'cgroups':{'a/':''}," HOLD "}]}", "no name between '/'", CHECK_CGROUP,
	  -EINVAL },
	{ "{'steps':[{'cgroups':{'a':''}," HOLD "},{'cgroups':{'a':''}," HOLD "}]}",
	  "two cgroups are named 'a'", CHECK_CGROUP, -EINVAL },
	{ WORK("'cgroup':'lefft'"), "work 'w': there is no cgroup 'lefft'; did you mean 'left'?",
	  CHECK_WORK, -EINVAL },
	{ WORK("'count':1,'percent':5"), "'count' and 'percent' at once", CHECK_WORK, -EINVAL },
	{ WORK("'count':3,'type':'pipe_pair'"), "works in groups of 2", CHECK_WORK, -EINVAL },
	{ WORK("'count':4,'type':'herd','params':{'group':3}"), "works in groups of 3", CHECK_WORK,
	  -EINVAL },
	{ WORK("'count':1025"), "a guest holds 1024", CHECK_WORK, -ERANGE },
	{ WORK("'type':'program'"), "which program", CHECK_WORK, -EINVAL },
	{ WORK("'program':'true'"), "type program does", CHECK_WORK, -EINVAL },
	{ WORK("'type':'custom'"), "only a test in C", CHECK_WORK, -EINVAL },
	{ WORK("'nice':20"), "nice 20 is not from -20 to 19", CHECK_WORK, -EINVAL },
	{ WORK("'policy':'fifo'"), "policy", CHECK_WORK, -EINVAL },
	{ WORK("'memory':'nodes:0'"), "'nodes:' is for cgroups", CHECK_WORK, -EINVAL },
	{ WORK("'affinity':'some'"), "are not understood", CHECK_WORK, -EINVAL },
	{ "{'steps':[{" WORKS "," HOLD "}]}", "there is no cgroup 'left'", CHECK_WORK, -EINVAL },
	{ OPS("'set_cpus lift all'"),
	  "set_cpus lift: there is no cgroup 'lift'; did you mean 'left'?", CHECK_OP, -EINVAL },
	{ OPS("'stop hog'"), "there is no work 'hog'; did you mean 'hogs'?", CHECK_OP, -EINVAL },
	{ OPS("'stop hogs','stop hogs'"), "by then there is no more work 'hogs'", CHECK_OP,
	  -EINVAL },
	{ OPS("'remove_cgroup left','freeze left/inner'"),
	  "by then there is no more cgroup 'left/inner'", CHECK_OP, -EINVAL },
	{ OPS("'remove_cgroup left','stop hogs'"), "by then there is no more work 'hogs'", CHECK_OP,
	  -EINVAL },
	{ OPS("'set_weight left 0'"), "weight 0 is not from", CHECK_OP, -EINVAL },
	{ OPS("'set_weight left x'"), "'x' is no number", CHECK_OP, -EINVAL },
	{ OPS("'set_idle left 2'"), "'2' is neither 0 nor 1", CHECK_OP, -EINVAL },
	{ OPS("'attach'"), "the scheduler is attached by then", CHECK_OP, -EINVAL },
	{ OPS("'detach','restart'"), "the scheduler is detached by then", CHECK_OP, -EINVAL },
	{ OPS("'replace it'"), "no scheduler 'it' is staged", CHECK_OP, -EINVAL },
	{ OPS("{'op':'detach','target':'left'}"), "detach has no target", CHECK_OP, -EINVAL },
	{ STEP(",'until':'done hogs'"), "the workers of 'hogs' never end", CHECK_STEP, -EINVAL },
	{ STEP(",'until':'done jobs'"), "did you mean 'job'?", CHECK_STEP, -EINVAL },
	{ STEP(",'until':'never'"), "never", CHECK_STEP, -EINVAL },
	{ CHECKS("'gap <= 5ms for hog'"),
	  "check gap_ns: there is no work 'hog'; did you mean 'hogs'?", CHECK_DEMAND, -EINVAL },
	{ CHECKS("'quota <= 100% for hogs'"), "there is no cgroup 'hogs'", CHECK_DEMAND, -EINVAL },
	{ CHECKS("'gap <= 5ms in step2'"), "there is no step 'step2'", CHECK_DEMAND, -EINVAL },
	{ CHECKS("{'check':'kicks_per_s','bound':1,'work':'hogs'}"), "does not look at works",
	  CHECK_DEMAND, -EINVAL },
	{ CHECKS("'scheduler_alive for cgroup left'"), "does not look at cgroups", CHECK_DEMAND,
	  -EINVAL },
	{ CHECKS("{'check':'gap_ns','bound':-1}"), "0 or more", CHECK_DEMAND, -EINVAL },
	{ CHECKS("'gap <= 5ms','gap <= 6ms'"),
	  "'gap_ns <= 5ms' is demanded, and also 'gap_ns <= 6ms'", CHECK_DEMAND, -EINVAL },
	{ CHECKS("'cpu_share >= 30 for hogs','cpu_share_max <= 20 for hogs'"), "contradicts",
	  CHECK_DEMAND, -EINVAL },
};

static void nonsense_is_refused_anywhere(void **state)
{
	(void)state;
	expect_bad(nonsense, ARRAY_SIZE(nonsense), NULL);
	expect_bad(nonsense, ARRAY_SIZE(nonsense), "1n2l2c1t");
}

static void what_a_machine_cannot_is_refused(void **state)
{
	static const struct bad cases[] = {
		{ "{'needs':{'cpus':8},'steps':[{" HOLD "}]}", "4 CPUs; it needs at least 8",
		  CHECK_WHOLE, -ERANGE },
		{ "{'needs':{'cpus_max':2},'steps':[{" HOLD "}]}", "4 CPUs; it needs at most 2",
		  CHECK_WHOLE, -ERANGE },
		{ "{'needs':{'llcs':3},'steps':[{" HOLD "}]}", "2 LLCs; it needs 3", CHECK_WHOLE,
		  -ERANGE },
		{ "{'needs':{'nodes':2},'steps':[{" HOLD "}]}", "1 NUMA nodes; it needs 2",
		  CHECK_WHOLE, -ERANGE },
		{ "{'needs':{'threads':2},'steps':[{" HOLD "}]}", "1 threads per core; it needs 2",
		  CHECK_WHOLE, -ERANGE },
		{ CGROUP("'cpus':'llc:2'"), "llc:2", CHECK_CGROUP, -ERANGE },
		{ CGROUP("'cpus':'disjoint:0/5'"), "5 parts cannot be made", CHECK_CGROUP,
		  -ERANGE },
		{ CGROUP("'mems':'nodes:1'"), "there are 1 NUMA nodes", CHECK_CGROUP, -ERANGE },
		{ WORK("'cgroup':'left','affinity':'cpus:3'"), "CPU 3 is not among CPUs 0-1",
		  CHECK_WORK, -ERANGE },
		{ WORK("'memory':'bind:1'"), "there are 1 NUMA nodes", CHECK_WORK, -ERANGE },
		{ WORK("'percent':30000"), "that would be 1200 workers", CHECK_WORK, -ERANGE },
		{ OPS("'set_cpus left/inner cpus:2'"), "CPU 2 is not among CPUs 0-1", CHECK_OP,
		  -ERANGE },
		{ OPS("'set_affinity hogs llc:1'"), "none of CPUs 0-1", CHECK_OP, -ERANGE },
		{ OPS("'move hogs right','set_affinity hogs llc:0'"), "none of CPUs 2-3", CHECK_OP,
		  -ERANGE },
		{ OPS("'cpu_offline 4'"), "there are CPUs 0 to 3", CHECK_OP, -ERANGE },
		{ OPS("'cpu_offline 0'"), "the kernel keeps CPU 0", CHECK_OP, -EINVAL },
		{ OPS("'cpu_online 1'"), "CPU 1 is there by then", CHECK_OP, -EINVAL },
		{ OPS("'cpu_offline 1','cpu_offline 1'"), "CPU 1 is away by then", CHECK_OP,
		  -EINVAL },
		{ OPS("'cpu_offline llc:1'"), "is not one CPU", CHECK_OP, -EINVAL },
		{ OPS("'cpu_offline 3','set_cpus right cpus:3'"), "CPU 3 is not among", CHECK_OP,
		  -ERANGE },
	};

	(void)state;
	expect_bad(cases, ARRAY_SIZE(cases), "1n2l2c1t");
}

static void faults_are_found_in_their_step(void **state)
{
	(void)state;
	assert_int_equal(check("{'steps':[{" HOLD "},{" HOLD ",'ops':['detach','detach']}]}", NULL),
			 -EINVAL);
	assert_int_equal(where.step, 1);
	assert_int_equal(where.row, 1);
	assert_string_equal(err.text, "step 2: detach: the scheduler is detached by then");
}

static void impossible_machines_are_refused(void **state)
{
	const struct ktstr_scenario s = { .steps = { { .hold_ns = 1 } } };
	const struct ktstr_topology t = { .nodes = 2, .llcs = 3 };

	(void)state;
	assert_int_equal(ktstr_scenario_check(&s, NULL, &err), 0);
	assert_int_equal(ktstr_scenario_check(&s, &t, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_scenarios_pass),
		cmocka_unit_test(nonsense_is_refused_anywhere),
		cmocka_unit_test(what_a_machine_cannot_is_refused),
		cmocka_unit_test(faults_are_found_in_their_step),
		cmocka_unit_test(impossible_machines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
