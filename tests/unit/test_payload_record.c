// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "run/body.h"
#include "run/payload_record.h"

static const struct ktstr_test test = { .about = "unit" };
static const struct ktstr_entry entry = {
	.abi = KTSTR_TEST_ABI,
	.test_size = sizeof(test),
	.name = "unit",
	.file = "unit.c",
	.line = 7,
	.test = &test,
};

static int fds[2];
static struct ktstr *t;
static json_t *records; /* of one type each: {"TYPE": [object, ...]} */

static int set_up(void **state)
{
	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	t = body_create(&(struct body_opts){ .entry = &entry, .record_fd = fds[0] });
	records = json_object();
	return t && records ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	body_destroy(t);
	json_decref(records);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static void receive_all(void)
{
	static char frame[PROTOCOL_HEADER_BYTES + PROTOCOL_PAYLOAD_MAX];
	ssize_t n;

	while ((n = recv(fds[1], frame, sizeof(frame), MSG_DONTWAIT)) > 0) {
		const char *type = record_type_name((enum record_type)(uint8_t)frame[4]);
		json_t *object = json_loadb(frame + PROTOCOL_HEADER_BYTES,
					    (size_t)n - PROTOCOL_HEADER_BYTES, 0, NULL);

		assert_non_null(object);
		if (!json_object_get(records, type))
			json_object_set_new(records, type, json_array());
		json_array_append_new(json_object_get(records, type), object);
	}
}

static size_t count(const char *type)
{
	return json_array_size(json_object_get(records, type));
}

static const json_t *get(const char *type, size_t index, const char *key)
{
	return json_object_get(json_array_get(json_object_get(records, type), index), key);
}

static const char *text(const char *type, size_t index, const char *key)
{
	const char *value = json_string_value(get(type, index, key));

	return value ? value : "";
}

static const struct ktstr_payload plain = { .name = "plain", .binary = "plain" };

static void exit_signal_and_neither_are_apart(void **state)
{
	const struct ktstr_proc_result results[] = {
		{ .exited = true, .exit_code = 3, .wall_ns = 5, .stdout_bytes = 6 },
		{ .signal = 9, .killed = true, .output_cut = true },
		{ .wall_ns = 1 },
	};
	struct payload_run run = { .payload = &plain, .pid = 12, .words = "last" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		run.result = &results[i];
		payload_record(t, &run);
	}
	receive_all();
	assert_int_equal(count("PAYLOAD"), 3);
	assert_string_equal(text("PAYLOAD", 0, "name"), "plain");
	assert_string_equal(text("PAYLOAD", 0, "words"), "last");
	assert_int_equal(json_integer_value(get("PAYLOAD", 0, "pid")), 12);
	assert_int_equal(json_integer_value(get("PAYLOAD", 0, "exit")), 3);
	assert_int_equal(json_integer_value(get("PAYLOAD", 0, "stdout_bytes")), 6);
	assert_null(get("PAYLOAD", 0, "signal"));
	assert_null(get("PAYLOAD", 1, "exit"));
	assert_int_equal(json_integer_value(get("PAYLOAD", 1, "signal")), 9);
	assert_true(json_is_true(get("PAYLOAD", 1, "killed")));
	assert_true(json_is_true(get("PAYLOAD", 1, "cut")));
	assert_null(get("PAYLOAD", 2, "exit"));
	assert_null(get("PAYLOAD", 2, "signal"));
	assert_int_equal(count("CHECK") + count("NOTE") + count("UNDECIDED"), 0);
}

static const struct ktstr_payload judged = {
	.name = "judged",
	.binary = "judged",
	.output = KTSTR_OUTPUT_JSON,
	.checks = {
		{ KTSTR_CHECK_EXIT, NULL, 0 },
		{ KTSTR_CHECK_AT_MOST, "a", 5 },
		{ KTSTR_CHECK_AT_MOST, "gone", 5 },
	},
	.metrics = {
		{ "a", "ns", KTSTR_LOWER_IS_BETTER, true, 0, 100 },
		{ "mad", "ns", KTSTR_LOWER_IS_BETTER, true, 0, 100 },
		{ .name = "gone" },
	},
};

static const struct ktstr_proc_result fine = { .exited = true };

static void findings_and_values_are_sent(void **state)
{
	static struct metrics metrics = {
		.nr = 3,
		.values = { { "a", 6 }, { "mad", 101 }, { "other", 1 } },
		.dropped = 2,
	};
	const struct payload_run run = { .payload = &judged, .result = &fine, .metrics = &metrics };

	(void)state;
	payload_record(t, &run);
	receive_all();
	assert_int_equal(json_object_size(get("PAYLOAD", 0, "metrics")), 3);
	assert_int_equal(count("VALUE"), 1);
	assert_string_equal(text("VALUE", 0, "name"), "judged.a");
	assert_string_equal(text("VALUE", 0, "unit"), "ns");
	assert_int_equal(count("CHECK"), 3);
	assert_true(json_is_true(get("CHECK", 0, "ok")));
	assert_string_equal(text("CHECK", 0, "file"), "unit.c");
	assert_int_equal(json_integer_value(get("CHECK", 0, "line")), 7);
	assert_true(json_is_true(get("CHECK", 1, "error")));
	assert_non_null(strstr(text("CHECK", 1, "text"), "mad is sane"));
	assert_true(json_is_false(get("CHECK", 2, "ok")));
	assert_null(get("CHECK", 2, "error"));
	assert_string_equal(text("CHECK", 2, "actual"), "6");
	assert_string_equal(text("CHECK", 2, "bound"), "5");
	assert_int_equal(count("UNDECIDED"), 1);
	assert_non_null(strstr(text("UNDECIDED", 0, "text"), "2 were dropped"));
	assert_non_null(strstr(text("NOTE", 0, "text"), "2 metrics were dropped"));
	assert_int_equal(t->nr_checks, 3);
	assert_int_equal(t->nr_failed, 2);
}

static void unreadable_output_is_noted(void **state)
{
	const struct payload_run run = {
		.payload = &judged,
		.result = &fine,
		.metrics_failed = -ENODATA,
		.metrics_error = { -ENODATA, "there is no JSON in the output" },
		.leftovers = "12 (sleep)",
	};

	(void)state;
	payload_record(t, &run);
	receive_all();
	assert_int_equal(count("UNDECIDED"), 2);
	assert_int_equal(count("VALUE"), 0);
	assert_int_equal(count("NOTE"), 2);
	assert_non_null(strstr(text("NOTE", 0, "text"), "12 (sleep)"));
	assert_non_null(strstr(text("NOTE", 1, "text"), "there is no JSON"));
}

static void what_was_left_running_is_not_judged(void **state)
{
	struct payload_run run = { .payload = &judged, .result = &fine, .left_running = true };

	(void)state;
	payload_record(t, &run);
	run.payload = &plain;
	payload_record(t, &run);
	receive_all();
	assert_int_equal(count("PAYLOAD"), 2);
	assert_true(json_is_true(get("PAYLOAD", 0, "left_running")));
	assert_int_equal(count("CHECK"), 0);
	assert_int_equal(count("UNDECIDED"), 1);
	assert_non_null(strstr(text("UNDECIDED", 0, "text"), "declared checks (3)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exit_signal_and_neither_are_apart, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(findings_and_values_are_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unreadable_output_is_noted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_left_running_is_not_judged, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
