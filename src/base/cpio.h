/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * cpio.h - archives in the "newc" format of Linux initial ramdisks.
 *
 * Written archives depend on nothing but the entries: inode numbers count from 1, owner and time
 * are 0.  Read archives are not trusted.
 *
 * Source: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
 */
#ifndef KTSTR_BASE_CPIO_H
#define KTSTR_BASE_CPIO_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include <ktstr/error.h>

enum {
	CPIO_NAME_MAX = 1023,	 /* bytes of a name without its terminator */
	CPIO_TARGET_MAX = 4095,	 /* bytes of a symbolic link's target; when read in pieces */
	CPIO_ENTRIES_MAX = 65536 /* that the reader accepts */
};

struct cpio_entry {
	const char *name; /* relative to the root, without "." and ".." parts: "usr/bin/x" */
	uint32_t mode;	  /* type (regular, folder, symbolic link, character device) and bits */
	uint32_t rdev_major, rdev_minor;
	uint32_t size;	  /* bytes; of a symbolic link: of its target */
	const void *data; /* not terminated */
};

/* Sees every byte that is written, in order. */
typedef void (*cpio_tap_fn)(void *arg, const void *bytes, size_t len);

struct cpio_writer {
	int fd;		    /* where to, or -1 */
	struct strbuf *out; /* else where to */
	uint32_t entries;
	uint64_t bytes;	 /* written so far */
	cpio_tap_fn tap; /* NULL: nobody; set it before the first entry */
	void *tap_arg;
};

void cpio_writer_to_fd(struct cpio_writer *w, int fd);
void cpio_writer_to_strbuf(struct cpio_writer *w, struct strbuf *out);

/* Folders must be added before what is in them.
 * Return: 0, -EINVAL (a name or type the reader would refuse), -errno of writing. */
int cpio_add(struct cpio_writer *w, const struct cpio_entry *entry) KTSTR_MUST_CHECK;
/* The same with exactly entry->size bytes from @fd in place of entry->data.
 * -EIO: the file ends early. */
int cpio_add_fd(struct cpio_writer *w, const struct cpio_entry *entry, int fd) KTSTR_MUST_CHECK;
/* Writes the trailer. */
int cpio_finish(struct cpio_writer *w) KTSTR_MUST_CHECK;

/* Called for each entry in order; entry->name is terminated, everything is borrowed until it
 * returns.  A negative return ends the reading with that code. */
typedef int (*cpio_entry_fn)(void *arg, const struct cpio_entry *entry);

/* Reads a whole archive from memory.
 * Return: 0; -EINVAL: damaged, cut short, bytes after the trailer, a name that leaves the root or
 * is not in its shortest form, a hard link, or a type other than those above; -E2BIG: a limit;
 * or what @fn returned, with @err as @fn left it. */
int cpio_read(const void *bytes, size_t size, cpio_entry_fn fn, void *arg,
	      struct ktstr_error *err) KTSTR_MUST_CHECK;

/* An archive that comes in pieces of any size: begin() for each entry, with data for symbolic
 * links only; then, for a regular file, data() until all of entry->size has been seen; then end().
 * A negative return ends the reading with that code. */
struct cpio_stream_ops {
	int (*begin)(void *arg, const struct cpio_entry *entry);
	int (*data)(void *arg, const void *bytes, size_t len);
	int (*end)(void *arg);
};

enum cpio_state { CPIO_HEADER, CPIO_NAME, CPIO_TARGET, CPIO_DATA, CPIO_DONE };

struct cpio_stream {
	const struct cpio_stream_ops *ops;
	void *arg;
	enum cpio_state state;
	uint64_t at;   /* bytes taken */
	uint32_t skip; /* padding still to come */
	uint32_t left; /* bytes of the state still to come */
	uint32_t held; /* bytes of text collected */
	uint32_t entries, nlink;
	struct cpio_entry entry;
	char name[CPIO_NAME_MAX + 1];
	char text[CPIO_TARGET_MAX + 1];
};

void cpio_stream_init(struct cpio_stream *s, const struct cpio_stream_ops *ops, void *arg);
/* Refuses what cpio_read() refuses, and longer link targets.  After a failure the stream is of no
 * more use.  Return: as cpio_read(). */
int cpio_stream_feed(struct cpio_stream *s, const void *bytes, size_t size,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;
/* At the end of the input.  Return: 0, -EINVAL (cut short). */
int cpio_stream_finish(const struct cpio_stream *s, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
