/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * intake.h - the guest's stream of records as it arrives: parsed, hashed, taken into evidence.
 *
 * The hash of a run's events is SHA-256 over the bytes of all frames from the first to the end of
 * BYE, headers with their virtual times included.  A stream that is damaged or ends before BYE has
 * none.
 */
#ifndef KTSTR_RUN_INTAKE_H
#define KTSTR_RUN_INTAKE_H

#include "base/sha256.h"
#include "run/evidence.h"

/* Sees each record after it has become evidence. */
typedef void (*intake_record_fn)(void *arg, const struct record *record);

struct intake {
	struct frame_parser parser;
	struct sha256 hash;
	struct evidence *e;
	intake_record_fn fn;
	void *arg;
	uint64_t bytes;	  /* fed so far */
	uint64_t bye_end; /* offset behind BYE; 0: not seen */
};

/* @fn may be NULL. */
void intake_init(struct intake *intake, struct evidence *e, intake_record_fn fn, void *arg);
void intake_deinit(struct intake *intake);

/* Return: 0, or a negative errno when the stream cannot be trusted any further; that is then
 * evidence too. */
int intake_feed(struct intake *intake, const void *bytes, size_t len) KTSTR_MUST_CHECK;

/* No more will come: a frame that is cut off becomes damage, a whole stream gets its hash. */
void intake_end(struct intake *intake);

#endif
