/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* crash.h - a body that dies of a fatal signal says where. */
#ifndef KTSTR_RUN_CRASH_H
#define KTSTR_RUN_CRASH_H

#include <ktstr/error.h>

/*
 * Catches SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT of this process: one CRASH record goes out
 * over @record_fd (borrowed), then the signal kills the process as if it had not been caught.
 * Offsets in the record count from the main program's load base; addresses outside of it (a
 * library's, a wild jump) are left out.  Children after fork() die without a record.
 */
int crash_catch(int record_fd, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
