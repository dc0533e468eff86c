/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* cpu.h - the CPU and the clocks of a thread of a body. */
#ifndef KTSTR_TESTS_LIB_CPU_H
#define KTSTR_TESTS_LIB_CPU_H

#include <stdint.h>
#include <time.h>

/* The calling thread runs on that CPU only.  Return: 0 or -1 with errno. */
int cpu_bind(int cpu);
/* A clock in nanoseconds. */
uint64_t cpu_clock_ns(clockid_t clock);

#endif
