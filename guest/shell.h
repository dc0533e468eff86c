/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* shell.h - bytes between the host's terminal and the guest's pty. */
#ifndef KTSTR_GUEST_SHELL_H
#define KTSTR_GUEST_SHELL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

enum { SHELL_WINDOW_BYTES = 12, SHELL_QUEUE_BYTES = 64 << 10 };

/* Takes window changes (protocol.h) out of what the host sends. */
struct shell_filter {
	uint8_t held[SHELL_WINDOW_BYTES]; /* the beginning of what may become one */
	size_t nr_held;
	uint16_t rows, columns; /* of the last change */
};

/* Appends what is not a window change to @out.  Return: whether there was one. */
bool shell_filter(struct shell_filter *f, const void *bytes, size_t len, struct strbuf *out);

struct shell {
	int port, terminal; /* non-blocking, borrowed; -1 once it is at its end */
	struct shell_filter filter;
	struct strbuf to_port, to_terminal;
};

void shell_init(struct shell *s, int port, int terminal);
void shell_deinit(struct shell *s);
/* What to wait for: [0] the port, [1] the terminal, which is read only if @read_terminal. */
void shell_poll(const struct shell *s, struct pollfd fds[2], bool read_terminal);
/* Moves what can be moved.  Return: false once either side has ended and all of the terminal's
 * output has been written to a host that is still there. */
bool shell_move(struct shell *s, const struct pollfd fds[2]);

#endif
