/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* process.h - processes that are nobody's children here, and this one. */
#ifndef KTSTR_TESTS_LIB_PROCESS_H
#define KTSTR_TESTS_LIB_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Gone, or dead and waiting for its parent. */
bool process_is_dead(pid_t pid);
/* Killed processes are gone soon, not at once; the limit of the test ends a wait in vain. */
void process_wait_dead(pid_t pid);
/* Does the kernel let this process look into its children?  Asked of a child made for it. */
bool process_may_trace(void);
/* Files that this process has open, plus a constant. */
unsigned int process_count_files(void);

#endif
