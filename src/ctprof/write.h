/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* write.h - a snapshot as the bytes of a file. */
#ifndef KTSTR_CTPROF_WRITE_H
#define KTSTR_CTPROF_WRITE_H

#include "base/strbuf.h"
#include <ktstr/ctprof.h>

/* Replaces @ret_bytes by one zstd frame.  @name is for messages.  Return: 0, -ENOMEM, -E2BIG. */
int ctprof_pack(const struct ktstr_ctprof *snapshot, const char *name, struct strbuf *ret_bytes,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
