/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * orphan.h - processes that left their group and lost their parent.
 *
 * A process that called orphan_adopt() gets them as its children, instead of init.
 */
#ifndef KTSTR_RUN_ORPHAN_H
#define KTSTR_RUN_ORPHAN_H

#include <stddef.h>
#include <sys/types.h>

void orphan_adopt(void);

/* Kills and reaps all children of this process but those in @keep. */
void orphan_kill_all(const pid_t *keep, size_t nr_keep);

#endif
