/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * watch_format.h - where a tracepoint's record has its fields, from the kernel's own description.
 *
 * Source: the files "format" and "id" of a tracepoint in tracefs, Documentation/trace/events.rst.
 */
#ifndef KTSTR_SCHED_WATCH_FORMAT_H
#define KTSTR_SCHED_WATCH_FORMAT_H

#include <stdint.h>

#include <ktstr/error.h>

struct watch_field {
	uint32_t offset, size;
};

/* Line "field:pid_t prev_pid;	offset:24;	size:4;	signed:1;" of @text; an array's name is without "[16]".
 * Return: 0, -ENOENT (no such field), -EINVAL (numbers that make no sense). */
int watch_format_field(const char *text, const char *name,
		       struct watch_field *ret_field) KTSTR_MUST_CHECK;

#endif
