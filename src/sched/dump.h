/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * dump.h - the kernel's debug dump of a scheduler that it ejects.
 *
 * The kernel hands the dump to the scheduler, which may show it or not.  The same lines go through the
 * tracepoint sched_ext_dump; an instance of the kernel's tracer that has nothing else enabled keeps
 * them here.  Source: kernel/sched/ext, dump_line(); Documentation/trace/ftrace.rst, "Instances".
 */
#ifndef KTSTR_SCHED_DUMP_H
#define KTSTR_SCHED_DUMP_H

#include <stdbool.h>

#include "base/strbuf.h"

enum { DUMP_PATH_BYTES = 512, DUMP_BUFFER_KIB = 64, DUMP_TRACE_BYTES = 4 << 20 };

struct dump {
	char dir[DUMP_PATH_BYTES]; /* of the instance; "": there is none */
};

/* Where there is no tracefs below @sysfs, or no such tracepoint, nothing is kept. */
void dump_open(struct dump *dump, const char *sysfs);
void dump_close(struct dump *dump);
void dump_clear(const struct dump *dump);
/* Appends what was dumped since, at most @limit bytes. */
void dump_read(const struct dump *dump, size_t limit, struct strbuf *out);

/* Appends the lines of a "trace" file that are the tracepoint's. */
void dump_extract(const char *trace, size_t length, size_t limit, struct strbuf *out);

#endif
