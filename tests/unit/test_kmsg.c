// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sched/kmsg.h"

static struct kmsg logged;

static int set_up(void **state)
{
	(void)state;
	kmsg_open(&logged, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kmsg_close(&logged);
	return 0;
}

static void add(const char *record)
{
	kmsg_add(&logged, record, strlen(record));
}

static char *all(void)
{
	struct strbuf out = STRBUF_INIT;

	kmsg_text(&logged, &out);
	return strbuf_take(&out);
}

static void ejection_is_understood(void **state)
{
	char *text;

	(void)state;
	add("6,1,2,-;sched_ext: BPF scheduler \"mine\" enabled\n SUBSYSTEM=x\n");
	assert_false(logged.ended);
	add("3,2,3,-;sched_ext: BPF scheduler \"mine\" disabled (runnable task stall)\n");
	add("3,3,4,-;sched_ext: mine: a[7] failed to run for 2.1s\n");
	add("4,4,5,-;   scx_watchdog_workfn+0x12/0x34\n");
	add("3,5,6,-;sched_ext: mine: something later\n");
	assert_true(logged.ended);
	assert_string_equal(logged.ops, "mine");
	assert_string_equal(logged.reason, "runnable task stall");
	assert_string_equal(logged.message, "a[7] failed to run for 2.1s");
	text = all();
	assert_non_null(strstr(text, "enabled\nsched_ext: BPF scheduler"));
	assert_null(strstr(text, "SUBSYSTEM"));
	free(text);
	kmsg_clear(&logged);
	assert_false(logged.ended);
	assert_string_equal(logged.reason, "");
}

static void names_may_be_odd(void **state)
{
	(void)state;
	add("6,1,2,-;sched_ext: BPF scheduler \"a\" disabled (b\" disabled (x (y))\n");
	assert_string_equal(logged.ops, "a");
	assert_string_equal(logged.reason, "b\" disabled (x (y)");
	kmsg_clear(&logged);
	/* What a program writes to the log is no word of the kernel's, but can look like it. */
	add("6,1,2,-;sched_ext: BPF scheduler \"a\" disabled (\n");
	add("6,1,2,-;sched_ext: BPF scheduler \"a disabled (b)\n");
	add("6,1,2,-;BPF scheduler \"a\" disabled (b)\n");
	add("6,1,2,-;sched_ext: BPF sub-scheduler \"a\" disabled (b)\n");
	add("no record");
	add("");
	assert_false(logged.ended);
}

static void log_is_bounded(void **state)
{
	char record[600], *text;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(record, sizeof(record), "6,%d,1,-;line %d %0400d\n", i, i, i);
		add(record);
	}
	text = all();
	assert_in_range(strlen(text), KMSG_KEEP_BYTES / 2, KMSG_KEEP_BYTES + 64);
	assert_non_null(strstr(text, "line 0 "));
	assert_non_null(strstr(text, "line 999 "));
	assert_non_null(strstr(text, "\n[lines left out]\nline "));
	free(text);
}

static void no_log_is_fine(void **state)
{
	struct kmsg none;

	(void)state;
	kmsg_open(&none, "/nowhere/kmsg");
	assert_int_equal(none.fd, -1);
	kmsg_read(&none);
	assert_false(none.ended);
	kmsg_close(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ejection_is_understood, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_may_be_odd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(log_is_bounded, set_up, tear_down),
		cmocka_unit_test(no_log_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
