// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stdbool.h>

#include <cmocka.h>

#include "run/console.h"
#include "tests/lib/scratch.h"

static struct console scan(const char *text)
{
	struct console console;

	assert_int_equal(console_scan(text, strlen(text), &console), 0);
	return console;
}

static void assert_splat(const char *text, const char *kind)
{
	struct console console = scan(text);

	if (kind) {
		assert_int_equal(console.nr_splats, 1);
		assert_string_equal(console.splat_kind, kind);
		assert_non_null(console.splat);
	} else {
		assert_int_equal(console.nr_splats, 0);
		assert_null(console.splat);
	}
	console_deinit(&console);
}

static void every_splat_is_known(void **state)
{
	(void)state;
	assert_splat("[    1.5] WARNING: CPU: 0 PID: 1 at kernel/sched/core.c:5 f+0x1/0x2\n",
		     "WARN");
	assert_splat("[    1.5] WARNING: kernel/sched/core.c:5 at f+0x1/0x2, CPU#0: x/1\n", "WARN");
	assert_splat("[    1.500000][   T12] BUG: kernel NULL pointer dereference, address: 8\n",
		     "BUG");
	assert_splat("kernel BUG at mm/slub.c:5!\r\n", "BUG");
	assert_splat("[    1.5] Oops: 0000 [#1] PREEMPT SMP\n", "Oops");
	assert_splat("[    1.5] int3: 0000 [#1] PREEMPT SMP\n", "Oops");
	assert_splat("[    1.5] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [x:1]\n",
		     "lockup");
	assert_splat("[    1.5] watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 1\n",
		     "lockup");
	assert_splat("[    1.5] rcu: INFO: rcu_preempt self-detected stall on CPU\n", "RCU stall");
	assert_splat("[    1.5] INFO: task kworker/0:1:7 blocked for more than 120 seconds.\n",
		     "hung task");
	assert_splat("[    1.5] WARNING: possible circular locking dependency detected\n",
		     "lockdep");
	assert_splat("[    1.5] WARNING: suspicious RCU usage\n", "lockdep");
	assert_splat("[    1.5] general protection fault, probably for non-canonical address 0x1: "
		     "0000 [#1] SMP\n",
		     "Oops");
	assert_splat("[    1.5] invalid opcode: 0000 [#1] SMP\n", "Oops");
	assert_splat("[    1.5] divide error: 0000 [#1] SMP\n", "Oops");
	assert_splat("[    1.5] stack segment: 0000 [#1] SMP\n", "Oops");
	assert_splat("[    1.5] double fault: 0000 [#1] SMP\n", "Oops");
	assert_splat("[    1.5] traps: PANIC: double fault, error_code: 0x0\n", "Oops");
	assert_splat("[    1.5] NMI watchdog: Watchdog detected hard LOCKUP on cpu 0\n", "lockup");
	assert_splat("[    1.5] Watchdog detected hard LOCKUP on cpu 0\n", "lockup");
	assert_splat("[    1.5] INFO: rcu_tasks detected stalls on tasks:\n", "RCU stall");
	assert_splat("[    1.5] [ BUG: Invalid wait context ]\n", "lockdep");
	assert_splat("[    1.5] INFO: trying to register non-static key.\n", "lockdep");
	assert_splat("[    1.5] WARNING: inconsistent lock state\n", "lockdep");
	assert_splat("[    1.5] WARNING: bad unlock balance detected!\n", "lockdep");
	assert_splat("[    1.5] WARNING: held lock freed!\n", "lockdep");
	assert_splat("[    1.5] WARNING: lock held when returning to user space!\n", "lockdep");
	assert_splat("[    1.5] WARNING: Nested lock was not taken\n", "lockdep");
	assert_splat("[    1.5] WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected\n",
		     "lockdep");
	assert_splat("[    1.5] WARNING: sh/12 still has locks held!\n", "lockdep");
	assert_splat("[    1.5] UBSAN: array-index-out-of-bounds in x.c:1:2\n", "UBSAN");
}

static void harmless_lines_are_no_splats(void **state)
{
	(void)state;
	assert_splat("", NULL);
	assert_splat("[    0.1] Linux version 7.3.4\n", NULL);
	assert_splat("[    0.1] [Firmware Bug]: TSC not stable\n", NULL);
	assert_splat("[    0.1] Spectre V2 : WARNING: Unprivileged eBPF is enabled\n", NULL);
	assert_splat("[    0.1] rcu: RCU lockdep checking is enabled.\n", NULL);
	assert_splat("[    0.1] my test said: BUG: no such thing\n", NULL);
	assert_splat("[    0.1] INFO: task done\n", NULL);
	assert_splat("BUG", NULL);
	assert_splat("[BUG: ] x\n", NULL);
}

static void first_lines_of_the_first_splat_are_kept(void **state)
{
	struct console c = scan("[ 1.0] before\n"
				"[ 2.0] BUG: one\n[ 2.1] l2\n[ 2.2] l3\n[ 2.3] l4\n[ 2.4] l5\n"
				"[ 2.5] l6\n[ 2.6] l7\n[ 2.7] l8\n[ 2.8] l9\n"
				"[ 3.0] Oops: two\n"
				"[ 4.0] Kernel panic - not syncing: Fatal exception\x01\n"
				"[ 5.0] Kernel panic - not syncing: again\n");

	(void)state;
	assert_int_equal(c.nr_splats, 2);
	assert_string_equal(c.splat_kind, "BUG");
	assert_string_equal(c.splat, "BUG: one\nl2\nl3\nl4\nl5\nl6\nl7\nl8\n");
	assert_string_equal(c.panic, "Kernel panic - not syncing: Fatal exception\\x01");
	console_deinit(&c);
}

static void a_panic_without_a_splat_keeps_what_follows(void **state)
{
	struct console c = scan("[ 1.0] before\n[ 2.0] Kernel panic - not syncing: why\n"
				"[ 2.1] CPU: 0\n[ 2.2] Call Trace:\n");

	(void)state;
	assert_int_equal(c.nr_splats, 0);
	assert_string_equal(c.splat, "CPU: 0\nCall Trace:\n");
	console_deinit(&c);
}

static void traps_and_lack_of_memory_are_told_apart(void **state)
{
	struct console c = scan("[ 1.0] Oops: int3: 0000 [#1] SMP\n");

	(void)state;
	assert_true(c.int3);
	console_deinit(&c);
	c = scan("[ 1.0] Oops: 0000 [#1] SMP\n");
	assert_false(c.int3);
	console_deinit(&c);
	c = scan("[ 1.0] Out of memory: Killed process 80 (body) total-vm:1kB\n");
	assert_non_null(c.oom);
	assert_null(c.memcg_oom);
	assert_int_equal(c.nr_splats, 0);
	console_deinit(&c);
	c = scan("[ 1.0] Memory cgroup out of memory: Killed process 80 (body)\n");
	assert_null(c.oom);
	assert_non_null(c.memcg_oom);
	console_deinit(&c);
}

static void the_tail_is_the_last_lines(void **state)
{
	char text[400] = "";
	struct console c;

	(void)state;
	for (int i = 10; i < 40; i++)
		snprintf(text + strlen(text), 20, "[ 1.0] %d\n", i);
	c = scan(text);
	assert_string_equal(c.tail, "28\n29\n30\n31\n32\n33\n34\n35\n36\n37\n38\n39\n");
	console_deinit(&c);
	c = scan("one\ntwo");
	assert_string_equal(c.tail, "one\ntwo\n");
	console_deinit(&c);
	c = scan("");
	assert_null(c.tail);
	console_deinit(&c);
}

static void files_are_read(void **state)
{
	struct ktstr_error err;
	struct scratch dir;
	struct console c;

	(void)state;
	scratch_create(&dir);
	assert_int_equal(console_scan_file(scratch_path(&dir, "none"), &c, &err), 0);
	assert_null(c.tail);
	console_deinit(&c);
	assert_int_equal(console_scan_file(scratch_text(&dir, "empty", ""), &c, &err), 0);
	console_deinit(&c);
	assert_int_equal(console_scan_file(scratch_text(&dir, "log", "BUG: x\n"), &c, &err), 0);
	assert_int_equal(c.nr_splats, 1);
	console_deinit(&c);
	scratch_destroy(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_splat_is_known),
		cmocka_unit_test(harmless_lines_are_no_splats),
		cmocka_unit_test(first_lines_of_the_first_splat_are_kept),
		cmocka_unit_test(a_panic_without_a_splat_keeps_what_follows),
		cmocka_unit_test(traps_and_lack_of_memory_are_told_apart),
		cmocka_unit_test(the_tail_is_the_last_lines),
		cmocka_unit_test(files_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
