// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/protocol_record.h"

static void check_text(const char *bytes, size_t len, const char *wanted)
{
	json_t *text = record_text_bytes(bytes, len);

	assert_non_null(text);
	assert_string_equal(json_string_value(text), wanted);
	json_decref(text);
}

#define BAD "\xef\xbf\xbd"

static void text_that_is_not_utf8_is_mended(void **state)
{
	(void)state;
	check_text("", 0, "");
	check_text("plain", 5, "plain");
	check_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		   "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	check_text("a\xff", 2, "a" BAD);
	check_text("a\0b", 3, "a" BAD "b");
	check_text("\xc3", 1, BAD);
	check_text("\xc0\x80", 2, BAD BAD);		    /* overlong */
	check_text("\xe0\x80\x80", 3, BAD BAD BAD);	    /* overlong */
	check_text("\xed\xa0\x80", 3, BAD BAD BAD);	    /* surrogate */
	check_text("\xf4\x90\x80\x80", 4, BAD BAD BAD BAD); /* past U+10FFFF */
	check_text("\xf0\x8f\x80\x80", 4, BAD BAD BAD BAD); /* overlong */
	check_text("\xe2\x82x", 3, BAD BAD "x");
}

static void sent_record_is_one_frame(void **state)
{
	int fds[2];
	char buf[512];
	uint64_t before = clock_mono_ns();
	struct frame_parser p;
	struct record record;
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(record_send_json(fds[0], RECORD_NOTE,
					  json_pack("{s:o}", "text", record_text("hi \xfe"))),
			 0);
	n = recv(fds[1], buf, sizeof(buf), 0);
	assert_true(n > PROTOCOL_HEADER_BYTES);
	assert_int_equal(frame_renumber(buf, (size_t)n, 1), 0);
	frame_parser_init(&p);
	assert_int_equal(frame_parser_feed(&p, buf, (size_t)n), 0);
	assert_int_equal(frame_parser_next(&p, &record, NULL), 1);
	assert_int_equal(record.type, RECORD_NOTE);
	assert_string_equal(record.payload, "{\"text\":\"hi " BAD "\"}");
	assert_in_range(record.time_ns, before, clock_mono_ns());
	frame_parser_deinit(&p);
	close(fds[0]);
	close(fds[1]);
}

static void bad_objects_are_refused(void **state)
{
	static char large[PROTOCOL_PAYLOAD_MAX];
	struct strbuf out = STRBUF_INIT;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(record_encode_json(RECORD_NOTE, NULL, &out), -ENOMEM);
	assert_int_equal(record_encode_json(RECORD_NOTE, json_array(), &out), -EINVAL);
	assert_int_equal(record_encode_json(RECORD_NOTE, json_pack("{s:s}", "text", large), &out),
			 -E2BIG);
	assert_int_equal(record_encode_json(RECORD_TYPES, json_object(), &out), -EINVAL);
	strbuf_deinit(&out);
}

static void a_closed_peer_is_an_error_not_a_signal(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	close(fds[1]);
	assert_int_equal(record_send_json(fds[0], RECORD_DONE, json_object()), -EPIPE);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_is_not_utf8_is_mended),
		cmocka_unit_test(sent_record_is_one_frame),
		cmocka_unit_test(bad_objects_are_refused),
		cmocka_unit_test(a_closed_peer_is_an_error_not_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
