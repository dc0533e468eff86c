/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* alone.h - one after the other for tests that look into all processes of the machine. */
#ifndef KTSTR_TESTS_LIB_ALONE_H
#define KTSTR_TESTS_LIB_ALONE_H

/* Waits until no other program that called this is left: what one of them stops by ptrace, the others
 * cannot.  Held until the caller ends. */
void alone_wait(void);

#endif
