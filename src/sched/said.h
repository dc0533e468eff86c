/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * said.h - what a loader wrote, read for the reason of its end.
 *
 * Nothing here decides alone: a loader may write what it likes.  What the kernel says goes first.
 */
#ifndef KTSTR_SCHED_SAID_H
#define KTSTR_SCHED_SAID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

enum {
	SAID_LINES = 16384, /* of an output; those before them are left out */
	SAID_PERIOD = 96,   /* lines of the longest repetition that is found */
	SAID_LINE_BYTES = 400
};

/* Of libbpf or the verifier: the program was not loaded. */
bool said_load_failure(const char *text);
/* It calls a function that the running kernel does not offer to BPF programs. */
bool said_missing_function(const char *text);
/* It says how it is used, or that an option is unknown. */
bool said_usage(const char *text);
/* It could be loaded, and not attached. */
bool said_attach_failure(const char *text);
/* The dynamic linker found no library, or not what it wanted in it. */
bool said_missing_library(const char *text);

/*
 * The line of @text that says best why: the verifier's complaint (the line before its report or
 * before "processed N insns"), else libbpf's first one that is an error, else the line that an unknown option is told in,
 * else the last line.  Printable, cut at @size; "" if there is none.
 */
void said_find_reason(const char *text, char *buf, size_t size);

/* "EXIT: REASON (MESSAGE)", as loaders with scx/user_exit_info.h end, or "".  Return: whether it is
 * there. */
bool said_find_exit(const char *text, char *message, size_t size);

/*
 * Appends @text without what is only repeated: three or more equal runs of lines in a row (register
 * states and addresses do not count) become the first, a line that says how many there were, and the
 * last.  A verifier's log of a loop is thousands of lines long.
 */
void said_collapse(const char *text, size_t length, struct strbuf *out);

/* The last whole lines that fit into @limit bytes, made printable; appended to @out. */
void said_last_lines(const char *text, size_t length, size_t limit, struct strbuf *out);

#endif
