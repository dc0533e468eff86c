// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/tasks.h"
#include "tests/lib/scratch.h"

static struct scratch proc;
static struct strbuf out;

static void put(const char *pid, const char *tid, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/task/%s/%s", pid, tid, name);
	scratch_text(&proc, path, text);
}

static void put_stat(const char *pid, const char *tid, const char *comm, char state, int kernel)
{
	char path[64], text[256];

	snprintf(text, sizeof(text), "%s (%s) %c 1 1 1 0 -1 %d 0 0\n", tid, comm, state,
		 kernel ? 0x200040 : 0x400040);
	put(pid, tid, "stat", text);
	if (strcmp(pid, tid) == 0) {
		snprintf(path, sizeof(path), "%s/stat", pid);
		scratch_text(&proc, path, text);
	}
}

static int set_up(void **state)
{
	(void)state;
	out = (struct strbuf)STRBUF_INIT;
	scratch_create(&proc);
	put_stat("1", "1", "init", 'S', 0);
	put_stat("12", "12", "odd) (name", 'S', 0);
	put("12", "12", "wchan", "futex_wait");
	put("12", "12", "stack", "[<0>] futex_wait+0x1/0x2\n[<0>] do_syscall_64+0x1/0x2\n");
	put_stat("12", "13", "helper", 'R', 0);
	put("12", "13", "wchan", "0");
	put("12", "13", "stack", "[<0>] not shown: it is running\n");
	put_stat("7", "7", "kworker/0:1", 'I', 1);
	put_stat("8", "8", "kworker/0:2", 'D', 1);
	scratch_text(&proc, "self/stat", "no number\n");
	scratch_text(&proc, "30/stat", "damaged\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	strbuf_deinit(&out);
	scratch_destroy(&proc);
	return 0;
}

static void tasks_are_listed_with_what_they_wait_for(void **state)
{
	(void)state;
	tasks_describe(proc.dir, 1, &out);
	assert_non_null(strstr(out.data, "12/12 odd) (name S futex_wait\n"
					 "    futex_wait+0x1/0x2\n"));
	assert_null(strstr(out.data, "do_syscall_64"));
	assert_non_null(strstr(out.data, "12/13 helper R -\n"));
	/* The kernel's come last, whatever their numbers. */
	assert_string_equal(strstr(out.data, "8/8"), "8/8 kworker/0:2 D -\n");
	assert_null(strstr(out.data, "init"));
	assert_null(strstr(out.data, "kworker/0:1"));
	assert_null(strstr(out.data, "not shown"));
	assert_null(strstr(out.data, "30"));
}

static void a_long_list_is_cut(void **state)
{
	(void)state;
	for (int i = 1000; i < 2000; i++) {
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", i);
		put_stat(pid, pid, "a_rather_long_name_of_a_task", 'S', 0);
	}
	tasks_describe(proc.dir, 1, &out);
	assert_in_range(out.len, TASKS_TEXT_MAX - 200, TASKS_TEXT_MAX + 200);
	assert_non_null(strstr(out.data, "(more tasks do not fit)\n"));
}

static void names_are_of_user_processes(void **state)
{
	(void)state;
	put_stat("40", "40", "zombie", 'Z', 0);
	assert_int_equal(tasks_names(proc.dir, 1, 8, &out), 1);
	assert_string_equal(strbuf_str(&out), "odd) (name (12)");
	strbuf_clear(&out);
	put_stat("41", "41", "more", 'S', 0);
	assert_int_equal(tasks_names(proc.dir, 1, 1, &out), 2);
	assert_null(strchr(out.data, ','));
}

static void no_proc_is_no_task(void **state)
{
	(void)state;
	tasks_describe("/nonexistent", 1, &out);
	assert_string_equal(strbuf_str(&out), "");
	assert_int_equal(tasks_names("/nonexistent", 1, 8, &out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tasks_are_listed_with_what_they_wait_for, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_long_list_is_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_of_user_processes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_proc_is_no_task, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
