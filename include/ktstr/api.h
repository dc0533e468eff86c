/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * api.h - attributes shared by every public header, and the exit codes of every program.
 *
 * Conventions of the whole API: functions return 0 or a count on success and a negative errno on
 * failure; out parameters are called ret_x and are written only on success; pointers are borrowed
 * for the call unless a comment says "takes" or the function is named _create, _open or _dup.
 * Time is uint64_t nanoseconds (_ns), sizes are uint64_t bytes (_bytes).
 */
#ifndef KTSTR_API_H
#define KTSTR_API_H

#define KTSTR_API		__attribute__((visibility("default")))
#define KTSTR_MUST_CHECK	__attribute__((warn_unused_result))
#define KTSTR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Exit codes of the ktstr command and of every test program. */
enum ktstr_exit {
	KTSTR_EXIT_PASS = 0, /* everything that ran passed */
	KTSTR_EXIT_FAIL = 1, /* at least one test failed */
	/* The command line was wrong, or it names what is not there (a run, a record, a scheduler,
	 * a kernel to be shown or removed), or a file or folder for results that cannot be made;
	 * nothing ran. */
	KTSTR_EXIT_USAGE = 2,
	KTSTR_EXIT_SKIP = 4,	  /* every test was skipped */
	KTSTR_EXIT_UNDECIDED = 5, /* none failed, at least one could not be decided */
	/* The harness, the VM (what it is made of: kernel, QEMU, files of a test) or the set-up
	 * broke, or results were lost as they were written. */
	KTSTR_EXIT_HARNESS = 70,
	KTSTR_EXIT_CAPACITY = 75,    /* this machine has no room for it now */
	KTSTR_EXIT_TIMEOUT = 124,    /* the time limit of the whole run was reached */
	KTSTR_EXIT_INTERRUPTED = 130 /* Ctrl-C or SIGTERM */
};

#endif
