/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* receive.h - the job's two files, through fw_cfg. */
#ifndef KTSTR_GUEST_RECEIVE_H
#define KTSTR_GUEST_RECEIVE_H

#include "guest/channel.h"
#include "guest/fwcfg.h"
#include "run/protocol.h"

/* The description.  Return: 0, -ENOENT (this machine was given none), as job_decode() and
 * fwcfg_read(). */
int receive_job(struct fwcfg *f, struct job *job, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Unpacks the archive at the root, with a heartbeat now and then, as a large one takes its time.
 * Return: 0, -EBADMSG (not what @job says), as unpack_feed() and fwcfg_read(). */
int receive_files(struct channel *c, struct fwcfg *f, const struct job *job,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
