/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * parse.h - numbers, sizes, durations and CPU lists from text, whole or not at all.
 *
 * Nothing here skips blanks or accepts trailing characters.
 */
#ifndef KTSTR_BASE_PARSE_H
#define KTSTR_BASE_PARSE_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/api.h>

/* Decimal digits only.  Return: 0, -EINVAL, -ERANGE. */
int parse_u64(const char *text, uint64_t *ret_value) KTSTR_MUST_CHECK;
int parse_u32(const char *text, uint32_t *ret_value) KTSTR_MUST_CHECK;
/* One optional '-', then digits. */
int parse_i64(const char *text, int64_t *ret_value) KTSTR_MUST_CHECK;
/* 512M, 2GiB, 65536: powers of 1024, suffix K, M, G, T with optional iB or B. */
int parse_bytes(const char *text, uint64_t *ret_bytes) KTSTR_MUST_CHECK;
/* 250ms, 1.5s, 2m, 1h, 100us, 5ns; a bare number is seconds.  Return: 0, -EINVAL, -ERANGE. */
int parse_duration_ns(const char *text, uint64_t *ret_ns) KTSTR_MUST_CHECK;
/* "0-3,8" as in /sys; "" is the empty set.  Return: 0, -EINVAL, -ERANGE (CPU >= CPU_SETSIZE). */
int parse_cpulist(const char *text, cpu_set_t *ret_set) KTSTR_MUST_CHECK;
/* The reverse, "0-3,8"; cut at @size like snprintf. */
void format_cpulist(const cpu_set_t *set, char *buf, size_t size);

#endif
