// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest/shell.h"

#define WINDOW "\xff\xffss\x00\x32\x00\x84\x00\x00\x00\x00"

static struct strbuf out;

static bool pass(struct shell_filter *f, const char *bytes, size_t len, const char *wanted)
{
	bool changed;

	strbuf_clear(&out);
	changed = shell_filter(f, bytes, len, &out);
	assert_string_equal(strbuf_str(&out), wanted);
	return changed;
}

static void window_changes_are_taken_out(void **state)
{
	struct shell_filter f = { 0 };

	(void)state;
	assert_true(pass(&f, "ab" WINDOW "cd", 16, "abcd"));
	assert_int_equal(f.rows, 50);
	assert_int_equal(f.columns, 132);
	assert_false(pass(&f, "plain\x1b[A", 8, "plain\x1b[A"));
}

static void a_change_in_pieces_is_one_change(void **state)
{
	struct shell_filter f = { 0 };

	(void)state;
	for (size_t i = 0; i < SHELL_WINDOW_BYTES - 1; i++)
		assert_false(pass(&f, &WINDOW[i], 1, ""));
	assert_true(pass(&f, "\0x", 2, "x"));
	assert_int_equal(f.rows, 50);
}

static void bytes_that_only_look_like_one_pass(void **state)
{
	struct shell_filter f = { 0 };

	(void)state;
	assert_false(pass(&f, "\xffx", 2, "\xffx"));
	assert_false(pass(&f, "\xff\xffsx", 4, "\xff\xffsx"));
	assert_true(pass(&f, "\xff" WINDOW, 13, "\xff"));
	assert_true(pass(&f, "\xffx" WINDOW, 14, "\xffx"));
}

struct ends {
	int host, port, user, terminal;
};

static void open_ends(struct ends *e)
{
	int fds[2];

	if (access("/dev/ptmx", R_OK | W_OK) < 0) {
		print_message("needs /dev/ptmx\n");
		skip();
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	e->host = fds[0];
	e->port = fds[1];
	e->terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(e->terminal >= 0);
	assert_int_equal(unlockpt(e->terminal), 0);
	e->user = open(ptsname(e->terminal), O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(e->user >= 0);
}

static void close_ends(struct ends *e)
{
	close(e->host);
	close(e->port);
	close(e->user);
	close(e->terminal);
}

/* Moves until nothing is ready any more.  Return: what the last move said. */
static bool move_all(struct shell *s)
{
	struct pollfd fds[2];
	bool more = true;

	for (;;) {
		shell_poll(s, fds, true);
		if (!more || poll(fds, 2, 0) <= 0)
			return more;
		more = shell_move(s, fds);
	}
}

static void bytes_go_both_ways_and_windows_change(void **state)
{
	char buf[64] = "";
	struct pollfd fds[2];
	struct winsize size;
	struct shell s;
	struct ends e;

	(void)state;
	open_ends(&e);
	shell_init(&s, e.port, e.terminal);
	assert_int_equal(write(e.host, WINDOW "ls\n", 15), 15);
	assert_true(move_all(&s));
	assert_int_equal(read(e.user, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "ls\n");
	assert_int_equal(ioctl(e.user, TIOCGWINSZ, &size), 0);
	assert_int_equal(size.ws_row, 50);
	assert_int_equal(size.ws_col, 132);
	assert_int_equal(write(e.user, "out", 3), 3);
	shell_poll(&s, fds, false);
	assert_int_equal(poll(fds, 2, 0), 0);
	assert_true(move_all(&s));
	memset(buf, 0, sizeof(buf));
	assert_int_equal(read(e.host, buf, sizeof(buf)), 7);
	assert_string_equal(buf, "ls\r\nout"); /* the terminal echoes */
	shell_deinit(&s);
	close_ends(&e);
}

static void last_words_reach_the_host(void **state)
{
	char buf[64] = "";
	struct shell s;
	struct ends e;

	(void)state;
	open_ends(&e);
	shell_init(&s, e.port, e.terminal);
	assert_int_equal(write(e.user, "bye", 3), 3);
	close(e.user);
	assert_false(move_all(&s));
	assert_int_equal(read(e.host, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "bye");
	e.user = open("/dev/null", O_RDONLY);
	shell_deinit(&s);
	close_ends(&e);
}

static void a_host_that_hangs_up_ends_it(void **state)
{
	struct shell s;
	struct ends e;

	(void)state;
	open_ends(&e);
	shell_init(&s, e.port, e.terminal);
	close(e.host);
	assert_false(move_all(&s));
	e.host = open("/dev/null", O_RDONLY);
	shell_deinit(&s);
	close_ends(&e);
}

/* A host that does not read must not make us spin or grow. */
static void a_host_that_does_not_read_stops_the_terminal(void **state)
{
	static const char chunk[1024];
	struct pollfd fds[2];
	char buf[4096];
	struct shell s;
	struct ends e;

	(void)state;
	open_ends(&e);
	shell_init(&s, e.port, e.terminal);
	for (int i = 0; i < 4096 && move_all(&s); i++)
		if (write(e.user, chunk, sizeof(chunk)) < 0)
			assert_int_equal(errno, EAGAIN);
	assert_in_range(s.to_port.len, SHELL_QUEUE_BYTES, SHELL_QUEUE_BYTES + 4096);
	close(e.user);
	shell_poll(&s, fds, true);
	assert_int_equal(poll(fds, 2, 0), 0);
	/* It ends only when the host has got everything. */
	for (int ends = 0; !ends;) {
		assert_true(s.to_port.len > 0);
		while (read(e.host, buf, sizeof(buf)) > 0)
			;
		ends = !move_all(&s);
	}
	assert_int_equal(s.to_port.len, 0);
	e.user = open("/dev/null", O_RDONLY);
	shell_deinit(&s);
	close_ends(&e);
}

static void a_slow_host_gets_the_last_words(void **state)
{
	static const char chunk[1024];
	char buf[4096];
	struct shell s;
	struct ends e;
	ssize_t n, last = 0;

	(void)state;
	open_ends(&e);
	shell_init(&s, e.port, e.terminal);
	while (write(e.port, chunk, sizeof(chunk)) > 0)
		;
	assert_int_equal(write(e.user, "bye", 3), 3);
	close(e.user);
	assert_true(move_all(&s));
	while (read(e.host, buf, sizeof(buf)) > 0)
		;
	assert_false(move_all(&s));
	while ((n = read(e.host, buf, sizeof(buf))) > 0)
		last = n;
	assert_int_equal(last, 3);
	assert_memory_equal(buf, "bye", 3);
	e.user = open("/dev/null", O_RDONLY);
	shell_deinit(&s);
	close_ends(&e);
}

static void a_terminal_nobody_reads_stops_the_host(void **state)
{
	static const char chunk[1024];
	struct termios raw;
	struct pollfd fds[2];
	struct shell s;
	struct ends e;

	(void)state;
	open_ends(&e);
	assert_int_equal(tcgetattr(e.user, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(e.user, TCSANOW, &raw), 0);
	shell_init(&s, e.port, e.terminal);
	for (int i = 0; i < 4096 && move_all(&s); i++)
		if (write(e.host, chunk, sizeof(chunk)) < 0)
			assert_int_equal(errno, EAGAIN);
	assert_in_range(s.to_terminal.len, SHELL_QUEUE_BYTES, SHELL_QUEUE_BYTES + 8192);
	close(e.host);
	shell_poll(&s, fds, true);
	assert_int_equal(poll(fds, 2, 0), 0);
	e.host = open("/dev/null", O_RDONLY);
	shell_deinit(&s);
	close_ends(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_changes_are_taken_out),
		cmocka_unit_test(a_change_in_pieces_is_one_change),
		cmocka_unit_test(bytes_that_only_look_like_one_pass),
		cmocka_unit_test(bytes_go_both_ways_and_windows_change),
		cmocka_unit_test(last_words_reach_the_host),
		cmocka_unit_test(a_host_that_hangs_up_ends_it),
		cmocka_unit_test(a_host_that_does_not_read_stops_the_terminal),
		cmocka_unit_test(a_slow_host_gets_the_last_words),
		cmocka_unit_test(a_terminal_nobody_reads_stops_the_host),
	};
	int r;

	out = (struct strbuf)STRBUF_INIT;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	strbuf_deinit(&out);
	return r;
}
