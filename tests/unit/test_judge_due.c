// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/test_judge_stream.h"

/* Bounds as they are built in, but a tenth of them, for windows of one second. */
static const char *const built_in =
	"[{\"check\": \"gap_ns\", \"bound\": 100000000, \"from\": \"ktstr\"},"
	"{\"check\": \"wait_ns\", \"bound\": 100000000, \"from\": \"ktstr\"},"
	"{\"check\": \"progress\", \"bound\": 1, \"from\": \"ktstr\"},"
	"{\"check\": \"spread_percent\", \"bound\": 20, \"from\": \"ktstr\", \"work\": \"naps\"}]";

static int set_up(void **state)
{
	(void)state;
	records = made_records(built_in);
	return 0;
}

static json_t *row(const char *work)
{
	return made_find(records, "work", work, -1);
}

static void gap_of(int index, const char *ns)
{
	made_set(made_find(records, "worker", "hogs", index), "gap_ns", ns);
}

static void ordinary_workers_are_due_the_bound(void **state)
{
	(void)state;
	gap_of(1, "120000000");
	made_set(made_cgroup(records, "right"), "weight", "100");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
}

static void heavier_rivals_may_keep_one_waiting(void **state)
{
	(void)state;
	gap_of(1, "290000000");
	expect("gap_ns", KTSTR_PASS, "");
	gap_of(1, "310000000");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
	made_set(row("hogs"), "nice", "5");
	expect("gap_ns", KTSTR_PASS, "");
	made_set(row("hogs"), "policy", "\"idle\"");
	made_set(row("hogs"), "nice", "0");
	gap_of(1, "990000000");
	expect("gap_ns", KTSTR_PASS, "");
}

/* Light until the second step began. */
static void waits_begin_under_older_weights(void **state)
{
	json_t *gap, *wait;

	(void)state;
	made_add_step();
	made_set(made_in_second_step("cgroup", "cgroup", "left", 0), "weight", "300");
	gap = made_in_second_step("worker", "work", "hogs", 1);
	wait = made_in_second_step("wait", "work", "hogs", 1);
	made_set(gap, "gap_ns", "290000000");
	made_set(gap, "gap_begin_ns", "6010000000");
	made_set(wait, "wait_ns", "280000000");
	made_set(wait, "begin_ns", "6010000000");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
	expect("wait_ns", KTSTR_FAIL, "hogs/1");
	made_set(gap, "gap_begin_ns", "5990000000");
	made_set(wait, "begin_ns", "5990000000");
	expect("gap_ns", KTSTR_PASS, "");
	expect("wait_ns", KTSTR_PASS, "");
	made_set(gap, "gap_ns", "310000000");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
}

/* Not what others were due then, nor what it is due later. */
static void only_its_own_past_gives_patience(void **state)
{
	json_t *gap;

	(void)state;
	made_add_step();
	made_set(made_cgroup(records, "left"), "weight", "300");
	made_set(made_cgroup(records, "right"), "weight", "100");
	made_set(made_in_second_step("cgroup", "cgroup", "left", 0), "weight", "300");
	made_set(worker("hogs", 2), "cgroup", "\"right\"");
	gap = made_in_second_step("worker", "work", "hogs", 1);
	made_set(gap, "gap_ns", "290000000");
	made_set(gap, "gap_begin_ns", "5990000000");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
	made_set(made_in_second_step("cgroup", "cgroup", "left", 0), "weight", "100");
	expect("gap_ns", KTSTR_PASS, "");
	gap_of(1, "290000000");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
}

static void the_letter_holds_elsewhere(void **state)
{
	json_t *demand = json_array_get(json_object_get(json_array_get(records, 0), "demands"), 0);

	(void)state;
	gap_of(1, "120000000");
	expect("gap_ns", KTSTR_PASS, "");
	made_set(demand, "from", "\"scheduler\"");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
}

static void realtime_rivals_give_more_patience(void **state)
{
	(void)state;
	made_set(made_cgroup(records, "right"), "weight", "100");
	made_set(row("pigs"), "policy", "\"rr:10\"");
	gap_of(1, "390000000");
	expect("gap_ns", KTSTR_PASS, "");
	gap_of(1, "410000000");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
	made_set(row("hogs"), "policy", "\"fifo:10\"");
	expect("gap_ns", KTSTR_PASS, "11 workers looked at");
	made_set(row("pigs"), "policy", "\"normal\"");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
	made_set(row("hogs"), "policy", "\"deadline:2ms/10ms/20ms\"");
	expect("gap_ns", KTSTR_PASS, "");
}

static void a_quota_gives_more_patience(void **state)
{
	json_t *capped = made_find(records, "worker", "capped", 0);

	(void)state;
	made_set(capped, "gap_ns", "190000000");
	expect("gap_ns", KTSTR_PASS, "");
	made_set(capped, "gap_ns", "210000000");
	expect("gap_ns", KTSTR_FAIL, "capped/0");
}

static void who_gets_nothing_by_weight_is_let_be(void **state)
{
	json_t *hog = made_find(records, "worker", "hogs", 1);

	(void)state;
	made_set(hog, "iterations", "0");
	made_set(hog, "units", "0");
	made_set(hog, "cpu_ns", "0");
	expect("progress", KTSTR_FAIL, "hogs/1");
	made_set(row("hogs"), "nice", "19");
	expect("progress", KTSTR_PASS, "");
}

static void what_is_built_in_may_mean_nobody(void **state)
{
	(void)state;
	expect("spread_percent", KTSTR_SKIP, "sleep of their own will");
	made_set(json_array_get(records, 0), "watch", "\"no tracepoints\"");
	expect("wait_ns", KTSTR_SKIP, "waits were not watched: no tracepoints");
}

static void add_demand(const char *text)
{
	json_array_append_new(json_object_get(json_array_get(records, 0), "demands"),
			      json_loads(text, 0, NULL));
}

static void who_is_named_has_a_bound_of_his_own(void **state)
{
	(void)state;
	gap_of(1, "500000000");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
	add_demand("{\"check\": \"gap_ns\", \"bound\": 600000000, \"from\": \"test\","
		   " \"work\": \"hogs\"}");
	expect("gap_ns", KTSTR_PASS, "8 workers looked at");
	gap_of(1, "590000000");
	add_demand("{\"check\": \"gap_ns\", \"bound\": 400000000, \"from\": \"test\","
		   " \"work\": \"hogs\", \"step\": \"load\"}");
	expect("gap_ns", KTSTR_FAIL, "hogs/1");
	add_demand("{\"check\": \"gap_ns\", \"off\": true, \"from\": \"test\","
		   " \"work\": \"hogs\", \"step\": \"load\", \"cgroup\": \"left\"}");
	expect("gap_ns", KTSTR_PASS, "");
}

static void names_narrow_a_demand(void **state)
{
	(void)state;
	made_set(json_array_get(records, 0), "demands", "[]");
	add_demand(
		"{\"check\": \"gap_ns\", \"bound\": 1, \"from\": \"test\", \"cgroup\": \"side\"}");
	expect("gap_ns", KTSTR_FAIL, "naps/0");
	made_set(json_array_get(records, 0), "demands", "[]");
	add_demand(
		"{\"check\": \"gap_ns\", \"bound\": 1, \"from\": \"test\", \"cgroup\": \"sid\"}");
	expect("gap_ns", KTSTR_UNDECIDED, "nobody it could mean");
	made_set(json_array_get(records, 0), "demands", "[]");
	add_demand("{\"check\": \"gap_ns\", \"bound\": 1, \"from\": \"project\", \"step\": \"x\"}");
	expect("gap_ns", KTSTR_SKIP, "nobody it could mean");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ordinary_workers_are_due_the_bound, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(heavier_rivals_may_keep_one_waiting, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(waits_begin_under_older_weights, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(only_its_own_past_gives_patience, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(the_letter_holds_elsewhere, set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(realtime_rivals_give_more_patience, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(a_quota_gives_more_patience, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(who_gets_nothing_by_weight_is_let_be, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(what_is_built_in_may_mean_nobody, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(who_is_named_has_a_bound_of_his_own, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(names_narrow_a_demand, set_up, made_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
