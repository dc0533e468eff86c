/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * exact_clock.h - the one clock of the host that reaches an exact guest, taken away.
 *
 * QEMU's emulator fits the size of its address caches to their use in the last 100 ms by
 * gettimeofday(), and nothing else but time stamps of events uses that function.  How long an old
 * translation is remembered decides whether a CPU that has not heard of a new page permission takes
 * a fault, so that a busy host moved the guest by some thousand instructions.  A library of one
 * function, preloaded into QEMU, answers with a second more each time: then 100 ms have always passed
 * when a cache is emptied, and its size follows from the guest alone, and from its recent past only,
 * so that a clone and a machine that was booted come to the same.
 * See docs/decisions.
 */
#ifndef KTSTR_VM_EXACT_CLOCK_H
#define KTSTR_VM_EXACT_CLOCK_H

#include <ktstr/error.h>

/* The library in memory, as a descriptor for QEMU to inherit.  Return: it, or -errno. */
int exact_clock_open(struct ktstr_error *err) KTSTR_MUST_CHECK;

/* This process's environment with LD_PRELOAD naming descriptor @fd.  An array to free; the strings
 * but the first are borrowed, and the first is part of the same block.  NULL for lack of memory. */
char **exact_clock_environment(int fd) KTSTR_MUST_CHECK;

#endif
