/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * capture.h - what a child writes, read all the time and kept up to a cap.
 *
 * One small thread per capture reads both pipes whether or not anybody waits for the child, so a
 * child can never block on a full pipe; it runs with all asynchronous signals blocked.  Of each
 * stream the first and the last half of the cap are kept, and a line in between says how much is
 * missing: the start shows what was run, the end has the results and the last words.
 *
 * What a process has written is in the pipe when its exit can be collected.  Therefore
 * capture_finish() takes what is there now, at most one pipe's capacity, and loses nothing; it
 * never waits for end of file, which a grandchild that kept the pipe open would hold off for ever.
 */
#ifndef KTSTR_BASE_CAPTURE_H
#define KTSTR_BASE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>

struct capture;

enum capture_stream { CAPTURE_STDOUT, CAPTURE_STDERR, CAPTURE_STREAMS };

struct capture_text {
	const char *text; /* NUL-terminated; owned by the capture */
	size_t length;	  /* of text; may contain NUL bytes */
	uint64_t written; /* bytes the child wrote */
	bool cut;	  /* some are missing from text */
};

/* Makes the pipes.  @keep_bytes of each stream, 2 or more.  Return: 0, -ENOMEM, -errno. */
int capture_create(size_t keep_bytes, struct capture **ret_capture,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The end the child writes to; the capture's, closed by capture_start(). */
int capture_write_fd(const struct capture *capture, enum capture_stream stream);
/* Starts reading, and notes when @pidfd becomes readable (borrowed; -1: never). */
int capture_start(struct capture *capture, int pidfd, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Call once, after the child's exit was collected: stops the thread and closes the pipes. */
void capture_finish(struct capture *capture);
/* After capture_finish(). */
struct capture_text capture_text(struct capture *capture, enum capture_stream stream);
/* CLOCK_MONOTONIC time at which the child ended; 0: the thread has not seen it. */
uint64_t capture_exit_ns(struct capture *capture);
/* The last line that is not blank, printable ASCII and tabs, cut at @size; "" if there is none.
 * At any time. */
void capture_last_line(struct capture *capture, enum capture_stream stream, char *buf, size_t size);
/* NULL is fine; finishes first if that has not been done. */
void capture_destroy(struct capture *capture);

#endif
