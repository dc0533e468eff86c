/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * text_file.h - short files of /proc, /sys and cgroup v2, read one after the other into one buffer.
 */
#ifndef KTSTR_CTPROF_TEXT_FILE_H
#define KTSTR_CTPROF_TEXT_FILE_H

#include <ktstr/api.h>

#include "ctprof/span.h"

enum { TEXT_FILE_BYTES = 64 << 10 };

struct text_file {
	char *buf; /* TEXT_FILE_BYTES */
};

int text_file_init(struct text_file *f) KTSTR_MUST_CHECK;
void text_file_deinit(struct text_file *f);
/*
 * @ret_text lasts until the next call.  One read: the text is cut at TEXT_FILE_BYTES, or where
 * the kernel parts it (cpuinfo: after some CPUs).
 * Return: 0, -errno of open or read.
 */
int text_file_read(struct text_file *f, int dir_fd, const char *name, struct span *ret_text);

#endif
