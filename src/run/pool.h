/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * pool.h - worker processes that each do one item and report it in lines.
 *
 * Life cycle:
 *  1. pool_start() forks without executing, so the caller must have one thread.  The worker leads a
 *     process group of its own, has its own signals (interrupt.h), gets SIGTERM when the pool's
 *     process dies, runs work() and ends with its answer as exit status.
 *  2. pool_wait() hands every whole line a worker wrote to line(), and its end, after its last
 *     line, to ended().
 *  3. pool_signal() tells all workers; pool_deinit() kills and reaps what is left.
 *
 * Whatever descriptors the pool's process holds, the worker has too; it must write to its own only.
 */
#ifndef KTSTR_RUN_POOL_H
#define KTSTR_RUN_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include <ktstr/error.h>

enum { POOL_LINE_MAX = 128 << 20 }; /* a worker with a longer line is killed */

struct pool_end {
	int exit_code; /* valid if signal is 0 */
	int signal;
	bool flooded; /* killed for a line over POOL_LINE_MAX */
};

struct pool_ops {
	int (*work)(void *arg, size_t item, int out_fd); /* in the worker */
	void (*line)(void *arg, size_t item, const char *line);
	void (*ended)(void *arg, size_t item, const struct pool_end *end);
	void *arg;
};

struct pool_worker {
	size_t item;
	pid_t pid;
	int fd;
	struct strbuf text; /* the line that is not whole yet */
	bool flooded;
};

struct pool {
	struct pool_ops ops;
	struct pool_worker *workers;
	size_t nr, size;
};

/* @size: most workers at once.  Return: 0 or -ENOMEM. */
int pool_init(struct pool *pool, size_t size, const struct pool_ops *ops) KTSTR_MUST_CHECK;
void pool_deinit(struct pool *pool);

/* Return: 0, -EAGAIN, -ENOMEM, -EMFILE, -ENFILE (no room for one more now), -errno. */
int pool_start(struct pool *pool, size_t item, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Waits until a worker says something or ends, @wake_fd is readable (-1: none) or @timeout_ns is
 * over, and hands on what there is.  ended() may call pool_start().  Return: 0 or -errno. */
int pool_wait(struct pool *pool, int wake_fd, uint64_t timeout_ns) KTSTR_MUST_CHECK;

void pool_signal(struct pool *pool, int signal);

#endif
