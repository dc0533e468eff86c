// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/jemalloc_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/crc32.h"
#include "ctprof/fault.h"

enum {
	STATE_UNINITIALIZED = 6, /* the last of enum tsd_state_e since 5.2 */
	TE_MAX_INTERVAL = 4 << 20
};

/* Each of them in libjemalloc.a, libjemalloc_pic.a and libjemalloc.so.2. */
static const struct known {
	uint32_t size, crc, state_at;
	uint8_t state;	/* the last of enum tsd_state_e: uninitialized */
	bool is_common; /* so plain that only a symbol tells it from other data */
	struct jemalloc_layout layout;
} known[] = {
	/* 5.3.0, Debian 12 and 13 */
	{ .size = 2632,
	  .crc = 0x6a28b688,
	  .state_at = JEMALLOC_COUNTERS_AT,
	  .state = STATE_UNINITIALIZED,
	  .layout = { .allocated = 824, .deallocated = 840, .checked_size = 2632 } },
	/* 5.3.1 as configured by default; its event counters are elsewhere */
	{ .size = 1968,
	  .crc = 0x642dac48,
	  .state_at = 920,
	  .state = STATE_UNINITIALIZED,
	  .layout = { .allocated = 928, .deallocated = 944 } },
	/* 5.2.1, Debian 11, and 5.2.0 by default; they have no event counters to check by */
	{ .size = 6216,
	  .crc = 0x44235015,
	  .state = STATE_UNINITIALIZED,
	  .layout = { .allocated = 16, .deallocated = 24 } },
	/* 5.1.0 as configured by default */
	{ .size = 6144,
	  .crc = 0x5c221d69,
	  .state = 5,
	  .is_common = true,
	  .layout = { .allocated = 16, .deallocated = 24 } },
};

_Static_assert(sizeof(struct jemalloc_events) == JEMALLOC_EVENTS_BYTES, "as in the target");
_Static_assert(sizeof(struct jemalloc_fast) == JEMALLOC_COUNTERS_BYTES, "as in the target");

static const struct known *known_image(const unsigned char *image, uint64_t len, uint64_t tsd_size)
{
	if (ctprof_fault() == KTSTR_CTPROF_FAULT_UNKNOWN_BUILDS)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const struct known *k = &known[i];

		if (k->size > len || (tsd_size ? k->size != tsd_size : k->is_common))
			continue;
		/* One byte rules out nearly every wrong place of a search. */
		if (image[k->state_at] == k->state && crc32_update(0, image, k->size) == k->crc)
			return k;
	}
	return NULL;
}

static unsigned char *read_image(int fd, const struct jelf *elf)
{
	unsigned char *image;

	if (!elf->tls_filesz || elf->tls_filesz > JEMALLOC_KNOWN_IMAGE_MAX ||
	    elf->tls_file_offset > INT64_MAX)
		return NULL;
	image = malloc(elf->tls_filesz);
	if (image && pread(fd, image, elf->tls_filesz, (off_t)elf->tls_file_offset) !=
			     (ssize_t)elf->tls_filesz) {
		free(image);
		return NULL;
	}
	return image;
}

bool jemalloc_layout_known(int fd, const struct jelf *elf, uint64_t offset,
			   struct jemalloc_layout *ret_layout)
{
	_cleanup_free_ unsigned char *image = read_image(fd, elf);
	const struct known *k;

	if (!image || offset >= elf->tls_filesz)
		return false;
	k = known_image(image + offset, elf->tls_filesz - offset, elf->tsd_size);
	if (k)
		*ret_layout = k->layout;
	return k;
}

int jemalloc_layout_search(int fd, const struct jelf *elf, uint64_t *ret_offset,
			   struct jemalloc_layout *ret_layout)
{
	_cleanup_free_ unsigned char *image = read_image(fd, elf);
	const struct known *found = NULL;
	uint64_t at = 0;

	for (uint64_t i = 0; image && i < elf->tls_filesz; i += sizeof(uint64_t)) {
		const struct known *k = known_image(image + i, elf->tls_filesz - i, 0);

		if (k && found)
			return -ENODATA;
		if (k) {
			found = k;
			at = i;
		}
	}
	if (!found)
		return -ENODATA;
	*ret_offset = at;
	*ret_layout = found->layout;
	return 0;
}

static bool plausible_event(uint64_t counter, uint64_t last, uint64_t next, uint64_t fast)
{
	return last <= counter && counter < next && next - last <= TE_MAX_INTERVAL &&
	       (fast == 0 || fast == next);
}

bool jemalloc_plausible(const struct jemalloc_events *e, const struct jemalloc_fast *f)
{
	if (f->state > STATE_UNINITIALIZED)
		return false;
	if (f->state == STATE_UNINITIALIZED)
		return !(f->allocated | f->deallocated | f->allocated_next_fast |
			 f->deallocated_next_fast | e->allocated_last | e->allocated_next |
			 e->deallocated_last | e->deallocated_next);
	return plausible_event(f->allocated, e->allocated_last, e->allocated_next,
			       f->allocated_next_fast) &&
	       plausible_event(f->deallocated, e->deallocated_last, e->deallocated_next,
			       f->deallocated_next_fast);
}
