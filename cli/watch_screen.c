// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "watch_screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/display.h"
#include "base/env.h"

/* Four bytes of UTF-8 in a column. */
enum { LINE = 4 * WATCH_COLUMNS_MAX + 1, ESCAPE_WAIT_MS = 25 };

#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
/* Where a terminal knows this, a frame is seen whole or not at all. */
#define BEGIN "\033[?2026h"
#define DONE  "\033[?2026l"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

bool watch_screen_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !env_terminal_is_dumb();
}

static void write_out(const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* the terminal is gone: poll() says so */
		bytes += n;
		len -= (size_t)n;
	}
}

static void measure(struct watch_screen *s)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size.ws_row = 0;
	s->rows = size.ws_row ? size.ws_row : 24;
	s->columns = size.ws_col ? size.ws_col : 80;
	if (s->rows > WATCH_ROWS_MAX)
		s->rows = WATCH_ROWS_MAX;
	if (s->columns > WATCH_COLUMNS_MAX)
		s->columns = WATCH_COLUMNS_MAX;
	s->everything = true;
}

static int take_terminal(struct watch_screen *s)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &s->before) < 0)
		return -errno;
	raw = s->before;
	/* Ctrl-C and Ctrl-Z stay signals. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return -errno;
	write_out(ENTER, strlen(ENTER));
	measure(s);
	return 0;
}

static void give_terminal(struct watch_screen *s)
{
	write_out(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
}

static int open_signals(struct watch_screen *s)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	if (s->interactive) {
		sigaddset(&set, SIGWINCH);
		sigaddset(&set, SIGTSTP);
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? -errno : 0;
}

int watch_screen_open(struct watch_screen *s, bool interactive, struct ktstr_error *err)
{
	int r;

	memset(s, 0, sizeof(*s));
	s->signals = -1;
	s->interactive = interactive;
	r = open_signals(s);
	if (r == 0 && interactive) {
		s->next = calloc(WATCH_ROWS_MAX, LINE);
		s->seen = calloc(WATCH_ROWS_MAX, LINE);
		r = s->next && s->seen ? take_terminal(s) : -ENOMEM;
	}
	if (r == 0)
		return 0;
	s->interactive = false;
	watch_screen_close(s);
	return ktstr_error_set(err, r, "terminal: %s", strerror(-r));
}

void watch_screen_close(struct watch_screen *s)
{
	if (s->interactive)
		give_terminal(s);
	s->interactive = false;
	if (s->signals > 0)
		close(s->signals);
	s->signals = -1;
	free(s->next);
	free(s->seen);
	s->next = s->seen = NULL;
}

/* As the shell that started it expects of Ctrl-Z. */
static void stop(struct watch_screen *s)
{
	give_terminal(s);
	raise(SIGSTOP);
	if (take_terminal(s) < 0)
		s->everything = true;
}

static enum watch_event take_signal(struct watch_screen *s)
{
	struct signalfd_siginfo info;
	enum watch_event event = WATCH_TIME_OUT;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH) {
			measure(s);
			event = WATCH_RESIZED;
		} else if (info.ssi_signo == SIGTSTP) {
			stop(s);
			event = WATCH_RESUMED;
		} else {
			return WATCH_ENDED;
		}
	}
	return event;
}

/* Return: how many of the bytes are one key, written to @ret_key; 0: not whole yet. */
static size_t decode(const unsigned char *in, size_t nr, int *ret_key)
{
	static const struct {
		const char *bytes;
		int key;
	} keys[] = {
		{ "[A", WATCH_KEY_UP },	      { "OA", WATCH_KEY_UP },
		{ "[B", WATCH_KEY_DOWN },     { "OB", WATCH_KEY_DOWN },
		{ "[C", WATCH_KEY_RIGHT },    { "OC", WATCH_KEY_RIGHT },
		{ "[D", WATCH_KEY_LEFT },     { "OD", WATCH_KEY_LEFT },
		{ "[H", WATCH_KEY_HOME },     { "[1~", WATCH_KEY_HOME },
		{ "[F", WATCH_KEY_END },      { "[4~", WATCH_KEY_END },
		{ "[5~", WATCH_KEY_PAGE_UP }, { "[6~", WATCH_KEY_PAGE_DOWN },
	};
	size_t len = 2;

	*ret_key = in[0];
	if (in[0] != 033)
		return 1;
	*ret_key = WATCH_KEY_ESCAPE;
	if (nr < 2)
		return 0;
	if (in[1] != '[' && in[1] != 'O')
		return 1;
	while (len < nr && (in[len] < 0x40 || in[len] > 0x7e))
		len++;
	if (len == nr)
		return 0;
	len++;
	*ret_key = 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i].bytes) == len - 1 && !memcmp(keys[i].bytes, in + 1, len - 1))
			*ret_key = keys[i].key;
	return len;
}

/* A lone escape is a key once nothing has followed it. */
static bool next_key(struct watch_screen *s, bool nothing_follows)
{
	size_t used = s->nr_input ? decode(s->input, s->nr_input, &s->key) : 0;

	if (!used && s->nr_input && (nothing_follows || s->nr_input == sizeof(s->input)))
		used = s->nr_input;
	memmove(s->input, s->input + used, s->nr_input - used);
	s->nr_input -= used;
	return used > 0;
}

static bool read_input(struct watch_screen *s)
{
	ssize_t n = read(STDIN_FILENO, s->input + s->nr_input, sizeof(s->input) - s->nr_input);

	if (n > 0)
		s->nr_input += (size_t)n;
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

enum watch_event watch_screen_wait(struct watch_screen *s, uint64_t until_ns)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->interactive ? STDIN_FILENO : -1, .events = POLLIN },
		};
		uint64_t now = now_ns();
		uint64_t ms = until_ns > now ? (until_ns - now + 999999) / 1000000 : 0;
		enum watch_event event;
		int r;

		if (next_key(s, false))
			return WATCH_KEY;
		if (s->nr_input)
			ms = ESCAPE_WAIT_MS;
		r = poll(fds, 2, ms > 1000000 ? 1000000 : (int)ms);
		if (r == 0 && next_key(s, true))
			return WATCH_KEY;
		if (r == 0 && now_ns() >= until_ns)
			return WATCH_TIME_OUT;
		if (r > 0 && fds[0].revents) {
			event = take_signal(s);
			if (event != WATCH_TIME_OUT)
				return event;
		}
		if (r > 0 && fds[1].revents && !read_input(s))
			return WATCH_ENDED;
	}
}

void watch_screen_begin(struct watch_screen *s)
{
	for (size_t row = 0; row < s->rows; row++) {
		s->next[row * LINE] = '\0';
		s->next_style[row] = WATCH_PLAIN;
	}
}

void watch_screen_put(struct watch_screen *s, size_t row, enum watch_style style, const char *text)
{
	if (row >= s->rows)
		return;
	snprintf(s->next + row * LINE, LINE, "%.*s", (int)display_front(text, s->columns), text);
	s->next_style[row] = (unsigned char)style;
}

void watch_screen_show(struct watch_screen *s)
{
	static const char *const styles[] = { "", "\033[1m", "\033[2m", "\033[7m" };
	size_t size = s->rows * (LINE + 64) + sizeof(BEGIN) + sizeof(DONE);
	char *out = malloc(size);
	size_t len = 0;

	if (!out)
		return;
	len += (size_t)snprintf(out, size, BEGIN);
	for (size_t row = 0; row < s->rows; row++) {
		char *next = s->next + row * LINE, *seen = s->seen + row * LINE;

		if (!s->everything && !strcmp(next, seen) &&
		    s->next_style[row] == s->seen_style[row])
			continue;
		len += (size_t)snprintf(out + len, size - len, "\033[%zu;1H%s%s%*s\033[0m", row + 1,
					styles[s->next_style[row]], next,
					(int)(s->columns - display_width(next)), "");
		memcpy(seen, next, LINE);
		s->seen_style[row] = s->next_style[row];
	}
	len += (size_t)snprintf(out + len, size - len, DONE);
	write_out(out, len);
	s->everything = false;
	free(out);
}
