// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "run/body.h"

/* A body whose records the test reads from the other end. */
static struct ktstr *t;
static int far_fd = -1;
static json_t *last;

static const struct ktstr_test test = { .host_only = true };
static const struct ktstr_entry entry = { .name = "x", .test = &test };

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	t = body_create(&(struct body_opts){ .entry = &entry, .record_fd = pair[0] });
	far_fd = pair[1];
	return t ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(last);
	last = NULL;
	close(t->record_fd);
	close(far_fd);
	body_destroy(t);
	return 0;
}

/* The next record, which must be of @type. */
static json_t *next(enum record_type type)
{
	static char bytes[PROTOCOL_HEADER_BYTES + PROTOCOL_PAYLOAD_MAX];
	ssize_t n = recv(far_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	assert_true(n > PROTOCOL_HEADER_BYTES);
	assert_int_equal(frame_renumber(bytes, (size_t)n, 1), 0);
	assert_int_equal(frame_type(bytes), type);
	json_decref(last);
	last = json_loadb(bytes + PROTOCOL_HEADER_BYTES, (size_t)n - PROTOCOL_HEADER_BYTES, 0,
			  NULL);
	assert_non_null(last);
	return last;
}

static void assert_key(const char *key, const char *wanted)
{
	const char *text = json_string_value(json_object_get(last, key));

	if (!wanted) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, wanted);
}

/* What one check said: held or not, both values. */
static void assert_check(bool ok, const char *actual, const char *bound)
{
	next(RECORD_CHECK);
	assert_true(json_is_boolean(json_object_get(last, "ok")));
	assert_int_equal(json_is_true(json_object_get(last, "ok")), ok);
	assert_key("actual", actual);
	assert_key("bound", bound);
}

static void numbers_compare_by_value(void **state)
{
	(void)state;
	assert_true(EXPECT_LT(t, -1, 3u));
	assert_check(true, "-1", "3");
	assert_false(EXPECT_EQ(t, -1, UINT64_MAX));
	assert_check(false, "-1", "18446744073709551615");
	assert_true(EXPECT_GT(t, UINT64_MAX, INT64_MAX));
	assert_check(true, "18446744073709551615", "9223372036854775807");
	/* Neighbours that are one double. */
	assert_true(EXPECT_LT(t, INT64_C(9007199254740992), INT64_C(9007199254740993)));
	assert_check(true, "9007199254740992", "9007199254740993");
	assert_true(EXPECT_NE(t, 9007199254740993u, 9007199254740992.0));
	assert_check(true, "9007199254740993", "9007199254740992");
	assert_false(EXPECT_GE(t, INT64_MIN, INT64_MAX));
	assert_check(false, "-9223372036854775808", "9223372036854775807");
}

static void all_relations_work(void **state)
{
	(void)state;
	assert_true(EXPECT_EQ(t, 2, 2) && EXPECT_LE(t, 2, 2) && EXPECT_GE(t, 2, 2));
	assert_true(EXPECT_NE(t, 1, 2) && EXPECT_LT(t, 1, 2) && EXPECT_LE(t, 1, 2));
	assert_true(EXPECT_GT(t, 2, 1) && EXPECT_GE(t, 2, 1));
	assert_false(EXPECT_EQ(t, 1, 2) || EXPECT_GE(t, 1, 2) || EXPECT_GT(t, 1, 2));
	assert_false(EXPECT_NE(t, 2, 2) || EXPECT_LT(t, 2, 2) || EXPECT_GT(t, 2, 2));
	assert_false(EXPECT_LE(t, 2, 1));
	assert_int_equal(t->nr_checks, 15);
	assert_int_equal(t->nr_failed, 7);
}

static void nan_holds_nothing(void **state)
{
	(void)state;
	assert_false(EXPECT_EQ(t, NAN, NAN));
	assert_check(false, "NaN", "NaN");
	assert_false(EXPECT_LE(t, NAN, 1.5));
	assert_check(false, "NaN", "1.5");
	assert_false(EXPECT_NEAR(t, NAN, 1.0, INFINITY));
	assert_check(false, "NaN", "1 within inf");
	assert_false(EXPECT_NE(t, NAN, 0));
	assert_check(false, "NaN", "0");
	assert_false(EXPECT_NE(t, 0, NAN));
	assert_check(false, "0", "NaN");
}

static void floats_print_exactly(void **state)
{
	(void)state;
	assert_true(EXPECT_LT(t, 0.1, 0.30000000000000004));
	assert_check(true, "0.1", "0.30000000000000004");
	assert_true(EXPECT_NEAR(t, 1.05, 1, 0.1));
	assert_check(true, "1.05", "1 within 0.1");
	assert_false(EXPECT_NEAR(t, 1.2, 1, 0.1));
	assert_check(false, "1.2", "1 within 0.1");
	assert_true(EXPECT_NEAR(t, INFINITY, INFINITY, 0));
	assert_check(true, "inf", "inf within 0");
}

static void pointers_and_booleans(void **state)
{
	char c = 'x';

	(void)state;
	assert_true(EXPECT_NULL(t, NULL));
	assert_check(true, "NULL", "NULL");
	assert_true(EXPECT_NOT_NULL(t, &c));
	next(RECORD_CHECK);
	assert_true(json_is_true(json_object_get(last, "ok")));
	assert_false(EXPECT_NULL(t, &c));
	next(RECORD_CHECK);
	assert_false(json_is_true(json_object_get(last, "ok")));
	assert_true(EXPECT_EQ(t, (const void *)&c, (const void *)&c));
	next(RECORD_CHECK);
	assert_false(EXPECT_TRUE(t, c == 'y'));
	assert_check(false, "false", "true");
	assert_key("text", "c == 'y' is true");
	assert_true(EXPECT_FALSE(t, c == 'y'));
	assert_check(true, "false", "false");
	assert_true(EXPECT_EQ(t, c, 'x'));
	assert_check(true, "120", "120");
}

static void strings_compare(void **state)
{
	(void)state;
	assert_true(EXPECT_STREQ(t, "a", "a"));
	assert_check(true, "\"a\"", "\"a\"");
	assert_false(EXPECT_STREQ(t, "a\xff\n", "b"));
	assert_check(false, "\"a\\xff\n\"", "\"b\"");
	assert_false(EXPECT_STREQ(t, NULL, "b"));
	assert_check(false, "NULL", "\"b\"");
	assert_true(EXPECT_STREQ(t, NULL, NULL));
	assert_check(true, "NULL", "NULL");
}

static void places_and_texts_are_as_written(void **state)
{
	(void)state;
	EXPECT_LE(t, 1 + 1, MSECS(5));
	next(RECORD_CHECK);
	assert_key("text", "1 + 1 <= MSECS(5)");
	assert_key("file", __FILE__);
	assert_int_equal(json_integer_value(json_object_get(last, "line")), __LINE__ - 4);
}

static void assert_in_body(struct ktstr *body)
{
	ASSERT_EQ(body, 1, 1);
	ASSERT_EQ(body, 1, 2);
	ASSERT_EQ(body, 1, 3);
}

static void assert_returns(void **state)
{
	(void)state;
	assert_in_body(t);
	assert_int_equal(t->nr_checks, 2);
}

static void results_show_their_errno(void **state)
{
	(void)state;
	assert_true(EXPECT_OK(t, 3));
	assert_check(true, "3", "0 or more");
	assert_false(EXPECT_OK(t, -ENOENT));
	assert_check(false, "-2 (ENOENT: No such file or directory)", "0 or more");
	assert_null(json_object_get(last, "error"));
	assert_false(EXPECT_OK(t, -5000L));
	assert_check(false, "-5000", "0 or more");
	assert_true(EXPECT_ERR(t, -EBUSY, -EBUSY));
	assert_check(true, "-16 (EBUSY: Device or resource busy)",
		     "-16 (EBUSY: Device or resource busy)");
	assert_false(EXPECT_ERR(t, 0, -EBUSY));
	assert_check(false, "0", "-16 (EBUSY: Device or resource busy)");
}

static void a_broken_set_up_is_an_error(void **state)
{
	(void)state;
	ktstr_error_set(body_error(t), -EACCES, "open 'x': no");
	assert_false(EXPECT_OK(t, -EACCES));
	assert_check(false, "-13 (EACCES: Permission denied)", "0 or more");
	assert_true(json_is_true(json_object_get(last, "error")));
	assert_key("why", "open 'x': no");
	/* It counts once. */
	assert_false(EXPECT_OK(t, -EACCES));
	next(RECORD_CHECK);
	assert_null(json_object_get(last, "error"));
	/* A call that was expected to fail leaves nothing behind. */
	ktstr_error_set(body_error(t), -EACCES, "open 'x': no");
	assert_true(EXPECT_ERR(t, -EACCES, -EACCES));
	next(RECORD_CHECK);
	assert_false(EXPECT_OK(t, -EACCES));
	next(RECORD_CHECK);
	assert_null(json_object_get(last, "error"));
}

static void words_are_sent(void **state)
{
	(void)state;
	ktstr_note(t, "note %d", 7);
	next(RECORD_NOTE);
	assert_key("text", "note 7");
	ktstr_skip(t, "needs %s", "x");
	next(RECORD_SKIP);
	assert_key("text", "needs x");
	ktstr_undecided(t, "busy");
	next(RECORD_UNDECIDED);
	assert_key("text", "busy");
	ktstr_fail_at(t, KTSTR_SITE("", ""), "expected %d", 4);
	next(RECORD_CHECK);
	assert_key("why", "expected 4");
	assert_key("text", "");
	assert_false(json_is_true(json_object_get(last, "ok")));
}

static void values_are_numbers(void **state)
{
	(void)state;
	ktstr_measured(t, "gap_ns", 1.5, "ns");
	next(RECORD_VALUE);
	assert_key("name", "gap_ns");
	assert_key("unit", "ns");
	assert_true(json_real_value(json_object_get(last, "value")) == 1.5);
	ktstr_measured(t, "gap_ns", NAN, "ns");
	next(RECORD_CHECK);
	assert_true(json_is_true(json_object_get(last, "error")));
	ktstr_measured(t, "gap_ns", INFINITY, "ns");
	next(RECORD_CHECK);
	assert_true(json_is_true(json_object_get(last, "error")));
}

static void long_texts_are_cut(void **state)
{
	static char text[200000];
	const char *seen;

	(void)state;
	memset(text, '\x01', sizeof(text) - 1);
	ktstr_note(t, "%s", text);
	seen = json_string_value(json_object_get(next(RECORD_NOTE), "text"));
	assert_non_null(strstr(seen, "bytes cut)"));
	EXPECT_STREQ(t, text, text);
	next(RECORD_CHECK);
	ktstr_fail_at(t, KTSTR_SITE(text, text), "%s", text);
	seen = json_string_value(json_object_get(next(RECORD_CHECK), "why"));
	assert_non_null(strstr(seen, "bytes cut)"));
}

static void an_oversized_record_is_reported(void **state)
{
	static char text[PROTOCOL_PAYLOAD_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	body_send(t, RECORD_PAYLOAD, json_pack("{s:s}", "name", text));
	next(RECORD_ERROR);
	assert_non_null(strstr(json_string_value(json_object_get(last, "text")), "PAYLOAD"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_compare_by_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_relations_work, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nan_holds_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(floats_print_exactly, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pointers_and_booleans, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strings_compare, set_up, tear_down),
		cmocka_unit_test_setup_teardown(places_and_texts_are_as_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(assert_returns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(results_show_their_errno, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_broken_set_up_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(words_are_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(values_are_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_texts_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_oversized_record_is_reported, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
