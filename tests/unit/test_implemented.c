// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/implemented.h"

static json_t *offsets;
static struct {
	uint32_t refs, state;
	uint64_t enqueue, weight, dispatch;
	char name[16];
} value;

static int set_up(void **state)
{
	(void)state;
	offsets = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "sched_ext_ops", 5,
			    "sched_ext_ops.enqueue", 8, "sched_ext_ops.cpuctl_set_weight", 16,
			    "sched_ext_ops.dispatch", 24, "sched_ext_ops.name", 32,
			    "sched_ext_ops_cid.enqueue", 8);
	memset(&value, 0, sizeof(value));
	value.state = 3;
	value.dispatch = 11;
	value.weight = 12;
	memcpy(value.name, "mine", 5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(offsets);
	return 0;
}

static int read_value(const char *ops, size_t length, char **ret_text)
{
	json_t *names = NULL;
	int r = implemented_read_value(offsets, "sched_ext_ops", ops, &value, length, &names);

	if (r == 0 && ret_text)
		*ret_text = json_dumps(names, JSON_COMPACT);
	json_decref(names);
	return r;
}

static void programs_are_operations(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(read_value("mine", sizeof(value), &text), 0);
	assert_string_equal(text, "[\"cgroup_set_weight\",\"dispatch\"]");
	free(text);
	value.dispatch = value.weight = 0;
	assert_int_equal(read_value("mine", sizeof(value), &text), 0);
	assert_string_equal(text, "[]");
	free(text);
}

static void others_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(read_value("min", sizeof(value), NULL), -ENODATA);
	assert_int_equal(read_value("mine2", sizeof(value), NULL), -ENODATA);
	value.state = 0;
	assert_int_equal(read_value("mine", sizeof(value), NULL), -ENODATA);
	value.state = 2;
	assert_int_equal(read_value("mine", sizeof(value), NULL), -ENODATA);
	value.state = 1;
	assert_int_equal(read_value("mine", sizeof(value), NULL), 0);
}

static void offsets_stay_inside(void **state)
{
	(void)state;
	for (size_t length = 0; length < 32 + 5; length++)
		assert_int_equal(read_value("mine", length, NULL), -ENODATA);
	assert_int_equal(read_value("mine", 32 + 5, NULL), 0);
	json_object_set_new(offsets, "sched_ext_ops.enqueue", json_integer(INT64_MAX));
	assert_int_equal(read_value("mine", sizeof(value), NULL), -ENODATA);
	json_object_set_new(offsets, "sched_ext_ops.enqueue", json_integer(sizeof(value) - 7));
	assert_int_equal(read_value("mine", sizeof(value), NULL), -ENODATA);
	json_object_set_new(offsets, "sched_ext_ops.enqueue", json_string("x"));
	assert_int_equal(read_value("mine", sizeof(value), NULL), 0);
	json_object_del(offsets, "sched_ext_ops.name");
	assert_int_equal(read_value("mine", sizeof(value), NULL), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(programs_are_operations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(others_are_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(offsets_stay_inside, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
