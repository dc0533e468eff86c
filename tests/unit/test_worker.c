// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "run/worker.h"

static struct ktstr_error err;

static void status_lines_are_read(void **state)
{
	struct session_status status = { 0 };
	struct result result = { 0 };

	(void)state;
	assert_int_equal(worker_read("{\"type\":\"status\",\"exact\":true,\"virtual_ns\":5,"
				     "\"wall_ns\":7}",
				     &status, &result, &err),
			 WORKER_STATUS);
	assert_true(status.exact);
	assert_int_equal(status.virtual_ns, 5);
	assert_int_equal(status.wall_ns, 7);
	assert_int_equal(
		worker_read("{\"type\":\"status\",\"wall_ns\":-7}", &status, &result, &err),
		WORKER_STATUS);
	assert_false(status.exact);
	assert_int_equal(status.wall_ns, 0);
}

static void nonsense_is_refused(void **state)
{
	struct session_status status = { 0 };
	struct result result = { 0 };

	(void)state;
	assert_int_equal(worker_read("", &status, &result, &err), -EBADMSG);
	assert_int_equal(worker_read("[]", &status, &result, &err), -EBADMSG);
	assert_int_equal(worker_read("{\"type\":5}", &status, &result, &err), -EBADMSG);
	assert_true(worker_read("{\"type\":\"result\"}", &status, &result, &err) < 0);
	assert_true(worker_read("{\"type\":\"other\"}", &status, &result, &err) < 0);
}

static void unused_body(struct ktstr *t)
{
	(void)t;
}

/* What a worker writes about an item whose machine cannot be had is read back whole. */
static void results_go_both_ways(void **state)
{
	static const struct ktstr_test test = { .run = unused_body };
	static const struct ktstr_entry entry = { .abi = KTSTR_TEST_ABI,
						  .test_size = sizeof(test),
						  .name = "t",
						  .file = "t.c",
						  .test = &test };
	const struct settings settings = { .first_seed = 3, .last_seed = 4 };
	const struct plan_item item = {
		.entry = &entry, .id = (char *)"t@3#2", .seed = 3, .repetition = 2
	};
	const struct ktstr_error no_machine = { .code = -ENOENT, .text = "no QEMU" };
	struct session_status status;
	struct result result = { 0 };
	char line[4096];
	ssize_t n;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(worker_run(&(struct worker_opts){ .command = "./p",
							   .program = "/p",
							   .run_dir = "/nowhere",
							   .settings = &settings,
							   .machine_error = &no_machine },
				    &item, fds[1]),
			 0);
	n = read(fds[0], line, sizeof(line) - 1);
	assert_true(n > 0 && line[n - 1] == '\n');
	line[n - 1] = '\0';
	assert_int_equal(worker_read(line, &status, &result, &err), WORKER_RESULT);
	assert_string_equal(result.id, "t@3#2");
	assert_string_equal(result.name, "t");
	assert_int_equal(result.seed, 3);
	assert_int_equal(result.repetition, 2);
	assert_int_equal(result.verdict, KTSTR_ERROR);
	assert_string_equal(result.reasons, "no QEMU");
	assert_string_equal(result.rerun, "./p -t t --seed 3 --perturb off");
	result_deinit(&result);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_lines_are_read),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(results_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
