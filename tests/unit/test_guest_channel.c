// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "guest/channel.h"

static int fds[2];
static struct channel channel;
static struct frame_parser parser;
static struct ktstr_error err;

static int set_up(void **state)
{
	(void)state;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0 || channel_init(&channel, fds[1]) < 0)
		return -1;
	frame_parser_init(&parser);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	channel_deinit(&channel);
	frame_parser_deinit(&parser);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

/* Takes what is in the pipe.  Return: how many records came out of it. */
static unsigned int receive(struct record *ret_last)
{
	char bytes[65536];
	unsigned int nr = 0;
	ssize_t n;

	while ((n = read(fds[0], bytes, sizeof(bytes))) > 0)
		assert_int_equal(frame_parser_feed(&parser, bytes, (size_t)n), 0);
	for (;;) {
		int r = frame_parser_next(&parser, ret_last, &err);

		assert_true(r >= 0);
		if (r == 0)
			return nr;
		nr++;
	}
}

static void records_are_numbered_as_sent(void **state)
{
	char frame[] = "KTR1\7\0\0\0\2\0\0\0????SEQSEQ!!\1\0\0\0\0\0\0\0{}";
	struct record last;

	(void)state;
	assert_int_equal(channel_send(&channel, RECORD_HEARTBEAT, "{}", 2), 0);
	assert_int_equal(channel_send_text(&channel, RECORD_ERROR, "%d of %s", 3, "\xff"), 0);
	assert_int_equal(channel_forward(&channel, frame, 34), 0);
	assert_int_equal(receive(&last), 3);
	assert_int_equal(last.seq, 3);
	assert_int_equal(last.type, RECORD_NOTE);
	assert_string_equal(last.payload, "{}");
	assert_int_equal(channel_send_text(&channel, RECORD_ERROR, "%d of %s", 3, "\xff"), 0);
	assert_int_equal(receive(&last), 1);
	assert_string_equal(last.payload, "{\"text\":\"3 of \xef\xbf\xbd\"}");
}

static void a_refused_record_uses_no_number(void **state)
{
	static char large[PROTOCOL_PAYLOAD_MAX + 1];
	struct record last;

	(void)state;
	assert_int_equal(channel_send(&channel, RECORD_OUTPUT, large, sizeof(large)), -E2BIG);
	assert_int_equal(channel_forward(&channel, large, 100), -EBADMSG);
	assert_int_equal(channel_send_json(&channel, RECORD_NOTE, NULL), -ENOMEM);
	assert_int_equal(channel_send(&channel, RECORD_HEARTBEAT, "{}", 2), 0);
	assert_int_equal(receive(&last), 1);
}

/* A host that does not read: the queue fills, never blocks, and keeps whole frames only. */
static void a_slow_host_loses_nothing_that_was_taken(void **state)
{
	static char large[PROTOCOL_PAYLOAD_MAX];
	unsigned int sent = 0, received = 0;
	struct record last;
	int r;

	(void)state;
	assert_false(channel_full(&channel));
	while ((r = channel_send(&channel, RECORD_OUTPUT, large, sizeof(large))) == 0)
		sent++;
	assert_int_equal(r, -ENOBUFS);
	assert_true(channel_full(&channel));
	assert_in_range(channel.queue.len, CHANNEL_FULL, CHANNEL_LIMIT);
	assert_int_equal(channel_flush(&channel, 0), -ETIMEDOUT);
	while (channel.queue.len) {
		received += receive(&last);
		assert_int_equal(channel_pump(&channel), 0);
	}
	received += receive(&last);
	assert_int_equal(received, sent);
	assert_int_equal(channel_flush(&channel, 0), 0);
}

static void a_host_that_is_gone_shows(void **state)
{
	(void)state;
	close(fds[0]);
	assert_int_equal(channel_send(&channel, RECORD_HEARTBEAT, "{}", 2), 0);
	assert_int_equal(channel_flush(&channel, 0), -EPIPE);
	fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void numbers_are_written_as_json(void **state)
{
	static const struct {
		int number;
		const char *text;
	} rows[] = {
		{ 0, "{\"exit\":0}" },
		{ 7, "{\"exit\":7}" },
		{ -1, "{\"exit\":-1}" },
		{ INT_MAX, "{\"exit\":2147483647}" },
		{ INT_MIN, "{\"exit\":-2147483648}" },
	};
	struct record last;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(channel_send_number(&channel, RECORD_BYE, "exit", rows[i].number),
				 0);
		assert_int_equal(receive(&last), 1);
		assert_string_equal(last.payload, rows[i].text);
	}
}

static int nr_stops;

static void count_stop(void)
{
	nr_stops++;
}

static void the_machine_stops_once_after_its_record(void **state)
{
	static char large[PROTOCOL_PAYLOAD_MAX];
	struct record last;

	(void)state;
	nr_stops = 0;
	channel_stop_after(&channel, 3, count_stop);
	assert_int_equal(channel_send(&channel, RECORD_NOTE, "{}", 2), 0);
	assert_int_equal(channel_send(&channel, RECORD_OUTPUT, large, sizeof(large)), 0);
	assert_int_equal(nr_stops, 0);
	/* The pipe is full: the third is not sent yet. */
	assert_int_equal(channel_send(&channel, RECORD_OUTPUT, large, sizeof(large)), 0);
	assert_true(channel.queue.len > 0);
	assert_int_equal(nr_stops, 0);
	receive(&last);
	assert_int_equal(channel_pump(&channel), 0);
	assert_int_equal(nr_stops, 1);
	assert_int_equal(channel_send(&channel, RECORD_NOTE, "{}", 2), 0);
	assert_int_equal(nr_stops, 1);
}

static void a_record_that_is_out_stops_at_once(void **state)
{
	(void)state;
	nr_stops = 0;
	assert_int_equal(channel_send(&channel, RECORD_NOTE, "{}", 2), 0);
	channel_stop_after(&channel, 0, count_stop);
	assert_int_equal(nr_stops, 0);
	channel_stop_after(&channel, 1, count_stop);
	assert_int_equal(nr_stops, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_are_numbered_as_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_record_uses_no_number, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_slow_host_loses_nothing_that_was_taken, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_host_that_is_gone_shows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers_are_written_as_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_machine_stops_once_after_its_record, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_record_that_is_out_stops_at_once, set_up,
						tear_down),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
