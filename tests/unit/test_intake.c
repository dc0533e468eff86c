// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/intake.h"

static struct evidence e;
static struct intake intake;
static struct strbuf stream = STRBUF_INIT;
static uint64_t seq, seen;

static void on_record(void *arg, const struct record *record)
{
	(void)arg;
	seen = record->seq;
}

static int set_up(void **state)
{
	(void)state;
	strbuf_clear(&stream);
	seq = seen = 0;
	intake_init(&intake, &e, on_record, NULL);
	return evidence_init(&e);
}

static int tear_down(void **state)
{
	(void)state;
	intake_deinit(&intake);
	evidence_deinit(&e);
	strbuf_deinit(&stream);
	stream = (struct strbuf)STRBUF_INIT;
	return 0;
}

static void add(enum record_type type, uint64_t time_ns, const char *payload)
{
	_cleanup_strbuf_ struct strbuf frame = STRBUF_INIT;

	assert_int_equal(frame_encode(&(struct frame){ .type = type,
						       .seq = ++seq,
						       .time_ns = time_ns,
						       .payload = payload,
						       .length = strlen(payload) },
				      &frame),
			 0);
	strbuf_add(&stream, frame.data, frame.len);
}

static void add_run(void)
{
	add(RECORD_HELLO, 5000, "{\"agent\":\"1\",\"kernel\":\"7.3.4\",\"nr_cpus\":2}");
	add(RECORD_STARTED, 6000, "{\"pid\":5}");
	add(RECORD_NOTE, 9000, "{\"text\":\"n\"}");
	add(RECORD_HEARTBEAT, 8000, "{}");
	add(RECORD_BYE, 9500, "{\"exit\":0}");
}

static void feed_all(size_t piece)
{
	for (size_t at = 0; at < stream.len; at += piece) {
		size_t n = stream.len - at < piece ? stream.len - at : piece;

		assert_int_equal(intake_feed(&intake, stream.data + at, n), 0);
	}
	intake_end(&intake);
}

static void expect_hash(size_t len)
{
	char hex[SHA256_HEX];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, stream.data, len);
	sha256_final_hex(&hash, hex);
	assert_null(e.damage);
	assert_string_equal(e.events_sha256, hex);
}

static void a_whole_stream_has_a_hash(void **state)
{
	(void)state;
	add_run();
	feed_all(stream.len);
	expect_hash(stream.len);
	assert_int_equal(e.nr_events, 5);
	assert_int_equal(seen, 5);
	assert_int_equal(e.started_virtual_ns, 6000);
	assert_int_equal(evidence_virtual_ns(&e), 4500);
}

static void pieces_make_no_difference(void **state)
{
	(void)state;
	add_run();
	feed_all(7);
	expect_hash(stream.len);
}

static void nothing_behind_bye_is_hashed(void **state)
{
	size_t end;

	(void)state;
	add_run();
	end = stream.len;
	add(RECORD_HEARTBEAT, 9900, "{}");
	feed_all(50);
	expect_hash(end);
}

static void without_bye_there_is_no_hash(void **state)
{
	(void)state;
	add(RECORD_HELLO, 5000, "{\"agent\":\"1\",\"kernel\":\"7.3.4\",\"nr_cpus\":2}");
	feed_all(1);
	assert_string_equal(e.events_sha256, "");
	assert_null(e.damage);
	assert_int_equal(e.nr_events, 1);
}

static void a_cut_frame_is_damage(void **state)
{
	(void)state;
	add_run();
	stream.len--;
	feed_all(stream.len);
	assert_non_null(strstr(e.damage, "cut off"));
	assert_string_equal(e.events_sha256, "");
}

static void a_flipped_bit_is_damage(void **state)
{
	(void)state;
	add_run();
	stream.data[PROTOCOL_HEADER_BYTES + 3] ^= 1;
	assert_int_equal(intake_feed(&intake, stream.data, stream.len), -EBADMSG);
	intake_end(&intake);
	assert_non_null(strstr(e.damage, "checksum"));
	assert_string_equal(e.events_sha256, "");
}

static void a_record_of_the_wrong_form_takes_the_hash(void **state)
{
	(void)state;
	add(RECORD_NOTE, 1, "{}");
	add(RECORD_BYE, 2, "{\"exit\":0}");
	feed_all(stream.len);
	assert_non_null(e.damage);
	assert_string_equal(e.events_sha256, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_stream_has_a_hash, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pieces_make_no_difference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_behind_bye_is_hashed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_bye_there_is_no_hash, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cut_frame_is_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flipped_bit_is_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_record_of_the_wrong_form_takes_the_hash, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
