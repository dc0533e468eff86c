/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * exact_engine.h - what reaches an exact guest from its host, taken away.
 *
 * A library that is preloaded into QEMU (docs/decisions has what was seen) does two things:
 *
 *  - The clock.  QEMU's emulator fits the size of its address caches to their use in the last 100 ms
 *    by gettimeofday(), and nothing else but time stamps of events uses that function.  How long an
 *    old translation is remembered decides whether a CPU that has not heard of a new page permission
 *    takes a fault.  The library answers with a second more each time: then 100 ms have always passed
 *    when a cache is emptied, and its size follows from the guest alone, and from its recent past
 *    only, so that a clone and a machine that was booted come to the same.
 *
 *  - The turns.  QEMU's main loop runs beside the thread of the CPUs; it runs timers, and when all
 *    CPUs sleep it moves time to the next one.  What it does depends on whether the CPUs' thread is
 *    at that moment just before or after the end of its slice.  The library lets the main loop go on
 *    only while that thread waits, so that one of the two runs at a time, or when it has not waited
 *    for 5 s (a guest that spins, or has switched itself off); requests through sockets
 *    (monitor, debugger) are served at once.  A main loop that polls while it holds QEMU's big lock,
 *    as it does at the machine's end, goes on as well: the lock keeps the CPUs' thread out.
 */
#ifndef KTSTR_VM_EXACT_ENGINE_H
#define KTSTR_VM_EXACT_ENGINE_H

#include <ktstr/error.h>

/* The library in memory, as a descriptor for QEMU to inherit.  Return: it, or -errno. */
int exact_engine_open(struct ktstr_error *err) KTSTR_MUST_CHECK;

/* This process's environment with LD_PRELOAD naming descriptor @fd.  An array to free; the strings
 * but the first are borrowed, and the first is part of the same block.  NULL for lack of memory. */
char **exact_engine_environment(int fd) KTSTR_MUST_CHECK;

#endif
