/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * template.h - the booted machines that tests are cloned from, as they lie in the cache.
 *
 * A template is made when a test first needs its machine and is verified before it is used; these
 * calls are for people who want to see or to free the space.  Templates lie in
 * $XDG_CACHE_HOME/ktstr/templates.  All calls may run beside tests and each other.
 */
#ifndef KTSTR_TEMPLATE_H
#define KTSTR_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/error.h>

enum { KTSTR_TEMPLATE_KEY = 65, KTSTR_TEMPLATE_TEXT = 128 };

/* What all templates may take on disk before the least recently used go. */
#define KTSTR_TEMPLATE_MAX_BYTES (8ull << 30)

enum ktstr_template_state {
	KTSTR_TEMPLATE_WHOLE,
	KTSTR_TEMPLATE_DAMAGED,	 /* will be made anew when next asked for */
	KTSTR_TEMPLATE_MAKING,	 /* being made or removed now */
	KTSTR_TEMPLATE_LEFTOVER, /* half made by a process that was killed */
};

struct ktstr_template {
	char key[KTSTR_TEMPLATE_KEY]; /* hex */
	enum ktstr_template_state state;
	bool in_use;
	/* What it was made from; "" and 0 unless it is whole. */
	char qemu[KTSTR_TEMPLATE_TEXT];	    /* version */
	char kernel[KTSTR_TEMPLATE_TEXT];   /* release */
	char topology[KTSTR_TEMPLATE_TEXT]; /* as --topology takes it */
	char mode[KTSTR_TEMPLATE_TEXT];	    /* "exact", "live-tcg", "live-kvm" */
	char made_at[KTSTR_TEMPLATE_TEXT];  /* RFC 3339 */
	char ktstr[KTSTR_TEMPLATE_TEXT];    /* version that made it */
	uint64_t memory_bytes;		    /* of the machine */
	uint64_t disk_bytes;		    /* allocated */
	uint64_t used_ns;		    /* when it was last used, since the epoch */
	char why[256];			    /* what is damaged; "" otherwise */
};

/**
 * ktstr_template_list() - every template in the cache, last used first.
 * @ret_templates: malloc'ed array, the caller's to free; NULL if there are none
 * @err:	filled on failure; may be NULL
 *
 * Each is verified: those that changed since they were last verified are read whole.
 *
 * Return: how many, or -errno.
 */
KTSTR_API int ktstr_template_list(struct ktstr_template **ret_templates,
				  struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_template_remove() - delete one template, or what is left of one.
 * @prefix:	first digits of its key, enough to tell it from all others
 * @ret_key:	the key of what was removed; may be NULL
 * @err:	filled on failure, naming the templates that fit if there are several; may be NULL
 *
 * Return: 0, -EINVAL (not hexadecimal), -ENOENT, -ENOTUNIQ (several fit), -EBUSY (in use), -errno.
 */
KTSTR_API int ktstr_template_remove(const char *prefix, char ret_key[KTSTR_TEMPLATE_KEY],
				    struct ktstr_error *err) KTSTR_MUST_CHECK;

struct ktstr_template_pruned {
	int removed;	      /* templates that were whole or damaged */
	uint64_t freed_bytes; /* on disk, leftovers included */
	uint64_t kept_bytes;  /* what is still there, in use or not */
	int kept;
};

/**
 * ktstr_template_prune() - free space.
 * @max_bytes:	what templates may still take on disk; 0: remove every one that is not in use
 * @ret_pruned:	written on success
 * @err:	filled on failure; may be NULL
 *
 * Damaged templates and leftovers of killed processes go in any case, then the least recently used.
 * What is in use stays, so more than @max_bytes may be left.
 *
 * Return: 0 or -errno.
 */
KTSTR_API int ktstr_template_prune(uint64_t max_bytes, struct ktstr_template_pruned *ret_pruned,
				   struct ktstr_error *err) KTSTR_MUST_CHECK;

struct ktstr_template_store {
	char path[512]; /* absolute; need not exist yet */
	int nr;
	uint64_t disk_bytes;
};

/**
 * ktstr_template_usage() - where templates lie and how much they take, without reading them.
 * @ret_store:	written on success
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -ENOENT (no home directory), -ENAMETOOLONG, -errno.
 */
KTSTR_API int ktstr_template_usage(struct ktstr_template_store *ret_store,
				   struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
