// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/body.h"

/* Bodies run in a child process, as they do in earnest; its records are read here. */
struct end {
	int status;
	struct frame_parser parser;
	bool seen[RECORD_TYPES];
	char crash[4096];
};

static void read_records(int fd, struct end *end)
{
	static uint8_t bytes[PROTOCOL_HEADER_BYTES + PROTOCOL_PAYLOAD_MAX];
	struct record record;
	uint64_t seq = 0;
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		assert_int_equal(frame_renumber(bytes, (size_t)n, ++seq), 0);
		assert_int_equal(frame_parser_feed(&end->parser, bytes, (size_t)n), 0);
		assert_int_equal(frame_parser_next(&end->parser, &record, NULL), 1);
		end->seen[record.type] = true;
		if (record.type == RECORD_CRASH)
			strncpy(end->crash, record.payload, sizeof(end->crash) - 1);
	}
}

static struct end run(void (*function)(struct ktstr *t))
{
	const struct ktstr_test test = { .host_only = true, .run = function };
	const struct ktstr_entry entry = {
		.abi = KTSTR_TEST_ABI,
		.test_size = sizeof(struct ktstr_test),
		.name = "x",
		.test = &test,
	};
	struct end end = { 0 };
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	frame_parser_init(&end.parser);
	pid = fork();
	if (pid == 0) {
		/* What cmocka set would catch the crash. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		close(pair[0]);
		_exit(body_run(&(struct body_opts){ .entry = &entry, .record_fd = pair[1] }));
	}
	assert_true(pid > 0);
	close(pair[1]);
	read_records(pair[0], &end);
	close(pair[0]);
	assert_int_equal(waitpid(pid, &end.status, 0), pid);
	frame_parser_deinit(&end.parser);
	return end;
}

static void returns(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
}

static void a_body_that_returns_is_done(void **state)
{
	struct end end = run(returns);

	(void)state;
	assert_true(end.seen[RECORD_CHECK] && end.seen[RECORD_DONE]);
	assert_false(end.seen[RECORD_CRASH]);
	assert_true(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0);
}

static void exits(struct ktstr *t)
{
	(void)t;
	_exit(0);
}

static void a_body_that_exits_is_not_done(void **state)
{
	struct end end = run(exits);

	(void)state;
	assert_false(end.seen[RECORD_DONE]);
}

static volatile uintptr_t nowhere = 24;

static void crashes(struct ktstr *t)
{
	(void)t;
	*(volatile int *)nowhere = 1;
}

static void a_crash_says_where_and_kills(void **state)
{
	struct end end = run(crashes);
	json_t *object = json_loads(end.crash, 0, NULL);

	(void)state;
	assert_true(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGSEGV);
	assert_true(end.seen[RECORD_CRASH]);
	assert_false(end.seen[RECORD_DONE]);
	assert_non_null(object);
	assert_int_equal(json_integer_value(json_object_get(object, "signal")), SIGSEGV);
	assert_string_equal(json_string_value(json_object_get(object, "address")), "0x18");
	assert_true(json_integer_value(json_object_get(object, "ip_offset")) > 0);
	json_decref(object);
}

static void aborts(struct ktstr *t)
{
	(void)t;
	abort();
}

static void an_abort_has_callers_only(void **state)
{
	struct end end = run(aborts);
	json_t *object = json_loads(end.crash, 0, NULL);

	(void)state;
	assert_true(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGABRT);
	assert_non_null(object);
	assert_null(json_object_get(object, "ip_offset"));
	assert_true(json_array_size(json_object_get(object, "frames")) > 0);
	json_decref(object);
}

static void child_crashes(struct ktstr *t)
{
	pid_t pid = fork();

	if (pid == 0)
		crashes(t);
	waitpid(pid, NULL, 0);
	EXPECT_TRUE(t, true);
}

static void a_crash_of_a_child_is_not_the_body_s(void **state)
{
	struct end end = run(child_crashes);

	(void)state;
	assert_false(end.seen[RECORD_CRASH]);
	assert_true(end.seen[RECORD_DONE]);
}

static void a_runner_that_is_gone_ends_the_body(void **state)
{
	const struct ktstr_test test = { .run = returns };
	const struct ktstr_entry entry = { .name = "x", .test = &test };
	int pair[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[0]);
	pid = fork();
	if (pid == 0) {
		close(STDERR_FILENO);
		ktstr_note(
			body_create(&(struct body_opts){ .entry = &entry, .record_fd = pair[1] }),
			"lost");
		_exit(0);
	}
	close(pair[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == KTSTR_EXIT_HARNESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_that_returns_is_done),
		cmocka_unit_test(a_body_that_exits_is_not_done),
		cmocka_unit_test(a_crash_says_where_and_kills),
		cmocka_unit_test(an_abort_has_callers_only),
		cmocka_unit_test(a_crash_of_a_child_is_not_the_body_s),
		cmocka_unit_test(a_runner_that_is_gone_ends_the_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
