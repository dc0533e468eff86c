// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/stolen.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static struct stolen stolen;
static const struct judge_disturbance *found;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	return stolen_init(&stolen, scratch.dir, 7);
}

static int tear_down(void **state)
{
	(void)state;
	stolen_deinit(&stolen);
	scratch_destroy(&scratch);
	return 0;
}

static void thread(int tid, const char *comm, unsigned long delay_ns)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "7/task/%d/comm", tid);
	snprintf(text, sizeof(text), "%s\n", comm);
	scratch_text(&scratch, path, text);
	snprintf(path, sizeof(path), "7/task/%d/schedstat", tid);
	snprintf(text, sizeof(text), "123456 %lu 17\n", delay_ns);
	scratch_text(&scratch, path, text);
}

static void who_suffers_most_counts(void **state)
{
	(void)state;
	thread(7, "qemu-system-x86", 100);
	thread(8, "CPU 0/KVM", 1000);
	thread(9, "CPU 1/KVM", 2000);
	stolen_sample(&stolen, MSECS(500));
	thread(7, "qemu-system-x86", 90000);
	thread(8, "CPU 0/KVM", 1500);
	thread(9, "CPU 1/KVM", 2100);
	stolen_sample(&stolen, MSECS(600));
	stolen_sample(&stolen, MSECS(640)); /* too soon */
	thread(9, "CPU 1/KVM", 9100);
	stolen_sample(&stolen, MSECS(700));
	stolen_heard(&stolen, MSECS(10000), MSECS(550));
	stolen_heard(&stolen, MSECS(10050), MSECS(590));
	stolen_heard(&stolen, MSECS(10080), MSECS(650));
	assert_int_equal(stolen_conclude(&stolen, &found), 2);
	assert_int_equal(found[0].from_ns, MSECS(500 + 9460));
	assert_int_equal(found[0].to_ns, MSECS(600 + 9460));
	assert_int_equal(found[0].stolen_ns, 500);
	assert_int_equal(found[1].from_ns, MSECS(600 + 9460));
	assert_int_equal(found[1].stolen_ns, 7000);
}

static void without_records_nothing_is_known(void **state)
{
	(void)state;
	thread(8, "ALL CPUs/TCG", 1000);
	stolen_sample(&stolen, MSECS(500));
	stolen_sample(&stolen, MSECS(600));
	assert_int_equal(stolen_conclude(&stolen, &found), 0);
}

static void what_cannot_be_read_leaves_a_hole(void **state)
{
	(void)state;
	stolen_heard(&stolen, 0, 0);
	stolen_sample(&stolen, MSECS(100));
	thread(8, "CPU 0/KVM", 1000);
	stolen_sample(&stolen, MSECS(200));
	stolen_sample(&stolen, MSECS(300));
	scratch_text(&scratch, "7/task/8/schedstat", "123456\n");
	stolen_sample(&stolen, MSECS(400));
	thread(8, "CPU 0/KVM", 5000);
	stolen_sample(&stolen, MSECS(500));
	thread(8, "CPU 0/KVM", 5500);
	stolen_sample(&stolen, MSECS(600));
	assert_int_equal(stolen_conclude(&stolen, &found), 2);
	assert_int_equal(found[0].from_ns, MSECS(200));
	assert_int_equal(found[0].to_ns, MSECS(300));
	assert_int_equal(found[0].stolen_ns, 0);
	assert_int_equal(found[1].from_ns, MSECS(500));
	assert_int_equal(found[1].stolen_ns, 500);
}

static void a_cpu_that_is_new_begins_anew(void **state)
{
	(void)state;
	stolen_heard(&stolen, 0, 0);
	thread(8, "CPU 0/KVM", 1000);
	stolen_sample(&stolen, MSECS(100));
	thread(9, "CPU 1/KVM", 800000);
	stolen_sample(&stolen, MSECS(200));
	stolen_sample(&stolen, MSECS(300));
	assert_int_equal(stolen_conclude(&stolen, &found), 1);
	assert_int_equal(found[0].from_ns, MSECS(200));
	assert_int_equal(found[0].stolen_ns, 0);
}

static void a_cpu_that_is_gone_leaves_a_hole(void **state)
{
	(void)state;
	stolen_heard(&stolen, 0, 0);
	thread(8, "CPU 0/KVM", 1000);
	thread(9, "CPU 1/KVM", 1000);
	stolen_sample(&stolen, MSECS(100));
	assert_int_equal(unlink(scratch_path(&scratch, "7/task/9/comm")), 0);
	stolen_sample(&stolen, MSECS(200));
	assert_int_equal(stolen_conclude(&stolen, &found), 0);
}

static void this_process_can_be_sampled(void **state)
{
	(void)state;
	stolen_deinit(&stolen);
	assert_int_equal(stolen_init(&stolen, "/proc", getpid()), 0);
	stolen_sample(&stolen, MSECS(100));
	stolen_sample(&stolen, MSECS(200));
	stolen_heard(&stolen, 0, 0);
	/* None of its threads is a vCPU's. */
	assert_int_equal(stolen_conclude(&stolen, &found), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_suffers_most_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_records_nothing_is_known, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_leaves_a_hole, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_cpu_that_is_new_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cpu_that_is_gone_leaves_a_hole, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(this_process_can_be_sampled, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
