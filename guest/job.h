/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* job.h - the job archive: what to run, and the files it needs. */
#ifndef KTSTR_GUEST_JOB_H
#define KTSTR_GUEST_JOB_H

#include <stdbool.h>

#include "base/cpio.h"
#include "base/strbuf.h"
#include "run/protocol.h"

/*
 * Takes an archive in pieces.  The first entry must be job.json; all others are unpacked below
 * root_fd.  Folders may be there already; files and links replace what has their name.
 */
struct unpack {
	int root_fd; /* borrowed */
	struct cpio_stream stream;
	struct strbuf job_text;
	struct job *job; /* borrowed, empty until the archive's has been read */
	bool has_job;
	struct cpio_entry entry; /* being read; its name */
	char name[CPIO_NAME_MAX + 1];
	int fd; /* the file being written, or -1 */
	struct ktstr_error *err;
};

/* @job must be zeroed; it is the caller's to deinit, also after a failure. */
void unpack_init(struct unpack *u, int root_fd, struct job *job);
/* Return: 0, -EINVAL (damaged, or job.json is not first), as job_decode(), -errno of writing. */
int unpack_feed(struct unpack *u, const void *bytes, size_t size,
		struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Return: 0, -EINVAL (cut short or empty). */
int unpack_finish(struct unpack *u, struct ktstr_error *err) KTSTR_MUST_CHECK;
void unpack_deinit(struct unpack *u);

#endif
