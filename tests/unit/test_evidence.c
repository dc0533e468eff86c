// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/evidence.h"

static struct evidence e;

static int set_up(void **state)
{
	(void)state;
	return evidence_init(&e);
}

static int tear_down(void **state)
{
	(void)state;
	evidence_deinit(&e);
	return 0;
}

static void say(enum record_type type, const char *payload)
{
	evidence_add(&e, &(struct record){ .type = type,
					   .seq = 7,
					   .payload = payload,
					   .length = strlen(payload) });
}

static void a_whole_run_is_taken_in(void **state)
{
	(void)state;
	say(RECORD_HELLO, "{\"agent\":\"1\",\"kernel\":\"7.3.4\",\"nr_cpus\":2}");
	say(RECORD_SHAPE, "{\"ok\":true,\"seen\":\"2 CPUs\",\"wanted\":\"1n1l2c1t\"}");
	say(RECORD_STARTED, "{\"pid\":5}");
	say(RECORD_HEARTBEAT, "{}");
	say(RECORD_CHECK, "{\"ok\":true,\"file\":\"a.c\",\"line\":1,\"text\":\"x\"}");
	say(RECORD_CHECK, "{\"ok\":false,\"file\":\"a.c\",\"line\":2,\"text\":\"y\"}");
	say(RECORD_NOTE, "{\"text\":\"n\"}");
	say(RECORD_VALUE, "{\"name\":\"v\",\"value\":1.5,\"unit\":\"ns\"}");
	say(RECORD_PAYLOAD, "{\"name\":\"p\",\"pid\":9}");
	say(RECORD_DONE, "{\"checks\":12}");
	say(RECORD_BODY_END, "{\"exit\":0}");
	say(RECORD_BYE, "{\"exit\":3}");
	assert_null(e.damage);
	assert_true(e.hello && e.started && e.done && e.body_ended && e.bye);
	assert_string_equal(e.kernel_release, "7.3.4");
	assert_false(e.shape_wrong);
	assert_int_equal(e.nr_checks, 12);
	assert_int_equal(e.nr_failed, 1);
	assert_false(e.check_error);
	assert_int_equal(json_array_size(e.failed), 1);
	assert_int_equal(json_array_size(e.notes), 1);
	assert_int_equal(json_array_size(e.values), 1);
	assert_int_equal(json_array_size(e.payloads), 1);
	assert_int_equal(e.bye_exit, 3);
	assert_true(e.hello_ns && e.started_ns >= e.hello_ns && e.ended_ns >= e.started_ns);
}

static void bad_ends_are_taken_in(void **state)
{
	(void)state;
	say(RECORD_SHAPE,
	    "{\"ok\":false,\"seen\":\"1 CPU\",\"wanted\":\"1n1l2c1t\",\"why\":\"w\"}");
	say(RECORD_CRASH, "{\"signal\":11,\"address\":\"0x10\",\"ip_offset\":99,\"frames\":[5,6]}");
	say(RECORD_BODY_END, "{\"signal\":11}");
	say(RECORD_TIMEOUT, "{\"limit_ns\":5,\"tasks\":\"sleep\"}");
	say(RECORD_ERROR, "{\"text\":\"mount: no\"}");
	say(RECORD_SKIP, "{\"text\":\"first\"}");
	say(RECORD_SKIP, "{\"text\":\"second\"}");
	say(RECORD_UNDECIDED, "{\"text\":\"busy\"}");
	say(RECORD_CHECK, "{\"ok\":false,\"error\":true}");
	assert_null(e.damage);
	assert_true(e.shape_wrong);
	assert_int_equal(e.crash_signal, 11);
	assert_int_equal(e.nr_crash_offsets, 3);
	assert_true(e.crash_ip_known);
	assert_int_equal(e.crash_offsets[0], 99);
	assert_int_equal(e.body_signal, 11);
	assert_true(e.timed_out);
	assert_int_equal(json_array_size(e.errors), 1);
	assert_string_equal(e.skip_text, "first");
	assert_string_equal(e.undecided_text, "busy");
	assert_true(e.check_error);
}

static void a_crash_outside_the_program_has_callers_only(void **state)
{
	(void)state;
	say(RECORD_CRASH, "{\"signal\":6,\"address\":\"0x0\",\"frames\":[7]}");
	assert_null(e.damage);
	assert_false(e.crash_ip_known);
	assert_int_equal(e.nr_crash_offsets, 1);
}

static void malformed_records_are_damage(void **state)
{
	static const struct {
		enum record_type type;
		const char *payload;
	} rows[] = {
		{ RECORD_HELLO, "" },
		{ RECORD_HELLO, "{" },
		{ RECORD_HELLO, "[]" },
		{ RECORD_HELLO, "{\"kernel\":5}" },
		{ RECORD_HELLO, "{\"kernel\":\"a\",\"kernel\":\"b\"}" },
		{ RECORD_SHAPE, "{\"ok\":1,\"seen\":\"\",\"wanted\":\"\"}" },
		{ RECORD_CHECK, "{\"ok\":\"true\"}" },
		{ RECORD_NOTE, "{}" },
		{ RECORD_VALUE, "{\"name\":\"x\",\"value\":\"1\"}" },
		{ RECORD_SKIP, "{\"text\":null}" },
		{ RECORD_CRASH, "{\"signal\":0,\"address\":\"\"}" },
		{ RECORD_CRASH, "{\"signal\":11}" },
		{ RECORD_BODY_END, "{}" },
		{ RECORD_TIMEOUT, "{}" },
		{ RECORD_ERROR, "{}" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say(rows[i].type, rows[i].payload);
		assert_non_null(e.damage);
		assert_non_null(strstr(e.damage, "record 7 ("));
		tear_down(state);
		assert_int_equal(set_up(state), 0);
	}
}

static void much_is_counted_but_not_kept(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		say(RECORD_CHECK, "{\"ok\":false}");
		say(RECORD_NOTE, "{\"text\":\"n\"}");
	}
	assert_int_equal(e.nr_failed, 2000);
	assert_int_equal(json_array_size(e.failed), EVIDENCE_FAILED);
	assert_int_equal(e.nr_notes, 2000);
	assert_int_equal(json_array_size(e.notes), EVIDENCE_NOTES);
}

static void output_keeps_its_tail(void **state)
{
	char line[66] = "\001";

	(void)state;
	memset(line + 1, 'a', 64);
	for (int i = 0; i < 1000; i++)
		say(RECORD_OUTPUT, line);
	say(RECORD_OUTPUT, "\002the end");
	say(RECORD_OUTPUT, "\001");
	assert_null(e.damage);
	assert_true(e.output_tail.len <= 2 * EVIDENCE_OUTPUT_TAIL);
	assert_string_equal(strbuf_str(&e.output_tail) + e.output_tail.len - 7, "the end");
}

static void the_first_end_counts(void **state)
{
	(void)state;
	evidence_end(&e, END_HUNG, "first");
	evidence_end(&e, END_INTERRUPTED, "second");
	assert_int_equal(e.end, END_HUNG);
	assert_string_equal(e.end_text, "first");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_run_is_taken_in),
		TEST(bad_ends_are_taken_in),
		TEST(a_crash_outside_the_program_has_callers_only),
		TEST(malformed_records_are_damage),
		TEST(much_is_counted_but_not_kept),
		TEST(output_keeps_its_tail),
		TEST(the_first_end_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
