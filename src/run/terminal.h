/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * terminal.h - this process's terminal joined to a guest's shell.
 *
 * A thread carries bytes between stdin, stdout and the port's socket, and tells the guest about
 * window changes.  When stdin ends, the guest's terminal is told so until its shell has ended.
 * A terminal is raw between start and stop; terminal_stop() always puts it back.
 */
#ifndef KTSTR_RUN_TERMINAL_H
#define KTSTR_RUN_TERMINAL_H

#include <stdint.h>

#include <ktstr/error.h>

struct terminal;

/* Rows and columns of the terminal on stdin or stdout; 24 and 80 without one. */
void terminal_size(uint32_t *ret_rows, uint32_t *ret_columns);

/* @socket: non-blocking, borrowed until terminal_stop(). */
int terminal_start(int socket, struct terminal **ret_terminal,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Hands over what the guest wrote last, ends the thread, restores the terminal.  NULL is fine. */
void terminal_stop(struct terminal *terminal);

#endif
