/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * job.h - the files a job needs, as they arrive.
 *
 * An archive in pieces is unpacked below root_fd.  Folders may be there already; files and links
 * replace what has their name.  Nothing of it may be used before unpack_finish() has found that it
 * is what the job says.
 */
#ifndef KTSTR_GUEST_JOB_H
#define KTSTR_GUEST_JOB_H

#include <stdint.h>

#include "base/cpio.h"
#include "base/xxh64.h"
#include "run/protocol.h"

struct unpack {
	int root_fd; /* borrowed */
	struct cpio_stream stream;
	struct xxh64 sum;
	uint64_t bytes;		 /* fed so far */
	struct cpio_entry entry; /* being read; its name */
	char name[CPIO_NAME_MAX + 1];
	int fd; /* the file being written, or -1 */
	struct ktstr_error *err;
};

/* Until the end the umask must be 0. */
void unpack_init(struct unpack *u, int root_fd);
/* Return: 0, -EINVAL (damaged), -E2BIG (as cpio_stream_feed()), -errno of writing. */
int unpack_feed(struct unpack *u, const void *bytes, size_t size,
		struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Return: 0, -EINVAL (cut short), -EBADMSG (not of the size or XXH64 that @job says). */
int unpack_finish(struct unpack *u, const struct job *job,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;
void unpack_deinit(struct unpack *u);

#endif
