/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* job.h - the job archive: what to run, and the files it needs. */
#ifndef KTSTR_GUEST_JOB_H
#define KTSTR_GUEST_JOB_H

#include <stdbool.h>

#include "guest/fwcfg.h"
#include "run/protocol.h"

/*
 * Reads the first entry, job.json, and unpacks all others below @root_fd.  Folders may be there
 * already; files and links replace what has their name.  With @release, @blob's memory is given
 * back as files are written, so that a job needs room only once.
 * Return: 0, -EINVAL (damaged, or job.json is not first), -errno of writing.
 */
int job_unpack(const struct fwcfg_blob *blob, bool release, int root_fd, struct job *ret_job,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
