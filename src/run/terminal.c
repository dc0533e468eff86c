// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/terminal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/strbuf.h"

enum { CHUNK = 4096, QUEUE_MAX = 1 << 20, AGAIN_MS = 300 };

/* Ctrl-D. */
static const char end_of_input[] = "\004";
/* Ctrl-U before it: what read the first as a character has it in its line. */
static const char end_of_input_again[] = "\025\004";

struct terminal {
	int socket;
	int stop_fd, window_fd;
	bool is_raw;
	struct termios before;
	sigset_t mask_before;
	pthread_t thread;
	bool thread_runs;
	struct strbuf to_guest;
	char last_input;
	bool input_ended, output_lost;
};

void terminal_size(uint32_t *ret_rows, uint32_t *ret_columns)
{
	struct winsize size = { 0 };

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size.ws_row = 0;
	*ret_rows = size.ws_row ? size.ws_row : 24;
	*ret_columns = size.ws_col ? size.ws_col : 80;
}

/* RFC 1282, as protocol.h has it. */
static void send_window(struct terminal *t)
{
	struct signalfd_siginfo info;
	uint32_t rows, columns;
	unsigned char bytes[12] = { 0xff, 0xff, 's', 's' };

	while (read(t->window_fd, &info, sizeof(info)) == sizeof(info))
		continue;
	terminal_size(&rows, &columns);
	bytes[4] = (unsigned char)(rows >> 8);
	bytes[5] = (unsigned char)rows;
	bytes[6] = (unsigned char)(columns >> 8);
	bytes[7] = (unsigned char)columns;
	strbuf_add(&t->to_guest, bytes, sizeof(bytes));
}

static void read_input(struct terminal *t)
{
	char chunk[CHUNK];
	ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));

	if (n > 0) {
		strbuf_add(&t->to_guest, chunk, (size_t)n);
		t->last_input = chunk[n - 1];
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		t->input_ended = true;
		if (t->last_input != '\n')
			strbuf_addch(&t->to_guest, '\n');
		strbuf_addstr(&t->to_guest, end_of_input);
	}
}

/* Return: false when the guest's side is closed. */
static bool read_guest(struct terminal *t)
{
	char chunk[CHUNK];
	ssize_t n = recv(t->socket, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n > 0) {
		if (!t->output_lost && io_write_all(STDOUT_FILENO, chunk, (size_t)n) < 0)
			t->output_lost = true;
		return true;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void write_guest(struct terminal *t)
{
	ssize_t n = send(t->socket, t->to_guest.data, t->to_guest.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		strbuf_consume(&t->to_guest, (size_t)n);
}

static void *carry(void *arg)
{
	struct terminal *t = arg;
	bool open = true;

	while (open) {
		bool room = t->to_guest.len < QUEUE_MAX / 2 && !t->input_ended;
		struct pollfd p[] = {
			{ .fd = t->stop_fd, .events = POLLIN },
			{ .fd = t->window_fd, .events = POLLIN },
			{ .fd = room ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = t->socket,
			  .events = (short)(POLLIN | (t->to_guest.len ? POLLOUT : 0)) },
		};

		/* An end that comes before the shell reads by characters, or while a program runs that
		 * does not read, ends nothing. */
		bool repeats = t->input_ended && !t->to_guest.len;
		int n = poll(p, ARRAY_SIZE(p), repeats ? AGAIN_MS : -1);

		if (n < 0 && errno != EINTR)
			break;
		if (n == 0)
			strbuf_addstr(&t->to_guest, end_of_input_again);
		if (p[1].revents)
			send_window(t);
		if (p[2].revents)
			read_input(t);
		if (p[3].revents & POLLOUT)
			write_guest(t);
		if (p[3].revents & (POLLIN | POLLHUP | POLLERR))
			open = read_guest(t);
		else if (p[0].revents)
			break;
	}
	return NULL;
}

static int make_raw(struct terminal *t, struct ktstr_error *err)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO))
		return 0;
	if (tcgetattr(STDIN_FILENO, &t->before) < 0)
		return ktstr_error_set(err, -errno, "terminal: %s", strerror(errno));
	raw = t->before;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return ktstr_error_set(err, -errno, "terminal: %s", strerror(errno));
	t->is_raw = true;
	return 0;
}

static int open_events(struct terminal *t, struct ktstr_error *err)
{
	sigset_t window;

	sigemptyset(&window);
	sigaddset(&window, SIGWINCH);
	pthread_sigmask(SIG_BLOCK, &window, &t->mask_before);
	t->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->window_fd = signalfd(-1, &window, SFD_CLOEXEC | SFD_NONBLOCK);
	if (t->stop_fd < 0 || t->window_fd < 0)
		return ktstr_error_set(err, -errno, "terminal events: %s", strerror(errno));
	return 0;
}

int terminal_start(int socket, struct terminal **ret_terminal, struct ktstr_error *err)
{
	struct terminal *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return ktstr_error_nomem(err);
	t->socket = socket;
	t->last_input = '\n';
	t->stop_fd = t->window_fd = -1;
	t->to_guest = (struct strbuf)STRBUF_INIT_LIMIT(QUEUE_MAX);
	r = open_events(t, err);
	if (r == 0)
		r = make_raw(t, err);
	if (r == 0) {
		/* Signals that end the session go to the main thread. */
		sigset_t all, before;

		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		r = -pthread_create(&t->thread, NULL, carry, t);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		t->thread_runs = r == 0;
		if (r < 0)
			ktstr_error_set(err, r, "terminal thread: %s", strerror(-r));
	}
	if (r < 0) {
		terminal_stop(t);
		return r;
	}
	*ret_terminal = t;
	return 0;
}

void terminal_stop(struct terminal *t)
{
	if (!t)
		return;
	if (t->thread_runs && eventfd_write(t->stop_fd, 1) == 0)
		pthread_join(t->thread, NULL);
	if (t->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t->before);
	pthread_sigmask(SIG_SETMASK, &t->mask_before, NULL);
	closep(&t->stop_fd);
	closep(&t->window_fd);
	strbuf_deinit(&t->to_guest);
	free(t);
}
