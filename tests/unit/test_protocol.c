// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/protocol.h"

static struct ktstr_error err;

static void encode(struct strbuf *out, enum record_type type, const char *payload, uint64_t seq)
{
	struct strbuf one = STRBUF_INIT;

	assert_int_equal(frame_encode(&(struct frame){ .type = type,
						       .seq = seq,
						       .time_ns = 1000 + seq,
						       .payload = payload,
						       .length = strlen(payload) },
				      &one),
			 0);
	strbuf_add(out, one.data, one.len);
	strbuf_deinit(&one);
}

static void three_frames(struct strbuf *out)
{
	encode(out, RECORD_NOTE, "{\"text\":\"one\"}", 1);
	encode(out, RECORD_HEARTBEAT, "{}", 2);
	encode(out, RECORD_DONE, "", 3);
}

/* Feeds @stream in pieces of @step bytes and returns how many records came out, or the error. */
static int drain(const struct strbuf *stream, size_t step)
{
	struct frame_parser p;
	struct record record;
	int nr = 0, r = 0;

	frame_parser_init(&p);
	for (size_t at = 0; at < stream->len && r >= 0; at += step) {
		size_t len = stream->len - at < step ? stream->len - at : step;

		assert_int_equal(frame_parser_feed(&p, stream->data + at, len), 0);
		while ((r = frame_parser_next(&p, &record, &err)) == 1) {
			nr++;
			assert_int_equal(record.seq, nr);
			assert_int_equal(record.time_ns, 1000 + nr);
			assert_int_equal(record.length, strlen(record.payload));
		}
	}
	frame_parser_deinit(&p);
	return r < 0 ? r : nr;
}

static void header_layout_is_fixed(void **state)
{
	static const unsigned char wanted[] = {
		'K', 'T', 'R', '1', 7, 0, 0, 0, 2, 0, 0, 0, 0x43, 0xbf, 0xa6, 0xa3, 5,
		0,   0,	  0,   0,   0, 0, 0, 0, 1, 0, 0, 0, 0,	  0,	0,    '{',  '}',
	};
	struct strbuf out = STRBUF_INIT;

	(void)state;
	assert_int_equal(frame_encode(&(struct frame){ RECORD_NOTE, 5, 256, "{}", 2 }, &out), 0);
	assert_int_equal(out.len, sizeof(wanted));
	assert_memory_equal(out.data, wanted, sizeof(wanted));
	strbuf_deinit(&out);
}

static void pieces_of_any_size_give_the_same_records(void **state)
{
	struct strbuf stream = STRBUF_INIT;

	(void)state;
	three_frames(&stream);
	for (size_t step = 1; step <= stream.len; step++)
		assert_int_equal(drain(&stream, step), 3);
	strbuf_deinit(&stream);
}

static void payload_is_whole_and_terminated(void **state)
{
	struct strbuf stream = STRBUF_INIT;
	struct frame_parser p;
	struct record record;

	(void)state;
	three_frames(&stream);
	frame_parser_init(&p);
	assert_int_equal(frame_parser_feed(&p, stream.data, stream.len), 0);
	assert_int_equal(frame_parser_next(&p, &record, &err), 1);
	assert_int_equal(record.type, RECORD_NOTE);
	assert_string_equal(record.payload, "{\"text\":\"one\"}");
	assert_int_equal(frame_parser_next(&p, &record, &err), 1);
	assert_string_equal(record.payload, "{}");
	assert_int_equal(frame_parser_next(&p, &record, &err), 1);
	assert_string_equal(record.payload, "");
	assert_int_equal(frame_parser_next(&p, &record, &err), 0);
	assert_int_equal(frame_parser_pending(&p), 0);
	frame_parser_deinit(&p);
	strbuf_deinit(&stream);
}

static void expect_damage(size_t at, char value, const char *why)
{
	struct strbuf stream = STRBUF_INIT;

	three_frames(&stream);
	stream.data[46 + at] = value; /* second frame */
	assert_int_equal(drain(&stream, stream.len), -EBADMSG);
	assert_non_null(strstr(err.text, why));
	assert_non_null(strstr(err.text, "record 2, byte 46"));
	assert_int_equal(drain(&stream, 7), -EBADMSG);
	assert_non_null(strstr(err.text, "record 2, byte 46"));
	strbuf_deinit(&stream);
}

static void damage_is_named_with_its_place(void **state)
{
	(void)state;
	expect_damage(0, 'X', "no frame starts");
	expect_damage(4, 0, "record type");
	expect_damage(4, RECORD_TYPES, "record type");
	expect_damage(6, 1, "flags");
	expect_damage(11, 1, "over the limit");
	expect_damage(12, 'x', "checksum");
	expect_damage(32, 'x', "checksum");
	expect_damage(16, 4, "number");
	expect_damage(16, 1, "number");
}

static void parser_stays_at_the_damage(void **state)
{
	struct strbuf stream = STRBUF_INIT;
	struct frame_parser p;
	struct record record;

	(void)state;
	strbuf_addstr(&stream, "this is not a frame, however long it may be");
	encode(&stream, RECORD_DONE, "{}", 1);
	frame_parser_init(&p);
	assert_int_equal(frame_parser_feed(&p, stream.data, stream.len), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(frame_parser_next(&p, &record, &err), -EBADMSG);
	assert_int_equal(frame_parser_pending(&p), stream.len);
	frame_parser_deinit(&p);
	strbuf_deinit(&stream);
}

static void cut_frame_stays_pending(void **state)
{
	struct strbuf stream = STRBUF_INIT;
	struct frame_parser p;
	struct record record;

	(void)state;
	three_frames(&stream);
	frame_parser_init(&p);
	assert_int_equal(frame_parser_feed(&p, stream.data, 46 + 33), 0);
	assert_int_equal(frame_parser_next(&p, &record, &err), 1);
	assert_int_equal(frame_parser_next(&p, &record, &err), 0);
	assert_int_equal(frame_parser_pending(&p), 33);
	frame_parser_deinit(&p);
	strbuf_deinit(&stream);
}

static void feed_has_a_limit(void **state)
{
	static char chunk[1 << 20];
	struct frame_parser p;
	int r = 0;

	(void)state;
	frame_parser_init(&p);
	for (int i = 0; i < 16 && r == 0; i++)
		r = frame_parser_feed(&p, chunk, sizeof(chunk));
	assert_int_equal(r, 0);
	assert_int_equal(frame_parser_feed(&p, chunk, 1), -E2BIG);
	frame_parser_deinit(&p);
}

static void largest_payload_passes_and_one_more_does_not(void **state)
{
	static char payload[PROTOCOL_PAYLOAD_MAX + 1];
	struct frame frame = { RECORD_OUTPUT, 1, 1001, payload, PROTOCOL_PAYLOAD_MAX };
	struct strbuf out = STRBUF_INIT;
	struct frame_parser p;
	struct record record;

	(void)state;
	assert_int_equal(frame_encode(&frame, &out), 0);
	frame_parser_init(&p);
	assert_int_equal(frame_parser_feed(&p, out.data, out.len), 0);
	assert_int_equal(frame_parser_next(&p, &record, &err), 1);
	assert_int_equal(record.length, PROTOCOL_PAYLOAD_MAX);
	frame.length++;
	assert_int_equal(frame_encode(&frame, &out), -E2BIG);
	frame.length = 0;
	frame.type = 0;
	assert_int_equal(frame_encode(&frame, &out), -EINVAL);
	frame.type = RECORD_TYPES;
	assert_int_equal(frame_encode(&frame, &out), -EINVAL);
	frame_parser_deinit(&p);
	strbuf_deinit(&out);
}

static void renumbered_frame_is_right(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct frame_parser p;
	struct record record;

	(void)state;
	encode(&out, RECORD_VALUE, "{\"name\":\"x\"}", 77);
	out.data[12] ^= 0x55; /* a wrong crc is replaced */
	assert_int_equal(frame_renumber(out.data, out.len, 1), 0);
	assert_int_equal(frame_type(out.data), RECORD_VALUE);
	frame_parser_init(&p);
	assert_int_equal(frame_parser_feed(&p, out.data, out.len), 0);
	assert_int_equal(frame_parser_next(&p, &record, &err), 1);
	assert_int_equal(record.time_ns, 1077);
	assert_string_equal(record.payload, "{\"name\":\"x\"}");
	frame_parser_deinit(&p);

	assert_int_equal(frame_renumber(out.data, out.len - 1, 1), -EBADMSG);
	assert_int_equal(frame_renumber(out.data, 31, 1), -EBADMSG);
	out.data[6] = 1;
	assert_int_equal(frame_renumber(out.data, out.len, 1), -EBADMSG);
	out.data[6] = 0;
	out.data[4] = 99;
	assert_int_equal(frame_renumber(out.data, out.len, 1), -EBADMSG);
	out.data[0] = 0;
	assert_int_equal(frame_renumber(out.data, out.len, 1), -EBADMSG);
	strbuf_deinit(&out);
}

static void every_type_has_a_name(void **state)
{
	(void)state;
	for (int i = RECORD_HELLO; i < RECORD_TYPES; i++)
		assert_string_not_equal(record_type_name(i), "?");
	assert_string_equal(record_type_name(RECORD_BODY_END), "BODY_END");
	assert_string_equal(record_type_name(0), "?");
	assert_string_equal(record_type_name(RECORD_TYPES), "?");
	assert_string_equal(record_type_name((enum record_type) - 1), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_layout_is_fixed),
		cmocka_unit_test(pieces_of_any_size_give_the_same_records),
		cmocka_unit_test(payload_is_whole_and_terminated),
		cmocka_unit_test(damage_is_named_with_its_place),
		cmocka_unit_test(parser_stays_at_the_damage),
		cmocka_unit_test(cut_frame_stays_pending),
		cmocka_unit_test(feed_has_a_limit),
		cmocka_unit_test(largest_payload_passes_and_one_more_does_not),
		cmocka_unit_test(renumbered_frame_is_right),
		cmocka_unit_test(every_type_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
