/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * huge.h - memory in huge pages, where the system has them.
 *
 * For what is so large that the C library takes it from the system and gives it back each time:
 * its pages are made, cleared and mapped one by one, at more cost than what is written there.
 */
#ifndef KTSTR_BASE_HUGE_H
#define KTSTR_BASE_HUGE_H

#include <stddef.h>

enum { HUGE_PAGE_BYTES = 2 << 20 };

/*
 * At least @bytes, aligned to HUGE_PAGE_BYTES.  Where huge pages are switched off it is in common
 * ones.  Pages never written take no memory.  Return: for free() to give back; NULL: no memory, or
 * more than an object may have.
 */
void *huge_alloc(size_t bytes) __attribute__((malloc, warn_unused_result));

#endif
