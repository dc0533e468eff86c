// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/qmp.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { READ_CHUNK = 4096, SHOWN_BYTES = 80 };

#define _cleanup_json_ _cleanup_(json_decrefp)

static int bad_line(const char *line, size_t length, const char *why, struct ktstr_error *err)
{
	char shown[SHOWN_BYTES + 1];
	size_t n = length < SHOWN_BYTES ? length : SHOWN_BYTES;

	for (size_t i = 0; i < n; i++)
		shown[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
	shown[n] = '\0';
	return ktstr_error_set(err, -EPROTO, "QEMU's control socket: %s: '%s'%s", why, shown,
			       n < length ? "..." : "");
}

/* The deepest nesting of brackets outside strings. */
static unsigned int depth_of(const char *line, size_t length)
{
	unsigned int depth = 0, deepest = 0;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = line[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']') && depth)
			depth--;
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

/* Return: whether @object is an object of two texts, copied. */
static bool read_error(const json_t *object, struct qmp_message *m)
{
	const char *class = json_string_value(json_object_get(object, "class"));
	const char *desc = json_string_value(json_object_get(object, "desc"));

	if (!class || !desc)
		return false;
	snprintf(m->name, sizeof(m->name), "%s", class);
	snprintf(m->text, sizeof(m->text), "%s", desc);
	return true;
}

/* NULL, or what is wrong. */
static const char *read_message(const json_t *root, struct qmp_message *m)
{
	const json_t *id = json_object_get(root, "id");
	const char *event = json_string_value(json_object_get(root, "event"));
	json_t *answer = json_object_get(root, "return");
	const json_t *error = json_object_get(root, "error");

	m->id = json_is_integer(id) ? json_integer_value(id) : -1;
	if (!json_is_object(root))
		return "not an object";
	if (json_object_get(root, "QMP")) {
		m->kind = QMP_GREETING;
	} else if (answer) {
		m->kind = QMP_ANSWER;
		m->value = json_incref(answer);
	} else if (error) {
		m->kind = QMP_ERROR;
		return read_error(error, m) ? NULL : "an error without class and text";
	} else if (event) {
		m->kind = QMP_EVENT;
		if (strlen(event) >= sizeof(m->name))
			return "an event of too long a name";
		snprintf(m->name, sizeof(m->name), "%s", event);
		m->value = json_incref(json_object_get(root, "data"));
	} else {
		return "neither answer nor event";
	}
	return NULL;
}

int qmp_message_parse(const char *line, size_t length, struct qmp_message *ret_message,
		      struct ktstr_error *err)
{
	_cleanup_json_ json_t *root = NULL;
	struct qmp_message m = { .id = -1 };
	json_error_t where;
	const char *why;

	if (length > QMP_LINE_MAX)
		return bad_line(line, length, "line too long", err);
	if (depth_of(line, length) > QMP_DEPTH_MAX)
		return bad_line(line, length, "nested too deep", err);
	root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &where);
	if (!root)
		return bad_line(line, length, where.text, err);
	why = read_message(root, &m);
	if (why) {
		qmp_message_deinit(&m);
		return bad_line(line, length, why, err);
	}
	*ret_message = m;
	return 0;
}

void qmp_message_deinit(struct qmp_message *message)
{
	json_decref(message->value);
	message->value = NULL;
}

void qmp_init(struct qmp *q, int fd)
{
	*q = (struct qmp){ .fd = fd,
			   .deadline_ns = UINT64_MAX,
			   .cancel_fd = -1,
			   .in = STRBUF_INIT_LIMIT(QMP_LINE_MAX + READ_CHUNK) };
}

void qmp_deinit(struct qmp *q)
{
	for (unsigned int i = 0; i < q->nr_events; i++)
		qmp_message_deinit(&q->events[i]);
	q->nr_events = 0;
	strbuf_deinit(&q->in);
	if (q->fd >= 0)
		close(take_fd(&q->fd));
}

static int left_ms(const struct qmp *q)
{
	uint64_t now = clock_mono_ns(), left;

	if (q->deadline_ns == UINT64_MAX)
		return -1;
	left = q->deadline_ns > now ? (q->deadline_ns - now) / NSEC_PER_MSEC + 1 : 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static int wait_for(struct qmp *q, short events, struct ktstr_error *err)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = q->fd, .events = events },
					{ .fd = q->cancel_fd, .events = POLLIN } };
		int r = poll(fds, ARRAY_SIZE(fds), left_ms(q));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return ktstr_error_set(err, -errno, "wait for QEMU: %s", strerror(errno));
		if (fds[1].revents)
			return ktstr_error_set(err, -EINTR, "cancelled while waiting for QEMU");
		if (fds[0].revents)
			return 0;
		if (left_ms(q) == 0)
			return ktstr_error_set(err, -ETIMEDOUT, "QEMU did not answer in time");
	}
}

static int fill(struct qmp *q, struct ktstr_error *err)
{
	char chunk[READ_CHUNK];
	ssize_t n;
	int r = wait_for(q, POLLIN, err);

	if (r < 0)
		return r;
	n = recv(q->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return ktstr_error_set(err, -errno, "read from QEMU: %s", strerror(errno));
	if (n <= 0)
		return ktstr_error_set(err, -EPIPE, "QEMU closed its control socket%s",
				       q->in.len > q->used ? " in the middle of a line" : "");
	strbuf_consume(&q->in, q->used);
	q->used = 0;
	strbuf_add(&q->in, chunk, (size_t)n);
	return q->in.error ? ktstr_error_nomem(err) : 0;
}

/* The next whole line that is not empty. */
static int receive(struct qmp *q, struct qmp_message *ret_message, struct ktstr_error *err)
{
	for (;;) {
		size_t left = q->in.len - q->used;
		const char *line = strbuf_str(&q->in) + q->used;
		const char *end = left ? memchr(line, '\n', left) : NULL;
		size_t length = end ? (size_t)(end - line) : left;
		int r;

		if (!end && left > QMP_LINE_MAX)
			return bad_line(line, left, "line too long", err);
		if (!end) {
			r = fill(q, err);
			if (r < 0)
				return r;
			continue;
		}
		q->used += length + 1;
		while (length && (line[length - 1] == '\r' || line[length - 1] == ' '))
			length--;
		if (length)
			return qmp_message_parse(line, length, ret_message, err);
	}
}

static int keep_event(struct qmp *q, struct qmp_message *m, struct ktstr_error *err)
{
	if (q->nr_events == QMP_EVENTS_MAX) {
		qmp_message_deinit(m);
		return ktstr_error_set(err, -EPROTO, "QEMU sent more than %d events",
				       QMP_EVENTS_MAX);
	}
	q->events[q->nr_events++] = *m;
	return 0;
}

int qmp_greet(struct qmp *q, struct ktstr_error *err)
{
	struct qmp_message m;
	int r = receive(q, &m, err);

	if (r < 0)
		return ktstr_error_wrap(err, r, "wait for QEMU's greeting");
	qmp_message_deinit(&m);
	if (m.kind != QMP_GREETING)
		return ktstr_error_set(err, -EPROTO, "QEMU's control socket: no greeting");
	return qmp_command(q, "qmp_capabilities", NULL, NULL, err);
}

static int send_all(struct qmp *q, const char *text, size_t length, struct ktstr_error *err)
{
	while (length) {
		ssize_t n = send(q->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r;

		if (n >= 0) {
			text += n;
			length -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return ktstr_error_set(err, -errno, "write to QEMU: %s", strerror(errno));
		r = wait_for(q, POLLOUT, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int64_t qmp_send(struct qmp *q, const char *name, json_t *arguments, struct ktstr_error *err)
{
	_cleanup_json_ json_t *taken = arguments;
	_cleanup_json_ json_t *command =
		json_pack("{s:s, s:I}", "execute", name, "id", (json_int_t)(q->last_id + 1));
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	if (!command || (taken && json_object_set(command, "arguments", taken) < 0))
		return ktstr_error_nomem(err);
	text = json_dumps(command, JSON_COMPACT);
	if (!text)
		return ktstr_error_nomem(err);
	length = strlen(text);
	text[length] = '\n';
	r = send_all(q, text, length + 1, err);
	return r < 0 ? ktstr_error_wrap(err, r, "QEMU command '%s'", name) : ++q->last_id;
}

int qmp_answer(struct qmp *q, int64_t id, json_t **ret_value, struct ktstr_error *err)
{
	struct qmp_message m;
	int r;

	for (;;) {
		r = receive(q, &m, err);
		if (r < 0)
			return r;
		if (m.kind != QMP_EVENT)
			break;
		r = keep_event(q, &m, err);
		if (r < 0)
			return r;
	}
	if (m.kind == QMP_ERROR && (m.id == id || m.id < 0))
		return ktstr_error_set(err, -EREMOTEIO, "QEMU says: %s", m.text);
	if (m.kind != QMP_ANSWER || m.id != id) {
		qmp_message_deinit(&m);
		return ktstr_error_set(
			err, -EPROTO, "QEMU's control socket: an answer to nothing that was asked");
	}
	if (ret_value)
		*ret_value = take_ptr(m.value);
	qmp_message_deinit(&m);
	return 0;
}

int qmp_command(struct qmp *q, const char *name, json_t *arguments, json_t **ret_value,
		struct ktstr_error *err)
{
	int64_t id = qmp_send(q, name, arguments, err);
	int r;

	if (id < 0)
		return (int)id;
	r = qmp_answer(q, id, ret_value, err);
	return r < 0 ? ktstr_error_wrap(err, r, "QEMU command '%s'", name) : 0;
}

static bool take_event(struct qmp *q, const char *name, json_t **ret_data)
{
	for (unsigned int i = 0; i < q->nr_events; i++) {
		if (strcmp(q->events[i].name, name) != 0)
			continue;
		if (ret_data)
			*ret_data = take_ptr(q->events[i].value);
		qmp_message_deinit(&q->events[i]);
		q->nr_events--;
		memmove(&q->events[i], &q->events[i + 1],
			(q->nr_events - i) * sizeof(q->events[0]));
		return true;
	}
	return false;
}

int qmp_wait_event(struct qmp *q, const char *name, json_t **ret_data, struct ktstr_error *err)
{
	while (!take_event(q, name, ret_data)) {
		struct qmp_message m;
		int r = receive(q, &m, err);

		if (r < 0)
			return ktstr_error_wrap(err, r, "wait for QEMU's event %s", name);
		if (m.kind != QMP_EVENT) {
			qmp_message_deinit(&m);
			return ktstr_error_set(
				err, -EPROTO,
				"QEMU's control socket: an answer to nothing that was asked");
		}
		r = keep_event(q, &m, err);
		if (r < 0)
			return r;
	}
	return 0;
}
