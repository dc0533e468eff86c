/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* libbpf.h - whether tests that want libbpf find one, asked without the code they test. */
#ifndef KTSTR_TESTS_LIB_LIBBPF_H
#define KTSTR_TESTS_LIB_LIBBPF_H

#include <stdbool.h>

/* The dynamic loader finds libbpf.so.1 or libbpf.so.0. */
bool libbpf_is_installed(void);
/* That one, for dlsym() and dlclose(); NULL: there is none. */
void *libbpf_open(void);

#endif
