/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * qmp.h - QEMU's control socket, as far as templates and clones need it.
 *
 * One JSON object a line each way (QEMU's docs/interop/qmp-spec.rst): a greeting, then commands
 * with an id, answers that repeat it, and events at any time.  Every wait ends at deadline_ns or
 * when cancel_fd is readable; both may be changed between calls.  After a failure other than
 * QEMU's own "error" answer the connection is of no more use.
 */
#ifndef KTSTR_VM_QMP_H
#define KTSTR_VM_QMP_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/strbuf.h"
#include <ktstr/error.h>

enum {
	QMP_LINE_MAX = 256 << 10,
	QMP_DEPTH_MAX = 32,
	QMP_EVENTS_MAX = 64, /* kept for qmp_wait_event(); more are an error */
	QMP_NAME_SIZE = 64,
	QMP_TEXT_SIZE = 512
};

enum qmp_kind { QMP_GREETING, QMP_ANSWER, QMP_ERROR, QMP_EVENT };

struct qmp_message {
	enum qmp_kind kind;
	int64_t id;		  /* ANSWER, ERROR; -1: it has none */
	char name[QMP_NAME_SIZE]; /* ERROR: class; EVENT: its name */
	char text[QMP_TEXT_SIZE]; /* ERROR: QEMU's words */
	json_t *value;		  /* owned; ANSWER: what it returns; EVENT: its data, or NULL */
};

/* One line, without its end.  Return: 0, -ENOMEM, -EPROTO (@err says what is wrong). */
int qmp_message_parse(const char *line, size_t length, struct qmp_message *ret_message,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;
void qmp_message_deinit(struct qmp_message *message);

struct qmp {
	int fd;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; UINT64_MAX: none */
	int cancel_fd;	      /* -1: none */
	struct strbuf in;
	size_t used; /* bytes of @in that are done with */
	struct qmp_message events[QMP_EVENTS_MAX];
	unsigned int nr_events;
	int64_t last_id;
};

/* Takes @fd, also on failure of what follows. */
void qmp_init(struct qmp *q, int fd);
/* Closes the socket; a QEMU that still runs notices. */
void qmp_deinit(struct qmp *q);

/* All that wait: -EPIPE (QEMU has closed it), -ETIMEDOUT, -EINTR (cancelled), -EPROTO (not QMP),
 * -ENOMEM, -errno. */

/* Waits for the greeting and leaves negotiation mode. */
int qmp_greet(struct qmp *q, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Sends a command; @arguments is taken (NULL: none), also on failure.  QEMU queues a few.
 * Return: the id to ask qmp_answer() for, or -errno. */
int64_t qmp_send(struct qmp *q, const char *name, json_t *arguments,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Waits for the answer to @id; answers come in the order of the commands.  @ret_value (may be
 * NULL) is the caller's.  Return also -EREMOTEIO: QEMU refused, the text holds its words. */
int qmp_answer(struct qmp *q, int64_t id, json_t **ret_value,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Both. */
int qmp_command(struct qmp *q, const char *name, json_t *arguments, json_t **ret_value,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Takes the oldest event called @name, or waits for it; others stay.  @ret_data (may be NULL) is the
 * caller's and NULL if the event has none. */
int qmp_wait_event(struct qmp *q, const char *name, json_t **ret_data,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
