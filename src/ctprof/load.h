/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* load.h - a saved snapshot, once its bytes are in memory. */
#ifndef KTSTR_CTPROF_LOAD_H
#define KTSTR_CTPROF_LOAD_H

#include <ktstr/ctprof.h>

/* @bytes as in the file.  @name is for messages. */
int ctprof_load_packed(const void *bytes, size_t len, const char *name,
		       struct ktstr_ctprof **ret_snapshot,
		       struct ktstr_error *err) KTSTR_MUST_CHECK;
/* @text is the JSON inside. */
int ctprof_load_text(const char *text, size_t len, const char *name,
		     struct ktstr_ctprof **ret_snapshot, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
