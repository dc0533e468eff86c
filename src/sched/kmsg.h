/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * kmsg.h - what the kernel logs while a scheduler is under test, and what it says of its end.
 *
 * Source: Documentation/ABI/testing/dev-kmsg: one record per read(2), "PRIORITY,SEQ,MICROSECONDS,FLAGS;
 * TEXT\n" and lines of properties that begin with a blank.  sched_ext logs
 *
 *	sched_ext: BPF scheduler "NAME" enabled
 *	sched_ext: BPF scheduler "NAME" disabled (REASON)
 *	sched_ext: NAME: MESSAGE
 *
 * The message follows the reason at once, and is there for errors only.
 */
#ifndef KTSTR_SCHED_KMSG_H
#define KTSTR_SCHED_KMSG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "sched/state.h"

enum {
	KMSG_RECORD_BYTES = 8192, /* PRINTK_MESSAGE_MAX and its properties */
	KMSG_KEEP_BYTES = 16384,
	KMSG_REASON_BYTES = 64,
	KMSG_MESSAGE_BYTES = 1024,
	KMSG_READ_AT_ONCE = 256 /* records; a flood must not keep the reader for ever */
};

/* The first half and the last half of the lines are kept. */
struct kmsg {
	int fd; /* -1: the log is not read */
	struct strbuf head, tail;
	bool cut;
	bool ended; /* the kernel said that it let a scheduler go */
	bool expects_message;
	char ops[SCHED_OPS_BYTES]; /* of that one */
	char reason[KMSG_REASON_BYTES];
	char message[KMSG_MESSAGE_BYTES];
};

/* @path NULL or not to be read: everything stays unknown. */
void kmsg_open(struct kmsg *kmsg, const char *path);
void kmsg_close(struct kmsg *kmsg);
/* Takes what was logged since. */
void kmsg_read(struct kmsg *kmsg);
/* Forgets everything so far. */
void kmsg_clear(struct kmsg *kmsg);
/* Appends the kept lines. */
void kmsg_text(const struct kmsg *kmsg, struct strbuf *out);

/* One record as read; what is none is passed over. */
void kmsg_add(struct kmsg *kmsg, const char *record, size_t length);

#endif
