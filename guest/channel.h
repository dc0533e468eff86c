/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * channel.h - the frames on their way to the host.
 *
 * Frames are numbered when they enter the queue and written as far as the port takes them without
 * blocking.  Whoever produces in volume stops while channel_full(); the agent's own few records
 * always fit behind that.  Its memory is taken and touched once, at the start, so
 * that a guest without memory can still report; nothing is ever swapped out in a guest.
 */
#ifndef KTSTR_GUEST_CHANNEL_H
#define KTSTR_GUEST_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "run/protocol.h"

enum { CHANNEL_FULL = 64 << 10, CHANNEL_LIMIT = (512 << 10) - 1 };

struct channel {
	int fd; /* non-blocking; borrowed */
	uint64_t seq;
	struct strbuf queue;
	uint64_t stop_seq; /* UINT64_MAX: none */
	void (*stop)(void);
};

/* Return: 0 or -ENOMEM. */
int channel_init(struct channel *c, int fd) KTSTR_MUST_CHECK;
void channel_deinit(struct channel *c);

bool channel_full(const struct channel *c);

/* Return: 0 (queued, perhaps written), -ENOBUFS (no room: dropped), -E2BIG, -EINVAL. */
int channel_send(struct channel *c, enum record_type type, const void *payload, size_t length);
/* The same; takes @object, NULL is lack of memory. */
int channel_send_json(struct channel *c, enum record_type type, json_t *object);
/* An object with the one key @key, which needs no escape, made without the costs of JSON. */
int channel_send_number(struct channel *c, enum record_type type, const char *key, int number);
/* An object with the one key text. */
int channel_send_text(struct channel *c, enum record_type type, const char *fmt, ...)
	KTSTR_PRINTF(3, 4);
/* Passes an encoded frame on, numbered anew.  -EBADMSG: it is no frame. */
int channel_forward(struct channel *c, void *frame, size_t size);

/* Calls @stop once, as soon as the record @seq has been written, or now if it has; 0: never. */
void channel_stop_after(struct channel *c, uint64_t seq, void (*stop)(void));

/* Writes what the port takes now.  Return: 0, or -errno of write other than -EAGAIN. */
int channel_pump(struct channel *c);
/* Writes all.  Return: 0, -ETIMEDOUT, -errno. */
int channel_flush(struct channel *c, uint64_t timeout_ns) KTSTR_MUST_CHECK;

#endif
