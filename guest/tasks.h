/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* tasks.h - what is running, as text for a person. */
#ifndef KTSTR_GUEST_TASKS_H
#define KTSTR_GUEST_TASKS_H

#include <sys/types.h>

#include "base/strbuf.h"

enum { TASKS_TEXT_MAX = 24 << 10 };

/* Every thread of every process but @skip, then the kernel's threads that are not idle.  Each has
 * a line "pid/tid comm state wchan" and, indented below it, its kernel stack where it is readable.
 * Cut at TASKS_TEXT_MAX.  @proc is normally "/proc". */
void tasks_describe(const char *proc, pid_t skip, struct strbuf *out);

/* "sleep (12), sh (14)": all user processes but @skip, at most @max of them by name.
 * Return: how many there are. */
unsigned int tasks_names(const char *proc, pid_t skip, unsigned int max, struct strbuf *out);

#endif
