/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * aside.h - what does not depend on the number of threads, read beside the pass over them.
 *
 * The host's own values, and where the pass leaves out the first process, its threads from /proc.
 * As many helpers as there are CPUs idle read them, so that a capture of few threads takes hardly
 * longer than its pass.  What no helper has begun (all CPUs are busy, or there is to be one reader)
 * the caller's own thread does in aside_end().
 */
#ifndef KTSTR_CTPROF_ASIDE_H
#define KTSTR_CTPROF_ASIDE_H

#include "ctprof/collect.h"
#include "ctprof/crew.h"

enum aside_part { ASIDE_HOST, ASIDE_FIRST_PROCESS, ASIDE_NR_PARTS };

/* Zeroed at first. */
struct aside {
	bool begun;
	struct builder builders[ASIDE_NR_PARTS];
	struct collect collects[ASIDE_NR_PARTS]; /* as the capture's, but for the builder */
	struct crew crew;
	struct crew_shift shift;
};

/*
 * Once; later calls do nothing.  @readers: the caller's thread and at most that many less one
 * beside it.  @wants_first: the first process is to be read as well.
 */
void aside_begin(struct aside *aside, const struct collect *c, unsigned int readers,
		 bool wants_first);
/*
 * Waits, and puts the host's values into the builder of @c, which gets host_known, and with
 * @takes_first the threads of the first process, if they were wanted.  Does nothing unless begun.
 * Return: 0, or as collect_process() and collect_host().
 */
int aside_end(struct aside *aside, struct collect *c, bool takes_first) KTSTR_MUST_CHECK;
/* Waits as well, and drops what was not taken. */
void aside_deinit(struct aside *aside);

#endif
