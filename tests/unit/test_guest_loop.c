// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The agent's watching as an ordinary process; this program is also the body it watches. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "guest/loop.h"
#include "run/protocol_record.h"
#include "tests/lib/scratch.h"

enum { SEEN_MAX = 4096 };

static struct seen {
	enum record_type types[SEEN_MAX];
	unsigned int nr;
	unsigned int count[RECORD_TYPES];
	struct strbuf text[RECORD_TYPES]; /* payloads, one per line; OUTPUT: stdout only */
	struct strbuf stderr_text;
} seen;

static struct loop_result result;
static char *self;

/* --- bodies ------------------------------------------------------------------------------- */

static int say(int fd, enum record_type type)
{
	return record_send_json(fd, type, json_pack("{s:s}", "text", "said")) < 0;
}

static int body_returns(int fd)
{
	return say(fd, RECORD_NOTE) || say(fd, RECORD_DONE);
}

static int body_exits(int fd)
{
	(void)fd;
	return 3;
}

static int body_crashes(int fd)
{
	(void)fd;
	signal(SIGSEGV, SIG_DFL);
	return raise(SIGSEGV);
}

static int body_writes(int fd)
{
	(void)fd;
	fputs("to stdout", stdout);
	fputs("to stderr", stderr);
	return 0;
}

static int body_writes_much(int fd)
{
	static char chunk[1 << 20];

	(void)fd;
	memset(chunk, 'x', sizeof(chunk));
	for (int i = 0; i < 18; i++)
		if (io_write_all(STDOUT_FILENO, chunk, sizeof(chunk)) < 0)
			return 1;
	return 0;
}

static int body_sends_garbage(int fd)
{
	static char large[PROTOCOL_PAYLOAD_MAX + 100];

	for (int i = 0; i < 10; i++)
		if (send(fd, "garbage", 7, 0) < 0)
			return 1;
	if (send(fd, "", 0, 0) < 0 || send(fd, large, sizeof(large), 0) < 0)
		return 1;
	return say(fd, RECORD_BYE) || say(fd, RECORD_BODY_END) || body_returns(fd);
}

static int body_sends_no_json(int fd)
{
	uint8_t bytes[PROTOCOL_HEADER_BYTES + 4];

	frame_put_header(bytes, &(struct frame){ RECORD_NOTE, 0, 0, "[1]x", 4 });
	memcpy(bytes + PROTOCOL_HEADER_BYTES, "[1]x", 4);
	return send(fd, bytes, sizeof(bytes), 0) < 0;
}

static int body_closes_all(int fd)
{
	for (int i = 0; i <= fd; i++)
		close(i);
	return 4;
}

static int body_leaves_a_child(int fd)
{
	(void)fd;
	if (fork() == 0)
		for (;;)
			pause();
	return 0;
}

static int body_hangs(int fd)
{
	for (;;)
		pause();
	return fd;
}

static int body_tells_its_state(int fd)
{
	struct rlimit core;
	char cwd[256];

	(void)fd;
	if (!getcwd(cwd, sizeof(cwd)) || getrlimit(RLIMIT_CORE, &core) < 0)
		return 1;
	printf("cwd %s core %d leader %d signals %s", cwd, (int)core.rlim_max,
	       getsid(0) == getpid() && getpgrp() == getpid(), environ[0] ? environ[0] : "-");
	return 0;
}

static const struct body_row {
	const char *name;
	int (*run)(int fd);
} bodies[] = {
	{ "returns", body_returns },
	{ "exits", body_exits },
	{ "crashes", body_crashes },
	{ "writes", body_writes },
	{ "writes_much", body_writes_much },
	{ "garbage", body_sends_garbage },
	{ "no_json", body_sends_no_json },
	{ "closes_all", body_closes_all },
	{ "leaves_a_child", body_leaves_a_child },
	{ "hangs", body_hangs },
	{ "state", body_tells_its_state },
};

static int run_body(const char *name, const char *fd_text)
{
	uint32_t fd;

	if (parse_u32(fd_text, &fd) < 0)
		return 99;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		if (strcmp(bodies[i].name, name) == 0)
			return bodies[i].run((int)fd);
	return 98;
}

/* --- running one -------------------------------------------------------------------------- */

static void note_record(const struct record *record)
{
	struct strbuf *text = &seen.text[record->type];

	if (seen.nr < SEEN_MAX)
		seen.types[seen.nr++] = record->type;
	seen.count[record->type]++;
	if (record->type == RECORD_OUTPUT) {
		text = record->payload[0] == 1 ? text : &seen.stderr_text;
		strbuf_add(text, record->payload + 1, record->length - 1);
		return;
	}
	strbuf_add(text, record->payload, record->length);
	strbuf_addch(text, '\n');
}

static void read_records(const char *path)
{
	struct strbuf bytes = { .limit = 64 << 20 };
	struct frame_parser p;
	struct record record;
	struct ktstr_error err;
	int r = 0;

	assert_int_equal(io_read_file(path, &bytes, NULL), 0);
	frame_parser_init(&p);
	for (size_t at = 0; at < bytes.len && r == 0; at += 65536) {
		size_t len = bytes.len - at < 65536 ? bytes.len - at : 65536;

		assert_int_equal(frame_parser_feed(&p, bytes.data + at, len), 0);
		while ((r = frame_parser_next(&p, &record, &err)) == 1)
			note_record(&record);
	}
	assert_int_equal(r, 0);
	assert_int_equal(frame_parser_pending(&p), 0);
	frame_parser_deinit(&p);
	strbuf_deinit(&bytes);
}

static void run_job(struct job *job, int shell_fd)
{
	struct scratch s;
	struct channel channel;
	struct ktstr_error err;
	struct loop_ready ready;
	const char *path;
	int fd;

	scratch_create(&s);
	path = scratch_path(&s, "records");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	assert_true(fd >= 0);
	assert_int_equal(channel_init(&channel, fd), 0);
	job->heartbeat_ns = 1000000000;
	assert_int_equal(loop_make_ready(&ready), 0);
	assert_int_equal(loop_run(&(struct loop_opts){ .job = job,
						       .channel = &channel,
						       .ready = &ready,
						       .shell_fd = shell_fd },
				  &result, &err),
			 0);
	assert_int_equal(ready.signals, -1);
	assert_int_equal(ready.pipes.records.theirs, -1);
	loop_ready_deinit(&ready);
	assert_int_equal(channel_flush(&channel, 0), 0);
	close(fd);
	channel_deinit(&channel);
	read_records(path);
	scratch_destroy(&s);
}

static void run_named(const char *name, uint64_t timeout_ns)
{
	struct job job = {
		.mode = JOB_TEST,
		.argv = { self, (char *)PROTOCOL_BODY_OPTION, (char *)name,
			  (char *)"0000000000000001", (char *)"off" },
		.argc = 5,
		.env = { (char *)"A=b" },
		.nr_env = 1,
		.timeout_ns = timeout_ns,
	};

	run_job(&job, -1);
}

static void run_command(const char *const *argv, const char *path)
{
	struct job job = { .mode = JOB_EXEC, .env = { (char *)path }, .nr_env = 1 };

	while (argv[job.argc]) {
		job.argv[job.argc] = (char *)argv[job.argc];
		job.argc++;
	}
	run_job(&job, -1);
}

#define COMMAND(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int set_up(void **state)
{
	(void)state;
	seen = (struct seen){ .stderr_text = STRBUF_INIT_LIMIT(64 << 20) };
	for (int i = 0; i < RECORD_TYPES; i++)
		seen.text[i] = (struct strbuf)STRBUF_INIT_LIMIT(64 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < RECORD_TYPES; i++)
		strbuf_deinit(&seen.text[i]);
	strbuf_deinit(&seen.stderr_text);
	return 0;
}

static void expect_text(enum record_type type, const char *part)
{
	if (!strstr(strbuf_str(&seen.text[type]), part))
		fail_msg("no '%s' in %s '%s'", part, record_type_name(type),
			 strbuf_str(&seen.text[type]));
}

/* --- what must hold ----------------------------------------------------------------------- */

static void a_body_that_returns_says_so(void **state)
{
	(void)state;
	run_named("returns", 0);
	assert_int_equal(seen.types[0], RECORD_STARTED);
	assert_int_equal(seen.types[seen.nr - 1], RECORD_BODY_END);
	assert_int_equal(seen.count[RECORD_NOTE], 1);
	assert_int_equal(seen.count[RECORD_DONE], 1);
	expect_text(RECORD_BODY_END, "{\"exit\":0}");
	expect_text(RECORD_STARTED, "{\"pid\":");
	assert_true(result.started && result.exited);
}

static void exit_status_and_signal_are_kept_apart(void **state)
{
	(void)state;
	run_named("exits", 0);
	expect_text(RECORD_BODY_END, "{\"exit\":3}");
	run_named("crashes", 0);
	expect_text(RECORD_BODY_END, "{\"signal\":11}");
	assert_false(result.exited);
	assert_int_equal(result.signal, SIGSEGV);
	assert_int_equal(seen.count[RECORD_DONE], 0);
}

static void output_is_kept_by_stream(void **state)
{
	(void)state;
	run_named("writes", 0);
	assert_string_equal(strbuf_str(&seen.text[RECORD_OUTPUT]), "to stdout");
	assert_string_equal(strbuf_str(&seen.stderr_text), "to stderr");
	assert_int_equal(seen.types[seen.nr - 1], RECORD_BODY_END);
}

static void too_much_output_is_cut_and_said(void **state)
{
	(void)state;
	run_named("writes_much", 0);
	assert_in_range(seen.text[RECORD_OUTPUT].len, LOOP_OUTPUT_MAX - 65536, LOOP_OUTPUT_MAX);
	assert_int_equal(seen.count[RECORD_NOTE], 1);
	expect_text(RECORD_NOTE, "stdout is cut");
	expect_text(RECORD_BODY_END, "{\"exit\":0}");
}

static void garbage_becomes_errors(void **state)
{
	(void)state;
	run_named("garbage", 0);
	assert_int_equal(seen.count[RECORD_ERROR], LOOP_GARBAGE_SHOWN + 1);
	expect_text(RECORD_ERROR, "7 bytes that are not a record: 67617262616765");
	expect_text(RECORD_ERROR, "14 bad messages");
	assert_int_equal(seen.count[RECORD_BYE], 0);
	assert_int_equal(seen.count[RECORD_BODY_END], 1);
	assert_int_equal(seen.count[RECORD_NOTE], 1);
	assert_int_equal(seen.count[RECORD_DONE], 1);
}

static void payloads_that_are_no_json_become_errors(void **state)
{
	(void)state;
	run_named("no_json", 0);
	assert_int_equal(seen.count[RECORD_NOTE], 0);
	expect_text(RECORD_ERROR, "no JSON object");
}

static void a_body_without_descriptors_is_watched_on(void **state)
{
	(void)state;
	run_named("closes_all", 0);
	expect_text(RECORD_BODY_END, "{\"exit\":4}");
}

/* The child holds every descriptor: without its end the loop would wait for ever. */
static void children_left_behind_are_killed(void **state)
{
	(void)state;
	run_named("leaves_a_child", 0);
	expect_text(RECORD_BODY_END, "{\"exit\":0}");
	assert_int_equal(seen.count[RECORD_ERROR], 0);
}

static void the_limit_ends_a_body(void **state)
{
	(void)state;
	run_named("hangs", 1000000);
	assert_int_equal(seen.count[RECORD_TIMEOUT], 1);
	expect_text(RECORD_TIMEOUT, "{\"limit_ns\":1000000,\"tasks\":\"");
	expect_text(RECORD_BODY_END, "{\"signal\":9}");
}

static void a_body_starts_clean(void **state)
{
	(void)state;
	run_named("state", 0);
	assert_string_equal(strbuf_str(&seen.text[RECORD_OUTPUT]),
			    "cwd /tmp core 0 leader 1 signals A=b");
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
	struct job job = { .mode = JOB_TEST, .argv = { (char *)"/nonexistent" }, .argc = 1 };

	(void)state;
	run_job(&job, -1);
	assert_int_equal(seen.nr, 1);
	expect_text(RECORD_ERROR, "start '/nonexistent'");
	assert_false(result.started);
}

static void commands_are_found_along_the_path(void **state)
{
	struct scratch s;
	char path[600];

	(void)state;
	scratch_create(&s);
	scratch_write(&s, "a/cmd", "not a program", 13, 0644);
	scratch_write(&s, "b/cmd", "#!/bin/sh\necho from b; exit 5\n", 30, 0755);
	snprintf(path, sizeof(path), "PATH=/nonexistent:%s/a::%s/b", s.dir, s.dir);
	run_command(COMMAND("cmd"), path);
	assert_string_equal(strbuf_str(&seen.text[RECORD_OUTPUT]), "from b\n");
	expect_text(RECORD_BODY_END, "{\"exit\":5}");
	assert_int_equal(result.exit_code, 5);
	scratch_destroy(&s);
}

static void a_command_that_cannot_run_ends_as_in_a_shell(void **state)
{
	(void)state;
	run_command(COMMAND("/nonexistent/cmd", "x"), "PATH=/bin");
	expect_text(RECORD_BODY_END, "{\"exit\":127}");
	assert_non_null(strstr(strbuf_str(&seen.stderr_text), "/nonexistent/cmd"));
	run_command(COMMAND("/dev/null"), "PATH=/bin");
	expect_text(RECORD_BODY_END, "{\"exit\":126}");
	assert_int_equal(seen.count[RECORD_STARTED], 0);
}

static void a_shell_talks_to_its_port(void **state)
{
	struct job job = {
		.mode = JOB_SHELL,
		.argv = { (char *)"/bin/sh", (char *)"-c", (char *)"stty size; read x; exit 6" },
		.argc = 3,
		.env = { (char *)"PATH=/bin:/usr/bin" },
		.nr_env = 1,
		.rows = 31,
		.columns = 71,
	};
	char buf[256] = "";
	int fds[2];

	(void)state;
	if (access("/dev/ptmx", R_OK | W_OK) < 0) {
		print_message("needs /dev/ptmx\n");
		skip();
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	assert_int_equal(write(fds[0], "x\n", 2), 2);
	run_job(&job, fds[1]);
	assert_true(read(fds[0], buf, sizeof(buf) - 1) > 0);
	assert_non_null(strstr(buf, "31 71"));
	expect_text(RECORD_BODY_END, "{\"exit\":6}");
	close(fds[0]);
	close(fds[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_body_that_returns_says_so),
		TEST(exit_status_and_signal_are_kept_apart),
		TEST(output_is_kept_by_stream),
		TEST(too_much_output_is_cut_and_said),
		TEST(garbage_becomes_errors),
		TEST(payloads_that_are_no_json_become_errors),
		TEST(a_body_without_descriptors_is_watched_on),
		TEST(children_left_behind_are_killed),
		TEST(the_limit_ends_a_body),
		TEST(a_body_starts_clean),
		TEST(a_program_that_is_not_there_is_an_error),
		TEST(commands_are_found_along_the_path),
		TEST(a_command_that_cannot_run_ends_as_in_a_shell),
		TEST(a_shell_talks_to_its_port),
	};
	sigset_t mask;
	int r;

	if (argc == 6 && strcmp(argv[1], PROTOCOL_BODY_OPTION) == 0)
		return run_body(argv[2], argv[5]);
	self = path_self(NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(self);
	return r;
}
