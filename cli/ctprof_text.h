/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* ctprof_text.h - values of a record as people and as programs read them. */
#ifndef KTSTR_CLI_CTPROF_TEXT_H
#define KTSTR_CLI_CTPROF_TEXT_H

#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#include <ktstr/ctprof.h>

#include "base/strbuf.h"

enum { CTPROF_CELL = 64 };

/* "16.0MiB", "1.25s", "-" for an absent value; @buf holds CTPROF_CELL bytes and is returned. */
const char *ctprof_cell(const struct ktstr_ctprof_thread *t, unsigned int metric, char *buf);
const char *ctprof_scaled(const struct ktstr_metric_info *info, int64_t value, char *buf);
/* Appends a name fit for a terminal (base/display.h); "-" if there is none. */
void ctprof_add_name(struct strbuf *out, const char *name);
/* All that is there of a thread, absent values left out. */
json_t *ctprof_thread_json(const struct ktstr_ctprof_thread *t);
json_t *ctprof_text_json(const char *text);
/* Return: -1 to go on, else an exit code; the complaint is printed. */
int ctprof_parse_collector(const char *name, enum ktstr_ctprof_collector *ret_collector);
/* As above; NULL is every process, 0.  A 0 that was named is none. */
int ctprof_parse_pid(const char *text, pid_t *ret_pid);
/* Metric by name; -1 if there is none. */
int ctprof_metric_by_name(const char *name);

#endif
