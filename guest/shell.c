// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/shell.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CHUNK = 4096 };

static const uint8_t mark[] = { 0xff, 0xff, 's', 's' };

static uint16_t be16_at(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* One byte further into a window change, or out of it again. */
static bool filter_byte(struct shell_filter *f, uint8_t byte, struct strbuf *out)
{
	if (f->nr_held == 2 && byte == mark[0]) {
		strbuf_addch(out, (char)byte);
		return false;
	}
	if (f->nr_held < sizeof(mark) && byte != mark[f->nr_held]) {
		strbuf_add(out, f->held, f->nr_held);
		f->nr_held = 0;
		if (byte != mark[0]) {
			strbuf_addch(out, (char)byte);
			return false;
		}
	}
	f->held[f->nr_held++] = byte;
	if (f->nr_held < SHELL_WINDOW_BYTES)
		return false;
	f->rows = be16_at(f->held + 4);
	f->columns = be16_at(f->held + 6);
	f->nr_held = 0;
	return true;
}

bool shell_filter(struct shell_filter *f, const void *bytes, size_t len, struct strbuf *out)
{
	const uint8_t *p = bytes;
	bool changed = false;

	for (size_t i = 0; i < len; i++)
		changed |= filter_byte(f, p[i], out);
	return changed;
}

void shell_init(struct shell *s, int port, int terminal)
{
	*s = (struct shell){
		.port = port,
		.terminal = terminal,
		.to_port = STRBUF_INIT_LIMIT(SHELL_QUEUE_BYTES + CHUNK),
		.to_terminal = STRBUF_INIT_LIMIT(SHELL_QUEUE_BYTES + 2 * CHUNK),
	};
}

void shell_deinit(struct shell *s)
{
	strbuf_deinit(&s->to_port);
	strbuf_deinit(&s->to_terminal);
}

static short events(const struct strbuf *in, const struct strbuf *out)
{
	return (short)((in->len < SHELL_QUEUE_BYTES ? POLLIN : 0) | (out->len ? POLLOUT : 0));
}

void shell_poll(const struct shell *s, struct pollfd fds[2], bool read_terminal)
{
	short port = events(&s->to_terminal, &s->to_port);
	short terminal = events(&s->to_port, &s->to_terminal);

	if (!read_terminal)
		terminal &= ~POLLIN;
	/* poll() reports an end even where nothing is asked for, and would return at once. */
	fds[0] = (struct pollfd){ .fd = port ? s->port : -1, .events = port };
	fds[1] = (struct pollfd){ .fd = terminal ? s->terminal : -1, .events = terminal };
}

/* Return: bytes, 0 for none now, -1 at the end. */
static ssize_t read_some(int fd, char *chunk)
{
	ssize_t n = read(fd, chunk, CHUNK);

	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static void write_some(int *fd, struct strbuf *queue)
{
	ssize_t n = write(*fd, queue->data, queue->len);

	if (n > 0)
		strbuf_consume(queue, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		*fd = -1;
}

static void from_host(struct shell *s)
{
	char chunk[CHUNK];
	ssize_t n = read_some(s->port, chunk);

	if (n < 0)
		s->port = -1;
	if (n <= 0)
		return;
	if (shell_filter(&s->filter, chunk, (size_t)n, &s->to_terminal) && s->terminal >= 0)
		ioctl(s->terminal, TIOCSWINSZ,
		      &(struct winsize){ .ws_row = s->filter.rows, .ws_col = s->filter.columns });
}

static void from_terminal(struct shell *s)
{
	char chunk[CHUNK];
	ssize_t n = read_some(s->terminal, chunk);

	if (n < 0)
		s->terminal = -1;
	else
		strbuf_add(&s->to_port, chunk, (size_t)n);
}

bool shell_move(struct shell *s, const struct pollfd fds[2])
{
	if (fds[0].revents & (POLLIN | POLLHUP) && fds[0].events & POLLIN)
		from_host(s);
	if (fds[1].revents & (POLLIN | POLLHUP) && fds[1].events & POLLIN)
		from_terminal(s);
	if (s->terminal >= 0 && s->to_terminal.len)
		write_some(&s->terminal, &s->to_terminal);
	if (s->port >= 0 && s->to_port.len)
		write_some(&s->port, &s->to_port);
	if (s->port < 0)
		return false;
	return s->terminal >= 0 || s->to_port.len > 0;
}
