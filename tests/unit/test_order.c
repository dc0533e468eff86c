// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/order.h"

static void unused_body(struct ktstr *t)
{
	(void)t;
}

static const struct ktstr_test on_host = { .host_only = true, .run = unused_body };
static const struct ktstr_test in_guest = { .run = unused_body };
#define ENTRY(name_, test_)                                                          \
	{                                                                            \
		KTSTR_TEST_ABI, sizeof(struct ktstr_test), name_, "t.c", 1, 0, test_ \
	}
static const struct ktstr_entry entries[] = { ENTRY("a", &on_host), ENTRY("b", &on_host),
					      ENTRY("c", &in_guest), ENTRY("d", &on_host) };
static const struct ktstr_entry *list[] = { &entries[0], &entries[1], &entries[2], &entries[3] };
static bool selected[] = { true, true, true, true };
static const struct registry registry = { .entries = list, .selected = selected, .nr = 4 };
static struct settings settings;
static struct history history;
static struct plan plan;

static int set_up(void **state)
{
	struct ktstr_error err;

	(void)state;
	settings = (struct settings){ 0 };
	history = (struct history){ .seen = json_object() };
	return plan_make(
		&(struct plan_opts){
			.registry = &registry, .first_seed = 1, .last_seed = 1, .repetitions = 1 },
		&plan, &err);
}

static int tear_down(void **state)
{
	(void)state;
	history_deinit(&history);
	plan_deinit(&plan);
	return 0;
}

static void expect_order(const struct order *order, const char *wanted)
{
	char seen[8] = "";

	order_plan(order, &history, &plan);
	for (size_t i = 0; i < plan.nr; i++)
		seen[i] = plan.items[i].id[0];
	assert_string_equal(seen, wanted);
}

static void the_longest_go_first(void **state)
{
	const struct order order = { .program = "p", .settings = &settings, .exact = true };

	(void)state;
	history.tests =
		json_pack("{s:[i,i], s:[i,i], s:[i,i], s:[i,i]}", "p a - host", 5, 1, "p b - host",
			  9, 1, "p c 1n1l1c1t exact", 7, 1, "q d - host", 7, 1);
	assert_non_null(history.tests);
	expect_order(&order, "dbca");
	/* Another topology is another thing. */
	settings.has_topology = true;
	settings.topology = (struct ktstr_topology){ .llcs = 2 };
	expect_order(&order, "cdba");
}

static void note(const char *end, const char *folder)
{
	const struct order order = { .program = "p", .settings = &settings };
	struct result result = { .folder = (char *)folder, .duration_ns = 8 };

	result_set_end(&result, end);
	order_note(&order, &history, &plan.items[2], &result);
}

static void only_whole_runs_are_remembered(void **state)
{
	(void)state;
	note("interrupted", "/x");
	note("run-timeout", "/x");
	note("worker-died", "/x");
	note("not-started", "/x");
	note("skipped", NULL);
	assert_int_equal(json_object_size(history.seen), 0);
	note("checks", "/x");
	assert_int_equal(json_integer_value(json_object_get(history.seen, "p c 1n1l1c1t live")), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_longest_go_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_whole_runs_are_remembered, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
