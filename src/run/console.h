/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * console.h - what a guest kernel's console says about its health.
 *
 * Lines are matched after the printk prefix ("[    1.234567] ", "[   T12] ") and only at their
 * start, so that text a program logged does not count.  Forms come from the kernel's
 * kernel/panic.c, lib/bug.c, arch/x86/kernel/{dumpstack,traps}.c, kernel/locking/lockdep.c,
 * kernel/rcu/tree_stall.h, kernel/hung_task.c, kernel/watchdog.c and mm/oom_kill.c.
 */
#ifndef KTSTR_RUN_CONSOLE_H
#define KTSTR_RUN_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include <ktstr/error.h>

enum {
	CONSOLE_SPLAT_LINES = 8,
	CONSOLE_TAIL_LINES = 12,
	CONSOLE_LINE_MAX = 240, /* bytes kept of one line */
	CONSOLE_FILE_MAX = 64 << 20
};

/* Texts are cleaned (text.h) and NULL where there was nothing. */
struct console {
	char *panic;		/* the "Kernel panic" line */
	const char *splat_kind; /* "WARN", "BUG", "lockdep", ... of the first splat; static */
	char *splat;		/* its first lines; without one, those that follow the panic */
	unsigned int nr_splats;
	bool int3;	 /* a breakpoint trap in kernel text */
	char *oom;	 /* the line on the first process killed for lack of memory in all */
	char *memcg_oom; /* likewise for lack within a cgroup's limit */
	char *tail;	 /* the last lines */
};

#define CONSOLE_INIT \
	{            \
	}

/* Return: 0 or -ENOMEM. */
int console_scan(const char *text, size_t len, struct console *ret_console) KTSTR_MUST_CHECK;
/* The same of a file; a missing one is an empty one, of an overlong one the start counts. */
int console_scan_file(const char *path, struct console *ret_console,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;
void console_deinit(struct console *console);

#endif
