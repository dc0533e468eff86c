/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * interrupt.h - Ctrl-C, Ctrl-\, SIGTERM and SIGHUP as something a loop can wait for.
 *
 * Whoever loops for long polls interrupt_fd(), readable from the first signal on, or asks
 * interrupt_seen().  Nothing else happens, so every scope guard still runs.  A signal that was
 * ignored before stays ignored, but for SIGTERM.  State is per process.
 */
#ifndef KTSTR_RUN_INTERRUPT_H
#define KTSTR_RUN_INTERRUPT_H

#include <stdbool.h>
#include <sys/types.h>

#include <ktstr/error.h>

int interrupt_catch(struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Puts back what was there before; forgets what was seen. */
void interrupt_release(void);
int interrupt_fd(void);
bool interrupt_seen(void);

/* How many signals came so far; interrupt_fd() is readable again only with the next one. */
unsigned int interrupt_take(void);

enum { INTERRUPT_ORPHAN_S = 10 };

/* For a process just forked by @parent, with all signals blocked: from now on it has its own
 * signals, none seen yet, and @parent's death is a SIGTERM.  If it is not gone INTERRUPT_ORPHAN_S
 * after that, SIGALRM ends it.  Return: 0, -EOWNERDEAD (@parent is gone already), -errno. */
int interrupt_in_child(pid_t parent) KTSTR_MUST_CHECK;

#endif
