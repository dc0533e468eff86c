/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * protocol_record.h - JSON records, as the agent and test bodies send them.
 *
 * Text from outside need not be UTF-8, which JSON demands: record_text() mends it.
 */
#ifndef KTSTR_RUN_PROTOCOL_RECORD_H
#define KTSTR_RUN_PROTOCOL_RECORD_H

#include <jansson.h>

#include "run/protocol.h"

/* A JSON string of @len bytes; each byte that is no UTF-8, and NUL, becomes U+FFFD.
 * Return: the caller's, NULL for lack of memory. */
json_t *record_text_bytes(const char *bytes, size_t len);
/* The same for a terminated string. */
json_t *record_text(const char *text);

/* Frame of one JSON object, time now, seq 0, into @out (replaced).  Takes @object, also on
 * failure; NULL counts as lack of memory.  Return: 0, -ENOMEM, -E2BIG, -EINVAL (no object). */
int record_encode_json(enum record_type type, json_t *object, struct strbuf *out) KTSTR_MUST_CHECK;

/* Encodes and sends one message on a SOCK_SEQPACKET socket; waits for room.  Takes @object, also
 * on failure.  Return: 0, as record_encode_json(), or -errno of send (-EPIPE: the agent is gone).
 */
int record_send_json(int fd, enum record_type type, json_t *object) KTSTR_MUST_CHECK;

#endif
