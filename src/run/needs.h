/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* needs.h - is everything there that a test declared it needs? */
#ifndef KTSTR_RUN_NEEDS_H
#define KTSTR_RUN_NEEDS_H

#include "base/strbuf.h"
#include <ktstr/kernel.h>
#include <ktstr/test.h>
#include <ktstr/vm.h>

/* @kernel: the one the body will run on.  What cannot be told is not met.
 * Return: true, or false with the first need that is not met in @ret_reason. */
bool needs_are_met(const struct ktstr_test *test, const struct ktstr_kernel *kernel,
		   struct strbuf *ret_reason);

/* As needs_are_met(), for the CPUs of the guest where @accel is what there is. */
bool needs_accel_is_met(const struct ktstr_test *test, enum ktstr_accel accel,
			struct strbuf *ret_reason);

/* The kernel this machine runs, as far as it can be told, for host_only tests. */
void needs_host_kernel(struct ktstr_kernel *ret_kernel);

#endif
