// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "vm/qmp.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define READY	 GREETING "{\"return\": {}, \"id\": 1}\r\n"

static struct qmp q;
static int peer = -1;

static int set_up(void **state)
{
	int fds[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	qmp_init(&q, fds[0]);
	peer = fds[1];
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	qmp_deinit(&q);
	if (peer >= 0)
		close(peer);
	return 0;
}

/* All that QEMU will have said. */
static void say(const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(send(peer, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void hang_up(void)
{
	shutdown(peer, SHUT_WR);
}

static void expect(int r, int code, const struct ktstr_error *err, const char *says)
{
	if (r != code)
		fail_msg("%d, not %d: %s", r, code, err->text);
	if (!strstr(err->text, says))
		fail_msg("'%s' is not in '%s'", says, err->text);
}

static void greet(void)
{
	struct ktstr_error err = { 0 };

	if (qmp_greet(&q, &err) < 0)
		fail_msg("%s", err.text);
}

static void a_command_gets_its_answer(void **state)
{
	struct ktstr_error err = { 0 };
	json_t *value = NULL;
	char heard[256] = "";

	(void)state;
	say(READY "{\"return\": {\"status\": \"paused\"}, \"id\": 2}\r\n");
	greet();
	assert_int_equal(qmp_command(&q, "query-status", json_pack("{s:i}", "n", 3), &value, &err),
			 0);
	assert_string_equal(json_string_value(json_object_get(value, "status")), "paused");
	json_decref(value);
	assert_true(recv(peer, heard, sizeof(heard) - 1, 0) > 0);
	assert_string_equal(heard,
			    "{\"execute\":\"qmp_capabilities\",\"id\":1}\n"
			    "{\"execute\":\"query-status\",\"id\":2,\"arguments\":{\"n\":3}}\n");
}

static void events_are_kept_for_who_waits(void **state)
{
	struct ktstr_error err = { 0 };
	json_t *data = NULL;

	(void)state;
	say(READY "{\"event\": \"STOP\", \"data\": {\"n\": 1}}\r\n{\"event\": \"RESUME\"}\n"
		  "{\"event\": \"STOP\", \"data\": {\"n\": 2}}\r\n"
		  "{\"return\": {}, \"id\": 2}\r\n{\"event\": \"SHUTDOWN\"}\r\n");
	greet();
	assert_int_equal(qmp_command(&q, "stop", NULL, NULL, &err), 0);
	assert_int_equal(qmp_wait_event(&q, "SHUTDOWN", &data, &err), 0);
	assert_null(data);
	assert_int_equal(qmp_wait_event(&q, "STOP", &data, &err), 0);
	assert_int_equal(json_integer_value(json_object_get(data, "n")), 1);
	json_decref(data);
	assert_int_equal(qmp_wait_event(&q, "STOP", &data, &err), 0);
	assert_int_equal(json_integer_value(json_object_get(data, "n")), 2);
	json_decref(data);
	assert_int_equal(qmp_wait_event(&q, "RESUME", NULL, &err), 0);
	hang_up();
	expect(qmp_wait_event(&q, "STOP", NULL, &err), -EPIPE, &err,
	       "wait for QEMU's event STOP: QEMU closed");
}

static void commands_may_be_sent_ahead(void **state)
{
	struct ktstr_error err = { 0 };
	int64_t first, second;

	(void)state;
	say(READY);
	greet();
	first = qmp_send(&q, "a", NULL, &err);
	second = qmp_send(&q, "b", NULL, &err);
	assert_true(first > 0 && second > first);
	say("{\"return\": {}, \"id\": 2}\n{\"id\": 3, \"error\": {\"class\": \"GenericError\", "
	    "\"desc\": \"no b\"}}\n");
	assert_int_equal(qmp_answer(&q, first, NULL, &err), 0);
	expect(qmp_answer(&q, second, NULL, &err), -EREMOTEIO, &err, "QEMU says: no b");
}

static void refusals_carry_qemus_words(void **state)
{
	struct ktstr_error err = { 0 };

	(void)state;
	say(READY
	    "{\"id\": 2, \"error\": {\"class\": \"GenericError\", \"desc\": \"Out of luck\"}}\n"
	    "{\"return\": {}, \"id\": 3}\n");
	greet();
	expect(qmp_command(&q, "migrate", NULL, NULL, &err), -EREMOTEIO, &err,
	       "QEMU command 'migrate': QEMU says: Out of luck");
	assert_int_equal(qmp_command(&q, "cont", NULL, NULL, &err), 0);
}

static void what_is_not_qmp_is_refused(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "hello", "'hello'" },
		{ "[]", "not an object" },
		{ "{}", "neither answer nor event" },
		{ "{\"error\": {\"class\": 1, \"desc\": \"x\"}}", "without class and text" },
		{ "{\"error\": \"x\"}", "without class and text" },
		{ "{\"event\": 5}", "neither answer nor event" },
		{ "{\"event\": \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		  "too long a name" },
		{ "{\"return\": 1, \"return\": 2}", "duplicate" },
		{ "{\"return\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
		  "nested too deep" },
		{ "\001\377", "?'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_error err = { 0 };
		struct qmp_message m;

		expect(qmp_message_parse(cases[i].line, strlen(cases[i].line), &m, &err), -EPROTO,
		       &err, cases[i].says);
	}
}

static void brackets_in_texts_do_not_nest(void **state)
{
	static const char line[] =
		"{\"return\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\", \"id\": 7}";
	struct qmp_message m;

	(void)state;
	assert_int_equal(qmp_message_parse(line, sizeof(line) - 1, &m, NULL), 0);
	assert_int_equal(m.kind, QMP_ANSWER);
	assert_int_equal(m.id, 7);
	qmp_message_deinit(&m);
}

static void odd_talk_ends_it(void **state)
{
	static const struct {
		const char *talk;
		int code;
		const char *says;
	} cases[] = {
		{ "", -EPIPE, "greeting: QEMU closed its control socket" },
		{ "{\"QMP\":", -EPIPE, "in the middle of a line" },
		{ "garbage\n", -EPROTO, "'garbage'" },
		{ "{\"return\": {}, \"id\": 1}\n", -EPROTO, "no greeting" },
		{ GREETING "{\"return\": {}, \"id\": 2}\n", -EPROTO, "nothing that was asked" },
		{ GREETING GREETING, -EPROTO, "nothing that was asked" },
		{ GREETING "{\"event\": \"X\"}\n", -EPIPE, "qmp_capabilities" },
		{ GREETING "{\"error\": {\"class\": \"C\", \"desc\": \"no\"}}\n", -EREMOTEIO,
		  "QEMU says: no" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_error err = { 0 };

		tear_down(NULL);
		assert_int_equal(set_up(NULL), 0);
		if (cases[i].talk[0])
			say(cases[i].talk);
		hang_up();
		expect(qmp_greet(&q, &err), cases[i].code, &err, cases[i].says);
	}
}

static void an_answer_nobody_asked_for_ends_a_wait(void **state)
{
	struct ktstr_error err = { 0 };

	(void)state;
	say(READY "{\"return\": {}, \"id\": 9}\n");
	greet();
	expect(qmp_wait_event(&q, "STOP", NULL, &err), -EPROTO, &err, "nothing that was asked");
}

static void giant_lines_and_floods_are_refused(void **state)
{
	static char giant[QMP_LINE_MAX + 2];
	struct ktstr_error err = { 0 };
	struct qmp_message m;

	(void)state;
	memset(giant, ' ', sizeof(giant) - 1);
	expect(qmp_message_parse(giant, sizeof(giant) - 1, &m, &err), -EPROTO, &err, "too long");
	say(READY);
	greet();
	for (int i = 0; i <= QMP_EVENTS_MAX; i++)
		say("{\"event\": \"X\"}\n");
	expect(qmp_wait_event(&q, "STOP", NULL, &err), -EPROTO, &err, "more than 64 events");
}

/* The peer never ends its line. */
static void an_endless_line_is_cut(void **state)
{
	static char piece[4096];
	struct ktstr_error err = { 0 };
	pid_t pid = fork();

	(void)state;
	memset(piece, 'x', sizeof(piece));
	if (pid == 0) {
		close(q.fd);
		while (send(peer, piece, sizeof(piece), MSG_NOSIGNAL) > 0)
			;
		_exit(0);
	}
	expect(qmp_greet(&q, &err), -EPROTO, &err, "line too long");
	qmp_deinit(&q);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void waits_end_by_deadline_and_by_hand(void **state)
{
	struct ktstr_error err = { 0 };
	int fds[2];

	(void)state;
	q.deadline_ns = clock_mono_ns() + NSEC_PER_MSEC;
	expect(qmp_greet(&q, &err), -ETIMEDOUT, &err, "did not answer in time");
	q.deadline_ns = UINT64_MAX;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	q.cancel_fd = fds[0];
	expect(qmp_greet(&q, &err), -EINTR, &err, "cancelled");
	close(fds[0]);
	close(fds[1]);
}

static void a_gone_peer_cannot_be_asked(void **state)
{
	struct ktstr_error err = { 0 };

	(void)state;
	say(READY);
	greet();
	close(peer);
	peer = -1;
	expect(qmp_command(&q, "stop", json_object(), NULL, &err), -EPIPE, &err,
	       "QEMU command 'stop': write to QEMU");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_command_gets_its_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(events_are_kept_for_who_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(commands_may_be_sent_ahead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refusals_carry_qemus_words, set_up, tear_down),
		cmocka_unit_test(what_is_not_qmp_is_refused),
		cmocka_unit_test(brackets_in_texts_do_not_nest),
		cmocka_unit_test_setup_teardown(odd_talk_ends_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_nobody_asked_for_ends_a_wait, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(giant_lines_and_floods_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_endless_line_is_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_end_by_deadline_and_by_hand, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_gone_peer_cannot_be_asked, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
