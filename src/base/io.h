/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * io.h - whole-file reads and writes that finish or say why not.
 *
 * EINTR is retried.  Every descriptor is opened close-on-exec.
 */
#ifndef KTSTR_BASE_IO_H
#define KTSTR_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include <ktstr/error.h>

/* Writes all @len bytes.  Return: 0 or -errno (-ENOSPC, -EPIPE, ...). */
int io_write_all(int fd, const void *bytes, size_t len) KTSTR_MUST_CHECK;

/* Appends what is left in @fd to @out until end of file.  Return: 0, -errno, -E2BIG (limit). */
int io_read_to_end(int fd, struct strbuf *out) KTSTR_MUST_CHECK;

/* Replaces @out by the file's content; -E2BIG when it is over @out's limit. */
int io_read_file(const char *path, struct strbuf *out, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The same relative to a directory descriptor, without a message: for hot paths like /proc. */
int io_read_file_at(int dir_fd, const char *path, struct strbuf *out) KTSTR_MUST_CHECK;

/* One short write, as /sys and cgroupfs want it.  Return: 0 or -errno of open or write. */
int io_write_sysfs(const char *path, const char *text) KTSTR_MUST_CHECK;

/* Writes a temporary file beside @path, syncs and renames it: @path is whole or untouched.
 * Signals to this thread wait meanwhile, so that none leaves the temporary file behind.  What is there
 * and no regular file (a device, a pipe, a link such as /dev/stdout) is written to instead. */
int io_write_file(const char *path, const void *bytes, size_t len, mode_t mode,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The same without the sync, which on a busy disk takes up to a second: processes see the file whole
 * or untouched, but after a crash of this machine it may be missing or cut short. */
int io_write_quickly(const char *path, const void *bytes, size_t len, mode_t mode,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Could io_write_file() make @path?  For what is written after a long time: said at once.
 * Return: 0, -EISDIR, or as creating a file beside it. */
int io_check_target(const char *path, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Opens what results are written to as they come: a file made anew, or with "-" standard output.
 * Return: 0 or -errno of creating it. */
int io_open_output(const char *path, int *ret_fd, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Is it the path that is wrong, when opening or making what was named gave @code, not this machine
 * (no room, no memory, a broken disk)? */
bool io_path_is_wrong(int code);

/* Copies a file's content (reflink or copy_file_range where possible). */
int io_copy_file(const char *from, const char *to, mode_t mode,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
