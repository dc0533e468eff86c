// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/events.h"
#include "tests/lib/scratch.h"

static struct scratch dir;
static struct strbuf then = STRBUF_INIT, now = STRBUF_INIT;
static struct events_diff diff;
static struct ktstr_error err;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	events_diff_deinit(&diff);
	strbuf_clear(&then);
	strbuf_clear(&now);
	scratch_destroy(&dir);
	return 0;
}

static void add(struct strbuf *stream, struct frame frame, const char *payload)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;

	frame.payload = payload;
	frame.length = strlen(payload);
	assert_int_equal(frame_encode(&frame, &bytes), 0);
	strbuf_add(stream, bytes.data, bytes.len);
}

#define FRAME(type_, seq_, time_) \
	((struct frame){ .type = (type_), .seq = (seq_), .time_ns = (time_) })

static void add_start(struct strbuf *stream)
{
	add(stream, FRAME(RECORD_HELLO, 1, 1000000000), "{\"kernel\":\"7\"}");
	add(stream, FRAME(RECORD_STARTED, 2, 1500000000), "{\"pid\":5}");
	add(stream, FRAME(RECORD_CHECK, 3, 2000000001), "{\"ok\":true}");
}

static void add_end(struct strbuf *stream)
{
	add(stream, FRAME(RECORD_CHECK, 4, 2100000000), "{\"ok\":false}");
	add(stream, FRAME(RECORD_BYE, 5, 2200000000), "{\"exit\":0}");
}

static void compare(void)
{
	const char *a = scratch_write(&dir, "then", then.data, then.len, 0644);
	const char *b = scratch_write(&dir, "now", now.data, now.len, 0644);

	assert_int_equal(events_compare(a, b, &diff, &err), 0);
}

static void equal_runs_do_not_part(void **state)
{
	(void)state;
	add_start(&then);
	add_end(&then);
	add_start(&now);
	add_end(&now);
	add(&now, FRAME(RECORD_HEARTBEAT, 6, 1), "{}");
	compare();
	assert_false(diff.parted);
	assert_false(diff.ended);
	assert_int_equal(diff.nr_same, 5);
}

static void the_first_difference_is_named(void **state)
{
	(void)state;
	add_start(&then);
	add_end(&then);
	add_start(&now);
	add(&now, FRAME(RECORD_NOTE, 4, 2100000016), "{\"text\":\"other\\n\x01\"}");
	compare();
	assert_true(diff.parted);
	assert_int_equal(diff.nr_same, 3);
	assert_int_equal(diff.type, RECORD_CHECK);
	assert_int_equal(diff.virtual_ns, 1100000000);
	assert_string_equal(diff.then, "CHECK at 1.100000000 s {\"ok\":false}");
	assert_string_equal(diff.now, "NOTE at 1.100000016 s {\"text\":\"other\\n\\x01\"}");
}

static void time_alone_is_a_difference(void **state)
{
	(void)state;
	add(&then, FRAME(RECORD_HELLO, 1, 1000), "{}");
	add(&now, FRAME(RECORD_HELLO, 1, 1008), "{}");
	compare();
	assert_true(diff.parted);
	assert_int_equal(diff.nr_same, 0);
}

static void runs_without_farewell_are_equal_as_far_as_they_go(void **state)
{
	(void)state;
	add_start(&then);
	add_start(&now);
	add(&now, FRAME(RECORD_HEARTBEAT, 4, 3000000000), "{}");
	compare();
	assert_false(diff.parted);
	assert_true(diff.ended);
	assert_int_equal(diff.nr_same, 3);
}

static void more_than_a_whole_run_is_a_difference(void **state)
{
	(void)state;
	add_start(&then);
	add(&then, FRAME(RECORD_BYE, 4, 2200000000), "{\"exit\":0}");
	add_start(&now);
	add_end(&now);
	compare();
	assert_true(diff.parted);
	assert_int_equal(diff.nr_same, 3);
	assert_int_equal(diff.type, RECORD_BYE);
}

static void damage_is_a_difference_where_it_is(void **state)
{
	(void)state;
	add_start(&then);
	add_end(&then);
	add_start(&now);
	add_end(&now);
	then.data[then.len - 1] ^= 1;
	compare();
	assert_true(diff.parted);
	assert_int_equal(diff.nr_same, 4);
	assert_non_null(strstr(diff.then, "checksum"));
	assert_non_null(strstr(diff.now, "BYE"));
}

static void a_cut_record_is_a_difference(void **state)
{
	(void)state;
	add_start(&then);
	add_start(&now);
	then.len--;
	compare();
	assert_true(diff.parted);
	assert_int_equal(diff.nr_same, 2);
	assert_non_null(strstr(diff.then, "cut off"));
}

static void the_failing_event_is_found(void **state)
{
	enum record_type type;
	uint64_t seq;

	(void)state;
	add_start(&then);
	assert_int_equal(events_find_failure(scratch_write(&dir, "a", then.data, then.len, 0644),
					     &seq, &type, &err),
			 -ENOENT);
	add_end(&then);
	assert_int_equal(events_find_failure(scratch_write(&dir, "a", then.data, then.len, 0644),
					     &seq, &type, &err),
			 0);
	assert_int_equal(seq, 4);
	assert_int_equal(type, RECORD_CHECK);
	assert_int_equal(events_find_failure("/nowhere", &seq, &type, &err), -ENOENT);
}

static void of_a_scenario_it_is_the_end_of_scheduler_or_steps(void **state)
{
	enum record_type type;
	uint64_t seq;

	(void)state;
	add(&then, FRAME(RECORD_HELLO, 1, 1000), "{}");
	add(&then, FRAME(RECORD_SCENARIO, 2, 1000), "{\"kind\":\"step_end\",\"step\":0}");
	add(&then, FRAME(RECORD_SCENARIO, 3, 1000), "{\"kind\":\"step_end\",\"step\":1}");
	add(&then, FRAME(RECORD_SCENARIO, 4, 1000),
	    "{\"kind\":\"scheduler\",\"event\":\"detached\"}");
	assert_int_equal(events_find_failure(scratch_write(&dir, "a", then.data, then.len, 0644),
					     &seq, &type, &err),
			 0);
	assert_int_equal(seq, 3);
	add(&then, FRAME(RECORD_SCENARIO, 5, 1000),
	    "{\"kind\":\"scheduler\",\"event\":\"ejected\"}");
	add(&then, FRAME(RECORD_SCENARIO, 6, 1000), "{\"kind\":\"step_end\",\"step\":2}");
	assert_int_equal(events_find_failure(scratch_write(&dir, "a", then.data, then.len, 0644),
					     &seq, &type, &err),
			 0);
	assert_int_equal(seq, 5);
	assert_int_equal(type, RECORD_SCENARIO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_runs_do_not_part),
		TEST(the_first_difference_is_named),
		TEST(time_alone_is_a_difference),
		TEST(runs_without_farewell_are_equal_as_far_as_they_go),
		TEST(more_than_a_whole_run_is_a_difference),
		TEST(damage_is_a_difference_where_it_is),
		TEST(a_cut_record_is_a_difference),
		TEST(the_failing_event_is_found),
		TEST(of_a_scenario_it_is_the_end_of_scheduler_or_steps),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	strbuf_deinit(&then);
	strbuf_deinit(&now);
	return r;
}
