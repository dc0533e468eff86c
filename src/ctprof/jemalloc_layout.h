/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * jemalloc_layout.h - where the counters lie in the thread data of a build without debug
 * information, and the rules a read of a known build must satisfy.
 *
 * A known build is recognised by the bytes its thread data starts with in every new thread (the
 * TLS image: size and CRC-32), which hold the initial values of most of its members.
 *
 * Source: include/jemalloc/internal/tsd.h and src/thread_event.c of jemalloc 5.3.0; offsets
 * measured with mallctl("thread.allocatedp") on Debian's builds of 5.2.1 and 5.3.0.
 */
#ifndef KTSTR_CTPROF_JEMALLOC_LAYOUT_H
#define KTSTR_CTPROF_JEMALLOC_LAYOUT_H

#include "ctprof/jemalloc_elf.h"

enum {
	JEMALLOC_KNOWN_IMAGE_MAX = 65536,
	/* The members that are read: one run before the counters, one around them. */
	JEMALLOC_EVENTS_BYTES = 40,
	JEMALLOC_COUNTERS_BYTES = 40,
	JEMALLOC_EVENTS_AT = 0,
	JEMALLOC_COUNTERS_AT = 816
};

/* Exactly as in the target: offsets 8..40 and 816..856 of the thread data of 5.3.0. */
struct jemalloc_events {
	uint64_t flags;
	uint64_t allocated_last, allocated_next, deallocated_last, deallocated_next;
};

struct jemalloc_fast {
	uint8_t state;
	uint8_t pad[7];
	uint64_t allocated, allocated_next_fast, deallocated, deallocated_next_fast;
};

/* Is the thread data at @offset of the TLS image that of a known build? */
bool jemalloc_layout_known(int fd, const struct jelf *elf, uint64_t offset,
			   struct jemalloc_layout *ret_layout);
/* Searches the whole image of a program without symbols.  Return: 0, -ENODATA (none, or two). */
int jemalloc_layout_search(int fd, const struct jelf *elf, uint64_t *ret_offset,
			   struct jemalloc_layout *ret_layout) KTSTR_MUST_CHECK;
/* The rules in ctprof.h. */
bool jemalloc_plausible(const struct jemalloc_events *events, const struct jemalloc_fast *fast);

/* Asks a helper process that loads the library @fd.  Return: 0, -ENODATA (could not be asked, or
 * the answer makes no sense). */
int jemalloc_calibrate(int fd, const struct jelf *elf,
		       struct jemalloc_layout *ret_layout) KTSTR_MUST_CHECK;

/* For a static program with symbols: this machine's own libjemalloc, if its thread data has the
 * same size and the same initial bytes, answers for it.  Return: 0, -ENODATA. */
int jemalloc_system_layout(int fd, const struct jelf *elf,
			   struct jemalloc_layout *ret_layout) KTSTR_MUST_CHECK;

#endif
